//! What the box tells the central of itself: the same as `/status`, as [`contract::report`] has it.

use std::time::Duration;

use contract::manifest::ModelUsed;
use contract::report::{Camera, Configuration, MAX_EACH, Report, Spool, one_line};
use time::OffsetDateTime;

use super::Sources;
use super::board::CameraStatus;

impl Sources {
    /// The box at `at`, running for `up`.
    pub fn report(&self, at: OffsetDateTime, up: Duration, models: &[ModelUsed]) -> Report {
        let configured = self.configured.status();
        let sections = configured.awaits_restart.into_iter().map(str::to_owned);
        let spool = self.spool.as_ref().map(|spool| spool.stats());
        Report {
            at,
            up_s: up.as_secs(),
            software: concat!("edge-agent ", env!("CARGO_PKG_VERSION")).into(),
            models: models.iter().take(MAX_EACH).cloned().collect(),
            configuration: Configuration {
                since: configured.since,
                refused: configured.refused.as_deref().map(one_line),
                awaits_restart: sections.collect(),
            },
            cameras: self.board.snapshot().into_iter().take(MAX_EACH).map(camera).collect(),
            spool: spool.map_or_else(Spool::default, |stats| Spool {
                pending: stats.pending as u64,
                bytes: stats.pending_bytes,
                refused: stats.refused as u64,
                damaged: stats.damaged as u64,
                full: stats.full,
                failed: stats.failed,
            }),
            troubles: self.troubles().iter().take(MAX_EACH).map(|text| one_line(text)).collect(),
        }
    }
}

fn camera(status: CameraStatus) -> Camera {
    Camera {
        id: one_line(&status.id),
        state: status.state.name().into(),
        detail: one_line(&status.detail),
        fps: status.fps,
        quiet_s: status.last_frame_age_ms.map(|age| age / 1000),
        reconnects: status.reconnects,
    }
}

//! What the box tells the central of itself: of the same report as its own pages, what
//! [`contract::report`] has.

use std::time::Duration;

use contract::report::{Camera, Configuration, MAX_EACH, Report, Spool, Undone, Update, one_line};

use super::camera::CameraStatus;
use super::findings::warnings;
use crate::update::{Phase, Status};

impl super::Report {
    /// Running for `up`.
    pub fn to_central(&self, up: Duration) -> Report {
        let spool = self.spool.as_ref();
        Report {
            at: self.at,
            up_s: up.as_secs(),
            software: format!("edge-agent {}", self.version),
            models: self.models.iter().take(MAX_EACH).cloned().collect(),
            configuration: Configuration {
                since: self.configuration.since,
                refused: self.configuration.refused.as_deref().map(one_line),
                awaits_restart: self
                    .configuration
                    .awaits_restart
                    .iter()
                    .map(|section| (*section).to_owned())
                    .collect(),
            },
            cameras: self.cameras.iter().take(MAX_EACH).map(camera).collect(),
            spool: spool.map_or_else(Spool::default, |stats| Spool {
                pending: stats.pending as u64,
                bytes: stats.pending_bytes,
                refused: stats.refused as u64,
                damaged: stats.damaged as u64,
                full: stats.full,
                failed: stats.failed,
            }),
            troubles: self.troubles.iter().take(MAX_EACH).map(|text| one_line(text)).collect(),
            update: self.update.as_ref().map(update),
        }
    }
}

fn update(status: &Status) -> Update {
    let undone = status.undone.as_ref();
    Update {
        release: status.release,
        on_trial: status.on_trial,
        undone: undone.map(|it| Undone { release: it.number, reason: one_line(&it.reason) }),
        not_taken: match &status.phase {
            Phase::Waiting { why } => Some(one_line(why)),
            Phase::NotLaunched => Some("not started by edge-agent launch".into()),
            _ => None,
        },
    }
}

fn camera(status: &CameraStatus) -> Camera {
    Camera {
        id: one_line(&status.id),
        state: status.state.name().into(),
        detail: one_line(&status.detail),
        fps: status.fps,
        quiet_s: status.last_frame_age_ms.map(|age| age / 1000),
        reconnects: status.reconnects,
        warnings: warnings(status).iter().take(MAX_EACH).map(|text| one_line(text)).collect(),
    }
}

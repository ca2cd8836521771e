//! Tells the central every minute how this box is. Beside the way of evidence, never before it: a
//! report that does not get through is not sent again, the next one says more.

use std::sync::Arc;
use std::time::Duration;

use contract::report::{EVERY_S, Report};
use tokio_util::sync::CancellationToken;

use super::{Central, Settings, UplinkError};
use crate::clock::Clock;
use crate::keys::Identity;

/// Boxes that were switched on together do not all speak at once: up to so much is added.
const JITTER_MS: u64 = 10_000;

/// The one who reports.
#[derive(Debug)]
pub struct Reporter {
    central: Central,
    clock: Arc<dyn Clock>,
    every: Duration,
}

impl Reporter {
    pub fn new(
        settings: &Settings,
        identity: &Identity,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, UplinkError> {
        let jitter = Duration::from_millis(settings.seed % JITTER_MS);
        let every = Duration::from_secs(EVERY_S) - Duration::from_millis(JITTER_MS / 2) + jitter;
        Ok(Self { central: Central::new(settings, identity)?, clock, every })
    }

    /// Reports what `word` gives until stopped. It may read files.
    pub async fn run(
        self,
        word: impl Fn() -> Report + Send + Sync + 'static,
        stop: CancellationToken,
    ) {
        let word = Arc::new(word);
        let mut failing = false;
        loop {
            let look = {
                let word = Arc::clone(&word);
                tokio::task::spawn_blocking(move || word())
            };
            let told = async {
                let report = look.await.map_err(|panic| panic.to_string())?;
                self.central.report(&report).await.map_err(|trouble| trouble.to_string())
            };
            let sent = tokio::select! {
                () = stop.cancelled() => return,
                sent = told => sent,
            };
            metrics::counter!("edge_reports_total", "sent" => if sent.is_ok() { "yes" } else { "no" })
                .increment(1);
            match sent {
                Ok(()) => failing = false,
                // Said once: where the way is cut, the uplink says so, too.
                Err(error) if !std::mem::replace(&mut failing, true) => {
                    tracing::warn!(error, "report not taken by the central");
                }
                Err(_) => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.clock.sleep(self.every) => {}
            }
        }
    }
}

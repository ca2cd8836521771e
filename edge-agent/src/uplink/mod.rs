//! The way to the central: sealed packages leave the spool in the order of the chain, and are let
//! go only against the central's signed receipt.
//!
//! For each package: announce the manifest, send the files (or the rest of them) that the central
//! says it lacks, announce again, verify the receipt, mark the package delivered. Everything may be
//! cut at any point and repeated; what the central has received is never sent again.
//!
//! What can be wrong, and what happens:
//!
//! | answer | then |
//! |---|---|
//! | no answer, timeout, 408, 425, 429, 5xx | wait with backoff and jitter, try again for ever |
//! | 401, 403, 404, 405, bad seal, replaced key, time ahead: this device is not welcome | the same, blocked: nothing is parked |
//! | `out_of_order` | resend from the sequence the central expects, where it is still here; else blocked |
//! | `broken_chain` | blocked: the package is good, the central's administrator must settle the chain |
//! | any other 4xx to an announcement | the package is parked in `refused/`, alarmed |
//! | a file here no longer matches its manifest | the package is parked in `damaged/`, alarmed |
//! | a receipt that does not verify | nothing is let go; blocked, tried again |
//!
//! Blocked means that people must help: `/healthz` is 503 with the reason and the command, until
//! the next receipt. The chain allows nothing to go before what is blocked.

mod client;
mod delivery;
mod rate;
mod report;
mod status;

use std::sync::Arc;
use std::time::Duration;

use contract::seal::VerifyingKey;
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::clock::Clock;
use crate::keys::{Identity, KeyError};
use crate::spool::{Entry, Spool, SpoolError, State};

pub(crate) use client::install_provider;
pub use client::{Central, ClientError, Trouble};
pub use rate::Bucket;
pub use report::Reporter;
pub use status::{Monitor, Phase, Status};

/// How often delivered packages are looked over for their age while nothing else happens.
const SWEEP_EVERY: Duration = Duration::from_secs(600);

/// How to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Base address of the device API, `https://host:8443`.
    pub url: String,
    /// Upload limit in bytes a second; 0 is none.
    pub rate_bytes_per_s: u64,
    /// Time for a request's answer, beside the time its bytes take.
    pub timeout: Duration,
    pub backoff_min: Duration,
    pub backoff_max: Duration,
    /// Seed of the jitter; any number, different between boxes.
    pub seed: u64,
}

impl Settings {
    /// The configured settings; `seed` keeps boxes from retrying in step.
    pub fn new(config: &crate::config::Uplink, seed: u64) -> Self {
        Self {
            url: config.url.clone(),
            rate_bytes_per_s: config.rate_bytes_per_s,
            timeout: Duration::from_secs(config.timeout_s),
            backoff_min: Duration::from_millis(config.backoff_min_ms),
            backoff_max: Duration::from_millis(config.backoff_max_ms),
            seed,
        }
    }
}

/// Why the uplink cannot start.
#[derive(Debug, thiserror::Error)]
pub enum UplinkError {
    #[error(transparent)]
    Keys(#[from] KeyError),
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// Delivers one spool to one central.
#[derive(Debug)]
pub struct Uplink {
    spool: Arc<Spool>,
    central: Central,
    receipts: VerifyingKey,
    clock: Arc<dyn Clock>,
    backoff: Backoff,
    bucket: Bucket,
    monitor: Monitor,
    /// Name of this device at the central.
    device: String,
    /// Sequence the central asked to be resent, and is being resent from.
    resend: Option<u64>,
    /// The last sequence it asked for: asking again without progress is a dead end.
    asked: Option<u64>,
}

/// What came of one round.
enum Outcome {
    Progress,
    /// Nothing to send.
    Idle,
    /// Try again after a backoff, or the longest one.
    Wait {
        longest: bool,
        after: Option<Duration>,
    },
}

impl Uplink {
    pub fn new(
        settings: &Settings,
        identity: &Identity,
        receipts: VerifyingKey,
        spool: Arc<Spool>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, UplinkError> {
        Ok(Self {
            central: Central::new(settings, identity)?,
            receipts,
            backoff: Backoff::new(settings.backoff_min, settings.backoff_max, settings.seed),
            bucket: Bucket::new(settings.rate_bytes_per_s, clock.clone()),
            monitor: Monitor::new(clock.clone()),
            device: identity.info().common_name.clone(),
            spool,
            clock,
            resend: None,
            asked: None,
        })
    }

    /// Goes on under the monitor of an uplink that failed.
    pub fn under(mut self, monitor: Monitor) -> Self {
        self.monitor = monitor;
        self
    }

    /// Where the uplink stands, for health pages.
    pub fn monitor(&self) -> Monitor {
        self.monitor.clone()
    }

    /// Delivers until stopped. Stopping is safe at any moment.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            let outcome = tokio::select! {
                () = stop.cancelled() => return,
                outcome = self.round() => outcome,
            };
            let pause = match outcome {
                Outcome::Progress => continue,
                Outcome::Idle => {
                    self.monitor.phase(Phase::Idle);
                    let spool = self.spool.clone();
                    tokio::select! {
                        () = stop.cancelled() => return,
                        () = spool.arrival() => {}
                        () = tokio::time::sleep(SWEEP_EVERY) => self.sweep().await,
                    }
                    continue;
                }
                Outcome::Wait { longest, after } => {
                    let pause = if longest { self.backoff.longest() } else { self.backoff.next() };
                    pause.max(after.unwrap_or_default())
                }
            };
            self.monitor.waiting(pause);
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.clock.sleep(pause) => {}
            }
        }
    }

    async fn round(&mut self) -> Outcome {
        let Some((state, entry)) = self.target() else {
            return Outcome::Idle;
        };
        self.monitor.phase(Phase::Sending { sequence: entry.sequence });
        match self.deliver(state, &entry).await {
            Ok(()) => {
                self.backoff.reset();
                self.asked = None;
                self.resend = self.resend.map(|sequence| sequence + 1);
                Outcome::Progress
            }
            Err(trouble) => self.settle(state, &entry, trouble).await,
        }
    }

    /// The package to send now: the one the central asked for, else the oldest in the queue.
    fn target(&mut self) -> Option<(State, Entry)> {
        let pending = self.spool.next_pending(0);
        if let Some(sequence) = self.resend {
            let caught_up = pending.as_ref().is_some_and(|entry| entry.sequence <= sequence);
            match self.spool.find(sequence) {
                Some(found) if !caught_up => return Some(found),
                _ => self.resend = None,
            }
        }
        pending.map(|entry| (State::Pending, entry))
    }

    async fn settle(&mut self, state: State, entry: &Entry, trouble: Trouble) -> Outcome {
        let sequence = entry.sequence;
        self.monitor.trouble(&trouble);
        match trouble {
            Trouble::Retry { ref reason, after, progressed } => {
                if progressed {
                    self.backoff.reset();
                }
                tracing::warn!(sequence, reason, "central not reached or not ready; will retry");
                Outcome::Wait { longest: false, after }
            }
            Trouble::Unwelcome { .. } | Trouble::Receipt { .. } => {
                tracing::error!(sequence, "{trouble}");
                self.monitor.blocked(format!("package {sequence}: {trouble}"));
                Outcome::Wait { longest: true, after: None }
            }
            Trouble::OutOfOrder { expected, .. } => self.reorder(sequence, expected, &trouble),
            Trouble::BrokenChain { .. } => self.block(sequence, " --again", &trouble.to_string()),
            Trouble::Refused { .. } if state == State::Pending => {
                tracing::error!(sequence, "{trouble}; parked in refused/");
                let text = trouble.to_string();
                self.with_spool(move |spool| spool.refuse(sequence, &text)).await
            }
            Trouble::Damaged { .. } if state == State::Pending => {
                tracing::error!(sequence, "{trouble}; parked in damaged/");
                let text = trouble.to_string();
                self.with_spool(move |spool| spool.damage(sequence, &text)).await
            }
            // Sent again on the central's wish from where it was parked: it stays there. A damaged
            // one has been announced, which may be all the central needs to go on.
            Trouble::Refused { .. } | Trouble::Damaged { .. } => {
                tracing::error!(sequence, "{trouble}; it stays in {}/", state.folder());
                self.resend = self.resend.map(|sequence| sequence + 1);
                Outcome::Wait { longest: true, after: None }
            }
            Trouble::Spool(ref error) => {
                tracing::error!(sequence, "{error}");
                Outcome::Wait { longest: true, after: None }
            }
        }
    }

    fn reorder(&mut self, sequence: u64, expected: Option<u64>, trouble: &Trouble) -> Outcome {
        let here = expected.filter(|expected| {
            *expected < sequence
                && self.asked != Some(*expected)
                && self.spool.find(*expected).is_some()
        });
        match here {
            Some(expected) => {
                tracing::warn!(sequence, expected, "central expects an earlier package: resending");
                metrics::counter!("edge_uplink_resends_total").increment(1);
                self.asked = Some(expected);
                self.resend = Some(expected);
                Outcome::Progress
            }
            None => {
                let why = self.why_not(sequence, expected);
                self.block(sequence, "", &format!("{trouble}; {why}"))
            }
        }
    }

    /// Why the package the central expects cannot be sent.
    fn why_not(&self, sequence: u64, expected: Option<u64>) -> String {
        let Some(expected) = expected else { return "it does not say which".into() };
        if expected > sequence {
            return format!(
                "it holds {} of this device's packages, and this box begins again at {sequence}: a \
                 restored image or an emptied spool",
                expected - 1
            );
        }
        match self.spool.find(expected) {
            Some((State::Pending | State::Delivered, _)) => {
                format!("{expected} was sent again and is still what it expects")
            }
            Some((state, _)) => format!("{expected} is in {}/", state.folder()),
            None => format!("{expected} is not in the spool"),
        }
    }

    /// Nothing goes out any more until the central's administrator has settled the chain.
    fn block(&mut self, sequence: u64, more: &str, why: &str) -> Outcome {
        let command = format!(
            "central-api admin settle-chain --id {} --next {sequence}{more} --reason TEXT",
            self.device
        );
        tracing::error!(sequence, "{why}; settle it at the central: {command}");
        self.asked = None;
        self.resend = None;
        self.monitor
            .blocked(format!("package {sequence}: {why}; settle it at the central: {command}"));
        Outcome::Wait { longest: true, after: None }
    }

    async fn with_spool(
        &self,
        change: impl FnOnce(&Spool) -> Result<(), SpoolError> + Send + 'static,
    ) -> Outcome {
        match on_spool(&self.spool, change).await {
            Ok(()) => Outcome::Progress,
            Err(error) => {
                tracing::error!("{error}");
                Outcome::Wait { longest: true, after: None }
            }
        }
    }

    async fn sweep(&self) {
        if let Err(error) = on_spool(&self.spool, Spool::sweep).await {
            tracing::error!("{error}");
        }
    }
}

/// Runs file work off the async threads.
async fn on_spool<T: Send + 'static>(
    spool: &Arc<Spool>,
    work: impl FnOnce(&Spool) -> Result<T, SpoolError> + Send + 'static,
) -> Result<T, SpoolError> {
    let spool = spool.clone();
    match tokio::task::spawn_blocking(move || work(&spool)).await {
        Ok(result) => result,
        Err(join) => Err(SpoolError::Poisoned { cause: join.to_string() }),
    }
}

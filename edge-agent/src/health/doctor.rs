//! The doctor: what an installer asks before walking away from the pole. Each finding says what is
//! wrong and what to do; nothing is changed.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use contract::manifest::ClockSource;
use serde::Serialize;
use time::Duration;

use crate::clock::Clock;
use crate::config::{Agent, Device};
use crate::keys::{self, Identity};
use crate::source::supervise::Probe;
use crate::spool::{self, SpoolError};
use crate::uplink::{Central, Settings};
use crate::watch::clock_words;

use super::doctor_clock;

/// Renewal is due this long before a certificate ends.
const RENEWAL: Duration = Duration::days(30);

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Good,
    /// Works, but somebody should look.
    Warn,
    /// Does not work.
    Bad,
}

/// One thing looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub part: String,
    pub verdict: Verdict,
    pub text: String,
}

impl Finding {
    pub fn new(part: impl Into<String>, verdict: Verdict, text: impl Into<String>) -> Self {
        Self { part: part.into(), verdict, text: text.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.verdict {
            Verdict::Good => "ok  ",
            Verdict::Warn => "warn",
            Verdict::Bad => "BAD ",
        };
        write!(f, "{mark}  {:<12} {}", self.part, self.text)
    }
}

/// Looks at everything but cameras and models: keys, spool, central, clock.
pub async fn examine(agent: &Agent, clock: Arc<dyn Clock>) -> Vec<Finding> {
    let mut findings = vec![doctor_clock::check()];
    match &agent.device {
        None => findings.push(Finding::new(
            "device",
            Verdict::Bad,
            "the configuration has no [device]: enough to replay, not to run",
        )),
        Some(device) => {
            findings.extend(check_keys(device, clock.as_ref()));
            findings.extend(check_spool(agent, device));
            findings.push(check_central(agent, device).await);
        }
    }
    findings
}

/// What a look at a camera says: size and decoder, whether its time may date an accusation, and
/// whether the stream arrives whole.
pub fn camera(part: String, probe: &Probe) -> Finding {
    let Probe { picture, pair, decoder, losses } = probe;
    let (width, height) = (picture.frame.width(), picture.frame.height());
    let stream = if *pair { "substream " } else { "" };
    let seen = format!("{stream}{width}x{height} through {decoder}");
    if picture.clock.source == ClockSource::Unknown {
        let text = format!("{seen}; {}", clock_words(&picture.clock));
        return Finding::new(part, Verdict::Bad, text);
    }
    if !losses.is_empty() {
        let told = losses.iter().map(|(damage, count)| format!("{count} × {}", damage.words()));
        let told: Vec<String> = told.collect();
        let text = format!(
            "{seen}; within seconds {}: check cable, network and the camera's load; until the next \
             key picture nobody is accused",
            told.join(", ")
        );
        return Finding::new(part, Verdict::Warn, text);
    }
    Finding::new(part, Verdict::Good, format!("{seen}, clock {:?}", picture.clock.source))
}

fn check_keys(device: &Device, clock: &dyn Clock) -> Vec<Finding> {
    let part = "keys";
    let seal = match keys::load_seal_key(&device.keys) {
        Ok(key) => {
            Finding::new(part, Verdict::Good, format!("sealing key {}", key.verifying_key().id()))
        }
        Err(error) => Finding::new(part, Verdict::Bad, error.to_string()),
    };
    let certificate = match Identity::load(&device.keys, &device.id) {
        Err(error) => Finding::new(part, Verdict::Bad, error.to_string()),
        Ok(identity) => {
            let (now, info) = (clock.now(), identity.info());
            let until = info.not_after.date();
            let (verdict, text) = if now < info.not_before {
                (Verdict::Bad, format!("certificate is valid from {} only", info.not_before.date()))
            } else if now > info.not_after {
                (Verdict::Bad, format!("certificate ended on {until}; enrol the device again"))
            } else if now + RENEWAL > info.not_after {
                (Verdict::Warn, format!("certificate ends on {until}; enrol the device again"))
            } else {
                (Verdict::Good, format!("certificate of {} until {until}", info.common_name))
            };
            Finding::new(part, verdict, text)
        }
    };
    let receipts = match keys::load_central_key(&device.keys) {
        Ok(key) => Finding::new(part, Verdict::Good, format!("central's key {}", key.id())),
        Err(error) => Finding::new(part, Verdict::Bad, error.to_string()),
    };
    vec![seal, certificate, receipts]
}

fn check_spool(agent: &Agent, device: &Device) -> Vec<Finding> {
    let part = "spool";
    let dir = &agent.spool.dir;
    let mut findings = vec![volume(dir, agent.spool.min_free_bytes)];
    if !dir.exists() {
        let text = format!("{} will be made at the first run", dir.display());
        findings.push(Finding::new(part, Verdict::Good, text));
        return findings;
    }
    let Ok(key) = keys::load_seal_key(&device.keys) else {
        return findings;
    };
    match spool::check(dir, &key.verifying_key()) {
        Err(error) => findings.push(Finding::new(part, Verdict::Bad, error.to_string())),
        Ok(report) if report.is_clean() => {
            let text = format!(
                "{} packages, {} MB, chain at {}, everything verifies",
                report.packages,
                report.bytes / 1_000_000,
                report.head.sequence
            );
            findings.push(Finding::new(part, Verdict::Good, text));
        }
        Ok(report) => findings.extend(
            report
                .findings
                .iter()
                .map(|finding| Finding::new(part, Verdict::Bad, finding.to_string())),
        ),
    }
    findings
}

/// Free space where the spool is, or will be.
fn volume(dir: &Path, min_free: u64) -> Finding {
    let there = dir.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
    match spool::free_bytes(there) {
        Err(error @ SpoolError::Io { .. }) => Finding::new("disk", Verdict::Bad, error.to_string()),
        Err(error) => Finding::new("disk", Verdict::Warn, error.to_string()),
        Ok(free) => {
            let text = format!(
                "{} MB free at {}, {} MB must stay free",
                free / 1_000_000,
                there.display(),
                min_free / 1_000_000
            );
            let verdict = if free < min_free {
                Verdict::Bad
            } else if free < min_free.saturating_mul(2) {
                Verdict::Warn
            } else {
                Verdict::Good
            };
            Finding::new("disk", verdict, text)
        }
    }
}

async fn check_central(agent: &Agent, device: &Device) -> Finding {
    let part = "central";
    let Some(config) = &agent.uplink else {
        let text = "no [uplink]: sealed evidence stays in the spool";
        return Finding::new(part, Verdict::Warn, text);
    };
    let central = match Identity::load(&device.keys, &device.id) {
        Err(_) => return Finding::new(part, Verdict::Bad, "not tried: keys are not usable"),
        Ok(identity) => Central::new(&Settings::new(config, 0), &identity),
    };
    match central {
        Err(error) => Finding::new(part, Verdict::Bad, error.to_string()),
        Ok(central) => match central.probe().await {
            Ok(status) if matches!(status.as_u16(), 401 | 403) => {
                let text = format!("{} answers {status}: enrol this device", config.url);
                Finding::new(part, Verdict::Bad, text)
            }
            Ok(_) => Finding::new(part, Verdict::Good, format!("{} answers over mTLS", config.url)),
            Err(error) => Finding::new(part, Verdict::Bad, format!("{}: {error}", config.url)),
        },
    }
}

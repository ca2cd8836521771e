//! The doctor: what an installer asks before walking away from the pole. Each finding says what is
//! wrong and what to do; nothing is changed but for a file that is written and removed again.

use std::path::Path;
use std::sync::Arc;

use contract::manifest::ClockSource;

use crate::clock::Clock;
use crate::config::{Agent, Device};
use crate::keys::{self, Identity};
use crate::source::supervise::Probe;
use crate::spool;
use crate::uplink::{Central, Settings};
use crate::watch::clock_words;

use super::doctor_cameras;
use super::finding::{Finding, Verdict};
use super::findings;
use super::machine::{self, Disk, Machine};
use super::report::Premises;
use crate::update;

/// Looks at everything but cameras and models: keys, spool, central, clock.
pub async fn examine(agent: &Agent, clock: Arc<dyn Clock>) -> Vec<Finding> {
    let mut findings =
        vec![findings::clock(crate::clock::synchronised(time::OffsetDateTime::now_utc()))];
    findings.extend(findings::machine(&Machine::read(Path::new("/"))));
    for disk in Premises::of(agent, &[]).disks() {
        findings.push(findings::disk(&disk, agent.spool.min_free_bytes));
        findings.extend(writable(&disk));
    }
    match &agent.device {
        None => findings.push(Finding::new(
            "device",
            Verdict::Bad,
            "the configuration has no [device]: enough to replay, not to run; add it with id and keys",
        )),
        Some(device) => {
            findings.extend(check_keys(device, clock.as_ref()));
            findings.extend(check_spool(agent, device));
            findings.push(check_central(agent, device).await);
        }
    }
    findings.extend(agent.update.as_ref().map(check_updates));
    findings.extend(doctor_cameras::clocks(agent, &clock).await);
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
            if now < info.not_before {
                let text = format!("certificate is valid from {} only", info.not_before.date());
                Finding::new(part, Verdict::Bad, text).advise(
                    "Chỉnh đồng hồ thiết bị.",
                    "set the box's clock, or enrol the device again",
                )
            } else {
                findings::certificate(info.not_after, now)
            }
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
    let mut findings = Vec::new();
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

fn check_updates(config: &crate::config::Update) -> Finding {
    match update::look(config) {
        Ok(status) => findings::update(&status),
        Err(error) => Finding::new("release", Verdict::Bad, error.to_string()),
    }
}

/// Whether the disk takes a file where there is a folder already.
fn writable(disk: &Disk) -> Option<Finding> {
    let error = machine::writes(disk.dir.is_dir().then_some(&disk.dir)?).err()?;
    let text = format!("{} cannot be written: {error}", disk.dir.display());
    Some(Finding::new("disk", Verdict::Bad, text).advise(
        "Sửa quyền thư mục cho người dùng của dịch vụ, hoặc thay ổ đĩa.",
        "run the doctor as the service's user, give the folder to that user, or replace the disk",
    ))
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

//! The sections that are not cameras: the box, its unit, models, spool, uplink, health, history,
//! update.

use std::path::PathBuf;

use contract::manifest::MAX_FILE_BYTES;
use plate_model::{PRECISIONS, Precision};

use super::camera;
use super::model::{Agent, Device, Health, History, Models, Spool, Unit, Update, Uplink};
use settings::{Complaints, ConfigError, Place, Reader, Table};

const MIB: u64 = 1024 * 1024;

pub fn agent(table: &Table, complaints: &Complaints) -> Agent {
    let root = Reader::new(table, None, "", complaints);
    let agent = Agent {
        device: root.section("device").map(device),
        unit: root.section("unit").map(unit),
        models: models(root.section("models")),
        spool: spool(root.section("spool")),
        uplink: root.section("uplink").map(uplink),
        health: health(root.section("health")),
        history: history(root.section("history")),
        update: root.section("update").map(update),
        cameras: camera::all(&root),
    };
    root.finish();
    agent
}

fn device(section: Reader<'_>) -> Device {
    let id = section.text("id", "edge-01");
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    if !id.is_empty() && (id.len() > 64 || !id.bytes().all(plain)) {
        section.reject("id", "must be 1 to 64 of letters, digits, '.', '_', '-'");
    }
    let device = Device {
        serial: section.opt_text("serial").unwrap_or_else(|| id.clone()),
        id,
        keys: section.path("keys").unwrap_or_else(|| {
            if !section.has("keys") {
                section.reject("keys", "is missing: the folder that `edge-agent keygen` made");
            }
            PathBuf::new()
        }),
    };
    section.finish();
    device
}

fn unit(section: Reader<'_>) -> Unit {
    let unit = Unit {
        code: section.text("code", "PC08-HN-D1"),
        name: section.text("name", "Đội CSGT số 1"),
        operator: section.text("operator", "Nguyễn Văn A"),
    };
    section.finish();
    unit
}

fn models(section: Option<Reader<'_>>) -> Models {
    let mut models = Models {
        dir: PathBuf::from("plate-model/weights"),
        precision: Precision::Auto,
        workers: 0,
        plates_per_frame: 4,
    };
    if let Some(section) = section {
        if let Some(dir) = section.path("dir") {
            models.dir = dir;
        }
        models.precision = section.choice("precision", Precision::Auto, &PRECISIONS);
        models.workers = section.integer("workers", 0, (0, 64), "threads") as usize;
        models.plates_per_frame = section.integer("plates_per_frame", 4, (1, 64), "crops") as usize;
        section.finish();
    }
    models
}

fn spool(section: Option<Reader<'_>>) -> Spool {
    let mut spool = Spool {
        dir: PathBuf::from("spool"),
        max_bytes: 20 * 1024 * MIB,
        max_age_days: 90,
        min_free_bytes: 512 * MIB,
    };
    if let Some(section) = section {
        if let Some(dir) = section.path("dir") {
            spool.dir = dir;
        }
        // Below this not even one package of the largest size would ever be sealed.
        let least = 2 * MAX_FILE_BYTES / MIB;
        spool.max_bytes = MIB * section.integer("max_mib", 20 * 1024, (least, 1 << 30), "MiB");
        spool.max_age_days = section.integer("max_age_days", 90, (1, 3650), "days") as u32;
        spool.min_free_bytes = MIB * section.integer("min_free_mib", 512, (1, 1 << 20), "MiB");
        section.finish();
    }
    spool
}

fn uplink(section: Reader<'_>) -> Uplink {
    let url = section.text("url", "https://central:8443");
    if !url.is_empty() && !url.starts_with("https://") {
        section
            .reject("url", format!("is {url:?}, must start with https://: the device API is mTLS"));
    }
    let uplink = Uplink {
        url,
        rate_bytes_per_s: 1024 * section.integer("rate_kib_per_s", 0, (0, 1 << 24), "KiB/s"),
        timeout_s: section.integer("timeout_s", 30, (1, 600), "seconds"),
        backoff_min_ms: section.integer("backoff_min_ms", 500, (10, 600_000), "milliseconds"),
        backoff_max_ms: section.integer("backoff_max_ms", 60_000, (10, 3_600_000), "milliseconds"),
    };
    if uplink.backoff_min_ms > uplink.backoff_max_ms {
        section.reject("backoff_min_ms", "is above backoff_max_ms");
    }
    section.finish();
    uplink
}

fn health(section: Option<Reader<'_>>) -> Health {
    let mut health = Health { listen: None };
    if let Some(section) = section {
        if let Some(text) = section.opt_text("listen") {
            match text.parse() {
                Ok(address) => health.listen = Some(address),
                Err(_) => section.reject(
                    "listen",
                    format!("is {text:?}, must be an address and port such as 127.0.0.1:9464"),
                ),
            }
        }
        section.finish();
    }
    health
}

fn history(section: Option<Reader<'_>>) -> History {
    let mut history = History {
        enabled: true,
        dir: PathBuf::from("history"),
        keep_days: 7,
        keep_bytes: 256 * MIB,
    };
    if let Some(section) = section {
        history.enabled = section.boolean("enabled", true);
        if let Some(dir) = section.path("dir") {
            history.dir = dir;
        }
        history.keep_days = section.integer("keep_days", 7, (1, 366), "days") as u32;
        // Less than an hour of a busy junction would forget what was seen while somebody asks.
        let bytes = (MIB, 1 << 40);
        history.keep_bytes = section.integer("keep_bytes", 256 * MIB, bytes, "bytes");
        section.finish();
    }
    history
}

fn update(section: Reader<'_>) -> Update {
    let update = Update {
        keys: section.path("keys").unwrap_or_else(|| {
            if !section.has("keys") {
                section.reject("keys", "is missing: the file with the public release key");
            }
            PathBuf::new()
        }),
        dir: section.path("dir").unwrap_or_else(|| PathBuf::from("update")),
        every_s: section.integer("every_s", 1800, (1, 7 * 86_400), "seconds"),
        trial_s: section.integer("trial_s", 900, (60, 86_400), "seconds"),
        calm_s: section.integer("calm_s", 60, (1, 3600), "seconds"),
    };
    if update.calm_s >= update.trial_s {
        section.reject("calm_s", "is not below trial_s: no release could ever show it");
    }
    section.finish();
    update
}

/// What `run` needs beyond what `replay` needs.
pub fn complete_for_run(agent: &Agent, first: Option<Place>) -> Vec<ConfigError> {
    let mut errors = Vec::new();
    let mut lack = |key: &str, problem: &str| {
        errors.push(ConfigError { place: first.clone(), key: key.into(), problem: problem.into() });
    };
    if agent.device.is_none() {
        lack(
            "device",
            "is missing: add [device] with id and keys, see `check-config --print-default`",
        );
    }
    if agent.unit.is_none() {
        lack("unit", "is missing: add [unit] with code, name and operator");
    }
    if agent.update.is_some() && agent.uplink.is_none() {
        lack("update", "is there without [uplink]: releases come from the central");
    }
    if agent.cameras.is_empty() {
        lack("camera", "is missing: add at least one [[camera]], or a site file with --config");
    }
    for (index, camera) in agent.cameras.iter().enumerate() {
        if !camera.is_reachable() {
            lack(
                &format!("camera[{index}].uri"),
                &format!(
                    "is missing for camera {:?}: add `uri = \"rtsp://…\"`, or `onvif = \"http://…\"`",
                    camera.id
                ),
            );
        }
    }
    errors
}

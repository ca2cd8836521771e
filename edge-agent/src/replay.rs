//! A recording through exactly the live pipeline: same decoding, tracking, rules and evidence, only
//! nothing is dropped and time is the recording's. The same recording gives the same events, byte
//! for byte: no wall clock, no thread order and no randomness takes part.

pub mod loose;
mod sheets;
mod tracks;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contract::manifest::{self, PlateReading};
use contract::seal::SigningKey;
use contract::{Act, Digest, Facts, VehicleClass};
use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::clock::Simulated;
use crate::config::{Agent, Camera};
use crate::evidence::text::Typeface;
use crate::evidence::{Sealer, SealingError, Target};
use crate::health::CameraHandle;
use crate::history::History;
use crate::keys::{self, KeyError};
use crate::pace::Pace;
use crate::source::{Dating, Input, Next, Settings, Source, SourceError};
use crate::watch::eyes::{Eyes, Pool};
use crate::watch::listener::Listener;
use crate::watch::{self, Accused, Context, KEEP_BYTES, Undeveloped, Watch, develop};
use sheets::Sheets;
use tracks::TrackLog;

/// Why a replay stopped.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error("the configuration has {} cameras ({}), choose one with --camera", .0.len(), .0.join(", "))]
    WhichCamera(Vec<String>),
    #[error(
        "{recordings} recordings are given for {} cameras ({}): give one a camera, in this order",
        .cameras.len(), .cameras.join(", ")
    )]
    WhichRecordings { recordings: usize, cameras: Vec<String> },
    #[error("the configuration has no camera {wanted:?}, only: {}", known.join(", "))]
    NoSuchCamera { wanted: String, known: Vec<String> },
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("{camera}, {at:.1} s: {why}")]
    Undeveloped { camera: String, at: f64, why: Undeveloped },
    #[error("failed to seal: {0}")]
    Sealing(#[from] SealingError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("the caption typeface is damaged")]
    Typeface,
    #[error("the history cannot be written: {0}")]
    History(String),
    #[error("failed to write: {0}")]
    Output(#[from] io::Error),
}

/// One event as printed.
#[derive(Debug, Clone, Serialize)]
pub struct Event {
    pub act: Act,
    /// Seconds from the recording's start when it was done.
    pub at: f64,
    pub track: u64,
    pub vehicle: VehicleClass,
    pub facts: Facts,
    pub plate: Plate,
    pub reason: String,
    /// Folder of the sealed package, below the output folder.
    pub evidence: String,
    pub evidence_id: Uuid,
    #[serde(with = "time::serde::rfc3339")]
    pub captured_at: OffsetDateTime,
}

/// The plate as read; `text` is null where it was not accepted.
#[derive(Debug, Clone, Serialize)]
pub struct Plate {
    pub text: Option<String>,
    pub confidence: f64,
    pub raw: Option<String>,
}

impl From<Option<&PlateReading>> for Plate {
    fn from(reading: Option<&PlateReading>) -> Self {
        Self {
            text: reading.and_then(|r| r.text.clone()),
            confidence: reading.map_or(0.0, |r| round(r.confidence, 4)),
            raw: reading.map(|r| r.raw.clone()),
        }
    }
}

fn round(value: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (value * scale).round() / scale
}

/// What a replay writes besides events, for measuring; nothing by default.
#[derive(Debug, Clone, Default)]
pub struct Notes {
    /// Tracks and readings as JSON lines.
    pub tracks: Option<PathBuf>,
    /// Folder for drawn pictures and contact sheets of plates.
    pub sheets: Option<PathBuf>,
    /// Folder for what the rules said of every vehicle.
    pub history: Option<PathBuf>,
}

/// What a replay saw.
#[derive(Debug, Clone, Copy, Default)]
pub struct Summary {
    pub pictures: u64,
    pub events: u64,
}

impl std::ops::AddAssign for Summary {
    fn add_assign(&mut self, other: Self) {
        self.pictures += other.pictures;
        self.events += other.events;
    }
}

/// The cameras that so many recordings stand for: one the `wanted`, several all of them.
pub fn cameras(
    agent: &Agent,
    wanted: Option<&str>,
    recordings: usize,
) -> Result<Vec<Arc<Camera>>, ReplayError> {
    match (recordings, wanted) {
        (1, _) => Ok(vec![camera(agent, wanted)?]),
        (_, None) if recordings == agent.cameras.len() => Ok(agent.cameras.clone()),
        _ => Err(ReplayError::WhichRecordings {
            recordings,
            cameras: agent.cameras.iter().map(|camera| camera.id.clone()).collect(),
        }),
    }
}

/// The camera of the configuration that the recording stands for.
fn camera(agent: &Agent, wanted: Option<&str>) -> Result<Arc<Camera>, ReplayError> {
    let ids = || agent.cameras.iter().map(|camera| camera.id.clone()).collect::<Vec<_>>();
    match (wanted, agent.cameras.as_slice()) {
        (None, [only]) => Ok(Arc::clone(only)),
        (None, _) => Err(ReplayError::WhichCamera(ids())),
        (Some(wanted), all) => {
            let found = all.iter().find(|camera| camera.id == wanted).cloned();
            found.ok_or_else(|| ReplayError::NoSuchCamera { wanted: wanted.into(), known: ids() })
        }
    }
}

/// The sealer of a replay. With a device in the configuration it is that device's; else a key
/// derived from the configuration, worth nothing as evidence, and written beside the packages.
pub fn sealer(agent: &Agent, cameras: &[Arc<Camera>], out: &Path) -> Result<Sealer, ReplayError> {
    let software = concat!("edge-agent ", env!("CARGO_PKG_VERSION"), " replay").to_owned();
    let (key, id, serial) = match &agent.device {
        Some(device) if device.keys.join(keys::SEAL_KEY).exists() => {
            (keys::load_seal_key(&device.keys)?, device.id.clone(), device.serial.clone())
        }
        device => {
            let judged: Vec<String> =
                cameras.iter().map(|camera| camera.digest().to_string()).collect();
            let seed = Digest::of(format!("replay {}", judged.join(" ")).as_bytes());
            let id = device.as_ref().map_or_else(|| "replay".to_owned(), |d| d.id.clone());
            (SigningKey::from_seed(seed.as_bytes()), id, "replay".to_owned())
        }
    };
    std::fs::create_dir_all(out)?;
    if let Ok(pem) = key.verifying_key().to_pem() {
        std::fs::write(out.join(keys::SEAL_PUB), pem)?;
    }
    let device = manifest::Device { id, serial, software };
    let unit = match &agent.unit {
        Some(unit) => manifest::Unit {
            code: unit.code.clone(),
            name: unit.name.clone(),
            operator: unit.operator.clone(),
        },
        None => manifest::Unit {
            code: "replay".into(),
            name: "replay".into(),
            operator: "replay".into(),
        },
    };
    Sealer::new(device, unit, key, Target::folder(out)).map_err(|_| ReplayError::Typeface)
}

/// What to replay.
#[derive(Debug)]
pub struct Replay<'a> {
    pub camera: Arc<Camera>,
    pub context: Context,
    pub input: PathBuf,
    /// The same in smaller, which is then analysed.
    pub substream: Option<PathBuf>,
    pub start: OffsetDateTime,
    pub out: &'a Path,
    pub sealer: &'a Sealer,
    pub board: CameraHandle,
    pub notes: Notes,
}

impl Replay<'_> {
    /// Runs to the end of the recording, giving every event to `print` as it is sealed.
    pub fn run<E: Eyes>(
        self,
        eyes: Arc<Pool<E>>,
        mut print: impl FnMut(&Event) -> io::Result<()>,
    ) -> Result<Summary, ReplayError> {
        let main = Input::File { path: self.input.clone() };
        let (input, larger) = match &self.substream {
            Some(path) => (Input::File { path: path.clone() }, Some((main, Arc::default()))),
            None => (main, None),
        };
        let settings = Settings {
            camera: self.camera.id.clone(),
            input,
            larger,
            dating: Dating::Recording { start: self.start },
            pace: Pace::fixed(self.camera.analysed_fps.most),
            keep: watch::keep(&self.camera),
            keep_bytes: KEEP_BYTES,
        };
        let found: Arc<Mutex<Vec<Accused>>> = Arc::default();
        let inbox = Arc::clone(&found);
        let pool = Arc::clone(&eyes);
        let time = Simulated::at(self.start);
        let history = match &self.notes.history {
            Some(dir) => Some(History::of_recording(dir, &self.board, Arc::new(time.clone()))?),
            None => None,
        };
        let mut watch = Watch::new(self.camera, self.context, eyes, self.board, move |accused| {
            inbox.lock().unwrap_or_else(PoisonError::into_inner).push(accused);
        });
        if let Some(history) = &history {
            history.attach(&mut watch);
        }
        let log = match &self.notes.tracks {
            Some(path) => Some(heard(&mut watch, TrackLog::create(path)?)),
            None => None,
        };
        let sheets = match &self.notes.sheets {
            Some(folder) => {
                let face = Typeface::load().map_err(|_| ReplayError::Typeface)?;
                Some(heard(&mut watch, Sheets::create(folder, face)?))
            }
            None => None,
        };
        let mut source = Source::open(&settings, 0)?;
        let mut summary = Summary::default();
        let mut seal =
            |summary: &mut Summary| -> Result<(), ReplayError> {
                let ready =
                    std::mem::take(&mut *found.lock().unwrap_or_else(PoisonError::into_inner));
                for accused in ready {
                    let (camera, at) =
                        (accused.accusation.camera.id.clone(), accused.crossed_at as f64 / 1e9);
                    let accused = develop(accused, &pool)
                        .map_err(|why| ReplayError::Undeveloped { camera, at, why })?;
                    let sealed = self.sealer.seal(&accused.accusation)?;
                    let folder = sealed.dir.strip_prefix(self.out).unwrap_or(&sealed.dir);
                    print(&event(&accused, folder))?;
                    summary.events += 1;
                }
                Ok(())
            };
        let mut idle = 0;
        loop {
            match source.next(Duration::from_millis(500))? {
                Next::Picture(picture) => {
                    idle = 0;
                    summary.pictures += 1;
                    time.advance_to(picture.captured_at);
                    watch.look(&picture, &source);
                    seal(&mut summary)?;
                }
                // A busy machine may take its time; half a minute is a broken file.
                Next::Nothing if idle < 60 => idle += 1,
                Next::Nothing => {
                    let address = self.input.display().to_string();
                    return Err(SourceError::Stalled { address, seconds: 30 }.into());
                }
                Next::Ended => break,
            }
        }
        watch.finish(&source);
        seal(&mut summary)?;
        drop(watch);
        if let Some(history) = history {
            history.finish().map_err(ReplayError::History)?;
        }
        if let Some(log) = log {
            log.lock().unwrap_or_else(PoisonError::into_inner).finish()?;
        }
        if let Some(sheets) = sheets {
            sheets.lock().unwrap_or_else(PoisonError::into_inner).finish()?;
        }
        source.whole()?;
        Ok(summary)
    }
}

/// Lets `listener` hear the loop and keeps hold of it.
fn heard<E: Eyes, L: Listener + 'static>(watch: &mut Watch<E>, listener: L) -> Arc<Mutex<L>> {
    let listener = Arc::new(Mutex::new(listener));
    watch.listen(Box::new(Arc::clone(&listener)));
    listener
}

fn event(accused: &Accused, folder: &Path) -> Event {
    let violation = &accused.accusation.violation;
    Event {
        act: violation.act.clone(),
        at: round(accused.crossed_at as f64 / 1e9, 3),
        track: violation.track,
        vehicle: violation.vehicle,
        facts: violation.facts.clone(),
        plate: Plate::from(accused.accusation.plate.as_ref()),
        reason: violation.reason.clone(),
        evidence: folder.display().to_string(),
        evidence_id: accused.accusation.evidence_id,
        captured_at: violation.at,
    }
}

/// Prints events as JSON lines.
pub fn json_lines<W: Write>(mut to: W) -> impl FnMut(&Event) -> io::Result<()> {
    move |event| {
        serde_json::to_writer(&mut to, event)?;
        to.write_all(b"\n")?;
        to.flush()
    }
}

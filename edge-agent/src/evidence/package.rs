//! The sealer: renders an accusation's files, writes the manifest over them, seals it onto the
//! device's chain and hands the whole to the spool, or to a folder for a replay.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ab_glyph::InvalidFont;
use contract::Digest;
use contract::act::Violation;
use contract::chain::Head;
use contract::manifest::{
    self, BASIS_FILE, ClockSource, FileRole, Manifest, ManifestError, SourceKind,
};
use contract::seal::{Purpose, SigningKey};
use contract::view::View;
use jpeg_encoder::EncodingError;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::accusation::{Accusation, Origin, Shot};
use crate::spool::{Entry, Package, Spool, SpoolError, State};

use super::caption::{self, VIETNAM};
use super::clip::{self, ClipError};
use super::text::Typeface;
use super::{beacon, frames, overlay, view};

/// Room asked of the spool beside the files: manifest, seal, later the receipt.
const PAPERS: u64 = 128 * 1024;

/// Why an accusation was not sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealingError {
    #[error("failed to encode {name}: {source}")]
    Picture { name: String, source: EncodingError },
    #[error("a picture that was kept does not open: {0}")]
    Kept(#[from] image::ImageError),
    #[error("the accusation has no picture of the moment that dates it")]
    NoMain,
    #[error(transparent)]
    Clip(#[from] ClipError),
    #[error("the central would refuse it: {0}")]
    Manifest(#[from] ManifestError),
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

/// One sealed package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    pub sequence: u64,
    pub evidence_id: Uuid,
    /// Folder of the package at the time of sealing.
    pub dir: PathBuf,
    pub bytes: u64,
}

/// Where sealed packages go.
#[derive(Debug)]
pub enum Target {
    /// The durable spool: the agent.
    Spool(Arc<Spool>),
    /// A plain folder with a chain of its own: replays.
    Folder { dir: PathBuf, head: Mutex<Head> },
}

impl Target {
    pub fn folder(dir: impl Into<PathBuf>) -> Self {
        Self::Folder { dir: dir.into(), head: Mutex::new(Head::default()) }
    }
}

/// Seals for one device. Safe to share between threads; rendering runs in parallel, only the last
/// step is one at a time.
#[derive(Debug)]
pub struct Sealer {
    device: manifest::Device,
    unit: manifest::Unit,
    key: SigningKey,
    face: Typeface,
    target: Target,
}

/// A rendered file, not yet in a manifest.
struct Rendered {
    name: String,
    role: FileRole,
    media_type: &'static str,
    captured_at: OffsetDateTime,
    view: Option<View>,
    content: Vec<u8>,
}

impl Sealer {
    pub fn new(
        device: manifest::Device,
        unit: manifest::Unit,
        key: SigningKey,
        target: Target,
    ) -> Result<Self, InvalidFont> {
        Ok(Self { device, unit, key, face: Typeface::load()?, target })
    }

    /// Renders, seals and stores. On success the evidence is safe.
    pub fn seal(&self, accusation: &Accusation) -> Result<Sealed, SealingError> {
        let (files, on_duty) = self.render(accusation)?;
        let mut violation = accusation.violation.clone();
        violation.may_be_on_duty = on_duty;
        let bytes = PAPERS + files.iter().map(|file| file.content.len() as u64).sum::<u64>();
        match &self.target {
            Target::Spool(spool) => {
                let entry = spool.store(accusation.evidence_id, bytes, |head| {
                    self.compose(accusation, violation, files, head)
                })?;
                let dir = spool.root().join(State::Pending.folder()).join(entry.name());
                Ok(Sealed::new(&entry, dir))
            }
            Target::Folder { dir, head } => {
                // Two plain values: a panicked holder left the old ones.
                let mut head = head.lock().unwrap_or_else(PoisonError::into_inner);
                let package = self.compose(accusation, violation, files, *head)?;
                let (entry, dir) = export(&package, dir)?;
                *head = Head {
                    sequence: package.sequence,
                    digest: Some(Digest::of(&package.manifest)),
                };
                Ok(Sealed::new(&entry, dir))
            }
        }
    }

    /// The files, and whether lights of a vehicle on duty may be in one of them.
    fn render(&self, accusation: &Accusation) -> Result<(Vec<Rendered>, bool), SealingError> {
        let main = accusation.main_shot().ok_or(SealingError::NoMain)?;
        let here = accusation.origin();
        let whole = |shot: &Shot, origin: &Origin, picture| {
            let marks = accusation.marks(&origin.camera);
            (picture, view::of_frame(shot, &origin.camera, &marks))
        };
        let mut files = Vec::with_capacity(accusation.moments.len() + 4);
        let (mut explained, mut on_duty) = (None, false);
        for (index, taken) in accusation.moments.iter().enumerate() {
            let shot = &taken.shot;
            let origin = taken.elsewhere.as_ref().unwrap_or(&here);
            let seen = frames::open(&shot.pixels)?;
            on_duty |= beacon::may_shine(&seen, &shot.vehicle);
            if taken.role == accusation.main {
                explained = Some(overlay::draw(accusation, &seen));
            }
            let picture = whole(shot, origin, seen);
            let title = caption::moment(accusation, index);
            let named = (taken.file(), FileRole::Scene, title);
            files.push(self.picture(accusation, origin, named, shot, picture)?);
        }
        let close = &accusation.close_up;
        let seen = frames::open(&close.pixels)?;
        on_duty |= beacon::may_shine(&seen, &close.vehicle);
        let picture = frames::close_up(close, &seen);
        let title = "CẬN CẢNH (phóng to)".to_owned();
        let named = ("closeup.jpg".to_owned(), FileRole::CloseUp, title);
        files.push(self.picture(accusation, &here, named, close, picture)?);
        let picture = whole(main, &here, explained.ok_or(SealingError::NoMain)?);
        let title = "MINH HỌA (không phải chứng cứ)".to_owned();
        let named = ("overlay.jpg".to_owned(), FileRole::Overlay, title);
        files.push(self.picture(accusation, &here, named, main, picture)?);
        let captured_at = match accusation.clip.units.first() {
            Some(unit) => unit.captured_at,
            None => return Err(ClipError::Empty.into()),
        };
        files.push(Rendered {
            // Whoever looks is told where it is not the camera's own bits.
            name: if accusation.clip.reencoded { "clip-reencoded.mp4" } else { "clip.mp4" }.into(),
            role: FileRole::Clip,
            media_type: "video/mp4",
            captured_at,
            view: None,
            content: clip::mux(&accusation.clip)?,
        });
        files.push(Rendered {
            name: BASIS_FILE.into(),
            role: FileRole::Basis,
            media_type: "application/json",
            captured_at: main.captured_at,
            view: None,
            content: accusation.basis.to_vec(),
        });
        Ok((files, on_duty))
    }

    fn picture(
        &self,
        accusation: &Accusation,
        origin: &Origin,
        (name, role, title): (String, FileRole, String),
        shot: &Shot,
        (picture, view): (image::RgbImage, Option<View>),
    ) -> Result<Rendered, SealingError> {
        let items = caption::items(accusation, origin, &self.device, &self.unit, title, shot);
        let page = frames::with_caption(&self.face, &picture, &items);
        let content = frames::jpeg(&page)
            .map_err(|source| SealingError::Picture { name: name.clone(), source })?;
        let captured_at = shot.captured_at;
        Ok(Rendered { name, role, media_type: "image/jpeg", captured_at, view, content })
    }

    fn compose(
        &self,
        accusation: &Accusation,
        mut violation: Violation,
        files: Vec<Rendered>,
        head: Head,
    ) -> Result<Package, SealingError> {
        let camera = &accusation.camera;
        violation.at = violation.at.to_offset(VIETNAM);
        for moment in &mut violation.moments {
            moment.at = moment.at.to_offset(VIETNAM);
        }
        let manifest = Manifest {
            version: manifest::VERSION,
            evidence_id: accusation.evidence_id,
            sequence: head.sequence + 1,
            previous: head.digest,
            device: self.device.clone(),
            unit: self.unit.clone(),
            camera: manifest::Camera {
                id: camera.id.clone(),
                place: camera.place.clone(),
                km: camera.km.clone(),
                gps: camera.gps,
                direction: camera.direction.clone(),
                lane: camera.lane.clone(),
                plan: camera.plan.clone(),
                verification: camera.verification.clone(),
            },
            clock: accusation.clock.clone(),
            // Only a camera has another clock than the recording's own.
            source: Some(match accusation.clock.source {
                ClockSource::Recording => SourceKind::Recording,
                _ => SourceKind::CameraStream,
            }),
            violation,
            plate: accusation.plate.clone(),
            models: accusation.models.clone(),
            config: accusation.config_digest,
            files: files.iter().map(Rendered::entry).collect(),
        };
        manifest.check()?;
        let bytes = manifest.to_bytes();
        // Read back: what is sealed is what the central will parse.
        Manifest::parse(&bytes)?;
        Ok(Package {
            evidence_id: manifest.evidence_id,
            sequence: manifest.sequence,
            seal: self.key.sign_detached(Purpose::Manifest, &bytes),
            manifest: bytes,
            files: files.into_iter().map(|file| (file.name, file.content)).collect(),
        })
    }
}

impl Rendered {
    fn entry(&self) -> manifest::File {
        manifest::File {
            name: self.name.clone(),
            role: self.role,
            media_type: self.media_type.to_owned(),
            bytes: self.content.len() as u64,
            sha256: Digest::of(&self.content),
            captured_at: self.captured_at.to_offset(VIETNAM),
            view: self.view.clone(),
        }
    }
}

impl Sealed {
    fn new(entry: &Entry, dir: PathBuf) -> Self {
        Self { sequence: entry.sequence, evidence_id: entry.evidence_id, dir, bytes: entry.bytes }
    }
}

/// Writes a package below `dir`, replacing the same package of an earlier replay.
fn export(package: &Package, dir: &Path) -> Result<(Entry, PathBuf), SpoolError> {
    let entry = Entry::of(package);
    let place = dir.join(entry.name());
    package.replace_at(&place)?;
    Ok((entry, place))
}

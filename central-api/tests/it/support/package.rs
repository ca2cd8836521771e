//! Evidence packages as a box would seal them, with every field open to tampering.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as B64;
use contract::act::{Moment, Violation};
use contract::facts::{Facts, Lamp, Lit, Measured, Signal, Unit as In};
use contract::manifest::{
    BASIS_FILE, Camera, Clock, ClockSource, Device, File, ModelUsed, PlateReading, SourceKind,
    Unit, VERSION,
};
use contract::package::{MANIFEST_FILE, SEAL_FILE};
use contract::plate::{PlateClass, PlateColour};
use contract::seal::{Purpose, SigningKey};
use contract::wire::Announcement;
use contract::{Act, Digest, FileRole, Manifest, MomentRole, Movement, VehicleClass};
use time::OffsetDateTime;
use uuid::Uuid;

/// A sealed package.
#[derive(Debug, Clone)]
pub struct Package {
    pub manifest: Manifest,
    /// The bytes under the seal.
    pub bytes: Vec<u8>,
    pub seal: String,
    pub files: Vec<(File, Vec<u8>)>,
}

impl Package {
    /// Seals `manifest` as it is, right or wrong.
    pub fn seal(manifest: Manifest, files: Vec<(File, Vec<u8>)>, key: &SigningKey) -> Self {
        let bytes = manifest.to_bytes();
        let seal = key.sign_detached(Purpose::Manifest, &bytes);
        Self { manifest, bytes, seal, files }
    }

    pub fn id(&self) -> Uuid {
        self.manifest.evidence_id
    }

    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }

    pub fn announcement(&self) -> Announcement {
        Announcement { manifest: B64.encode(&self.bytes), seal: self.seal.clone() }
    }

    pub fn file(&self, role: FileRole) -> &(File, Vec<u8>) {
        self.files.iter().find(|(file, _)| file.role == role).unwrap()
    }

    /// Writes the package as the box keeps it.
    pub fn write_to(&self, folder: &Path) {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(folder.join(MANIFEST_FILE), &self.bytes).unwrap();
        std::fs::write(folder.join(SEAL_FILE), &self.seal).unwrap();
        for (file, content) in &self.files {
            std::fs::write(folder.join(&file.name), content).unwrap();
        }
    }
}

/// Builds a package; what is not said is a red light run by a motorbike in Hà Nội.
#[derive(Debug, Clone)]
pub struct PackageBuilder {
    pub manifest: Manifest,
    seed: u64,
    clip_bytes: usize,
}

impl PackageBuilder {
    pub fn new(device: &str, at: OffsetDateTime) -> Self {
        let manifest = Manifest {
            version: VERSION,
            evidence_id: Uuid::now_v7(),
            sequence: 1,
            previous: None,
            device: Device {
                id: device.into(),
                serial: "SN-0001".into(),
                software: "edge-agent 0.1.0".into(),
            },
            unit: Unit {
                code: "PC08".into(),
                name: "Phòng CSGT".into(),
                operator: "Nguyễn Văn A".into(),
            },
            camera: Camera {
                id: "cam-1".into(),
                place: "Ngã tư Mẫu, Hà Nội".into(),
                km: None,
                gps: Some([21.0, 105.8]),
                direction: "Bắc – Nam".into(),
                lane: None,
                plan: "PA-2026-01".into(),
                verification: None,
            },
            clock: Clock {
                source: ClockSource::Rtcp,
                offset_ms: Some(3),
                age_ms: Some(900),
                epoch: 0,
            },
            source: Some(SourceKind::CameraStream),
            violation: Violation {
                act: Act::RED_LIGHT,
                at,
                track: 7,
                vehicle: VehicleClass::Motorbike,
                facts: Facts::Signal(Signal {
                    movement: Movement::Straight,
                    lit: Lit {
                        lamp: Lamp::Red,
                        red: Measured::new(4200.0, In::Milliseconds).against(300.0),
                        right_arrow: false,
                    },
                }),
                moments: Vec::new(),
                may_be_on_duty: false,
                reason: "crossed the line 4.2 s into red and went straight".into(),
            },
            plate: Some(PlateReading {
                raw: "29AA12345".into(),
                text: Some("29AA12345".into()),
                class: Some(PlateClass::MotorbikeNew),
                colour: PlateColour::White,
                rows: 2,
                confidence: 0.98,
                frames: 12,
            }),
            models: vec![ModelUsed { name: "vehicles".into(), sha256: Digest::of(b"model") }],
            config: Digest::of(b"config"),
            files: Vec::new(),
        };
        Self { manifest, seed: 1, clip_bytes: 3000 }
    }

    /// The next of its box: another vehicle each.
    pub fn after(mut self, sequence: u64, previous: Option<Digest>) -> Self {
        if let Some(plate) = &mut self.manifest.plate {
            plate.raw = format!("29AA{:05}", 10_000 + sequence % 90_000);
            plate.text = Some(plate.raw.clone());
        }
        self.manifest.sequence = sequence;
        self.manifest.previous = previous;
        self
    }

    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    pub fn clip_bytes(mut self, bytes: usize) -> Self {
        self.clip_bytes = bytes;
        self
    }

    pub fn with(mut self, change: impl FnOnce(&mut Manifest)) -> Self {
        change(&mut self.manifest);
        self
    }

    pub fn seal(mut self, key: &SigningKey) -> Package {
        let at = self.manifest.violation.at;
        let files: Vec<(File, Vec<u8>)> = [
            (FileRole::Scene, "before.jpg", "image/jpeg", 2000),
            (FileRole::Scene, "on.jpg", "image/jpeg", 2100),
            (FileRole::Scene, "past.jpg", "image/jpeg", 1900),
            (FileRole::CloseUp, "closeup.jpg", "image/jpeg", 700),
            (FileRole::Clip, "clip.mp4", "video/mp4", self.clip_bytes),
            (FileRole::Basis, BASIS_FILE, "application/json", 600),
        ]
        .into_iter()
        .zip(1..)
        .map(|((role, name, media_type, bytes), salt)| {
            let content = noise(self.seed * 16 + salt, bytes);
            let file = File {
                name: name.into(),
                role,
                media_type: media_type.into(),
                bytes: content.len() as u64,
                sha256: Digest::of(&content),
                captured_at: match role {
                    FileRole::Clip => at - time::Duration::seconds(3),
                    _ => at,
                },
                view: None,
            };
            (file, content)
        })
        .collect();
        self.manifest.files = files.iter().map(|(file, _)| file.clone()).collect();
        self.manifest.violation.moments = moments(&self.manifest.files);
        Package::seal(self.manifest, files, key)
    }
}

/// The moments of an act, as the pictures named after them show them.
pub fn moments(files: &[File]) -> Vec<Moment> {
    use MomentRole::{Before, Begin, During, End, On, Past};
    [Before, On, Past, Begin, During, End]
        .into_iter()
        .filter_map(|role| {
            let name = format!("{}.jpg", role.name());
            let file = files.iter().find(|file| file.name == name)?;
            Some(Moment { role, at: file.captured_at, file: name })
        })
        .collect()
}

/// Bytes that repeat nowhere, from a seed (SplitMix64).
fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    let mut state = seed;
    let mut out = Vec::with_capacity(bytes + 8);
    while out.len() < bytes {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        out.extend_from_slice(&(z ^ (z >> 31)).to_le_bytes());
    }
    out.truncate(bytes);
    out
}

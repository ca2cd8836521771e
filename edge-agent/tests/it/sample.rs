//! Sealed packages to store and send: small, valid, different by number.

use contract::act::{Moment, Violation};
use contract::chain::Head;
use contract::facts::{Facts, Lamp, Lit, Measured, Signal, Unit};
use contract::manifest::{self, BASIS_FILE, ClockSource, File, FileRole, Manifest, SourceKind};
use contract::seal::{Purpose, SigningKey};
use contract::{Act, Digest, MomentRole, Movement, VehicleClass};
use edge_agent::spool::{Package, SpoolError};
use time::macros::datetime;
use uuid::Uuid;

pub const DEVICE: &str = "edge-test";

/// The files of every package.
pub const FILES: [(&str, FileRole); 6] = [
    ("before.jpg", FileRole::Scene),
    ("on.jpg", FileRole::Scene),
    ("past.jpg", FileRole::Scene),
    ("closeup.jpg", FileRole::CloseUp),
    ("clip.mp4", FileRole::Clip),
    (BASIS_FILE, FileRole::Basis),
];

pub fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

pub fn id(number: u64) -> Uuid {
    Uuid::from_u128(0x5eed_0000_0000_0000 << 64 | u128::from(number))
}

/// Bytes that differ by file and package, `size` of them.
fn content(number: u64, role: usize, size: usize) -> Vec<u8> {
    let mut state = number.wrapping_mul(31).wrapping_add(role as u64).wrapping_add(1);
    (0..size)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        })
        .collect()
}

/// The package that continues `head`, every file `size` bytes.
pub fn package(number: u64, head: Head, size: usize) -> Result<Package, SpoolError> {
    let at = datetime!(2026-11-21 17:04:05 +7);
    let files: Vec<(String, Vec<u8>, FileRole)> = FILES
        .into_iter()
        .enumerate()
        .map(|(index, (name, role))| (name.to_owned(), content(number, index, size), role))
        .collect();
    let manifest = Manifest {
        version: manifest::VERSION,
        evidence_id: id(number),
        sequence: head.sequence + 1,
        previous: head.digest,
        device: manifest::Device {
            id: DEVICE.into(),
            serial: "SN1".into(),
            software: "edge-agent test".into(),
        },
        unit: manifest::Unit {
            code: "PC08".into(),
            name: "Phòng CSGT".into(),
            operator: "Nguyễn Văn A".into(),
        },
        camera: manifest::Camera {
            id: "c1".into(),
            place: "nút giao thử nghiệm".into(),
            km: None,
            gps: None,
            direction: "Bắc – Nam".into(),
            lane: None,
            plan: "KH-01/2026".into(),
            verification: None,
        },
        clock: manifest::Clock {
            source: ClockSource::Recording,
            offset_ms: None,
            age_ms: None,
            epoch: 0,
        },
        source: Some(SourceKind::Recording),
        violation: Violation {
            act: Act::RED_LIGHT,
            at,
            track: number,
            vehicle: VehicleClass::Motorbike,
            facts: Facts::Signal(Signal {
                movement: Movement::Straight,
                lit: Lit {
                    lamp: Lamp::Red,
                    red: Measured::new(2340.0, Unit::Milliseconds),
                    right_arrow: false,
                },
            }),
            moments: [
                (MomentRole::Before, "before.jpg"),
                (MomentRole::On, "on.jpg"),
                (MomentRole::Past, "past.jpg"),
            ]
            .map(|(role, file)| Moment { role, at, file: file.into() })
            .into(),
            may_be_on_duty: false,
            reason: "crossed the stop line on red".into(),
        },
        plate: None,
        models: Vec::new(),
        config: Digest::of(b"config"),
        files: files
            .iter()
            .map(|(name, content, role)| File {
                name: name.clone(),
                role: *role,
                media_type: match role {
                    FileRole::Clip => "video/mp4",
                    FileRole::Basis => "application/json",
                    _ => "image/jpeg",
                }
                .into(),
                bytes: content.len() as u64,
                sha256: Digest::of(content),
                captured_at: at,
                view: None,
            })
            .collect(),
    };
    manifest.check().expect("a valid sample");
    let bytes = manifest.to_bytes();
    Ok(Package {
        evidence_id: manifest.evidence_id,
        sequence: manifest.sequence,
        seal: key().sign_detached(Purpose::Manifest, &bytes),
        manifest: bytes,
        files: files.into_iter().map(|(name, content, _)| (name, content)).collect(),
    })
}

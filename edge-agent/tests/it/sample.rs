//! Sealed packages to store and send: small, valid, different by number.

use contract::chain::Head;
use contract::manifest::{self, ClockSource, File, FileRole, Manifest};
use contract::seal::{Purpose, SigningKey};
use contract::violation::{Lamp, Movement, Rule, Violation};
use contract::{Digest, VehicleClass};
use edge_agent::spool::{Package, SpoolError};
use time::macros::datetime;
use uuid::Uuid;

pub const DEVICE: &str = "edge-test";

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
    let files: Vec<(String, Vec<u8>, FileRole)> = FileRole::MANDATORY
        .into_iter()
        .enumerate()
        .map(|(index, role)| {
            let name = match role {
                FileRole::Clip => "clip.mp4".to_owned(),
                _ => format!("picture{index}.jpg"),
            };
            (name, content(number, index, size), role)
        })
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
        source: None,
        violation: Violation {
            rule: Rule::RedLight,
            at,
            track: number,
            vehicle: VehicleClass::Motorbike,
            movement: Movement::Straight,
            lamp: Lamp::Red,
            red_elapsed_ms: 2340,
            right_arrow: false,
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
                media_type: if *role == FileRole::Clip { "video/mp4" } else { "image/jpeg" }.into(),
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

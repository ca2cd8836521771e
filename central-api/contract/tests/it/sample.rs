//! A whole, sealed package to work on.

use std::collections::BTreeMap;

use contract::act::{Moment, Violation};
use contract::facts::{Lamp, Lit, Measured, Signal, Unit as In};
use contract::manifest::{
    BASIS_FILE, Camera, Clock, ClockSource, Device, File, FileRole, MAX_MANIFEST_BYTES, ModelUsed,
    PlateReading, SourceKind, Unit, VERSION, Verification,
};
use contract::plate::{PlateClass, PlateColour};
use contract::seal::{Purpose, SigningKey};
use contract::{Act, Digest, Facts, Manifest, MomentRole, Movement, VehicleClass};
use time::macros::{date, datetime};
use uuid::Uuid;

/// Roles with the name and type of their file.
pub const FILES: [(FileRole, &str, &str); 7] = [
    (FileRole::Scene, "before.jpg", "image/jpeg"),
    (FileRole::Scene, "on.jpg", "image/jpeg"),
    (FileRole::Scene, "past.jpg", "image/jpeg"),
    (FileRole::CloseUp, "closeup.jpg", "image/jpeg"),
    (FileRole::Clip, "clip.mp4", "video/mp4"),
    (FileRole::Overlay, "overlay.jpg", "image/jpeg"),
    (FileRole::Basis, BASIS_FILE, "application/json"),
];

pub struct Package {
    pub manifest: Vec<u8>,
    pub seal: String,
    pub files: BTreeMap<String, Vec<u8>>,
}

pub fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

pub fn package(sequence: u64, previous: Option<Digest>) -> Package {
    let manifest = manifest(sequence, previous).to_bytes();
    let seal = key().sign_detached(Purpose::Manifest, &manifest);
    let files = FILES.map(|(_, name, _)| (name.to_owned(), content(name)));
    Package { manifest, seal, files: files.into() }
}

fn content(name: &str) -> Vec<u8> {
    format!("the bytes of {name}").into_bytes()
}

pub fn manifest(sequence: u64, previous: Option<Digest>) -> Manifest {
    let at = datetime!(2026-11-20 07:31:05.44 +07:00);
    let manifest = Manifest {
        version: VERSION,
        evidence_id: Uuid::from_u128(
            0x0190_0000_0000_7000_8000_0000_0000_0000 + u128::from(sequence),
        ),
        sequence,
        previous,
        device: Device { id: "box-1".into(), serial: "S-0001".into(), software: "0.1.0".into() },
        unit: Unit {
            code: "P08".into(),
            name: "Phòng CSGT".into(),
            operator: "Đại úy Nguyễn Văn A".into(),
        },
        camera: Camera {
            id: "junction-n".into(),
            place: "Ngã tư thử nghiệm".into(),
            km: Some("Km 12+300".into()),
            gps: Some([13.78, 109.22]),
            direction: "Bắc - Nam".into(),
            lane: None,
            plan: "12/KH-CSGT".into(),
            verification: Some(Verification {
                certificate: "V-77".into(),
                valid_to: date!(2027 - 01 - 31),
            }),
        },
        clock: Clock {
            source: ClockSource::Rtcp,
            offset_ms: Some(-3),
            age_ms: Some(900),
            epoch: 0,
        },
        source: Some(SourceKind::CameraStream),
        violation: Violation {
            act: Act::RED_LIGHT,
            at,
            track: 42,
            vehicle: VehicleClass::Motorbike,
            facts: Facts::Signal(Signal {
                movement: Movement::Straight,
                lit: Lit {
                    lamp: Lamp::Red,
                    red: Measured::new(4_200.0, In::Milliseconds).against(300.0),
                    right_arrow: true,
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
            reason: "crossed the stop line 4.2 s into red and went straight on".into(),
        },
        plate: Some(PlateReading {
            raw: "77B112345".into(),
            text: Some("77B112345".into()),
            class: Some(PlateClass::MotorbikeOld),
            colour: PlateColour::White,
            rows: 2,
            confidence: 0.98,
            frames: 9,
        }),
        models: vec![ModelUsed { name: "reader".into(), sha256: Digest::of(b"weights") }],
        config: Digest::of(b"configuration"),
        files: FILES
            .map(|(role, name, media_type)| File {
                name: name.into(),
                role,
                media_type: media_type.into(),
                bytes: content(name).len() as u64,
                sha256: Digest::of(&content(name)),
                captured_at: at,
                view: None,
            })
            .into(),
    };
    assert!(manifest.to_bytes().len() < MAX_MANIFEST_BYTES);
    manifest
}

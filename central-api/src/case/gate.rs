//! The gate before a decision that accuses: what must be in order in evidence, plate and law.
//! It is asked at review and again at approval, because files can change in between.

use contract::Rule;
use contract::manifest::{ClockSource, FileRole, Manifest};
use contract::package::Failure;
use contract::violation::Lamp;

use super::record::Case;
use crate::law::VIETNAM;

/// One thing that is not in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blocker {
    /// Seal, manifest or a file does not verify; says which.
    Unverified(String),
    /// A mandatory file is not in the package.
    FileMissing(FileRole),
    /// A mandatory field of the record is empty (NĐ 61/2026 Điều 14.2).
    FieldMissing(&'static str),
    /// The camera's verification had run out when it saw the act.
    VerificationExpired,
    ClockUnknown,
    /// The lamp on record does not carry the accusation.
    LampNotRed,
    PlateMissing,
    /// The plate fits no class of plates for this kind of vehicle.
    PlateInvalid,
    /// No decree in force covers the act.
    LawMissing,
    /// The manifest names another violation than the case.
    Inconsistent,
}

impl Blocker {
    /// Key in the word tables and code in the API.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Unverified(_) => "unverified",
            Self::FileMissing(_) => "file_missing",
            Self::FieldMissing(_) => "field_missing",
            Self::VerificationExpired => "verification_expired",
            Self::ClockUnknown => "clock_unknown",
            Self::LampNotRed => "lamp_not_red",
            Self::PlateMissing => "plate_missing",
            Self::PlateInvalid => "plate_invalid",
            Self::LawMissing => "law_missing",
            Self::Inconsistent => "inconsistent",
        }
    }

    /// What exactly, where the name leaves it open.
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::Unverified(what) => Some(what.clone()),
            Self::FileMissing(role) => Some(super::record::name_of(role)),
            Self::FieldMissing(field) => Some((*field).into()),
            _ => None,
        }
    }
}

/// The gate's finding: open exactly when nothing blocks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gate {
    pub blockers: Vec<Blocker>,
}

impl Gate {
    pub fn is_open(&self) -> bool {
        self.blockers.is_empty()
    }
}

/// Checks `case` against its evidence, which failed in `failures`.
pub fn check(case: &Case, manifest: Option<&Manifest>, failures: &[Failure]) -> Gate {
    let mut blockers: Vec<Blocker> =
        failures.iter().map(|failure| Blocker::Unverified(failure.to_string())).collect();
    match manifest {
        Some(manifest) => evidence(case, manifest, &mut blockers),
        None if failures.is_empty() => blockers.push(Blocker::Unverified("manifest.json".into())),
        None => {}
    }
    match &case.plate {
        None => blockers.push(Blocker::PlateMissing),
        Some(plate) if super::plate::read(plate, case.vehicle, case.plate_colour).is_none() => {
            blockers.push(Blocker::PlateInvalid);
        }
        Some(_) => {}
    }
    if case.law.is_none() {
        blockers.push(Blocker::LawMissing);
    }
    Gate { blockers }
}

fn evidence(case: &Case, manifest: &Manifest, blockers: &mut Vec<Blocker>) {
    blockers.extend(manifest.missing_roles().into_iter().map(Blocker::FileMissing));
    let unit = &manifest.unit;
    let camera = &manifest.camera;
    for (name, text) in [
        ("unit.name", &unit.name),
        ("unit.operator", &unit.operator),
        ("camera.place", &camera.place),
        ("camera.plan", &camera.plan),
        ("device.serial", &manifest.device.serial),
    ] {
        if text.trim().is_empty() {
            blockers.push(Blocker::FieldMissing(name));
        }
    }
    let violation = &manifest.violation;
    if let Some(verification) = &camera.verification
        && verification.valid_to < violation.at.to_offset(VIETNAM).date()
    {
        blockers.push(Blocker::VerificationExpired);
    }
    if manifest.clock.source == ClockSource::Unknown {
        blockers.push(Blocker::ClockUnknown);
    }
    let lamp_carries = match violation.rule {
        // Amber is charged under the same provision.
        Rule::RedLight => matches!(violation.lamp, Lamp::Red | Lamp::Amber),
        Rule::StopLine => violation.lamp == Lamp::Red,
    };
    if !lamp_carries {
        blockers.push(Blocker::LampNotRed);
    }
    let same = manifest.evidence_id.to_string() == case.evidence_id
        && violation.rule == case.rule
        && violation.vehicle == case.vehicle
        && crate::store::to_ms(violation.at) == crate::store::to_ms(case.act_at);
    if !same {
        blockers.push(Blocker::Inconsistent);
    }
}

//! The gate before a decision that accuses: what must be in order in evidence, plate and law.
//! It is asked at review and again at approval, because files can change in between.

use contract::manifest::{ClockSource, FileRole, Manifest, SourceKind};
use contract::package::Failure;
use time::{Duration, OffsetDateTime};

use super::open::Terms;
use super::record::Case;
use super::related::Related;
use super::{acts, agreement};
use crate::law::{LawBook, Term, VIETNAM};

/// One thing that is not in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blocker {
    /// Seal, manifest or a file does not verify; says which.
    Unverified(String),
    /// What must be shown is not in the package: a moment's picture, the close-up, the clip.
    FileMissing(String),
    /// An act that this program does not know.
    ActUnknown(String),
    /// A mandatory field of the record is empty (NĐ 61/2026 Điều 14.2).
    FieldMissing(&'static str),
    /// The camera's verification had run out when it saw the act.
    VerificationExpired,
    ClockUnknown,
    /// The box's clock and the camera's lay too far apart, milliseconds.
    ClockOffset(i64),
    /// The pictures did not come from a camera as it saw them: a file, a recording.
    SourceNotLive(&'static str),
    /// Pictures and clip are not in the order of what they show; says which.
    TimesDisordered(String),
    /// Seen after it came in; says what and when.
    CapturedInFuture(String),
    /// The manifest contradicts itself; says in what.
    Contradiction(String),
    /// The lamp on record does not carry the accusation.
    LampNotRed,
    PlateMissing,
    /// The plate fits no class of plates for this kind of vehicle.
    PlateInvalid,
    /// No decree in force covers the act.
    LawMissing,
    /// The act is barred: its limitation has run out.
    LimitationPassed(String),
    /// The term for the notice has run out.
    NoticeTermPassed(String),
    /// The calendar does not say which days are worked when it matters.
    CalendarUnknown(String),
    /// The case says something else than its manifest; names the columns.
    Inconsistent(String),
    /// Another case that may show the same act is ahead: duplicate, or two acts?
    SameAct(String),
    /// A fault is being looked into that touches it; names the recall.
    Recalled(String),
}

impl Blocker {
    /// Key in the word tables and code in the API.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Unverified(_) => "unverified",
            Self::FileMissing(_) => "file_missing",
            Self::ActUnknown(_) => "act_unknown",
            Self::FieldMissing(_) => "field_missing",
            Self::VerificationExpired => "verification_expired",
            Self::ClockUnknown => "clock_unknown",
            Self::ClockOffset(_) => "clock_offset",
            Self::SourceNotLive(_) => "source_not_live",
            Self::TimesDisordered(_) => "times_disordered",
            Self::CapturedInFuture(_) => "captured_in_future",
            Self::Contradiction(_) => "contradiction",
            Self::LampNotRed => "lamp_not_red",
            Self::PlateMissing => "plate_missing",
            Self::PlateInvalid => "plate_invalid",
            Self::LawMissing => "law_missing",
            Self::LimitationPassed(_) => "limitation_passed",
            Self::NoticeTermPassed(_) => "notice_term_passed",
            Self::CalendarUnknown(_) => "calendar_unknown",
            Self::Inconsistent(_) => "inconsistent",
            Self::SameAct(_) => "same_act",
            Self::Recalled(_) => "recalled",
        }
    }

    /// What exactly, where the name leaves it open.
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::Unverified(what)
            | Self::FileMissing(what)
            | Self::ActUnknown(what)
            | Self::TimesDisordered(what)
            | Self::CapturedInFuture(what)
            | Self::Contradiction(what)
            | Self::LimitationPassed(what)
            | Self::NoticeTermPassed(what)
            | Self::CalendarUnknown(what)
            | Self::Inconsistent(what)
            | Self::SameAct(what)
            | Self::Recalled(what) => Some(what.clone()),
            Self::FieldMissing(what) | Self::SourceNotLive(what) => Some((*what).into()),
            Self::ClockOffset(ms) => Some(format!("{ms:+} ms")),
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

/// What the gate looks at beside the case and its evidence.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bench<'a> {
    pub now: OffsetDateTime,
    pub law: &'a LawBook,
    /// Largest distance between the box's clock and the camera's.
    pub max_clock_offset: Duration,
    /// How far ahead of the central's clock a capture may be.
    pub max_ahead: Duration,
    pub related: &'a [Related],
    /// The recall that holds the case.
    pub recall: Option<&'a str>,
}

/// Checks `case` against its evidence, which failed in `failures`.
pub(super) fn check(
    case: &Case,
    manifest: Option<&Manifest>,
    failures: &[Failure],
    bench: Bench<'_>,
) -> Gate {
    let mut blockers: Vec<Blocker> =
        failures.iter().map(|failure| Blocker::Unverified(failure.to_string())).collect();
    match manifest {
        Some(manifest) => {
            evidence(manifest, &mut blockers);
            time(case, manifest, bench, &mut blockers);
            same(case, manifest, bench.law, &mut blockers);
        }
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
    blockers.extend(bench.recall.map(|recall| Blocker::Recalled(recall.into())));
    // Terms that run out later, and cases that come later, say nothing against a closed case.
    if !case.state.is_decided() {
        terms(case, bench.law, bench.now, &mut blockers);
        let ahead = bench.related.iter().filter(|related| related.blocks());
        blockers.extend(ahead.map(|related| Blocker::SameAct(related.case.id.clone())));
    }
    Gate { blockers }
}

/// Whether the evidence of `case` would have passed on the day it came, were its files whole.
pub(super) fn is_sound(case: &Case, manifest: &Manifest, terms: Terms<'_>) -> bool {
    let bench = Bench {
        now: case.received_at,
        law: terms.law,
        max_clock_offset: Duration::milliseconds(i64::from(terms.limits.clock_offset_ms)),
        // What is dated farther ahead than the clocks may differ was never taken for a case.
        max_ahead: Duration::DAY,
        related: &[],
        recall: None,
    };
    check(case, Some(manifest), &[], bench).is_open()
}

fn evidence(manifest: &Manifest, blockers: &mut Vec<Blocker>) {
    let violation = &manifest.violation;
    let row = acts::row(&violation.act);
    let moments = row.iter().flat_map(|row| row.moments);
    let lacking = moments.filter(|role| manifest.picture(**role).is_none());
    blockers.extend(lacking.map(|role| Blocker::FileMissing(role.name().into())));
    for role in [FileRole::CloseUp, FileRole::Clip] {
        if manifest.file(role).is_none() {
            blockers.push(Blocker::FileMissing(super::record::name_of(&role)));
        }
    }
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
    if let Some(verification) = &camera.verification
        && verification.valid_to < violation.at.to_offset(VIETNAM).date()
    {
        blockers.push(Blocker::VerificationExpired);
    }
    match row {
        Some(row) if row.carried_by_lamp(&violation.facts) => {}
        Some(_) => blockers.push(Blocker::LampNotRed),
        None => blockers.push(Blocker::ActUnknown(violation.act.to_string())),
    }
}

/// Whether it is known when the act was done.
fn time(case: &Case, manifest: &Manifest, bench: Bench<'_>, blockers: &mut Vec<Blocker>) {
    let clock = &manifest.clock;
    match (manifest.source, clock.source) {
        (Some(SourceKind::File), _) => blockers.push(Blocker::SourceNotLive("file")),
        (Some(SourceKind::Recording), _) | (_, ClockSource::Recording) => {
            blockers.push(Blocker::SourceNotLive("recording"));
        }
        (_, ClockSource::Unknown) => blockers.push(Blocker::ClockUnknown),
        (None | Some(SourceKind::CameraStream), ClockSource::Rtcp | ClockSource::Arrival) => {}
    }
    if let Some(ms) = clock.offset_ms
        && i128::from(ms).abs() > bench.max_clock_offset.whole_milliseconds()
    {
        blockers.push(Blocker::ClockOffset(ms));
    }
    blockers.extend(agreement::contradictions(manifest, case.received_at + bench.max_ahead));
}

/// Whether the case still says what its manifest says.
fn same(case: &Case, manifest: &Manifest, book: &LawBook, blockers: &mut Vec<Blocker>) {
    let opened = super::open::opening(case.id.clone(), manifest, case.received_at, book);
    const FIXED: [&str; 10] = [
        "evidence_id",
        "device_id",
        "camera_id",
        "place",
        "act",
        "vehicle",
        "act_at",
        "plate_read",
        "plate_colour",
        "confidence",
    ];
    let differing: Vec<_> = opened
        .columns()
        .into_iter()
        .zip(case.columns())
        .filter(|(one, other)| FIXED.contains(&one.0) && one.1 != other.1)
        .map(|(column, _)| column.0)
        .collect();
    if !differing.is_empty() {
        blockers.push(Blocker::Inconsistent(differing.join(", ")));
    }
}

/// Whether the law still allows a notice. Terms are told with their last day and their source.
fn terms(case: &Case, book: &LawBook, now: OffsetDateTime, blockers: &mut Vec<Blocker>) {
    let told = |end: OffsetDateTime, term: Term| {
        let source = &book.deadline(term).source;
        let day = end.to_offset(VIETNAM).date();
        format!("{:02}/{:02}/{} ({source})", day.day(), u8::from(day.month()), day.year())
    };
    match book.limitation(case.act_at) {
        Ok(end) if now > end => {
            blockers.push(Blocker::LimitationPassed(told(end, Term::Limitation)));
        }
        Ok(_) => {}
        Err(error) => blockers.push(Blocker::CalendarUnknown(error.to_string())),
    }
    match book.notice_due(case.act_at) {
        Ok(end) if now > end => blockers.push(Blocker::NoticeTermPassed(told(end, Term::Notice))),
        Ok(_) => {}
        Err(error) => blockers.push(Blocker::CalendarUnknown(error.to_string())),
    }
    // The notice names a day on which to come: there must be one.
    if let Err(error) = book.appointment(now) {
        blockers.push(Blocker::CalendarUnknown(error.to_string()));
    }
}

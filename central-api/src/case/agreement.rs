//! What a manifest says twice must agree: times among themselves and with the moment it came in,
//! the movement with the act, the type of a file with what it shows. A seal proves who said it,
//! not that it is possible.

use contract::MomentRole;
use contract::facts::Unit;
use contract::manifest::{File, FileRole, Manifest};
use time::{Duration, OffsetDateTime};

use super::acts;
use super::gate::Blocker;
use crate::law::VIETNAM;

/// No picture of an act lies farther from it; no signal stays red for longer.
const SCENE: Duration = Duration::minutes(15);

/// Everything about `manifest` that contradicts itself. `latest` is the last moment at which
/// something that has come in may have been seen.
pub(super) fn contradictions(manifest: &Manifest, latest: OffsetDateTime) -> Vec<Blocker> {
    let mut found = times(manifest);
    let violation = &manifest.violation;
    let moments = std::iter::once(("violation.at", violation.at))
        .chain(manifest.files.iter().map(|file| (file.name.as_str(), file.captured_at)));
    if let Some((what, at)) = moments.filter(|(_, at)| *at > latest).max_by_key(|(_, at)| *at) {
        found.push(Blocker::CapturedInFuture(format!("{what} {}", moment(at))));
    }
    let mut says = |what: &str| found.push(Blocker::Contradiction(what.to_owned()));
    if let Some(row) = acts::row(&violation.act) {
        row.contradictions(&violation.facts).iter().for_each(|what| says(what));
    }
    for (name, measured) in violation.facts.measured() {
        if measured.unit == Unit::Milliseconds && measured.value > SCENE.whole_milliseconds() as f64
        {
            says(&format!("{name} {} ms", measured.value));
        }
    }
    if manifest.plate.as_ref().is_some_and(|plate| plate.text.is_some() && plate.frames == 0) {
        says("plate.frames 0");
    }
    for file in &manifest.files {
        if !file.media_type.starts_with(file.role.media()) {
            says(&format!("{} {}", file.name, file.media_type));
        }
    }
    found
}

/// Pictures and clip in the order in which they must have been seen.
fn times(manifest: &Manifest) -> Vec<Blocker> {
    let mut found = Vec::new();
    let at = manifest.violation.at;
    let mut order = |holds: bool, one: &File, sign: &str, other: &str, then: OffsetDateTime| {
        if !holds {
            let one = format!("{} {}", one.name, moment(one.captured_at));
            found.push(Blocker::TimesDisordered(format!("{one} {sign} {other} {}", moment(then))));
        }
    };
    for file in manifest.files.iter().filter(|file| file.role == FileRole::Overlay) {
        order(file.captured_at == at, file, "≠", "violation.at", at);
    }
    for moment in &manifest.violation.moments {
        let Some(file) = manifest.files.iter().find(|file| file.name == moment.file) else {
            continue;
        };
        match moment.role {
            MomentRole::On => order(moment.at == at, file, "≠", "violation.at", at),
            MomentRole::Before | MomentRole::Begin => {
                order(moment.at <= at, file, ">", "violation.at", at);
            }
            MomentRole::Past => order(moment.at >= at, file, "<", "violation.at", at),
            MomentRole::During | MomentRole::End => {}
        }
    }
    for pair in manifest.violation.moments.windows(2) {
        let [one, other] = [&pair[0], &pair[1]];
        let file = manifest.files.iter().find(|file| file.name == one.file);
        if let Some(file) = file {
            order(one.at <= other.at, file, ">", &other.file, other.at);
        }
    }
    if !manifest.violation.moments.iter().any(|moment| moment.at == at)
        && let Some(file) = manifest.files.first()
    {
        order(false, file, "…", "violation.at", at);
    }
    if let Some(clip) = manifest.file(FileRole::Clip) {
        order(clip.captured_at < at, clip, "≥", "violation.at", at);
    }
    for file in &manifest.files {
        order((file.captured_at - at).abs() <= SCENE, file, "…", "violation.at", at);
    }
    found
}

/// `2026-11-21 08:15:30.500`, in Vietnam.
fn moment(at: OffsetDateTime) -> String {
    let at = at.to_offset(VIETNAM);
    let (time, milli) = (at.time(), at.millisecond());
    format!("{} {:02}:{:02}:{:02}.{milli:03}", at.date(), time.hour(), time.minute(), time.second())
}

//! What a manifest says twice must agree: times among themselves and with the moment it came in,
//! the movement with the act, the type of a file with what it shows. A seal proves who said it,
//! not that it is possible.

use contract::manifest::{File, FileRole, Manifest};
use contract::{Movement, Rule};
use time::{Duration, OffsetDateTime};

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
    match (violation.rule, violation.movement) {
        (Rule::RedLight, Movement::Stopped) => says("red_light, stopped"),
        (Rule::StopLine, Movement::Straight | Movement::Left | Movement::Right) => {
            says("stop_line, not stopped");
        }
        (Rule::RedLight, Movement::Right) if violation.right_arrow => {
            says("right, right_arrow");
        }
        _ => {}
    }
    if u128::from(violation.red_elapsed_ms) > SCENE.whole_milliseconds().unsigned_abs() {
        says(&format!("red_elapsed_ms {}", violation.red_elapsed_ms));
    }
    if manifest.plate.as_ref().is_some_and(|plate| plate.text.is_some() && plate.frames == 0) {
        says("plate.frames 0");
    }
    for file in &manifest.files {
        if (file.role == FileRole::Clip) != file.media_type.starts_with("video/") {
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
    let file = |role| manifest.file(role);
    for role in [FileRole::FrameOn, FileRole::Overlay] {
        if let Some(on) = file(role) {
            order(on.captured_at == at, on, "≠", "violation.at", at);
        }
    }
    if let Some(before) = file(FileRole::FrameBefore) {
        order(before.captured_at <= at, before, ">", "violation.at", at);
    }
    if let Some(past) = file(FileRole::FramePast) {
        order(past.captured_at >= at, past, "<", "violation.at", at);
    }
    if let Some(clip) = file(FileRole::Clip) {
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

//! The words burnt in below an evidence picture, Vietnamese, in DOMAIN order: who, with what, under
//! which plan, where, when and how that is known, what the lamp showed, which plate.

use std::fmt::Write as _;

use contract::manifest::{self, ClockSource};
use contract::{Facts, MomentRole, VehicleClass};
use time::format_description::BorrowedFormatItem;
use time::macros::{format_description, offset};
use time::{OffsetDateTime, UtcOffset};

use crate::accusation::{Accusation, Origin, Shot};

/// Vietnam has one offset and no summer time.
pub const VIETNAM: UtcOffset = offset!(+7);

const TIME: &[BorrowedFormatItem<'_>] = format_description!(
    "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3][offset_hour sign:mandatory]:\
     [offset_minute]"
);
const DAY: &[BorrowedFormatItem<'_>] = format_description!("[day]/[month]/[year]");

/// The caption's items for one picture, which `origin` took.
pub fn items(
    accusation: &Accusation,
    origin: &Origin,
    device: &manifest::Device,
    unit: &manifest::Unit,
    title: String,
    shot: &Shot,
) -> Vec<String> {
    let camera = &origin.camera;
    let mut items = vec![
        title,
        taken(accusation, shot),
        clock(&origin.clock),
        act(accusation),
        plate(accusation),
    ];
    let mut place = camera.place.clone();
    if let Some(km) = &camera.km {
        // Writing to a string cannot fail.
        let _ = write!(place, ", {km}");
    }
    if let Some([lat, lon]) = camera.gps {
        let _ = write!(place, " ({lat:.5}, {lon:.5})");
    }
    items.push(place);
    items.push(direction(&camera.direction));
    items.extend(camera.lane.iter().map(|lane| format!("Làn {lane}")));
    items.push(format!("Đơn vị {} {}", unit.code, unit.name));
    items.push(format!("Thiết bị {} số {}, camera {}", device.id, device.serial, camera.id));
    items.push(format!("Kế hoạch lắp đặt {}", camera.plan));
    if let Some(verification) = &camera.verification {
        // Three numbers always format.
        let day = verification.valid_to.format(DAY).unwrap_or_default();
        items.push(format!("Kiểm định {} đến {day}", verification.certificate));
    }
    items
}

/// Capture time, and how far it lies from the moment that dates the act.
fn taken(accusation: &Accusation, shot: &Shot) -> String {
    let at = iso(shot.captured_at);
    match (shot.captured_at - accusation.violation.at).whole_milliseconds() {
        0 => at,
        apart => format!("{at} ({apart:+} ms so với lúc vi phạm)"),
    }
}

/// ISO 8601 with milliseconds and +07:00.
pub fn iso(at: OffsetDateTime) -> String {
    // Every component of the format exists in an OffsetDateTime.
    at.to_offset(VIETNAM).format(TIME).unwrap_or_default()
}

/// Which of its pictures the one at `index` is, and what it shows.
pub fn moment(accusation: &Accusation, index: usize) -> String {
    let line = matches!(accusation.violation.facts, Facts::Signal(_) | Facts::Line(_));
    let what = match accusation.moments[index].role {
        MomentRole::Before if line => "TRƯỚC VẠCH",
        MomentRole::On if line => "TRÊN VẠCH",
        MomentRole::Past if line => "SAU VẠCH",
        MomentRole::Before => "TRƯỚC KHI VI PHẠM",
        MomentRole::On => "LÚC VI PHẠM",
        MomentRole::Past => "SAU KHI VI PHẠM",
        MomentRole::Begin => "BẮT ĐẦU",
        MomentRole::During => "TRONG LÚC VI PHẠM",
        MomentRole::End => "KẾT THÚC",
    };
    format!("Ảnh {}/{}: {what}", index + 1, accusation.moments.len())
}

fn clock(clock: &manifest::Clock) -> String {
    let source = match clock.source {
        ClockSource::Rtcp => "RTCP của camera",
        ClockSource::Arrival => "giờ thiết bị khi nhận",
        ClockSource::Recording => "bản ghi",
        ClockSource::Unknown => "KHÔNG RÕ",
    };
    let mut text = format!("Đồng bộ: {source}");
    if let Some(offset) = clock.offset_ms {
        let _ = write!(text, ", lệch {offset:+} ms");
    }
    if let Some(age) = clock.age_ms {
        let _ = write!(text, ", cách đây {age} ms");
    }
    text
}

fn act(accusation: &Accusation) -> String {
    let violation = &accusation.violation;
    let vehicle = match violation.vehicle {
        VehicleClass::Motorbike => "xe máy",
        VehicleClass::Car => "ô tô con",
        VehicleClass::Bus => "xe khách",
        VehicleClass::Truck => "xe tải",
    };
    match accusation.camera.site.rule(&violation.act) {
        Some(rule) => format!("{} ({vehicle})", rule.caption(&violation.facts)),
        None => format!("{} ({vehicle})", violation.act),
    }
}

fn plate(accusation: &Accusation) -> String {
    match &accusation.plate {
        Some(reading) => {
            let text = reading.text.as_deref().unwrap_or("chưa chắc chắn");
            format!("Biển số {text} ({})", percent(reading.confidence))
        }
        None => "Biển số không đọc được".into(),
    }
}

/// Named as one, once: a site may have written the word itself.
fn direction(written: &str) -> String {
    const WORD: &str = "hướng ";
    let named = written.to_lowercase().starts_with(WORD);
    let rest: String = written.chars().skip(if named { WORD.chars().count() } else { 0 }).collect();
    format!("Hướng {rest}")
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0).replace('.', ",")
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn times_are_vietnamese_with_milliseconds() {
        let at = datetime!(2026-11-21 17:04:05.678_901 UTC);
        assert_eq!(iso(at), "2026-11-22T00:04:05.678+07:00");
    }

    #[test]
    fn words_and_numbers_are_vietnamese() {
        assert_eq!(direction("Bắc → Nam"), "Hướng Bắc → Nam");
        assert_eq!(direction("hướng vào trung tâm"), "Hướng vào trung tâm");
        assert_eq!(direction("Hướng ra biển"), "Hướng ra biển");
        assert_eq!(percent(0.9964), "99,6 %");
    }

    #[test]
    fn the_clock_line_names_source_and_offset() {
        let known = manifest::Clock {
            source: ClockSource::Rtcp,
            offset_ms: Some(-12),
            age_ms: Some(3200),
            epoch: 0,
        };
        assert_eq!(clock(&known), "Đồng bộ: RTCP của camera, lệch -12 ms, cách đây 3200 ms");
        let bare = manifest::Clock {
            source: ClockSource::Arrival,
            offset_ms: None,
            age_ms: None,
            epoch: 0,
        };
        assert_eq!(clock(&bare), "Đồng bộ: giờ thiết bị khi nhận");
    }
}

//! Times, amounts and sizes as Vietnamese pages write them.

use time::{Date, OffsetDateTime};

use crate::law::VIETNAM;

/// `08:15, 21/11/2026`: the form of the public lookup.
pub fn minute(at: OffsetDateTime) -> String {
    let at = at.to_offset(VIETNAM);
    format!("{:02}:{:02}, {}", at.hour(), at.minute(), date(at))
}

/// `08:15:30, 21/11/2026`.
pub fn second(at: OffsetDateTime) -> String {
    let at = at.to_offset(VIETNAM);
    format!("{:02}:{:02}:{:02}, {}", at.hour(), at.minute(), at.second(), date(at))
}

/// `21/11/2026`.
pub fn date(at: OffsetDateTime) -> String {
    day(at.to_offset(VIETNAM).date())
}

/// `21/11/2026`.
pub fn day(day: Date) -> String {
    format!("{:02}/{:02}/{}", day.day(), u8::from(day.month()), day.year())
}

/// `4.000.000`.
pub fn amount(vnd: i64) -> String {
    let digits = vnd.unsigned_abs().to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('.');
        }
        text.push(digit);
    }
    if vnd < 0 { format!("-{text}") } else { text }
}

/// `1,2 MB`.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{},{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn times_are_vietnamese() {
        assert_eq!(minute(datetime!(2026-11-20 17:05:09 UTC)), "00:05, 21/11/2026");
        assert_eq!(second(datetime!(2026-11-20 17:05:09 UTC)), "00:05:09, 21/11/2026");
    }

    #[test]
    fn amounts_and_sizes() {
        assert_eq!(amount(4_000_000), "4.000.000");
        assert_eq!(amount(999), "999");
        assert_eq!(size(1_250_000), "1,2 MB");
        assert_eq!(size(300), "300 B");
    }
}

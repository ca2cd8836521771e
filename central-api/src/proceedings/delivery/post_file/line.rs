//! A line of the post office's file.

use time::Date;
use time::macros::format_description;

use super::super::Paper;
use super::Wrong;
use crate::csv_file::plain;

/// The columns by the names that such files give them, and what stands in them.
pub const COLUMNS: [(&str, &str); 4] = [
    (
        "ma_buu_pham|so_tham_chieu|ma_tham_chieu|ma_van_ban|so_van_ban|ma_don_hang",
        "letter 12-0007, or the document's code or number",
    ),
    ("so_hieu_buu_gui|so_hieu|ma_buu_gui|ma_van_don|so_van_don", "tracking number"),
    ("trang_thai|trang_thai_buu_gui|trang_thai_phat|tinh_trang", "status"),
    ("ngay|ngay_trang_thai|ngay_phat|thoi_gian|ngay_cap_nhat", "day of the status, 30/11/2026"),
];

/// What became of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Became {
    /// The post office has it.
    Sent,
    /// On its way, or tried in vain: nothing follows yet.
    Passing,
    Delivered,
    Returned,
}

/// How the post office words it; compared without marks and case.
const STATUSES: [(Became, &[&str]); 4] = [
    (Became::Sent, &["sent", "da_gui", "da_nhan_gui", "chap_nhan_gui", "nhan_gui", "da_chap_nhan"]),
    (
        Became::Passing,
        &[
            "dang_van_chuyen",
            "dang_phat",
            "den_buu_cuc",
            "luu_buu_cuc",
            "cho_phat",
            "dang_chuyen_hoan",
            "phat_khong_thanh_cong",
            "chuyen_tiep",
        ],
    ),
    (
        Became::Delivered,
        &["delivered", "da_phat", "phat_thanh_cong", "da_giao", "giao_thanh_cong", "da_nhan"],
    ),
    (
        Became::Returned,
        &[
            "returned",
            "chuyen_hoan",
            "da_chuyen_hoan",
            "chuyen_hoan_thanh_cong",
            "hoan_tra",
            "tra_lai",
            "da_tra_lai",
            "tu_choi_nhan",
            "phat_hoan_thanh_cong",
        ],
    ),
];

/// How a line names its letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// By batch and place.
    Letter(i64, i64),
    /// By the document's code.
    Code(String),
    /// By the document's number, of whichever year, and the kinds that it may be of.
    Number(i64, Vec<Paper>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub named: Named,
    pub tracking: Option<String>,
    pub became: Became,
    pub day: Date,
}

pub fn read([named, tracking, status, day]: [&str; 4], today: Date) -> Result<Said, Wrong> {
    let status = plain(status);
    let became = STATUSES.iter().find(|(_, words)| words.contains(&status.as_str()));
    let said = Said {
        named: self::named(named).ok_or(Wrong::Unknown)?,
        tracking: self::tracking(tracking)?,
        became: became.ok_or(Wrong::Status)?.0,
        day: self::day(day).ok_or(Wrong::Date)?,
    };
    if said.day > today { Err(Wrong::Future) } else { Ok(said) }
}

fn named(text: &str) -> Option<Named> {
    let digits = |text: &str| {
        let good = (1..=9).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        good.then(|| text.parse().ok()).flatten()
    };
    if let Some((batch, place)) = text.split_once('-')
        && let Some(batch) = digits(batch)
    {
        return Some(Named::Letter(batch, digits(place)?));
    }
    // 000012/TB-PC08
    let (number, sign) = text.split_once('/').unwrap_or((text, ""));
    if let Some(number) = digits(number) {
        return Some(Named::Number(number, signed(sign)));
    }
    let code: String = text.chars().filter(|c| *c != ' ' && *c != '-').collect();
    let code = code.to_uppercase();
    let good = code.len() == 16 && code.bytes().all(|b| b.is_ascii_alphanumeric());
    good.then_some(Named::Code(code))
}

/// The kinds of papers whose numbers have this sign behind them; all where there is none.
fn signed(sign: &str) -> Vec<Paper> {
    let sign = plain(sign);
    let fits = |paper: &Paper| {
        let own = plain(paper.kind().sign());
        sign.is_empty() || sign == own || sign.starts_with(&format!("{own}_"))
    };
    Paper::ALL.into_iter().filter(fits).collect()
}

/// A cell that a table program made a number of is none; an empty one says nothing.
fn tracking(text: &str) -> Result<Option<String>, Wrong> {
    if text.is_empty() {
        return Ok(None);
    }
    let text = text.to_uppercase();
    let good = (4..=40).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if good { Ok(Some(text)) } else { Err(Wrong::Tracking) }
}

/// The day that stands first or last beside a time of day.
fn day(text: &str) -> Option<Date> {
    let forms = [
        format_description!("[day padding:none]/[month padding:none]/[year]"),
        format_description!("[year]-[month]-[day]"),
    ];
    let words = text.split([' ', 'T', ',']).filter(|word| !word.is_empty());
    let read = |word| forms.iter().find_map(|form| Date::parse(word, form).ok());
    words.take(4).find_map(read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    const TODAY: Date = date!(2026 - 12 - 02);

    #[test]
    fn lines_are_read_as_post_offices_write_them() {
        let read = |named, tracking, status, day| read([named, tracking, status, day], TODAY);
        let said = read("12-0007", "rb123456789vn", "Phát thành công", "30/11/2026").unwrap();
        assert_eq!((&said.named, said.became), (&Named::Letter(12, 7), Became::Delivered));
        assert_eq!(
            (said.tracking.as_deref(), said.day),
            (Some("RB123456789VN"), date!(2026 - 11 - 30))
        );
        for (named, expected) in [
            ("000012/TB-PC08", Some(Named::Number(12, vec![Paper::Points, Paper::Notice]))),
            ("000012/QĐ-XPHC-PC08", Some(Named::Number(12, vec![Paper::Decision]))),
            ("12/qd-hb", Some(Named::Number(12, vec![Paper::Annulment]))),
            ("12", Some(Named::Number(12, Paper::ALL.into()))),
            ("K7QM2X9DHR4TBV6N", Some(Named::Code("K7QM2X9DHR4TBV6N".into()))),
            ("k7qm-2x9d-hr4t-bv6n", Some(Named::Code("K7QM2X9DHR4TBV6N".into()))),
            ("12-", None),
            ("", None),
            ("K7QM", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(super::named(named), expected, "{named}");
        }
        for (day, good) in [
            ("1/12/2026", true),
            ("2026-12-01 08:15:00", true),
            ("08:15 01/12/2026", true),
            ("01-12-2026", false),
            ("31/11/2026", false),
            ("12/2026", false),
        ] {
            assert_eq!(super::day(day).is_some(), good, "{day}");
        }
        for (named, tracking, status, day, wrong) in [
            ("?", "", "đã phát", "1/12/2026", Wrong::Unknown),
            ("1-1", "1,2E+11", "đã phát", "1/12/2026", Wrong::Tracking),
            ("1-1", "", "thất lạc", "1/12/2026", Wrong::Status),
            ("1-1", "", "ĐÃ PHÁT", "mai", Wrong::Date),
            ("1-1", "", "Đã phát", "3/12/2026", Wrong::Future),
        ] {
            assert_eq!(read(named, tracking, status, day), Err(wrong));
        }
    }
}

//! Which province a plate's code stands for, before and since the merger of provinces.
//!
//! The table is data with its source and date (`data/plate_codes.tsv`), not code; the grammar takes
//! its valid codes from here, so both always agree.

use std::sync::LazyLock;

use time::{Date, macros::date};

/// From this day on [`Province::new`] is the province's name (TT 51/2025/TT-BCA).
pub const EFFECTIVE: Date = date!(2025 - 07 - 01);

const TABLE: &str = include_str!("../../data/plate_codes.tsv");

/// The place that a code belongs to. Code 80 is the traffic police department, no province.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Province {
    pub code: u8,
    /// Name before [`EFFECTIVE`].
    pub old: &'static str,
    /// Name since [`EFFECTIVE`].
    pub new: &'static str,
}

impl Province {
    /// The province with `code`, none for a code never issued.
    pub fn of_code(code: u8) -> Option<Self> {
        static BY_CODE: LazyLock<[Option<Province>; 100]> = LazyLock::new(|| {
            let mut by_code = [None; 100];
            for province in rows() {
                if let Some(slot) = by_code.get_mut(usize::from(province.code)) {
                    *slot = Some(province);
                }
            }
            by_code
        });
        BY_CODE.get(usize::from(code)).copied().flatten()
    }

    /// Every code in the table, ascending.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..100).filter_map(Self::of_code)
    }

    /// The name that holds on `day`.
    pub fn name_on(&self, day: Date) -> &'static str {
        if day < EFFECTIVE { self.old } else { self.new }
    }
}

fn rows() -> impl Iterator<Item = Province> {
    TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut cells = line.split('\t');
        let code = cells.next()?.parse().ok()?;
        Some(Province { code, old: cells.next()?, new: cells.next()? })
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_line_of_the_table_is_used() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(lines, 81);
        assert_eq!(Province::all().count(), 81);
        let date = TABLE.lines().find_map(|line| line.strip_prefix("# effective\t"));
        assert_eq!(date, Some(EFFECTIVE.to_string().as_str()));
    }

    #[test]
    fn unused_codes_are_absent() {
        let unused: Vec<u8> = (11..100).filter(|code| Province::of_code(*code).is_none()).collect();
        assert_eq!(unused, [13, 42, 44, 45, 46, 87, 91, 96]);
        assert!((0..11).all(|code| Province::of_code(code).is_none()));
        assert_eq!(Province::of_code(200), None);
    }

    #[test]
    fn sixty_three_provinces_became_thirty_four() {
        let of = |name: fn(&Province) -> &'static str| {
            let names: BTreeSet<_> = Province::all().map(|p| name(&p)).collect();
            names.len() - 1 // the department behind code 80
        };
        assert_eq!(of(|p| p.old), 63);
        assert_eq!(of(|p| p.new), 34);
    }

    #[test]
    fn the_name_follows_the_day() {
        let binh_dinh = Province::of_code(77).unwrap();
        assert_eq!(binh_dinh.name_on(date!(2025 - 06 - 30)), "Bình Định");
        assert_eq!(binh_dinh.name_on(date!(2025 - 07 - 01)), "Gia Lai");
    }
}

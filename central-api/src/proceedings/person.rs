//! The lines by which a document names who did it.

use super::minutes::Violator;
use crate::documents::layout::{Run, bold, plain};
use crate::registry::{OwnerKind, Sex};
use crate::web::format;

/// To be filled in by hand.
pub(super) const BLANK: &str = ".........................";

const BLANK_DAY: &str = "..../..../........";

/// What a document does with what is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unknown {
    /// A form asks for it: a blank.
    Blank,
    LeftOut,
}

/// A label with what is known, as far as it is shown.
type Field = (&'static str, String);

pub(super) fn lines(violator: &Violator, unknown: Unknown) -> Vec<Vec<Run>> {
    let (person, details) = (&violator.person, &violator.details);
    let is_person = person.kind == OwnerKind::Person;
    let day = |day: Option<time::Date>| day.map(format::day).unwrap_or_default();
    let sex = match details.sex {
        Some(Sex::Male) => "nam",
        Some(Sex::Female) => "nữ",
        None => "",
    };
    let issued =
        [("ngày cấp", day(details.id_issued_on)), ("nơi cấp", details.id_issued_by.clone())];
    let rows: Vec<Vec<Field>> = if is_person {
        vec![
            vec![("Họ và tên", person.name.clone()), ("giới tính", sex.into())],
            vec![
                ("Ngày sinh", day(violator.born)),
                ("quốc tịch", details.nationality.clone()),
                ("nghề nghiệp", details.occupation.clone()),
            ],
            vec![("Địa chỉ", person.address.clone())],
            [vec![("Số định danh cá nhân", person.id_number.clone())], issued.into()].concat(),
        ]
    } else {
        vec![
            vec![("Tên tổ chức", person.name.clone())],
            vec![("Địa chỉ trụ sở", person.address.clone())],
            [vec![("Mã số tổ chức", person.id_number.clone())], issued.into()].concat(),
            vec![
                ("Người đại diện theo pháp luật", details.representative.clone()),
                ("chức danh", details.representative_title.clone()),
            ],
        ]
    };
    let mut lines: Vec<_> =
        rows.into_iter().filter_map(|row| written(row, &person.name, unknown)).collect();
    if is_person && !violator.drove {
        lines
            .push(vec![plain("Là chủ phương tiện (Điều 47 khoản 8 Nghị định số 168/2024/NĐ-CP).")]);
    }
    lines
}

/// A row of fields; none where nothing of it is shown.
fn written(row: Vec<Field>, name: &str, unknown: Unknown) -> Option<Vec<Run>> {
    let mut runs = Vec::new();
    for (label, value) in row {
        if value.is_empty() && unknown == Unknown::LeftOut {
            continue;
        }
        let is_day = label.to_lowercase().starts_with("ngày");
        let label = match runs.is_empty() {
            true => format!("{}: ", upper(label)),
            false => format!("; {label}: "),
        };
        runs.push(plain(label));
        runs.push(match value.as_str() {
            "" if is_day => plain(BLANK_DAY),
            "" => plain(BLANK),
            it if it == name => bold(value),
            _ => plain(value),
        });
    }
    if runs.is_empty() {
        return None;
    }
    runs.push(plain("."));
    Some(runs)
}

fn upper(label: &str) -> String {
    let mut letters = label.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{Details, Owner};
    use time::macros::date;

    fn said(kind: OwnerKind, details: Details, unknown: Unknown) -> Vec<String> {
        let person = Owner {
            kind,
            name: "Trần Văn Cường".into(),
            id_number: "001".into(),
            address: "Huế".into(),
        };
        let born = (kind == OwnerKind::Person).then_some(date!(1990 - 05 - 01));
        let violator = Violator { person, born, drove: true, details };
        let text = |runs: Vec<Run>| runs.into_iter().map(|run| run.text).collect::<String>();
        lines(&violator, unknown).into_iter().map(text).collect()
    }

    #[test]
    fn what_is_not_known_is_a_blank_or_left_out_and_never_a_value() {
        let none = said(OwnerKind::Person, Details::default(), Unknown::LeftOut);
        assert_eq!(
            none,
            [
                "Họ và tên: Trần Văn Cường.",
                "Ngày sinh: 01/05/1990.",
                "Địa chỉ: Huế.",
                "Số định danh cá nhân: 001."
            ]
        );
        let blank = said(OwnerKind::Person, Details::default(), Unknown::Blank);
        assert_eq!(blank[0], format!("Họ và tên: Trần Văn Cường; giới tính: {BLANK}."));
        let blanks = blank.concat().matches(BLANK).count();
        assert_eq!(blanks, 4, "{blank:?}");
        assert!(blank[3].contains("ngày cấp: ..../..../........"), "{blank:?}");
        let known = Details {
            representative: "Lê Thị Hoa".into(),
            representative_title: "Giám đốc".into(),
            ..Details::default()
        };
        let company = said(OwnerKind::Organisation, known, Unknown::LeftOut);
        let last = "Người đại diện theo pháp luật: Lê Thị Hoa; chức danh: Giám đốc.";
        assert_eq!(company.last().map(String::as_str), Some(last));
    }
}

//! The lines by which a document names who did it.

use super::minutes::Violator;
use crate::documents::layout::{Run, bold, plain};
use crate::registry::OwnerKind;
use crate::web::format;

pub(super) fn lines(violator: &Violator) -> Vec<Vec<Run>> {
    let person = &violator.person;
    let (name, number) = match person.kind {
        OwnerKind::Person => ("Họ và tên: ", "Số định danh cá nhân: "),
        OwnerKind::Organisation => ("Tên tổ chức: ", "Mã số tổ chức: "),
    };
    let mut first = vec![plain(name), bold(person.name.clone())];
    if let Some(born) = violator.born {
        first.push(plain(format!("; ngày sinh: {}", format::day(born))));
    }
    first.push(plain("."));
    let mut lines = vec![first];
    if !person.id_number.is_empty() {
        lines.push(vec![plain(number), bold(person.id_number.clone()), plain(".")]);
    }
    lines.push(vec![plain("Địa chỉ: "), plain(person.address.clone()), plain(".")]);
    if person.kind == OwnerKind::Person && !violator.drove {
        lines
            .push(vec![plain("Là chủ phương tiện (Điều 47 khoản 8 Nghị định số 168/2024/NĐ-CP).")]);
    }
    lines
}

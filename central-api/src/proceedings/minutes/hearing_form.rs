//! MBB03 (NĐ 118/2021, annex): the minutes of a hearing at which the violator explained.

use time::OffsetDateTime;

use super::{Explanation, Minutes};
use crate::config::Agency;
use crate::documents::frame::{self, BODY};
use crate::documents::layout::plain;
use crate::documents::{DocumentError, Draft, Head};
use crate::law::{Provision, VIETNAM};
use crate::proceedings::person::{self, Unknown};
use crate::web::format;

/// What the form says.
pub(super) struct Content {
    pub minutes: Minutes,
    pub minutes_number: (String, OffsetDateTime),
    pub explanation: Explanation,
    pub provision: Provision,
    pub officer: String,
}

pub(super) fn render(
    content: &Content,
    agency: &Agency,
    draft: &Draft,
    at: OffsetDateTime,
) -> Result<Vec<u8>, DocumentError> {
    let form = "Mẫu MBB03 (Nghị định số 118/2021/NĐ-CP)";
    let (head, mut paper) = Head::begin(form, agency, draft, at)?;
    frame::title(&mut paper, "BIÊN BẢN", "Phiên giải trình trực tiếp");
    let (number, drawn) = &content.minutes_number;
    let explanation = &content.explanation;
    let mut write = |text: String| paper.paragraph(&[plain(text)], BODY);
    write(format!(
        "Căn cứ Điều 61 Luật Xử lý vi phạm hành chính; Biên bản vi phạm hành chính số {number} ngày {}.",
        format::day(drawn.to_offset(VIETNAM).date())
    ));
    write(format!(
        "Ngày {}, tại {}, tổ chức phiên giải trình trực tiếp về hành vi: {}; quy định tại {}.",
        format::day(explanation.received_on),
        agency.name,
        content.provision.text,
        content.provision.citation()
    ));
    write(format!("1. Bên tổ chức phiên giải trình: {}, {}.", content.officer, agency.name));
    write("2. Bên giải trình:".into());
    for runs in person::lines(&content.minutes.violator, Unknown::Blank) {
        paper.paragraph(&runs, BODY);
    }
    for (title, text) in [
        ("3. Ý kiến giải trình: ", &explanation.text),
        ("4. Ý kiến của cơ quan: ", &explanation.finding),
    ] {
        let text = text.trim_end_matches('.').replace('\n', " ");
        paper.paragraph(&[plain(title), plain(format!("{text}."))], BODY);
    }
    paper.paragraph(
        &[plain(
            "Biên bản được lập thành 02 bản, giao cho bên giải trình 01 bản, 01 bản lưu hồ sơ.",
        )],
        BODY,
    );
    let (violator, officer) =
        (content.minutes.violator.person.name.clone(), content.officer.clone());
    let parties = [("BÊN GIẢI TRÌNH", violator), ("BÊN TỔ CHỨC PHIÊN GIẢI TRÌNH", officer)];
    frame::both_sign(&mut paper, parties);
    paper.print(head.metadata("Biên bản phiên giải trình trực tiếp"))
}

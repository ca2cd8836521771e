//! MBB01 (NĐ 118/2021, annex): the minutes of an administrative violation.

use time::OffsetDateTime;

use super::{Minutes, Way};
use crate::case::{Case, plate};
use crate::config::Agency;
use crate::documents::frame::{self, BODY, long_date, long_time};
use crate::documents::layout::{bold, plain};
use crate::documents::{Align, DocumentError, Draft, Head, LEFT, Paper, RIGHT};
use crate::law::{Provision, VIETNAM};
use crate::notice::{plate_colour, vehicle};
use crate::proceedings::person::{self, BLANK, Unknown};
use crate::web::format;

/// What the form says.
pub(super) struct Content {
    pub case: Case,
    pub provision: Provision,
    pub minutes: Minutes,
    pub officer: String,
    pub explains_until: Option<OffsetDateTime>,
    /// For asking for a hearing, working days.
    pub hearing_days: u32,
    /// Number and date of the notice.
    pub notice: Option<(String, OffsetDateTime)>,
}

pub(super) fn render(
    content: &Content,
    agency: &Agency,
    draft: &Draft,
    at: OffsetDateTime,
) -> Result<Vec<u8>, DocumentError> {
    let form = "Mẫu MBB01 (Nghị định số 118/2021/NĐ-CP)";
    let (head, mut paper) = Head::begin(form, agency, draft, at)?;
    frame::title(&mut paper, "BIÊN BẢN VI PHẠM HÀNH CHÍNH", "Về giao thông đường bộ");
    let minutes = &content.minutes;
    let drawn = minutes.drawn_at;
    let mut write = |runs: &[crate::documents::layout::Run]| paper.paragraph(runs, BODY);
    write(&[plain(format!(
        "Hôm nay, hồi {}, {}, tại {}.",
        long_time(drawn),
        long_date(drawn),
        minutes.place
    ))]);
    let mut basis =
        "Căn cứ kết quả thu thập được bằng phương tiện, thiết bị kỹ thuật nghiệp vụ (Điều 64 \
                     Luật Xử lý vi phạm hành chính)"
            .to_owned();
    if let Some((number, at)) = &content.notice {
        basis.push_str(&format!(
            " và Thông báo số {number} ngày {}",
            format::day(at.to_offset(VIETNAM).date())
        ));
    }
    write(&[plain(format!("{basis}; mã bằng chứng {}.", content.case.evidence_id))]);
    write(&[
        plain("1. Người lập biên bản: "),
        bold(content.officer.clone()),
        plain(format!("; cơ quan: {}.", agency.name)),
    ]);
    if let Some(witness) = &minutes.witness {
        write(&[plain(format!("2. Với sự chứng kiến của: {witness}."))]);
    }
    write(&[plain("Tiến hành lập biên bản vi phạm hành chính đối với:")]);
    for runs in person::lines(&minutes.violator, Unknown::Blank) {
        write(&runs);
    }
    let case = &content.case;
    let shown = case.plate.as_deref().map(|it| plate::display(it, case.vehicle, case.plate_colour));
    write(&[
        plain(format!("Phương tiện: {}; biển số ", vehicle(case.vehicle))),
        bold(shown.unwrap_or_default()),
        plain(match case.plate_colour.map(plate_colour) {
            Some(colour) => format!(" ({}).", colour.to_lowercase()),
            None => ".".into(),
        }),
    ]);
    write(&[
        plain("Đã có hành vi vi phạm hành chính: "),
        bold(content.provision.text.clone()),
        plain(format!(
            ", vào lúc {}, {}, tại {}; quy định tại {}.",
            long_time(case.act_at),
            long_date(case.act_at),
            case.place,
            content.provision.citation()
        )),
    ]);
    let said = match minutes.statement.as_str() {
        "" => "không có".to_owned(),
        text => text.trim_end_matches('.').replace('\n', " "),
    };
    write(&[plain(format!("Ý kiến trình bày của cá nhân, tổ chức vi phạm: {said}."))]);
    write(&[plain(format!("Cá nhân, tổ chức bị thiệt hại (nếu có): {BLANK}{BLANK}."))]);
    write(&[plain("Biện pháp ngăn chặn, bảo đảm xử lý vi phạm: không áp dụng.")]);
    let waived = minutes.explanation.as_ref().is_some_and(|it| it.way == Way::Waived);
    match content.explains_until {
        Some(_) if waived => write(&[plain(
            "Cá nhân, tổ chức vi phạm có quyền giải trình và không yêu cầu giải trình.",
        )]),
        Some(until) => write(&[plain(format!(
            "Cá nhân, tổ chức vi phạm có quyền giải trình trực tiếp (gửi yêu cầu trong {:02} ngày \
             làm việc) hoặc bằng văn bản gửi đến {} chậm nhất hết ngày {}.",
            content.hearing_days,
            agency.name,
            format::day(until.to_offset(VIETNAM).date())
        ))]),
        // Below the bracket there is no such right, and the form leaves it out.
        None => {}
    }
    let place = if agency.address.is_empty() { &agency.name } else { &agency.address };
    write(&[plain(format!("Nơi giải quyết vụ việc: {place}."))]);
    // Nobody signs a sheet that says nothing.
    paper.keep(170.0);
    let mut write = |runs: &[crate::documents::layout::Run]| paper.paragraph(runs, BODY);
    write(&[plain(
        "Biên bản lập xong hồi ...... giờ ...... phút, ngày ..../..../........, gồm ...... tờ, được lập \
         thành 02 bản có nội dung và giá trị như nhau, giao cho cá nhân, tổ chức vi \
         phạm 01 bản, 01 bản lưu hồ sơ.",
    )]);
    if let Some(why) = &minutes.unsigned {
        write(&[plain(format!("Lý do không ký biên bản: {why}."))]);
    }
    signatures(&mut paper, content);
    frame::handed_over(&mut paper, "Biên bản", &minutes.violator.person.name);
    paper.print(head.metadata("Biên bản vi phạm hành chính"))
}

fn signatures(paper: &mut Paper, content: &Content) {
    let minutes = &content.minutes;
    let violator = match minutes.unsigned {
        Some(_) => "(không ký)".to_owned(),
        None => minutes.violator.person.name.clone(),
    };
    let officer = content.officer.clone();
    let parties = [("CÁ NHÂN, TỔ CHỨC VI PHẠM", violator), ("NGƯỜI LẬP BIÊN BẢN", officer)];
    frame::both_sign(paper, parties);
    let middle = (LEFT + RIGHT) / 2.0;
    if let Some(witness) = &minutes.witness {
        paper.keep(90.0);
        paper.column(&[bold("NGƯỜI CHỨNG KIẾN")], BODY, LEFT..middle, Align::Centre);
        paper.space(50.0);
        paper.column(&[bold(witness.clone())], BODY, LEFT..middle, Align::Centre);
    }
}

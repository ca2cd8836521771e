//! Mẫu 03/73, the transfer of a result to the competent unit, and Mẫu 04/73, the slip to the commune's
//! police with its tear-off reply (TT 73/2024/TT-BCA).

use time::OffsetDateTime;

use super::Referral;
use crate::case::{Case, plate};
use crate::config::Agency;
use crate::documents::frame::{self, BODY, long_date, long_time};
use crate::documents::layout::{Run, bold, italic, plain};
use crate::documents::{Align, DocumentError, Draft, Head, Kind, LEFT, Paper, RIGHT};
use crate::law::{Provision, VIETNAM};
use crate::notice::{plate_colour, vehicle};
use crate::proceedings::decision::Signature;
use crate::proceedings::person::BLANK;
use crate::registry::Owner;
use crate::web::format;

/// Height of the reply that is torn off.
const REPLY: f32 = 228.0;

/// What the form says.
pub(super) struct Content {
    pub case: Case,
    pub provision: Provision,
    pub owner: Option<Owner>,
    /// Number and date of the notice.
    pub notice: Option<(String, OffsetDateTime)>,
    pub referral: Referral,
    pub signature: Signature,
    pub signer: String,
}

pub(super) fn render(
    content: &Content,
    agency: &Agency,
    draft: &Draft,
    at: OffsetDateTime,
) -> Result<Vec<u8>, DocumentError> {
    let is_slip = content.referral.kind == Kind::Slip;
    let (form, name, subject) = match is_slip {
        true => (
            "Mẫu số 04/73 (Thông tư số 73/2024/TT-BCA)",
            "PHIẾU GỬI",
            "Thông báo vi phạm đến chủ phương tiện",
        ),
        false => (
            "Mẫu số 03/73 (Thông tư số 73/2024/TT-BCA)",
            "PHIẾU CHUYỂN",
            "Kết quả thu thập được bằng phương tiện, thiết bị kỹ thuật nghiệp vụ",
        ),
    };
    let (head, mut paper) = Head::begin(form, agency, draft, at)?;
    frame::title(&mut paper, name, subject);
    let to = format!("Kính gửi: {}", content.referral.to);
    paper.column(&[bold(to)], 12.5, LEFT..RIGHT, Align::Centre);
    paper.space(5.0);
    let asked = match is_slip {
        true => {
            "gửi Thông báo vi phạm sau đây, đề nghị quý đơn vị giao cho chủ phương tiện cư trú tại địa bàn"
        }
        false => "chuyển kết quả sau đây để giải quyết theo thẩm quyền",
    };
    paper.paragraph(&[plain(format!("{} {asked}:", agency.name))], BODY);
    facts(&mut paper, content);
    let reason = content.referral.reason.trim_end_matches('.');
    // A signature never stands on a sheet alone.
    paper.keep(frame::FOOT + 60.0);
    let mut write = |text: String| paper.paragraph(&[plain(text)], BODY);
    match is_slip {
        true => write(format!(
            "Lý do gửi: {reason}. Đề nghị quý đơn vị trả lời theo phần dưới của phiếu này."
        )),
        false => {
            write(format!("Lý do chuyển: {reason}."));
            write(format!(
                "Sau khi giải quyết, đề nghị thông báo kết quả cho {} để cập nhật trạng thái và gỡ bỏ ngay các \
                 cảnh báo đối với phương tiện.",
                agency.name
            ));
        }
    }
    let lines = [
        "Như trên;".to_owned(),
        format!("{};", content.referral.to),
        format!("Lưu: VT, {}.", agency.code),
    ];
    frame::foot(&mut paper, &lines, &content.signature.office(), &content.signer);
    if is_slip {
        reply(&mut paper, content, agency, &draft.shown(&agency.code));
    }
    paper.print(head.metadata(if is_slip { "Phiếu gửi" } else { "Phiếu chuyển" }))
}

fn facts(paper: &mut Paper, content: &Content) {
    let case = &content.case;
    let shown = case.plate.as_deref().map(|it| plate::display(it, case.vehicle, case.plate_colour));
    let colour = case.plate_colour.map(plate_colour).map(str::to_lowercase);
    let or_blank = |text: Option<&str>| match text {
        Some(text) if !text.is_empty() => text.to_owned(),
        _ => BLANK.to_owned(),
    };
    let owner = content.owner.as_ref();
    let mut write = |runs: &[Run]| paper.paragraph(runs, BODY);
    write(&[
        plain(format!("1. Phương tiện: {}; biển số ", vehicle(case.vehicle))),
        bold(shown.unwrap_or_default()),
        plain(format!("; màu biển số: {}.", or_blank(colour.as_deref()))),
    ]);
    write(&[
        plain("2. Chủ phương tiện: "),
        bold(or_blank(owner.map(|it| it.name.as_str()))),
        plain(format!(
            "; số định danh cá nhân, mã số tổ chức: {}.",
            or_blank(owner.map(|it| it.id_number.as_str()))
        )),
    ]);
    write(&[plain(format!("3. Địa chỉ: {}.", or_blank(owner.map(|it| it.address.as_str()))))]);
    write(&[plain(format!(
        "4. Thời gian, địa điểm vi phạm: {}, {}, tại {}.",
        long_time(case.act_at),
        long_date(case.act_at),
        case.place
    ))]);
    write(&[
        plain("5. Hành vi vi phạm: "),
        plain(format!(
            "{}; quy định tại {}.",
            content.provision.text,
            content.provision.citation()
        )),
    ]);
    let notice = match &content.notice {
        Some((number, at)) => {
            format!("số {number} ngày {}", format::day(at.to_offset(VIETNAM).date()))
        }
        None => BLANK.to_owned(),
    };
    write(&[plain(format!("6. Thông báo vi phạm đã lập: {notice}."))]);
    write(&[plain(format!(
        "7. Tài liệu kèm theo: hình ảnh, dữ liệu thu được, mã bằng chứng {}.",
        case.evidence_id
    ))]);
}

/// What the commune's police fill in, tear off and send back.
fn reply(paper: &mut Paper, content: &Content, agency: &Agency, number: &str) {
    paper.keep(REPLY);
    paper.space(4.0);
    let line = "- ".repeat(62);
    paper.column(&[plain(line)], 9.0, LEFT..RIGHT, Align::Centre);
    paper.space(4.0);
    paper.column(&[bold("PHIẾU TRẢ LỜI")], 12.5, LEFT..RIGHT, Align::Centre);
    paper.column(&[italic(format!("Kính gửi: {}", agency.name))], BODY, LEFT..RIGHT, Align::Centre);
    paper.space(3.0);
    let text = format!("{} trả lời Phiếu gửi số {number} như sau:", content.referral.to);
    paper.paragraph(&[plain(text)], BODY);
    for label in [
        "[  ] Đã giao Thông báo cho chủ phương tiện ngày:",
        "[  ] Chủ phương tiện không cư trú tại địa bàn, lý do:",
        "[  ] Phương tiện đã bán, cho, tặng cho (họ tên, địa chỉ):",
        "      ",
    ] {
        paper.dotted(label, BODY);
    }
    let right = LEFT + 200.0..RIGHT;
    paper.space(3.0);
    paper.column(
        &[italic("........, ngày ...... tháng ...... năm ........")],
        BODY,
        right.clone(),
        Align::Centre,
    );
    paper.column(&[bold("CÔNG AN CẤP XÃ")], BODY, right.clone(), Align::Centre);
    paper.column(&[italic("(Ký tên, đóng dấu)")], BODY, right, Align::Centre);
    paper.space(34.0);
}

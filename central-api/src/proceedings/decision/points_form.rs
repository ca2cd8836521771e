//! Mẫu 02/73 (TT 73/2024/TT-BCA): points come off the licence of who drove, once the decision is in
//! force. What the register of licences knows and this system does not is filled in by hand.

use time::OffsetDateTime;

use super::Signature;
use crate::case::{Case, plate};
use crate::config::Agency;
use crate::documents::frame::{self, BODY};
use crate::documents::layout::{bold, plain};
use crate::documents::{Align, DocumentError, Draft, Head, LEFT, RIGHT};
use crate::law::VIETNAM;
use crate::notice::{plate_colour, vehicle};
use crate::proceedings::minutes::Violator;
use crate::proceedings::person::{self, Unknown};
use crate::web::format;

/// What the form says.
pub(super) struct Content {
    pub case: Case,
    pub violator: Violator,
    pub decision: (String, OffsetDateTime),
    pub points: u32,
    /// Months after which a licence without points is tested for.
    pub test_months: u32,
    pub signature: Signature,
    pub signer: String,
}

pub(super) fn render(
    content: &Content,
    agency: &Agency,
    draft: &Draft,
    at: OffsetDateTime,
) -> Result<Vec<u8>, DocumentError> {
    let form = "Mẫu số 02/73 (Thông tư số 73/2024/TT-BCA)";
    let (head, mut paper) = Head::begin(form, agency, draft, at)?;
    frame::title(&mut paper, "THÔNG BÁO", "Về việc trừ điểm giấy phép lái xe");
    let person = &content.violator.person;
    paper.column(&[plain(format!("Kính gửi: {}", person.name))], 12.5, LEFT..RIGHT, Align::Centre);
    paper.space(5.0);
    let (number, issued) = &content.decision;
    paper.paragraph(
        &[
            plain(format!(
                "Căn cứ Quyết định xử phạt vi phạm hành chính số {number} ngày {}, {} thông báo trừ ",
                format::day(issued.to_offset(VIETNAM).date()),
                agency.name
            )),
            bold(format!("{:02} điểm", content.points)),
            plain(" giấy phép lái xe của:"),
        ],
        BODY,
    );
    for runs in person::lines(&content.violator, Unknown::LeftOut) {
        paper.paragraph(&runs, BODY);
    }
    let case = &content.case;
    let shown = case.plate.as_deref().map(|it| plate::display(it, case.vehicle, case.plate_colour));
    paper.paragraph(
        &[plain(format!(
            "Phương tiện: {}; biển số {}{}.",
            vehicle(case.vehicle),
            shown.unwrap_or_default(),
            case.plate_colour
                .map(|colour| format!("; màu biển số: {}", plate_colour(colour).to_lowercase()))
                .unwrap_or_default()
        ))],
        BODY,
    );
    for label in [
        "Số giấy phép lái xe:",
        "Hạng; ngày cấp; nơi cấp:",
        "Số điểm trước khi bị trừ:",
        "Số điểm còn lại:",
    ] {
        paper.dotted(label, BODY);
    }
    paper.paragraph(
        &[plain(format!(
            "Thời điểm trừ điểm: {}. Giấy phép lái xe bị trừ hết điểm thì không được điều khiển phương \
             tiện theo giấy phép đó; sau ít nhất {:02} tháng, người có giấy phép được dự kiểm tra kiến \
             thức để phục hồi điểm.",
            format::date(*issued),
            content.test_months
        ))],
        BODY,
    );
    let lines = ["Như trên;".to_owned(), format!("Lưu: VT, {}.", agency.code)];
    frame::foot(&mut paper, &lines, &content.signature.office(), &content.signer);
    paper.print(head.metadata("Thông báo trừ điểm giấy phép lái xe"))
}

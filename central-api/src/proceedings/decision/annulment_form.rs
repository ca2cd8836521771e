//! MQĐ40 (NĐ 118/2021, annex): a decision is annulled.

use time::OffsetDateTime;

use super::Signature;
use crate::config::Agency;
use crate::documents::frame::{self, BODY};
use crate::documents::layout::{bold, plain};
use crate::documents::{Align, DocumentError, Draft, Head, LEFT, RIGHT};
use crate::law::VIETNAM;
use crate::proceedings::minutes::Violator;
use crate::web::format;

/// What the form says.
pub(super) struct Content {
    /// Number and date of what is annulled.
    pub decision: (String, OffsetDateTime),
    pub reason: String,
    pub violator: Option<Violator>,
    pub signature: Signature,
    pub signer: String,
}

pub(super) fn render(
    content: &Content,
    agency: &Agency,
    draft: &Draft,
    at: OffsetDateTime,
) -> Result<Vec<u8>, DocumentError> {
    let form = "Mẫu MQĐ40 (Nghị định số 118/2021/NĐ-CP)";
    let (head, mut paper) = Head::begin(form, agency, draft, at)?;
    let subject = "Hủy bỏ quyết định xử phạt vi phạm hành chính";
    frame::title(&mut paper, "QUYẾT ĐỊNH", subject);
    paper.column(&[bold(content.signature.title.to_uppercase())], 12.5, LEFT..RIGHT, Align::Centre);
    paper.space(4.0);
    let (number, issued) = &content.decision;
    let of = format!("số {number} ngày {}", format::day(issued.to_offset(VIETNAM).date()));
    let mut write = |text: String| paper.paragraph(&[plain(text)], BODY);
    write("Căn cứ Luật Xử lý vi phạm hành chính; Điều 13 Nghị định số 118/2021/NĐ-CP;".into());
    write(format!("Xét Quyết định xử phạt vi phạm hành chính {of},"));
    paper.column(&[bold("QUYẾT ĐỊNH:")], 12.5, LEFT..RIGHT, Align::Centre);
    paper.space(3.0);
    let mut write = |text: String| paper.paragraph(&[plain(text)], BODY);
    write(format!("Điều 1. Hủy bỏ toàn bộ Quyết định xử phạt vi phạm hành chính {of}."));
    write(format!("Lý do: {}.", content.reason.trim_end_matches('.')));
    write(
        "Điều 2. Số tiền phạt đã nộp được hoàn trả; số điểm giấy phép lái xe đã trừ được phục hồi; các \
         thông báo, cảnh báo liên quan đến quyết định bị hủy bỏ được gỡ bỏ ngay."
            .into(),
    );
    let to = content
        .violator
        .as_ref()
        .map_or("cá nhân, tổ chức bị xử phạt", |it| &it.person.name);
    write(format!("Điều 3. Quyết định này có hiệu lực kể từ ngày ký và được giao cho {to}."));
    let lines = ["Như Điều 3;".to_owned(), format!("Lưu: VT, {}.", agency.code)];
    frame::foot(&mut paper, &lines, &content.signature.office(), &content.signer);
    paper.print(head.metadata("Quyết định hủy bỏ"))
}

//! MQĐ03, 04, 05, 38 and 39 (NĐ 118/2021, annex): an order about a decision, one form for all kinds.

use time::OffsetDateTime;

use super::{Order, Terms};
use crate::config::Agency;
use crate::documents::frame::{self, BODY};
use crate::documents::layout::{Run, bold, plain};
use crate::documents::{Align, DocumentError, Draft, Head, Kind, LEFT, Paper, RIGHT, numerals};
use crate::law::VIETNAM;
use crate::proceedings::decision::Signature;
use crate::proceedings::minutes::Violator;
use crate::proceedings::person::{self, Unknown};
use crate::web::format;

/// What the form says.
pub(super) struct Content {
    pub kind: Kind,
    pub basis: String,
    /// Number and date of the decision that it is about.
    pub decision: (String, OffsetDateTime),
    /// What is asked for before it.
    pub fine: i64,
    pub order: Order,
    pub violator: Violator,
    /// To carry out an amended decision, from receipt.
    pub pay_days: u32,
    pub signature: Signature,
    pub signer: String,
}

/// The form's name, what it is about, and what is asked for by the application.
const fn words(kind: Kind) -> (&'static str, &'static str, &'static str) {
    match kind {
        Kind::Deferral => (
            "Mẫu MQĐ03 (Nghị định số 118/2021/NĐ-CP)",
            "Hoãn thi hành quyết định phạt tiền",
            "hoãn thi hành quyết định phạt tiền",
        ),
        Kind::Reduction => (
            "Mẫu MQĐ04 (Nghị định số 118/2021/NĐ-CP)",
            "Giảm một phần tiền phạt vi phạm hành chính",
            "giảm tiền phạt",
        ),
        Kind::Exemption => (
            "Mẫu MQĐ04 (Nghị định số 118/2021/NĐ-CP)",
            "Miễn tiền phạt vi phạm hành chính",
            "miễn tiền phạt",
        ),
        Kind::Instalments => (
            "Mẫu MQĐ05 (Nghị định số 118/2021/NĐ-CP)",
            "Nộp tiền phạt nhiều lần",
            "nộp tiền phạt nhiều lần",
        ),
        Kind::Amendment => (
            "Mẫu MQĐ38 (Nghị định số 118/2021/NĐ-CP)",
            "Sửa đổi, bổ sung quyết định xử phạt vi phạm hành chính",
            "",
        ),
        _ => (
            "Mẫu MQĐ39 (Nghị định số 118/2021/NĐ-CP)",
            "Đính chính quyết định xử phạt vi phạm hành chính",
            "",
        ),
    }
}

pub(super) fn render(
    content: &Content,
    agency: &Agency,
    draft: &Draft,
    at: OffsetDateTime,
) -> Result<Vec<u8>, DocumentError> {
    let (form, subject, asked) = words(content.kind);
    let (head, mut paper) = Head::begin(form, agency, draft, at)?;
    frame::title(&mut paper, "QUYẾT ĐỊNH", subject);
    paper.column(&[bold(content.signature.title.to_uppercase())], 12.5, LEFT..RIGHT, Align::Centre);
    paper.space(4.0);
    basis(&mut paper, content, asked);
    paper.column(&[bold("QUYẾT ĐỊNH:")], 12.5, LEFT..RIGHT, Align::Centre);
    paper.space(3.0);
    ordered(&mut paper, content, at);
    carried_out(&mut paper, content, agency);
    let lines = [
        "Như Điều 3;".to_owned(),
        "Kho bạc Nhà nước;".into(),
        format!("Lưu: VT, {}.", agency.code),
    ];
    frame::foot(&mut paper, &lines, &content.signature.office(), &content.signer);
    frame::handed_over(&mut paper, "Quyết định", &content.violator.person.name);
    paper.print(head.metadata(&format!("Quyết định {}", lower(subject))))
}

/// `số 000012/QĐ-XPHC-PC08 ngày 01/12/2026`.
fn cited((number, at): &(String, OffsetDateTime)) -> String {
    format!("số {number} ngày {}", format::day(at.to_offset(VIETNAM).date()))
}

fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_lowercase().chain(letters).collect())
}

fn basis(paper: &mut Paper, content: &Content, asked: &str) {
    let decision = cited(&content.decision);
    let mut lines = vec![
        format!("Căn cứ {};", content.basis),
        format!("Căn cứ Quyết định xử phạt vi phạm hành chính {decision};"),
    ];
    if let Some(delegation) = &content.signature.delegation {
        lines.push(format!("Căn cứ Quyết định giao quyền xử phạt {delegation};"));
    }
    let request = &content.order.request;
    if !asked.is_empty() {
        let certified = match request.certified_by.as_str() {
            "" => String::new(),
            by => format!(", có xác nhận của {by}"),
        };
        lines.push(format!(
            "Xét đơn đề nghị {asked} nhận ngày {} của {}{certified},",
            format::day(request.received_on),
            content.violator.person.name
        ));
    }
    for line in lines {
        paper.paragraph(&[plain(line)], BODY);
    }
}

fn ordered(paper: &mut Paper, content: &Content, at: OffsetDateTime) {
    let decision = cited(&content.decision);
    let reason = content.order.request.reason.trim_end_matches('.');
    let first = |text: String| vec![bold("Điều 1. "), plain(text)];
    let money = |amount: i64| {
        let words = numerals::amount(amount).to_lowercase();
        [bold(format!("{} đồng", format::amount(amount))), plain(format!(" (bằng chữ: {words})"))]
    };
    let mut write = |runs: &[Run]| paper.paragraph(runs, BODY);
    match &content.order.terms {
        Terms::Lines(lines) => {
            let verb = match content.kind {
                Kind::Amendment => "Sửa đổi, bổ sung",
                _ => "Đính chính",
            };
            write(&first(format!(
                "{verb} Quyết định xử phạt vi phạm hành chính {decision} như sau:"
            )));
            for (index, line) in lines.iter().enumerate() {
                write(&[
                    plain(format!(
                        "{}. Tại {}: đã viết “{}”, nay ",
                        index + 1,
                        line.place,
                        line.wrote
                    )),
                    plain(if content.kind == Kind::Amendment {
                        "sửa thành “"
                    } else {
                        "viết lại là “"
                    }),
                    bold(line.reads.clone()),
                    plain("”."),
                ]);
            }
            write(&[plain(format!(
                "Lý do: {reason}. Các nội dung khác của quyết định giữ nguyên."
            ))]);
        }
        Terms::Until(until) => {
            write(&first(format!(
                "Hoãn thi hành quyết định phạt tiền theo Quyết định xử phạt vi phạm hành chính {decision} \
                 đối với:"
            )));
            about(&mut write, content, reason);
            write(&[
                plain("Thời hạn hoãn: từ ngày "),
                bold(format::day(at.to_offset(VIETNAM).date())),
                plain(" đến hết ngày "),
                bold(format::day(*until)),
                plain("."),
            ]);
            write(&[plain(
                "Giấy tờ, tang vật, phương tiện đang bị tạm giữ được trả lại: không có.",
            )]);
        }
        Terms::Off(off) => {
            let verb = match (content.kind, *off == content.fine) {
                (Kind::Reduction, _) => "Giảm một phần tiền phạt",
                (_, true) => "Miễn toàn bộ tiền phạt",
                (_, false) => "Miễn phần còn lại của tiền phạt",
            };
            write(&first(format!(
                "{verb} theo Quyết định xử phạt vi phạm hành chính {decision} đối với:"
            )));
            about(&mut write, content, reason);
            let name = if content.kind == Kind::Reduction { "giảm" } else { "miễn" };
            let [amount, words] = money(*off);
            write(&[plain(format!("Số tiền được {name}: ")), amount, words, plain(".")]);
            let [amount, words] = money(content.fine - off);
            write(&[
                plain(format!("Số tiền phạt phải chấp hành sau khi được {name}: ")),
                amount,
                words,
                plain("."),
            ]);
        }
        Terms::Parts(parts) => {
            write(&first(format!(
                "Cho phép nộp tiền phạt nhiều lần theo Quyết định xử phạt vi phạm hành chính {decision} \
                 đối với:"
            )));
            about(&mut write, content, reason);
            let [amount, words] = money(content.fine);
            write(&[plain("Số tiền phạt: "), amount, words, plain(", nộp như sau:")]);
            for (index, (due, amount)) in parts.iter().enumerate() {
                let [amount, words] = money(*amount);
                write(&[
                    plain(format!("Lần {}: ", index + 1)),
                    amount,
                    words,
                    plain(format!(", chậm nhất hết ngày {}.", format::day(*due))),
                ]);
            }
        }
    }
}

/// Whom it is about, and why.
fn about(write: &mut impl FnMut(&[Run]), content: &Content, reason: &str) {
    for runs in person::lines(&content.violator, Unknown::LeftOut) {
        write(&runs);
    }
    write(&[plain(format!("Lý do: {reason}."))]);
}

fn carried_out(paper: &mut Paper, content: &Content, agency: &Agency) {
    let name = &content.violator.person.name;
    let (number, _) = &content.decision;
    let then = match &content.order.terms {
        Terms::Until(_) => {
            " Hết thời hạn hoãn mà không tự nguyện chấp hành thì bị cưỡng chế thi hành.".to_owned()
        }
        Terms::Parts(_) => {
            " Phần nào không nộp đúng hạn thì phải nộp thêm tiền chậm nộp và bị cưỡng chế thi hành."
                .into()
        }
        Terms::Off(_) => " Số tiền còn lại, nếu có, nộp theo quyết định xử phạt.".into(),
        Terms::Lines(_) => format!(
            " Thời hạn chấp hành là {:02} ngày kể từ ngày nhận được quyết định này.",
            content.pay_days
        ),
    };
    // A signature never stands on a sheet alone.
    paper.keep(frame::FOOT + 90.0);
    for (article, text) in [
        (
            "Điều 2. ",
            format!(
                "Quyết định này có hiệu lực kể từ ngày ký và là một phần không tách rời của Quyết định số \
                 {number}."
            ),
        ),
        ("Điều 3. ", format!("Quyết định này được giao cho {name} để chấp hành.{then}")),
        ("", format!("{} và Kho bạc Nhà nước tổ chức thực hiện quyết định này.", agency.name)),
    ] {
        paper.paragraph(&[bold(article), plain(text)], BODY);
    }
}

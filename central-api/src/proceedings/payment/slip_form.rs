//! Biên lai thu tiền phạt: what was paid on a decision, when, and what is left.

use time::OffsetDateTime;

use super::worklist::Receipt;
use super::{ClaimRow, Standing};
use crate::config::{Agency, Treasury};
use crate::documents::frame::{self, BODY};
use crate::documents::layout::{Run, bold, plain};
use crate::documents::{DocumentError, Draft, Head, numerals};
use crate::proceedings::decision::Signature;
use crate::proceedings::minutes::Violator;
use crate::proceedings::person::{self, Unknown};
use crate::web::format;

/// What the form says.
pub(super) struct Content {
    pub claim: ClaimRow,
    pub violator: Option<Violator>,
    pub paid: Receipt,
    /// On the day of the payment, with it.
    pub standing: Standing,
    pub treasury: Treasury,
    pub signature: Signature,
    pub signer: String,
}

pub(super) fn render(
    content: &Content,
    agency: &Agency,
    draft: &Draft,
    at: OffsetDateTime,
) -> Result<Vec<u8>, DocumentError> {
    let form = "Chứng từ thu tiền phạt (NĐ 118/2021/NĐ-CP)";
    let (head, mut paper) = Head::begin(form, agency, draft, at)?;
    frame::title(&mut paper, "BIÊN LAI THU TIỀN PHẠT", "Vi phạm hành chính");
    let Content { claim, paid, standing, .. } = content;
    let mut write = |runs: &[Run]| paper.paragraph(runs, BODY);
    write(&[plain("Cá nhân, tổ chức bị xử phạt:")]);
    if let Some(violator) = &content.violator {
        for runs in person::lines(violator, Unknown::LeftOut) {
            write(&runs);
        }
    }
    write(&[
        plain("Nộp tiền phạt theo Quyết định xử phạt vi phạm hành chính số "),
        bold(claim.decision.clone()),
        plain(format!(" ngày {}.", format::day(claim.decided_on))),
    ]);
    let money = |name: &str, amount: i64| {
        [
            plain(format!("{name}: ")),
            bold(format!("{} đồng", format::amount(amount))),
            plain(format!(" (bằng chữ: {}).", numerals::amount(amount).to_lowercase())),
        ]
    };
    write(&money("Số tiền nộp lần này", paid.amount));
    write(&[plain(format!("Ngày nộp: {}.", format::day(paid.paid_on)))]);
    let payer = match paid.payer.name.as_str() {
        "" => String::new(),
        name => format!("; người chuyển: {name}"),
    };
    write(&[plain(format!(
        "Hình thức nộp: chuyển khoản, số giao dịch {}{payer}; mã nộp phạt {}.",
        paid.bank_id, claim.reference
    ))]);
    if content.treasury.is_set() {
        let Treasury { name, account, .. } = &content.treasury;
        write(&[plain(format!("Nơi thu: {name}, tài khoản số {account}."))]);
    }
    write(&[plain(format!(
        "Tính đến ngày nộp: tiền phạt {} đồng; tiền chậm nộp {} đồng; đã nộp tổng cộng {} đồng.",
        format::amount(standing.fine),
        format::amount(standing.surcharge),
        format::amount(standing.paid - standing.refunded)
    ))]);
    match (standing.open, standing.excess) {
        (0, 0) => write(&[bold("Đã nộp đủ.")]),
        (0, excess) => write(&money("Đã nộp đủ; số tiền nộp thừa được hoàn trả", excess)),
        (open, _) => write(&money("Số tiền còn phải nộp", open)),
    }
    let lines = ["Người nộp tiền;".to_owned(), format!("Lưu: VT, {}.", agency.code)];
    frame::foot(&mut paper, &lines, &content.signature.office(), &content.signer);
    paper.print(head.metadata("Biên lai thu tiền phạt"))
}

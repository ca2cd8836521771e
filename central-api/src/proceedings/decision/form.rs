//! MQĐ02 (NĐ 118/2021, annex): the decision on a fine, with minutes.

use time::{Date, OffsetDateTime};

use super::{Proposal, Signature};
use crate::case::{Case, plate};
use crate::config::{Agency, Treasury};
use crate::documents::frame::{self, BODY, long_date, long_time};
use crate::documents::layout::{Run, bold, italic, plain};
use crate::documents::{Align, DocumentError, Draft, Head, LEFT, Paper, RIGHT, numerals, qr};
use crate::law::{Payer, VIETNAM};
use crate::notice::vehicle;
use crate::proceedings::minutes::{Minutes, Way};
use crate::proceedings::person::{self, Unknown};
use crate::web::format;

const QR_SIDE: f32 = 80.0;

/// What the form says.
pub(super) struct Content {
    pub case: Case,
    pub minutes: Minutes,
    pub minutes_number: (String, OffsetDateTime),
    pub proposal: Proposal,
    /// Texts: mitigating, aggravating.
    pub circumstances: [Vec<String>; 2],
    pub signature: Signature,
    pub signer: String,
    /// From receipt.
    pub pay_days: u32,
    pub complaint: u32,
    /// Where nothing proves the receipt.
    pub pay_until: Date,
    pub pay: Pay,
}

/// How it is paid.
pub(super) struct Pay {
    pub reference: String,
    pub treasury: Treasury,
    /// What the VietQR code says, where the account is known.
    pub code: Option<String>,
}

pub(super) fn render(
    content: &Content,
    agency: &Agency,
    draft: &Draft,
    at: OffsetDateTime,
) -> Result<Vec<u8>, DocumentError> {
    let form = "Mẫu MQĐ02 (Nghị định số 118/2021/NĐ-CP)";
    let (head, mut paper) = Head::begin(form, agency, draft, at)?;
    frame::title(&mut paper, "QUYẾT ĐỊNH", "Xử phạt vi phạm hành chính");
    let office = content.signature.title.to_uppercase();
    paper.column(&[bold(office)], 12.5, LEFT..RIGHT, Align::Centre);
    paper.space(4.0);
    basis(&mut paper, content);
    paper.column(&[bold("QUYẾT ĐỊNH:")], 12.5, LEFT..RIGHT, Align::Centre);
    paper.space(3.0);
    fined(&mut paper, content);
    carried_out(&mut paper, content, agency);
    foot(&mut paper, content, agency)?;
    frame::handed_over(&mut paper, "Quyết định", &content.minutes.violator.person.name);
    paper.print(head.metadata("Quyết định xử phạt vi phạm hành chính"))
}

fn basis(paper: &mut Paper, content: &Content) {
    let (number, drawn) = &content.minutes_number;
    let mut lines = vec![
        "Căn cứ Điều 57, Điều 68, Điều 70, Điều 78, Điều 85 Luật Xử lý vi phạm hành chính;"
            .to_owned(),
        format!("Căn cứ {};", content.proposal.provision.citation()),
        format!(
            "Căn cứ Biên bản vi phạm hành chính số {number} ngày {};",
            format::day(drawn.to_offset(VIETNAM).date())
        ),
    ];
    match content.minutes.explanation.as_ref().map(|it| (it.way, it.received_on)) {
        Some((Way::Hearing, on)) => {
            lines.push(format!(
                "Căn cứ biên bản phiên giải trình trực tiếp ngày {};",
                format::day(on)
            ));
        }
        Some((Way::Written, on)) => {
            lines.push(format!("Căn cứ văn bản giải trình nhận ngày {};", format::day(on)));
        }
        Some((Way::Waived, _)) | None => {}
    }
    if let Some(delegation) = &content.signature.delegation {
        lines.push(format!("Căn cứ Quyết định giao quyền xử phạt {delegation};"));
    }
    for line in lines {
        paper.paragraph(&[plain(line)], BODY);
    }
}

fn fined(paper: &mut Paper, content: &Content) {
    let mut write = |runs: &[Run]| paper.paragraph(runs, BODY);
    write(&[bold("Điều 1. "), plain("Xử phạt vi phạm hành chính đối với:")]);
    for runs in person::lines(&content.minutes.violator, Unknown::Blank) {
        write(&runs);
    }
    let case = &content.case;
    let shown = case.plate.as_deref().map(|it| plate::display(it, case.vehicle, case.plate_colour));
    let provision = &content.proposal.provision;
    write(&[
        plain("1. Đã thực hiện hành vi vi phạm hành chính: "),
        bold(provision.text.clone()),
        plain(format!(
            ", vào lúc {}, {}, tại {}, bằng phương tiện {}, biển số {}.",
            long_time(case.act_at),
            long_date(case.act_at),
            case.place,
            vehicle(case.vehicle).to_lowercase(),
            shown.unwrap_or_default()
        )),
    ]);
    write(&[plain(format!("2. Quy định tại {}.", provision.citation()))]);
    let [milder, harsher] = &content.circumstances;
    for (number, name, found) in [(3, "tăng nặng", harsher), (4, "giảm nhẹ", milder)] {
        let text = if found.is_empty() { "không có".to_owned() } else { found.join("; ") };
        write(&[plain(format!("{number}. Các tình tiết {name}: {text}."))]);
    }
    let amount = content.proposal.amount;
    let who = match content.proposal.payer {
        Payer::Adult => "",
        Payer::Minor => " (người từ đủ 16 tuổi đến dưới 18 tuổi)",
        Payer::Organisation => " (tổ chức)",
    };
    write(&[
        plain("5. Bị áp dụng hình thức xử phạt chính: phạt tiền "),
        bold(format!("{} đồng", format::amount(amount))),
        plain(format!(" (bằng chữ: {}){who}.", numerals::amount(amount).to_lowercase())),
    ]);
    let mut number = 6;
    if provision.points > 0 {
        write(&[plain(format!(
            "{number}. Trừ điểm giấy phép lái xe: {:02} điểm, khi quyết định này có hiệu lực thi hành.",
            provision.points
        ))]);
        number += 1;
    }
    let remedy = match content.proposal.remedy.as_str() {
        "" => "không áp dụng",
        text => text.trim_end_matches('.'),
    };
    write(&[plain(format!("{number}. Biện pháp khắc phục hậu quả: {remedy}."))]);
}

fn carried_out(paper: &mut Paper, content: &Content, agency: &Agency) {
    let name = &content.minutes.violator.person.name;
    let effect = "Quyết định này có hiệu lực thi hành kể từ ngày ký.".to_owned();
    let given = format!("Quyết định này được giao cho {name} để chấp hành.");
    for (article, text) in [("Điều 2. ", effect), ("Điều 3. ", given)] {
        paper.paragraph(&[bold(article), plain(text)], BODY);
    }
    let mut write = |text: String| paper.paragraph(&[plain(text)], BODY);
    write(format!(
        "1. Phải chấp hành trong thời hạn {} ngày kể từ ngày nhận được quyết định; nếu không có căn cứ \
         xác định ngày nhận thì chậm nhất hết ngày {}. Quá thời hạn mà không nộp thì bị cưỡng chế thi \
         hành và cứ mỗi ngày chậm nộp phải nộp thêm theo quy định của pháp luật.",
        content.pay_days,
        format::day(content.pay_until)
    ));
    let account = match content.pay.treasury.is_set() {
        true => format!(
            ", tài khoản số {} – {} (mã ngân hàng {})",
            content.pay.treasury.account, content.pay.treasury.name, content.pay.treasury.bank
        ),
        false => String::new(),
    };
    write(format!(
        "2. Nộp tiền phạt tại Kho bạc Nhà nước, ngân hàng thương mại được ủy nhiệm thu{account}, Cổng \
         Dịch vụ công quốc gia hoặc qua dịch vụ bưu chính công ích; ghi đúng số, ngày của quyết định \
         này và mã thanh toán {}.",
        content.pay.reference
    ));
    // A signature never stands on a sheet alone.
    paper.keep(frame::FOOT + 60.0);
    let mut write = |text: String| paper.paragraph(&[plain(text)], BODY);
    write(format!(
        "3. Có quyền khiếu nại trong thời hạn {} ngày hoặc khởi kiện hành chính đối với quyết định này \
         theo quy định của pháp luật.",
        content.complaint
    ));
    write(format!("4. {} tổ chức thực hiện quyết định này.", agency.name));
}

fn foot(paper: &mut Paper, content: &Content, agency: &Agency) -> Result<(), DocumentError> {
    paper.keep(frame::FOOT);
    paper.space(4.0);
    let top = paper.y;
    let lines = [
        "Như Điều 3;".to_owned(),
        "Kho bạc Nhà nước;".into(),
        format!("Lưu: VT, {}.", agency.code),
    ];
    frame::recipients(paper, &lines, 110.0);
    let mut left_end = paper.y;
    if let Some(code) = &content.pay.code {
        let left = LEFT + 118.0;
        paper.shape(qr::path(code, left, top - 4.0, QR_SIDE)?);
        paper.y = top - 4.0 + QR_SIDE;
        let caption = left - 14.0..left + QR_SIDE + 14.0;
        paper.column(&[italic("Quét mã VietQR để nộp phạt.")], 9.0, caption, Align::Centre);
        left_end = left_end.max(paper.y);
    }
    paper.y = top;
    frame::signature(paper, &content.signature.office(), &content.signer);
    paper.y = paper.y.max(left_end);
    Ok(())
}

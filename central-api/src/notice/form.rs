//! Mẫu 01/73 laid out as an administrative document (NĐ 30/2020): national title, number, place
//! and date, the fields in their order, recipients and signature, the lookup's QR code.

use krilla::SerializeSettings;
use krilla::metadata::{DateTime, Metadata};

use super::NoticeError;
use super::content::{Content, Pictures, Taken, date, long_date, long_time};
use super::layout::{bold, italic, plain};
use super::page::{Align, LEFT, Paper, RIGHT};
use super::qr;
use crate::config::Office;
use crate::law::VIETNAM;

/// Body type, points.
const BODY: f32 = 11.5;
const SMALL: f32 = 10.5;
/// Height of recipients, code and signature together.
const FOOT: f32 = 116.0;
const QR_SIDE: f32 = 80.0;
/// Height of the picture that dates the act, and of the others beside each other.
const MAIN: f32 = 270.0;
const SIDE: f32 = 140.0;

/// The PDF of a notice, with an annex where there are pictures.
pub fn render(content: &Content, pictures: Option<&Pictures>) -> Result<Vec<u8>, NoticeError> {
    let mut paper = Paper::new()?;
    head(&mut paper, content);
    title(&mut paper, content);
    body(&mut paper, content);
    foot(&mut paper, content)?;
    if let Some(pictures) = pictures {
        annex(&mut paper, content, pictures)?;
    }
    paper.print(metadata(content), SerializeSettings::default())
}

fn head(paper: &mut Paper, content: &Content) {
    paper.column(
        &[italic("Mẫu số 01/73 (Thông tư số 73/2024/TT-BCA)")],
        9.0,
        RIGHT - 200.0..RIGHT,
        Align::Centre,
    );
    paper.space(4.0);
    let top = paper.y;
    let left = LEFT - 20.0..LEFT + 190.0;
    let right = LEFT + 195.0..RIGHT + 10.0;
    let middle = |column: &std::ops::Range<f32>| (column.start + column.end) / 2.0;
    paper.column(&[plain(content.parent.to_uppercase())], 12.0, left.clone(), Align::Centre);
    paper.column(&[bold(content.agency.to_uppercase())], 12.0, left.clone(), Align::Centre);
    paper.rule(middle(&left), 70.0);
    let left_end = paper.y;
    paper.y = top;
    paper.column(&[bold("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM")], 11.5, right.clone(), Align::Centre);
    paper.column(&[bold("Độc lập - Tự do - Hạnh phúc")], 12.5, right.clone(), Align::Centre);
    paper.rule(middle(&right), 155.0);
    paper.y = paper.y.max(left_end) + 4.0;
    let line = paper.y;
    paper.column(&[plain(format!("Số: {}", content.number))], 12.5, left, Align::Centre);
    let left_end = paper.y;
    paper.y = line;
    let dated = format!("{}, {}", content.place, long_date(content.issued_at));
    paper.column(&[italic(dated)], 12.5, right, Align::Centre);
    paper.y = paper.y.max(left_end);
}

fn title(paper: &mut Paper, content: &Content) {
    let page = LEFT..RIGHT;
    paper.space(9.0);
    paper.column(&[bold("THÔNG BÁO")], 14.0, page.clone(), Align::Centre);
    let subject = "Về việc vi phạm trật tự, an toàn giao thông đường bộ được phát hiện bằng \
                   phương tiện, thiết bị kỹ thuật nghiệp vụ";
    paper.column(&[bold(subject)], BODY, LEFT + 30.0..RIGHT - 30.0, Align::Centre);
    paper.rule((LEFT + RIGHT) / 2.0, 90.0);
    paper.space(5.0);
    let to = match &content.owner {
        Some(owner) => format!("Kính gửi: {}", owner.name),
        None => format!("Kính gửi: Chủ phương tiện biển số {}", content.plate),
    };
    paper.column(&[plain(to)], 12.5, page, Align::Centre);
    paper.space(5.0);
}

fn body(paper: &mut Paper, content: &Content) {
    let label = |text: &str| plain(text.to_owned());
    paper.paragraph(
        &[
            bold(content.agency.clone()),
            plain(" thông báo: "),
            plain(content.detecting_unit.clone()),
            plain(
                ", thông qua phương tiện, thiết bị kỹ thuật nghiệp vụ, đã phát hiện phương tiện \
                 có thông tin sau đây vi phạm trật tự, an toàn giao thông đường bộ:",
            ),
        ],
        BODY,
    );
    paper.paragraph(
        &[
            label("1. Loại phương tiện: "),
            bold(content.vehicle.clone()),
            plain("; biển số: "),
            bold(content.plate.clone()),
            plain(format!("; màu biển số: {}.", content.plate_colour.to_lowercase())),
        ],
        BODY,
    );
    owner(paper, content);
    paper.paragraph(
        &[
            label("3. Thời gian vi phạm: "),
            bold(format!("{}, {}", long_time(content.act_at), long_date(content.act_at))),
            plain("."),
        ],
        BODY,
    );
    paper.paragraph(
        &[label("4. Địa điểm vi phạm: "), bold(content.act_place.clone()), plain(".")],
        BODY,
    );
    paper.paragraph(
        &[
            label("5. Hành vi vi phạm: "),
            bold(content.act.clone()),
            plain(format!(", quy định tại {}.", content.citation)),
        ],
        BODY,
    );
    paper
        .paragraph(&[label("6. Biện pháp ngăn chặn, bảo đảm xử lý vi phạm: Không áp dụng.")], BODY);
    summons(paper, content);
    paper.paragraph(
        &[
            label("9. Kết quả thu được từ phương tiện, thiết bị kỹ thuật nghiệp vụ kèm theo: "),
            plain(format!("{}. {}. Mã bằng chứng: ", content.results, content.device)),
            plain(content.evidence_id.clone()),
            plain(match content.further.len() {
                0 => ".".to_owned(),
                more => {
                    format!("; còn được ghi nhận trong {more:02} gói bằng chứng khác (phụ lục).")
                }
            }),
        ],
        BODY,
    );
    paper.paragraph(
        &[plain(format!(
            "Quá thời hạn {} ngày kể từ ngày gửi thông báo này, nếu chủ phương tiện, người vi phạm \
             không đến giải quyết vụ việc, cơ quan Công an sẽ gửi thông báo cảnh báo theo quy định \
             của pháp luật.",
            content.no_show_days
        ))],
        BODY,
    );
}

/// To be filled in by hand where no registry was asked.
fn owner(paper: &mut Paper, content: &Content) {
    let known = content.owner.as_ref();
    for (label, text) in [
        ("2. Chủ phương tiện:", known.map(|owner| &owner.name)),
        ("Số định danh cá nhân/mã số tổ chức:", known.map(|owner| &owner.id_number)),
        ("Địa chỉ:", known.map(|owner| &owner.address)),
    ] {
        match text.filter(|text| !text.is_empty()) {
            Some(text) => {
                let runs = [plain(format!("{label} ")), bold(text.clone()), plain(".".to_owned())];
                paper.paragraph(&runs, BODY);
            }
            None => paper.dotted(label, BODY),
        }
    }
}

fn summons(paper: &mut Paper, content: &Content) {
    let when = format!("{}, {}", long_time(content.appointment), long_date(content.appointment));
    let mut runs = vec![plain("7. Yêu cầu ông (bà), tổ chức có mặt vào lúc "), bold(when)];
    if let Some((first, others)) = content.offices.split_first() {
        runs.push(plain(" tại "));
        runs.push(bold(first.name.clone()));
        runs.push(plain(contact(first)));
        runs.push(plain(" để giải quyết vụ việc vi phạm. Trường hợp việc đi lại gặp khó khăn, "));
        runs.push(plain("có thể đến giải quyết tại: "));
        for office in others {
            runs.push(plain(format!("{}{}; ", office.name, contact(office))));
        }
        runs.push(plain("trụ sở Công an cấp xã nơi cư trú, nơi đặt trụ sở."));
    }
    paper.paragraph(&runs, BODY);
    paper.paragraph(
        &[plain(
            "8. Khi đến mang theo thông báo này và: giấy tờ tùy thân; giấy phép lái xe; chứng nhận \
             đăng ký xe; chứng nhận kiểm định (nếu có); chứng nhận bảo hiểm bắt buộc trách nhiệm \
             dân sự của chủ xe cơ giới.",
        )],
        BODY,
    );
}

fn contact(office: &Office) -> String {
    let mut parts = Vec::new();
    if !office.address.is_empty() {
        parts.push(format!("địa chỉ: {}", office.address));
    }
    if !office.phone.is_empty() {
        parts.push(format!("điện thoại: {}", office.phone));
    }
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join("; ")) }
}

fn foot(paper: &mut Paper, content: &Content) -> Result<(), NoticeError> {
    // Recipients, code and signature stay together.
    paper.keep(FOOT);
    paper.space(2.0);
    let top = paper.y;
    let left = LEFT..LEFT + 130.0;
    paper.column(&[italic("Nơi nhận:")], SMALL, left.clone(), Align::Left);
    paper.column(&[plain("- Như trên;")], SMALL, left.clone(), Align::Left);
    let archive = format!("- Lưu: VT, {}.", content.archive);
    paper.column(&[plain(archive)], SMALL, left, Align::Left);

    let qr_left = LEFT + 112.0;
    paper.shape(qr::path(&content.lookup_url, qr_left, top - 4.0, QR_SIDE)?);
    paper.y = top - 4.0 + QR_SIDE;
    let caption = qr_left - 14.0..qr_left + QR_SIDE + 14.0;
    paper.column(&[italic("Quét mã để tra cứu.")], 9.0, caption.clone(), Align::Centre);
    paper.column(&[italic("Mã thông báo:")], 9.0, caption.clone(), Align::Centre);
    paper.column(&[plain(content.code.clone())], 9.0, caption, Align::Centre);
    let left_end = paper.y;

    paper.y = top;
    let right = LEFT + 235.0..RIGHT;
    paper.column(&[bold("THỦ TRƯỞNG ĐƠN VỊ")], BODY, right.clone(), Align::Centre);
    let hint = "(Ký, ghi rõ họ tên, đóng dấu hoặc ký số)";
    paper.column(&[italic(hint)], 11.0, right.clone(), Align::Centre);
    paper.signature(right.clone());
    paper.column(&[bold(content.signer.clone())], BODY, right, Align::Centre);
    paper.y = paper.y.max(left_end);
    Ok(())
}

fn annex(paper: &mut Paper, content: &Content, pictures: &Pictures) -> Result<(), NoticeError> {
    paper.turn();
    let page = LEFT..RIGHT;
    paper.column(&[bold("PHỤ LỤC")], 14.0, page.clone(), Align::Centre);
    let of = format!("Kèm theo Thông báo số {}", content.number);
    paper.column(&[italic(of)], BODY, page.clone(), Align::Centre);
    paper.space(10.0);
    let (main, others): (Vec<_>, Vec<_>) = pictures.moments.iter().partition(|taken| taken.main);
    let mut count = 0;
    let mut counted = |caption: String| {
        count += 1;
        format!("Ảnh {count}. {caption}")
    };
    for taken in main {
        paper.pictures(&[(&taken.jpeg, counted(shown(taken)))], MAIN, SMALL)?;
    }
    let mut rest: Vec<_> =
        others.into_iter().map(|taken| (&taken.jpeg, counted(shown(taken)))).collect();
    rest.push((&pictures.close_up, counted(format!("Cận cảnh biển số {}", content.plate))));
    rest.extend(pictures.further.iter().map(|(picture, camera)| {
        (picture, counted(format!("Cùng hành vi, do camera {camera} ghi")))
    }));
    for row in rest.chunks(2) {
        paper.pictures(row, SIDE, SMALL)?;
    }
    for further in &content.further {
        let device = format!("Hành vi còn được ghi nhận bởi: {further}.");
        paper.column(&[plain(device)], SMALL, page.clone(), Align::Left);
    }
    paper.space(4.0);
    let veiled = "Phương tiện vi phạm được đóng khung; vạch, khu vực liên quan được kẻ thêm. Người và \
                  phương tiện khác đã được làm mờ. Ảnh gốc được niêm phong, lưu tại hồ sơ vụ việc.";
    paper.column(&[italic(veiled)], SMALL, page, Align::Centre);
    Ok(())
}

/// What a picture shows and when, to the second.
fn shown(taken: &Taken) -> String {
    let at = taken.at.to_offset(VIETNAM);
    let (hour, minute, second) = at.to_hms();
    let (shows, day) = (taken.shows, date(at.date()));
    format!("Phương tiện {shows}, lúc {hour:02}:{minute:02}:{second:02}, {day}")
}

/// Only what the notice itself says, so that the same notice has the same bytes.
fn metadata(content: &Content) -> Metadata {
    let issued = content.issued_at.to_offset(VIETNAM);
    let date = DateTime::new(u16::try_from(issued.year()).unwrap_or(0))
        .month(issued.month().into())
        .day(issued.day())
        .hour(issued.hour())
        .minute(issued.minute())
        .second(issued.second())
        .utc_offset_hour(7);
    Metadata::new()
        .title(format!("Thông báo số {}", content.number))
        .language("vi".into())
        .authors(vec![content.agency.clone()])
        .creation_date(date)
        .document_id(content.code.clone())
}

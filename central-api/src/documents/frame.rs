//! The frame of an administrative document (NĐ 30/2020/NĐ-CP): whose it is, national title, number,
//! place and date above; recipients and signature below.

use krilla::metadata::{DateTime, Metadata};
use time::OffsetDateTime;

use super::layout::{bold, italic, plain};
use super::{Align, DocumentError, Draft, LEFT, Paper, RIGHT};
use crate::config::Agency;
use crate::law::VIETNAM;

/// Body type, points.
pub const BODY: f32 = 11.5;
const SMALL: f32 = 10.5;
/// Height of recipients and signature together, an office of two lines included.
pub const FOOT: f32 = 124.0;

/// What stands above every document.
#[derive(Debug, Clone)]
pub struct Head {
    /// `Mẫu số 01/73 (Thông tư số 73/2024/TT-BCA)`.
    pub form: &'static str,
    pub parent: String,
    pub agency: String,
    /// `000012/TB-PC08`.
    pub number: String,
    pub place: String,
    pub at: OffsetDateTime,
    /// Names the file inside.
    pub code: String,
}

impl Head {
    pub fn new(
        form: &'static str,
        agency: &Agency,
        number: String,
        code: &str,
        at: OffsetDateTime,
    ) -> Self {
        Self {
            form,
            parent: agency.parent.clone(),
            agency: agency.name.clone(),
            number,
            place: agency.place.clone(),
            at,
            code: code.into(),
        }
    }

    /// A document's first sheet with what stands above it.
    pub(crate) fn begin(
        form: &'static str,
        agency: &Agency,
        draft: &Draft,
        at: OffsetDateTime,
    ) -> Result<(Self, Paper), DocumentError> {
        let head = Self::new(form, agency, draft.shown(&agency.code), &draft.code, at);
        let mut paper = Paper::new()?;
        head.write(&mut paper);
        Ok((head, paper))
    }

    pub(crate) fn write(&self, paper: &mut Paper) {
        paper.column(&[italic(self.form)], 9.0, RIGHT - 200.0..RIGHT, Align::Centre);
        paper.space(4.0);
        let top = paper.y;
        let left = LEFT - 20.0..LEFT + 190.0;
        let right = LEFT + 195.0..RIGHT + 10.0;
        let middle = |column: &std::ops::Range<f32>| (column.start + column.end) / 2.0;
        paper.column(&[plain(self.parent.to_uppercase())], 12.0, left.clone(), Align::Centre);
        paper.column(&[bold(self.agency.to_uppercase())], 12.0, left.clone(), Align::Centre);
        paper.rule(middle(&left), 70.0);
        let left_end = paper.y;
        paper.y = top;
        let title = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM";
        paper.column(&[bold(title)], 11.5, right.clone(), Align::Centre);
        paper.column(&[bold("Độc lập - Tự do - Hạnh phúc")], 12.5, right.clone(), Align::Centre);
        paper.rule(middle(&right), 155.0);
        paper.y = paper.y.max(left_end) + 4.0;
        let line = paper.y;
        paper.column(&[plain(format!("Số: {}", self.number))], 12.5, left, Align::Centre);
        let left_end = paper.y;
        paper.y = line;
        let dated = format!("{}, {}", self.place, long_date(self.at));
        paper.column(&[italic(dated)], 12.5, right, Align::Centre);
        paper.y = paper.y.max(left_end);
    }

    /// Only what the document itself says, so that the same document has the same bytes.
    pub fn metadata(&self, title: &str) -> Metadata {
        let at = self.at.to_offset(VIETNAM);
        let date = DateTime::new(u16::try_from(at.year()).unwrap_or(0))
            .month(at.month().into())
            .day(at.day())
            .hour(at.hour())
            .minute(at.minute())
            .second(at.second())
            .utc_offset_hour(7);
        Metadata::new()
            .title(format!("{title} số {}", self.number))
            .language("vi".into())
            .authors(vec![self.agency.clone()])
            .creation_date(date)
            .document_id(self.code.clone())
    }
}

/// The document's name and what it is about, in the middle.
pub(crate) fn title(paper: &mut Paper, name: &str, subject: &str) {
    paper.space(9.0);
    paper.column(&[bold(name)], 14.0, LEFT..RIGHT, Align::Centre);
    paper.column(&[bold(subject)], BODY, LEFT + 30.0..RIGHT - 30.0, Align::Centre);
    paper.rule((LEFT + RIGHT) / 2.0, 90.0);
    paper.space(5.0);
}

/// `Nơi nhận` at the left.
pub(crate) fn recipients(paper: &mut Paper, lines: &[String], width: f32) {
    let left = LEFT..LEFT + width;
    paper.column(&[italic("Nơi nhận:")], SMALL, left.clone(), Align::Left);
    for line in lines {
        paper.column(&[plain(format!("- {line}"))], SMALL, left.clone(), Align::Left);
    }
}

/// Office, room for the signature, and name at the right.
pub(crate) fn signature(paper: &mut Paper, office: &str, name: &str) {
    let right = LEFT + 235.0..RIGHT;
    paper.column(&[bold(office)], BODY, right.clone(), Align::Centre);
    let hint = "(Ký, ghi rõ họ tên, đóng dấu hoặc ký số)";
    paper.column(&[italic(hint)], 11.0, right.clone(), Align::Centre);
    paper.signature(right.clone());
    paper.column(&[bold(name)], BODY, right, Align::Centre);
}

/// Recipients and signature beside each other, and never on two sheets.
pub(crate) fn foot(paper: &mut Paper, lines: &[String], office: &str, signer: &str) {
    paper.keep(FOOT);
    paper.space(4.0);
    let top = paper.y;
    recipients(paper, lines, 130.0);
    let left_end = paper.y;
    paper.y = top;
    signature(paper, office, signer);
    paper.y = paper.y.max(left_end);
}

/// Two who sign by hand, side by side: what they are, and their names.
pub(crate) fn both_sign(paper: &mut Paper, parties: [(&str, String); 2]) {
    paper.keep(110.0);
    paper.space(8.0);
    let (top, middle) = (paper.y, (LEFT + RIGHT) / 2.0);
    let mut end = top;
    for ((title, name), column) in parties.into_iter().zip([LEFT..middle, middle..RIGHT]) {
        paper.y = top;
        paper.column(&[bold(title)], BODY, column.clone(), Align::Centre);
        paper.space(56.0);
        paper.column(&[bold(name)], BODY, column, Align::Centre);
        end = end.max(paper.y);
    }
    paper.y = end;
}

/// The form's back: that `what` was handed over, filled in by hand when it is.
pub(crate) fn handed_over(paper: &mut Paper, what: &str, name: &str) {
    paper.turn();
    paper.column(&[italic("(Mặt sau)")], BODY, LEFT..RIGHT, Align::Centre);
    paper.space(6.0);
    paper.paragraph(&[plain(format!("{what} đã giao trực tiếp cho {name}."))], BODY);
    for label in [
        "Người nhận (nếu được ủy quyền ghi rõ giấy ủy quyền):",
        "Vào hồi (giờ, phút, ngày, tháng, năm):",
    ] {
        paper.dotted(label, BODY);
    }
    let parties = [("NGƯỜI NHẬN", String::new()), ("NGƯỜI GIAO", String::new())];
    both_sign(paper, parties);
}

/// `ngày 21 tháng 11 năm 2026`; days under 10 and months under 3 take a zero.
pub fn long_date(at: OffsetDateTime) -> String {
    let date = at.to_offset(VIETNAM).date();
    let (day, month) = (date.day(), u8::from(date.month()));
    let month = if month < 3 { format!("{month:02}") } else { month.to_string() };
    format!("ngày {day:02} tháng {month} năm {}", date.year())
}

/// `08 giờ 15 phút`.
pub fn long_time(at: OffsetDateTime) -> String {
    let time = at.to_offset(VIETNAM).time();
    format!("{:02} giờ {:02} phút", time.hour(), time.minute())
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn dates_follow_the_administrative_form_in_vietnam() {
        assert_eq!(long_date(datetime!(2027-02-04 20:00 UTC)), "ngày 05 tháng 02 năm 2027");
        assert_eq!(long_date(datetime!(2026-11-21 08:15 +7)), "ngày 21 tháng 11 năm 2026");
        assert_eq!(long_time(datetime!(2026-11-21 01:05 UTC)), "08 giờ 05 phút");
    }
}

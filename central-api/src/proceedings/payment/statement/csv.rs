//! Statements as CSV. Banks name the columns alike, not the same; marks, blanks and case do not count.

use csv::StringRecord;
use time::Date;
use time::macros::format_description;

use super::super::receipt::{Incoming, Payer};
use super::super::reference::plain;
use super::amount::vnd;
use super::{MOST_LINES, Statement, StatementError, Wrong};

/// A column, and what it may be called.
type Column = (&'static str, &'static [&'static str]);

const ACCOUNT: Column = ("so_tai_khoan", &["SOTAIKHOAN", "TAIKHOAN", "ACCOUNT", "ACCOUNTNUMBER"]);
const NUMBER: Column = (
    "ma_giao_dich",
    &["MAGIAODICH", "SOBUTTOAN", "SOGIAODICH", "SOTHAMCHIEU", "TRANSACTIONID", "REFERENCE"],
);
const DAY: Column =
    ("ngay_giao_dich", &["NGAYGIAODICH", "NGAYHIEULUC", "NGAY", "DATE", "TRANSACTIONDATE"]);
const PURPOSE: Column =
    ("noi_dung", &["NOIDUNG", "DIENGIAI", "MOTA", "NOIDUNGGIAODICH", "DESCRIPTION", "REMARK"]);
const CREDIT: Column = ("ghi_co", &["GHICO", "SOTIENGHICO", "PHATSINHCO", "CREDIT", "CO"]);
const DEBIT: Column = ("ghi_no", &["GHINO", "SOTIENGHINO", "PHATSINHNO", "DEBIT", "NO"]);
const AMOUNT: Column = ("so_tien", &["SOTIEN", "AMOUNT"]);
const CURRENCY: Column = ("loai_tien", &["LOAITIEN", "TIENTE", "CURRENCY"]);
const PAYER: Column =
    ("nguoi_nop", &["NGUOINOP", "NGUOICHUYEN", "TENDOIUNG", "TENTAIKHOANDOIUNG", "PAYER"]);
const PAYER_ACCOUNT: Column =
    ("tai_khoan_nop", &["TAIKHOANNOP", "TAIKHOANDOIUNG", "SOTAIKHOANDOIUNG", "PAYERACCOUNT"]);
const PAYER_BANK: Column = ("ngan_hang_nop", &["NGANHANGNOP", "NGANHANGDOIUNG", "PAYERBANK"]);

pub(super) fn read(text: &str, account: &str) -> Result<Statement, StatementError> {
    // The reader counts the lines of what ends with both marks one too low.
    let text = text.replace("\r\n", "\n");
    let header = text.lines().next().unwrap_or_default();
    let count = |mark: u8| header.bytes().filter(|byte| *byte == mark).count();
    let delimiter = *[b',', b';', b'\t'].iter().max_by_key(|mark| count(**mark)).unwrap_or(&b',');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let form = |error: csv::Error| StatementError::Form(error.to_string());
    let columns = Columns::of(reader.headers().map_err(form)?)?;
    let mut statement = Statement::default();
    for (index, record) in reader.records().enumerate() {
        if index >= MOST_LINES {
            return Err(StatementError::Many);
        }
        let record = record.map_err(form)?;
        let at = record.position().map_or(0, csv::Position::line);
        match columns.line(&record, account) {
            Ok(Some(incoming)) => statement.incoming.push((at, incoming)),
            Ok(None) => statement.outgoing += 1,
            Err(problem) => statement.wrong.push((at, problem)),
        }
    }
    Ok(statement)
}

/// Where each column stands.
struct Columns {
    account: usize,
    number: usize,
    day: usize,
    purpose: usize,
    credit: Option<usize>,
    debit: Option<usize>,
    amount: Option<usize>,
    currency: Option<usize>,
    payer: [Option<usize>; 3],
}

impl Columns {
    fn of(header: &StringRecord) -> Result<Self, StatementError> {
        let names: Vec<String> = header.iter().map(plain).collect();
        let place =
            |(_, known): Column| names.iter().position(|name| known.contains(&name.as_str()));
        let mut lacking = Vec::new();
        let mut needed = |column: Column| {
            place(column).unwrap_or_else(|| {
                lacking.push(column.0.to_owned());
                0
            })
        };
        let (account, number) = (needed(ACCOUNT), needed(NUMBER));
        let (day, purpose) = (needed(DAY), needed(PURPOSE));
        let (credit, debit, amount) = (place(CREDIT), place(DEBIT), place(AMOUNT));
        if credit.is_none() && amount.is_none() {
            lacking.push("ghi_co (or so_tien, below nothing for what went out)".into());
        }
        if !lacking.is_empty() {
            return Err(StatementError::Columns(lacking));
        }
        let payer = [PAYER, PAYER_ACCOUNT, PAYER_BANK].map(place);
        let currency = place(CURRENCY);
        Ok(Self { account, number, day, purpose, credit, debit, amount, currency, payer })
    }

    /// What a line brings; none where money went out.
    fn line(&self, record: &StringRecord, account: &str) -> Result<Option<Incoming>, Wrong> {
        let field = |place: usize| record.get(place).unwrap_or_default();
        let maybe = |place: Option<usize>| place.map(field).unwrap_or_default();
        let currency = maybe(self.currency);
        if !currency.is_empty() && !currency.eq_ignore_ascii_case("VND") {
            return Err(Wrong::Currency);
        }
        let found: String = field(self.account).chars().filter(|c| !c.is_whitespace()).collect();
        if found != account {
            return Err(Wrong::Account);
        }
        let amount = self.amount(record)?;
        if amount < 0 {
            return Ok(None);
        }
        if amount == 0 {
            return Err(Wrong::Nothing);
        }
        let number = field(self.number);
        if number.is_empty() {
            return Err(Wrong::Number);
        }
        let [name, payer_account, bank] = self.payer.map(|place| maybe(place).to_owned());
        Ok(Some(Incoming {
            account: account.to_owned(),
            bank_id: number.to_owned(),
            amount,
            paid_on: day(field(self.day)).ok_or(Wrong::Day)?,
            purpose: field(self.purpose).to_owned(),
            payer: Payer { name, account: payer_account, bank },
            is_returned: false,
        }))
    }

    fn amount(&self, record: &StringRecord) -> Result<i64, Wrong> {
        let field = |place: Option<usize>| {
            let text = place.and_then(|place| record.get(place)).unwrap_or_default();
            if text.is_empty() || text == "-" { Ok(0) } else { vnd(text) }
        };
        if self.credit.is_none() {
            return field(self.amount);
        }
        let (credit, debit) = (field(self.credit)?, field(self.debit)?);
        if credit < 0 || debit < 0 {
            return Err(Wrong::Negative);
        }
        if credit > 0 && debit > 0 { Err(Wrong::Both) } else { Ok(credit - debit) }
    }
}

/// The day at the beginning of a text that may go on with a time.
fn day(text: &str) -> Option<Date> {
    let day = text.split([' ', 'T']).next()?;
    let vietnamese = format_description!("[day]/[month]/[year]");
    let dashed = format_description!("[day]-[month]-[year]");
    let iso = format_description!("[year]-[month]-[day]");
    Date::parse(day, vietnamese)
        .or_else(|_| Date::parse(day, iso))
        .or_else(|_| Date::parse(day, dashed))
        .ok()
}

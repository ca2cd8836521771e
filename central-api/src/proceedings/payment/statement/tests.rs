use time::macros::date;

use super::*;

const TODAY: Date = date!(2026 - 12 - 20);
const HEADER: &str = "Số tài khoản,Mã giao dịch,Ngày giao dịch,Ghi nợ,Ghi có,Nội dung,Người nộp";

fn treasury() -> Treasury {
    Treasury {
        bank: "970436".into(),
        account: "1017595600".into(),
        name: "KHO BAC".into(),
        notification_key_file: String::new(),
    }
}

fn read_text(text: &str) -> Result<Statement, StatementError> {
    read(&treasury(), text.as_bytes(), TODAY)
}

fn told(text: &str) -> String {
    read_text(text).unwrap_err().to_string()
}

fn camt(entries: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\">\n\
         <BkToCstmrStmt><Stmt><Acct><Id><Othr><Id>1017595600</Id></Othr></Id></Acct>\n{entries}\n\
         </Stmt></BkToCstmrStmt></Document>"
    )
}

fn entry(direction: &str, reversal: bool, amount: &str, number: &str, details: &str) -> String {
    format!(
        "<Ntry><Amt Ccy=\"VND\">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd>\
         <RvslInd>{reversal}</RvslInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-12-19</Dt></BookgDt>\
         <ValDt><Dt>2026-12-18</Dt></ValDt><AcctSvcrRef>{number}</AcctSvcrRef>\
         <NtryDtls>{details}</NtryDtls></Ntry>\n"
    )
}

#[test]
fn csv_is_read_as_banks_write_it() {
    let text = format!(
        "\u{feff}{HEADER}\r\n1017595600,FT1,18/12/2026 09:15:00,,\"5.000.000\",Nop phat XP,A\r\n\
         1017595600,FT2,2026-12-18,\"12,000\",,Phi,\r\n1017595600,FT3,18-12-2026,0,7000,,\r\n"
    );
    let read = read_text(&text).unwrap();
    assert_eq!((read.incoming.len(), read.outgoing), (2, 1));
    let (line, first) = &read.incoming[0];
    assert_eq!((*line, first.amount, first.bank_id.as_str()), (2, 5_000_000, "FT1"));
    assert_eq!((first.paid_on, first.payer.name.as_str()), (date!(2026 - 12 - 18), "A"));
    let signed = "account;transaction_id;date;amount;currency;description\n\
         1017595600;A1;2026-12-18;-500;VND;out\n1017595600;A2;2026-12-18;500;VND;in\n";
    let read = read_text(signed).unwrap();
    assert_eq!((read.incoming[0].1.amount, read.outgoing), (500, 1));
}

#[test]
fn a_wrong_line_of_csv_is_named_and_nothing_else_counts() {
    let good = "1017595600,FT1,18/12/2026,,5000,XP,A";
    for (wrong, problem) in [
        (good.replace("1017595600", "1017595601"), "line 3: the account is not that"),
        (good.replace("18/12/2026", "12/18/2026"), "line 3: the day must be like"),
        (good.replace("18/12/2026", "18/12/2036"), "line 3: the day lies in the future"),
        (good.replace("18/12/2026", "18/12/2006"), "line 3: the day lies"),
        (good.replace("5000", "5000.50"), "line 3: the amount is no whole number"),
        (good.replace("5000", "-5000"), "line 3: an amount is below nothing"),
        (good.replace("5000", "99999999999999"), "line 3: the amount is larger than"),
        (good.replace("5000", ""), "line 3: the amount is nothing"),
        (good.replace(",,", ",7,"), "line 3: ghi_co and ghi_no are both"),
        (good.replace("FT1", ""), "line 3: the bank's number of the transaction is missing"),
        (good.into(), "line 3: the bank's number of the transaction is that of line 2, too"),
        (good.replace("XP", &"x".repeat(501)), "line 3: a text is longer than 500"),
    ] {
        let text = format!("{HEADER}\n{good}\n{wrong}\n");
        assert!(told(&text).contains(problem), "{}", told(&text));
    }
    let foreign = "so_tai_khoan,ma_giao_dich,ngay,so_tien,loai_tien,noi_dung\n\
         1017595600,F,2026-12-18,5,USD,x\n";
    assert!(told(foreign).contains("line 2: the currency is not VND"));
    assert!(told("a,b\n1,2\n").contains("so_tai_khoan, ma_giao_dich, ngay_giao_dich, noi_dung"));
    assert!(matches!(read_text(HEADER), Err(StatementError::Empty)));
    assert!(matches!(read_text(""), Err(StatementError::Columns(_))));
    let many = format!("{HEADER}\n{}", format!("{good}\n").repeat(MOST_LINES + 1));
    assert!(matches!(read_text(&many), Err(StatementError::Many)));
    let large = vec![b'x'; MOST_BYTES + 1];
    assert!(matches!(read(&treasury(), &large, TODAY), Err(StatementError::Large)));
    assert!(matches!(read(&treasury(), b"\xff\xfea", TODAY), Err(StatementError::Form(_))));
    let none = Treasury { account: String::new(), ..treasury() };
    assert!(matches!(read(&none, b"", TODAY), Err(StatementError::NoTreasury)));
}

#[test]
fn camt_is_read_entry_by_entry() {
    let details = "<TxDtls><Refs><EndToEndId>E</EndToEndId></Refs><RltdPties><Dbtr><Pty><Nm>NGUYEN \
         A</Nm></Pty></Dbtr><DbtrAcct><Id><Othr><Id>00 11</Id></Othr></Id></DbtrAcct></RltdPties>\
         <RmtInf><Ustrd>NOP PHAT</Ustrd><Ustrd>XP 123</Ustrd></RmtInf></TxDtls>";
    let part = |number: &str, amount: u32| {
        format!(
            "<TxDtls><Refs><AcctSvcrRef>{number}</AcctSvcrRef></Refs><Amt Ccy=\"VND\">{amount}</Amt>\
             </TxDtls>"
        )
    };
    let text = camt(
        &[
            entry("CRDT", false, "5000000.00", "S1", details),
            entry("DBIT", false, "9", "S2", ""),
            entry("DBIT", true, "5000000", "S3", ""),
            entry("CRDT", true, "70", "S4", ""),
            entry("CRDT", false, "30", "S5", &(part("P1", 10) + &part("P2", 20))),
            entry("CRDT", false, "1", "S6", "").replace("BOOK", "PDNG"),
        ]
        .concat(),
    );
    let read = read_text(&text).unwrap();
    let all: Vec<_> = read
        .incoming
        .iter()
        .map(|(line, it)| (*line, it.bank_id.as_str(), it.amount, it.is_returned))
        .collect();
    assert_eq!(
        all,
        [
            (4, "S1", 5_000_000, false),
            (6, "S3", -5_000_000, true),
            (7, "S4", 70, true),
            (8, "P1", 10, false),
            (8, "P2", 20, false),
        ]
    );
    let first = &read.incoming[0].1;
    assert_eq!((first.purpose.as_str(), first.payer.account.as_str()), ("NOP PHAT XP 123", "0011"));
    assert_eq!(first.paid_on, date!(2026 - 12 - 18), "the day of value");
    assert_eq!((read.outgoing, read.pending), (1, 1));
    let torn = camt(&entry("CRDT", false, "31", "S5", &(part("P1", 10) + &part("P2", 20))));
    assert!(
        told(&torn).contains("line 4: the transactions of the entry do not make"),
        "{}",
        told(&torn)
    );
}

#[test]
fn a_wrong_entry_of_camt_is_named() {
    let good = camt(&entry("CRDT", false, "5", "S1", ""));
    for (wrong, problem) in [
        (good.replace("1017595600", "999"), "line 3: the account is not that"),
        (good.replace("\"VND\"", "\"EUR\""), "line 4: the currency is not VND"),
        (good.replace(">5<", ">-5<"), "line 4: an amount is below nothing"),
        (good.replace(">5<", ">0<"), "line 4: the amount is nothing"),
        (good.replace(">5<", ">5.5<"), "line 4: the amount is no whole number"),
        (good.replace(">5<", ">5.000.000<"), "line 4: the amount is no whole number"),
        (good.replace(">5<", ">99999999999999999<"), "line 4: the amount is larger"),
        (good.replace(">S1<", "><"), "line 4: the bank's number of the transaction is missing"),
        (good.replace("CRDT", "IN"), "line 4: CdtDbtInd must be"),
        (good.replace("2026-12-18", "18.12.2026"), "line 4: the day must be like"),
        (good.replace("BkToCstmrStmt", "Other"), "it has no BkToCstmrStmt/Stmt"),
        (good.replace("</Stmt>", ""), "neither CSV nor XML"),
    ] {
        assert!(told(&wrong).contains(problem), "{}", told(&wrong));
    }
}

#[test]
fn xml_that_grows_or_never_ends_is_refused_at_once() {
    let begin = std::time::Instant::now();
    let laughs =
        "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\">]><Document>&b;</Document>";
    assert!(matches!(read_text(laughs), Err(StatementError::Form(_))));
    let file = "<!DOCTYPE l [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><Document>&a;</Document>";
    assert!(matches!(read_text(file), Err(StatementError::Form(_))));
    let deep = "<a>".repeat(1_000_000);
    assert!(matches!(read_text(&deep), Err(StatementError::Form(_))));
    let deep = format!("{}{}", "<a>".repeat(500_000), "</a>".repeat(500_000));
    assert!(matches!(read_text(&deep), Err(StatementError::Form(_))));
    let wide = format!("<Document>{}</Document>", "<a/>".repeat(1_500_000));
    assert!(matches!(read_text(&wide), Err(StatementError::Form(_))));
    assert!(begin.elapsed() < std::time::Duration::from_secs(20), "{:?}", begin.elapsed());
}

//! Statements as CAMT.053 (ISO 20022), of any version: elements are known by their names alone.

use roxmltree::{Document, Node, ParsingOptions};
use time::Date;
use time::macros::format_description;

use super::super::receipt::{Incoming, Payer};
use super::amount::vnd;
use super::{MOST_LINES, Statement, StatementError, Wrong};

/// Elements and texts of a file; a transaction has some sixty.
const MOST_NODES: u32 = 600_000;

pub(super) fn read(text: &str, account: &str) -> Result<Statement, StatementError> {
    // Without a DTD there are no entities that grow.
    let options =
        ParsingOptions { allow_dtd: false, nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options)
        .map_err(|error| StatementError::Form(error.to_string()))?;
    let mut statement = Statement::default();
    let statements = document
        .root_element()
        .children()
        .filter(|node| node.has_tag_name_any("BkToCstmrStmt"))
        .flat_map(|node| node.children())
        .filter(|node| node.has_tag_name_any("Stmt"));
    let mut found = 0;
    let mut lines = Lines { text, at: 0, line: 1 };
    for stmt in statements {
        found += 1;
        let line = lines.of(stmt);
        if iban_or_other(stmt.at("Acct/Id")) != account {
            statement.wrong.push((line, Wrong::Account));
            continue;
        }
        for entry in stmt.children().filter(|node| node.has_tag_name_any("Ntry")) {
            let line = lines.of(entry);
            if let Err(problem) = read_entry(entry, account, line, &mut statement) {
                statement.wrong.push((line, problem));
            }
            if statement.incoming.len() + statement.outgoing + statement.pending > MOST_LINES {
                return Err(StatementError::Many);
            }
        }
    }
    match found {
        0 => Err(StatementError::Form("it has no BkToCstmrStmt/Stmt of CAMT.053".into())),
        _ => Ok(statement),
    }
}

fn read_entry(
    entry: Node<'_, '_>,
    account: &str,
    line: u64,
    statement: &mut Statement,
) -> Result<(), Wrong> {
    let status = entry.at("Sts").map(|status| status.at("Cd").unwrap_or(status));
    if status.text_or_nothing() != "BOOK" {
        statement.pending += 1;
        return Ok(());
    }
    let is_reversal = entry.at("RvslInd").text_or_nothing() == "true";
    // What goes out is booked where it takes a receipt back; what comes in may be money of ours that
    // came back.
    let sign = match (entry.at("CdtDbtInd").text_or_nothing(), is_reversal) {
        ("CRDT", _) => 1,
        ("DBIT", true) => -1,
        ("DBIT", false) => {
            statement.outgoing += 1;
            return Ok(());
        }
        _ => return Err(Wrong::Direction),
    };
    let amount = amount(entry.at("Amt"))?;
    let paid_on = day(entry.at("ValDt").or(entry.at("BookgDt")))?;
    let details: Vec<_> = entry
        .children()
        .filter(|node| node.has_tag_name_any("NtryDtls"))
        .flat_map(|node| node.children())
        .filter(|node| node.has_tag_name_any("TxDtls"))
        .collect();
    let make = |number: &str, amount: i64, details: Option<Node<'_, '_>>| {
        if number.is_empty() {
            return Err(Wrong::Number);
        }
        Ok(Incoming {
            account: account.to_owned(),
            bank_id: number.to_owned(),
            amount: sign * amount,
            paid_on,
            purpose: purpose(details, entry),
            payer: details.map(payer).unwrap_or_default(),
            is_returned: is_reversal,
        })
    };
    let of_entry = entry.at("AcctSvcrRef").text_or_nothing();
    if let [] | [_] = details[..] {
        let one = details.first().copied();
        let number = one.and_then(|it| it.at("Refs/AcctSvcrRef")).text_or_nothing();
        let number = if number.is_empty() { of_entry } else { number };
        statement.incoming.push((line, make(number, amount, one)?));
        return Ok(());
    }
    // A collective entry: each of its transactions by itself, and nothing left over.
    let mut sum = 0_i64;
    for one in details {
        let of_one = one.at("Amt").or(one.at("AmtDtls/TxAmt/Amt"));
        let part = self::amount(of_one)?;
        sum = sum.saturating_add(part);
        let number = one.at("Refs/AcctSvcrRef").or(one.at("Refs/TxId")).text_or_nothing();
        statement.incoming.push((line, make(number, part, Some(one))?));
    }
    match sum == amount {
        true => Ok(()),
        false => Err(Wrong::Sum),
    }
}

fn amount(node: Option<Node<'_, '_>>) -> Result<i64, Wrong> {
    let node = node.ok_or(Wrong::Amount)?;
    if node.attribute("Ccy") != Some("VND") {
        return Err(Wrong::Currency);
    }
    let text = Some(node).text_or_nothing();
    // ISO 20022 knows one mark, that of the fraction.
    if text.contains(',') || text.matches('.').count() > 1 {
        return Err(Wrong::Amount);
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.bytes().any(|byte| byte != b'0') {
        return Err(Wrong::Amount);
    }
    match vnd(whole)? {
        0 => Err(Wrong::Nothing),
        ..0 => Err(Wrong::Negative),
        amount => Ok(amount),
    }
}

fn day(node: Option<Node<'_, '_>>) -> Result<Date, Wrong> {
    let text = node.and_then(|node| node.at("Dt").or(node.at("DtTm"))).text_or_nothing();
    text.get(..10)
        .and_then(|day| Date::parse(day, format_description!("[year]-[month]-[day]")).ok())
        .ok_or(Wrong::Day)
}

fn purpose(details: Option<Node<'_, '_>>, entry: Node<'_, '_>) -> String {
    let info = details.and_then(|details| details.at("RmtInf"));
    let texts = info.into_iter().flat_map(|info| info.descendants());
    let wanted =
        |node: &Node<'_, '_>| node.has_tag_name_any("Ustrd") || node.has_tag_name_any("Ref");
    let mut texts: Vec<&str> =
        texts.filter(wanted).map(|node| Some(node).text_or_nothing()).collect();
    if texts.iter().all(|text| text.is_empty()) {
        texts = vec![entry.at("AddtlNtryInf").text_or_nothing()];
    }
    // Lines of a purpose are one text to whoever looks for a reference.
    texts.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn payer(details: Node<'_, '_>) -> Payer {
    let party = details.at("RltdPties/Dbtr");
    let name = party.and_then(|party| party.at("Nm").or(party.at("Pty/Nm")));
    let bank = details.at("RltdAgts/DbtrAgt/FinInstnId");
    let bank =
        bank.and_then(|bank| bank.at("BICFI").or(bank.at("ClrSysMmbId/MmbId")).or(bank.at("Nm")));
    Payer {
        name: name.text_or_nothing().to_owned(),
        account: iban_or_other(details.at("RltdPties/DbtrAcct/Id")),
        bank: bank.text_or_nothing().to_owned(),
    }
}

fn iban_or_other(id: Option<Node<'_, '_>>) -> String {
    let id = id.and_then(|id| id.at("IBAN").or(id.at("Othr/Id")));
    id.text_or_nothing().chars().filter(|c| !c.is_whitespace()).collect()
}

/// Counts lines on the way through a file.
struct Lines<'t> {
    text: &'t str,
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of a node behind those that were asked about before.
    fn of(&mut self, node: Node<'_, '_>) -> u64 {
        let start = node.range().start;
        let between = self.text.as_bytes().get(self.at..start).unwrap_or_default();
        self.line += between.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.at = start;
        self.line
    }
}

/// Elements by name alone, whatever version's namespace they are in.
trait ByName<'a, 'i> {
    fn has_tag_name_any(&self, name: &str) -> bool;
    /// The first element at a path of names.
    fn at(&self, path: &str) -> Option<Node<'a, 'i>>;
}

impl<'a, 'i> ByName<'a, 'i> for Node<'a, 'i> {
    fn has_tag_name_any(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }

    fn at(&self, path: &str) -> Option<Node<'a, 'i>> {
        let child = |node: Node<'a, 'i>, name: &str| {
            node.children().find(|child| child.has_tag_name_any(name))
        };
        path.split('/').try_fold(*self, child)
    }
}

trait Text<'a> {
    /// The text, without blanks around it.
    fn text_or_nothing(&self) -> &'a str;
}

impl<'a> Text<'a> for Option<Node<'a, '_>> {
    fn text_or_nothing(&self) -> &'a str {
        self.and_then(|node| node.text()).unwrap_or_default().trim()
    }
}

//! The money's rows held against what the audit says of them: whatever a hand changed is named.

use std::collections::HashMap;

use serde_json::{Value, json};
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::day_text;
use super::receipt::Row;
use super::record::{ClaimRow, ClaimState};
use super::refund::Refund;
use crate::law::LawBook;
use crate::store::StoreError;

/// Receipts, refunds or claims looked at together.
const PAGE: i64 = 500;

/// What the audit says.
#[derive(Default)]
struct Told {
    /// Digests of receipts and refunds, by id.
    records: HashMap<String, String>,
    claims: HashMap<String, ToldClaim>,
    /// Codes of the receipts that payers got, by the bank's transaction and the claim.
    slips: HashMap<(String, String), String>,
}

#[derive(Default)]
struct ToldClaim {
    case: String,
    /// As it was opened.
    opened: Value,
    /// When it was served and by when it is to be paid.
    term: [Value; 2],
    fine: i64,
    is_cancelled: bool,
    pauses: Vec<Value>,
    parts: Option<Value>,
}

/// What is wrong, by what it is wrong with.
pub async fn check(
    view: &mut AnyConnection,
    law: &LawBook,
) -> Result<Vec<(String, String)>, StoreError> {
    let mut told = told(view).await?;
    let mut wrong = Vec::new();
    let torn: Vec<String> = sqlx::query_scalar(
        "SELECT booking FROM payment_entries GROUP BY booking
         HAVING SUM(amount) <> 0 OR COUNT(*) <> 2 ORDER BY booking LIMIT 100",
    )
    .fetch_all(&mut *view)
    .await?;
    let half = |booking| (format!("booking {booking}"), "is not two entries that even out".into());
    wrong.extend(torn.into_iter().map(half));
    let [receipts, refunds, claims] = texts();
    let slips = "SELECT * FROM payment_slips WHERE code > $1 ORDER BY code LIMIT $2".to_owned();
    for (kind, text) in [("receipt", receipts), ("refund", refunds)] {
        let mut last = String::new();
        loop {
            let rows = page(view, text.clone(), &last).await?;
            let Some(end) = rows.last() else { break };
            last = end.try_get("id")?;
            for row in &rows {
                let id: String = row.try_get("id")?;
                let found = match kind {
                    "receipt" => Row::read(row).map(|it| it.digest()),
                    _ => Refund::read(row).map(|it| it.digest()),
                };
                let problem = match (told.records.remove(&id), found) {
                    (_, Err(error)) => error.to_string(),
                    (None, _) => "stands in no row of the audit".into(),
                    (Some(said), Ok(found)) if said == found => continue,
                    (Some(_), Ok(_)) => "differs from what the audit has of it".into(),
                };
                wrong.push((format!("{kind} {id}"), problem));
            }
        }
    }
    let gone = |id| (format!("receipt or refund {id}"), "is on record no more".to_owned());
    wrong.extend(told.records.into_keys().map(gone));
    let mut last = String::new();
    loop {
        let rows = page(view, slips.clone(), &last).await?;
        let Some(end) = rows.last() else { break };
        last = end.try_get("code")?;
        for row in &rows {
            let of = (row.try_get("receipt_id")?, row.try_get("claim_id")?);
            let code: String = row.try_get("code")?;
            if told.slips.remove(&of) != Some(code) {
                let problem = "differs from what the audit has of it".to_owned();
                wrong.push((format!("receipt for payment {}", of.0), problem));
            }
        }
    }
    let gone =
        |((id, _), _)| (format!("receipt for payment {id}"), "is on record no more".to_owned());
    wrong.extend(told.slips.drain().map(gone));
    let mut last = String::new();
    loop {
        let rows = page(view, claims.clone(), &last).await?;
        let Some(end) = rows.last() else { break };
        last = end.try_get("id")?;
        for row in &rows {
            let claim = ClaimRow::read(row)?;
            let said = told.claims.remove(&claim.id);
            let problems = claim_problems(view, law, &claim, said).await?;
            let named = |problem| (format!("claim {}", claim.id), problem);
            wrong.extend(problems.into_iter().map(named));
        }
    }
    let gone = |id| (format!("claim {id}"), "is on record no more".to_owned());
    wrong.extend(told.claims.into_keys().map(gone));
    Ok(wrong)
}

/// Receipts, refunds and claims behind an id.
fn texts() -> [String; 3] {
    let of = |table: &str| format!("SELECT * FROM {table} WHERE id > $1 ORDER BY id LIMIT $2");
    [of("payment_receipts"), of("payment_refunds"), of("payment_claims")]
}

async fn page(
    view: &mut AnyConnection,
    text: String,
    last: &str,
) -> Result<Vec<sqlx::any::AnyRow>, StoreError> {
    let query = sqlx::query(AssertSqlSafe(text)).bind(last.to_owned()).bind(PAGE);
    Ok(query.fetch_all(view).await?)
}

/// What the audit says of money, by its last word.
async fn told(view: &mut AnyConnection) -> Result<Told, StoreError> {
    let mut told = Told::default();
    let mut last = 0_i64;
    loop {
        let rows = sqlx::query(
            "SELECT seq, action, subject_id, detail FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2",
        )
        .bind(last)
        .bind(PAGE)
        .fetch_all(&mut *view)
        .await?;
        let Some(end) = rows.last() else { break };
        last = end.try_get("seq")?;
        for row in &rows {
            let action: String = row.try_get("action")?;
            if !action.starts_with("payment.") && !action.starts_with("refund.") {
                continue;
            }
            let detail: String = row.try_get("detail")?;
            let detail: Value = serde_json::from_str(&detail).unwrap_or_default();
            told.take(&action, row.try_get("subject_id")?, &detail);
        }
    }
    Ok(told)
}

impl Told {
    fn take(&mut self, action: &str, subject: String, detail: &Value) {
        let text = |key: &str| detail[key].as_str().map(str::to_owned);
        let record = text("record");
        if let Some((id, record)) = text("receipt").or(text("refund")).zip(record) {
            self.records.insert(id, record);
        }
        let Some(claim) = text("claim") else { return };
        if action == "payment.receipted" {
            let code = detail.pointer("/document/code").and_then(Value::as_str);
            if let Some((receipt, code)) = text("receipt").zip(code) {
                self.slips.insert((receipt, claim), code.to_owned());
            }
            return;
        }
        let claim = self.claims.entry(claim).or_default();
        match action {
            "payment.claimed" => {
                claim.case = subject;
                claim.fine = detail["fine"].as_i64().unwrap_or_default();
                let asked = ["decision", "decided_on", "reference"];
                claim.opened = asked.map(|key| detail[key].clone()).into_iter().collect();
                claim.term = [Value::Null, detail["due"].clone()];
            }
            "payment.term" => {
                claim.term = ["served_on", "due"].map(|key| detail[key].clone());
            }
            "payment.changed" => claim.fine = detail["fine"][1].as_i64().unwrap_or_default(),
            "payment.cancelled" => (claim.is_cancelled, claim.fine) = (true, 0),
            "payment.paused" => claim.pauses.push(detail["days"].clone()),
            "payment.unpaused" => claim.pauses.retain(|days| days[0] != detail["days"][0]),
            "payment.resumed" => {
                claim.pauses.retain(|days| days[0] != detail["days"][0]);
                claim.pauses.push(detail["days"].clone());
            }
            "payment.divided" => claim.parts = Some(json!([detail["from"], detail["parts"]])),
            _ => {}
        }
    }
}

async fn claim_problems(
    view: &mut AnyConnection,
    law: &LawBook,
    claim: &ClaimRow,
    said: Option<ToldClaim>,
) -> Result<Vec<String>, StoreError> {
    let Some(mut said) = said else { return Ok(vec!["stands in no row of the audit".into()]) };
    let terms = claim.terms(view).await?;
    let (receipts, refunds) = (claim.receipts(view).await?, claim.refunds(view).await?);
    let it = terms.fixed(law, &receipts, &refunds);
    let day = |day| json!(day_text(day));
    let mut pauses: Vec<Value> =
        terms.pauses.iter().map(|(from, to)| json!([day(*from), to.map(day)])).collect();
    let parts = terms.parts.as_ref().map(|(from, parts)| {
        let parts: Vec<_> = parts.iter().map(|(due, amount)| json!([day(*due), amount])).collect();
        json!([day(*from), parts])
    });
    let by_day = |a: &Value, b: &Value| a[0].as_str().cmp(&b[0].as_str());
    pauses.sort_by(by_day);
    said.pauses.sort_by(by_day);
    let decided_on = day(claim.decided_on);
    let opened = json!([claim.decision, decided_on, claim.reference]);
    let term = [claim.served_on, claim.due].map(|it| it.map_or(Value::Null, day));
    let is_settled = claim.state == ClaimState::Settled;
    let entered: i64 = sqlx::query_scalar(
        "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM payment_entries
         WHERE claim_id = $1 AND account = 'debtor'",
    )
    .bind(claim.id.clone())
    .fetch_one(&mut *view)
    .await?;
    let all = [
        (said.opened == opened && said.case == claim.case_id, "what the decision asked for"),
        (said.term == term, "the days of service and of its term"),
        (said.fine == claim.fine, "column fine"),
        (said.is_cancelled == terms.is_cancelled, "column state"),
        (said.pauses == pauses, "the days on which nothing accrues"),
        (said.parts == parts, "the payment by parts"),
        (it.surcharge == claim.surcharge, "column surcharge"),
        (it.paid == claim.paid, "column paid"),
        (it.refunded == claim.refunded, "column refunded"),
        (it.excess == claim.excess, "column excess"),
        (entered == it.open - it.excess, "the sum of its entries"),
        (
            is_settled == (it.open == 0 && !terms.is_cancelled)
                && is_settled == claim.settled_at.is_some(),
            "whether it is settled",
        ),
    ];
    let differs =
        |(_, what): (bool, &str)| format!("{what} differs from what follows from the record");
    Ok(all.into_iter().filter(|(holds, _)| !holds).map(differs).collect())
}

//! Decisions on fines, taken again: who did which step, from the audit; whether law and office bear the
//! amount and the signature, from the law book; whether the row, the document and the claim say the same.

use serde_json::Value as Json;
use sqlx::AnyConnection;
use time::OffsetDateTime;

use super::Report;
use super::cases::{Bench, Entry};
use crate::case::Case;
use crate::law::{LawBook, Provision, VIETNAM};
use crate::proceedings::decision::{self, Action, Decision, Signature, State, Who, counted};
use crate::proceedings::{Actor, Hand, minutes, row};
use crate::store::{StoreError, to_ms};
use crate::web::format;

/// What the audit says of the decision that stands, or stood last.
#[derive(Default)]
struct Told<'a> {
    state: Option<State>,
    proposed: Option<&'a Entry>,
    signed: Option<&'a Entry>,
    issued: Option<&'a Entry>,
    /// That it be annulled.
    asked: Option<&'a Entry>,
    agreed: Option<&'a Entry>,
}

/// Checks the decision of a case by its `steps`: the rows of the audit about decisions and claims.
pub(super) async fn check(
    report: &mut Report,
    view: &mut AnyConnection,
    case: &Case,
    steps: &[Entry],
    bench: &Bench<'_>,
) -> Result<(), StoreError> {
    if steps.is_empty() {
        return Ok(());
    }
    let subject = format!("decision of case {}", case.id);
    let mut wrong = Vec::new();
    let told = walk(steps, bench, &mut wrong);
    // A row that is missing or unreadable is named where its digest is compared.
    if let Ok(Some(row)) = row::read::<Decision>(view, &case.id).await {
        let minutes = row::read::<minutes::Minutes>(view, &case.id).await.ok().flatten();
        let minutes = minutes.filter(|it| it.version == row.content.proposal.minutes);
        said(&told, &row.content, &mut wrong);
        lawful(bench.law, case, &row.content, minutes.map(|it| it.content), &mut wrong);
        powers(bench, case, &row.content, &mut wrong);
        claimed(steps, &row.content, &mut wrong);
    }
    for problem in wrong {
        report.add(&subject, problem);
    }
    Ok(())
}

/// Takes every step again: from the state before, by a hand that may, and by another person where the
/// table of steps asks for one.
fn walk<'a>(steps: &'a [Entry], bench: &Bench<'_>, wrong: &mut Vec<String>) -> Told<'a> {
    let mut told = Told::default();
    for entry in steps {
        let name = entry.action.strip_prefix("decision.").unwrap_or_default();
        let Some(action) = Action::of_audit(name) else { continue };
        let by = text(entry, "by");
        let hands = match action {
            Action::Issue if entry.actor == "system" && by.is_none() => vec![Hand::Central],
            _ => bench.hands(&entry.actor, by),
        };
        let who = Who {
            proposed: told.proposed.and_then(|it| text(it, "by")),
            asked: told.asked.and_then(|it| text(it, "by")),
        };
        match decision::leads(told.state, action, &Actor { user: by, hands: &hands }, who) {
            Ok(to) => told.state = Some(to),
            Err(refusal) => {
                wrong.push(format!("audit row {}, {name}: {refusal}", entry.seq));
                continue;
            }
        }
        match action {
            Action::Propose => {
                told = Told { state: told.state, proposed: Some(entry), ..Told::default() };
            }
            Action::Return => told.signed = None,
            Action::Sign => told.signed = Some(entry),
            Action::Issue => told.issued = Some(entry),
            Action::Annul => told.asked = Some(entry),
            Action::Keep => told.asked = None,
            Action::ConfirmAnnulment => told.agreed = Some(entry),
        }
    }
    told
}

fn text<'a>(entry: &'a Entry, key: &str) -> Option<&'a str> {
    entry.detail.get(key).and_then(Json::as_str)
}

/// The row says what the audit says.
fn said(told: &Told<'_>, row: &Decision, wrong: &mut Vec<String>) {
    let proposal = &row.proposal;
    let same = |entry: Option<&Entry>, by: &str, at: OffsetDateTime| {
        entry.is_some_and(|it| text(it, "by") == Some(by) && to_ms(it.at) == to_ms(at))
    };
    let number = |key: &str| told.proposed.and_then(|it| it.detail[key].as_i64());
    let signature = |entry: Option<&Entry>, is: Option<&Signature>| match is {
        None => entry.is_none(),
        Some(is) => {
            same(entry, &is.by, is.at)
                && entry.and_then(|it| text(it, "title")) == Some(is.title.as_str())
        }
    };
    let undo = row.undo.as_ref();
    let issued = match (&row.issued, told.issued) {
        (None, None) => true,
        (Some(is), Some(entry)) => {
            let said = |key: &str| entry.detail.pointer(&format!("/document/{key}"));
            let number = said("number").and_then(Json::as_i64).unwrap_or_default();
            is.number.starts_with(&format!("{number:06}/"))
                && said("code").and_then(Json::as_str) == Some(&is.code)
                && to_ms(is.at) == to_ms(entry.at)
        }
        _ => false,
    };
    for (holds, what) in [
        (told.state == Some(row.state), "its state"),
        (number("amount") == Some(proposal.amount), "its amount"),
        (number("round") == Some(i64::from(row.round)), "its round"),
        (same(told.proposed, &proposal.by, proposal.at), "who proposed it, or when"),
        (signature(told.signed, row.signature.as_ref()), "who signed it, when or as what"),
        (issued, "its number, code or day"),
        (
            undo.map_or(told.asked.is_none(), |undo| same(told.asked, &undo.by, undo.at)),
            "who asked for its annulment, or when",
        ),
        (
            signature(told.agreed, undo.and_then(|undo| undo.signature.as_ref())),
            "who annulled it, when or as what",
        ),
    ] {
        if !holds {
            wrong.push(format!("{what} differs from what the steps on record give"));
        }
    }
}

/// The law bears the amount, and the days on which it was decided.
fn lawful(
    law: &LawBook,
    case: &Case,
    row: &Decision,
    minutes: Option<minutes::Minutes>,
    wrong: &mut Vec<String>,
) {
    let proposal = &row.proposal;
    let shown = |it: &Provision| {
        let (least, most) = (format::amount(it.fine_min), format::amount(it.fine_max));
        format!("{} {}, {least} to {most} VND", it.decree, it.key())
    };
    let Some(provision) = &case.law else {
        return wrong.push(format!("stands on {}; the law has none", shown(&proposal.provision)));
    };
    let key = |it: &Provision| (it.decree.clone(), it.key(), it.fine_min, it.fine_max);
    if key(provision) != key(&proposal.provision) {
        let (then, now) = (shown(&proposal.provision), shown(provision));
        wrong.push(format!("stands on {then}; the law gives {now}"));
    }
    match counted(law, &proposal.circumstances) {
        None => wrong.push("names a circumstance that the law does not know".into()),
        Some(counts) => {
            let range = law.fine(provision, counts, proposal.payer);
            if !range.holds(proposal.amount) {
                let [amount, least, most] =
                    [proposal.amount, range.least, range.most].map(format::amount);
                wrong.push(format!("asks for {amount} VND; the law gives {least} to {most}"));
            }
        }
    }
    // Of a proposal that was sent back, or that new minutes followed, nothing is left to hold.
    let (Some(minutes), Some(signature)) = (minutes, &row.signature) else { return };
    let points = if minutes.violator.drove { provision.points } else { 0 };
    let mut holds = |holds: bool, what: &str| {
        if !holds {
            wrong.push(what.into());
        }
    };
    holds(proposal.provision.points == points, "takes other points than the law");
    let payer = minutes.violator.payer(case.act_at);
    holds(payer == Some(proposal.payer), "fines another kind of violator than the minutes name");
    let barred = law.limitation(case.act_at);
    holds(barred.is_ok_and(|end| signature.at <= end), "was signed after the limitation");
    let late = minutes.decision_until(law);
    holds(late.is_ok_and(|end| signature.at <= end), "was signed after the term for it");
    let explains = minutes.explains_until(law, provision, case.act_at);
    let heard = minutes.explanation.is_some()
        || explains.is_ok_and(|until| until.is_none_or(|until| signature.at > until));
    holds(heard, "was signed while the violator might still explain");
}

/// Whoever signed held the office then, and it may sign.
fn powers(bench: &Bench<'_>, case: &Case, row: &Decision, wrong: &mut Vec<String>) {
    let undone = row.undo.as_ref().and_then(|undo| undo.signature.as_ref());
    for (signature, what) in [(row.signature.as_ref(), "signature"), (undone, "annulment")] {
        let Some(signature) = signature else { continue };
        let held = bench.office(&signature.by, signature.at);
        if held != Some((signature.title.as_str(), signature.delegation.as_deref())) {
            wrong.push(format!(
                "{what}: whoever signed did not hold the office {}",
                signature.title
            ));
        }
        if !bench.law.may_sign(&signature.title, &row.proposal.provision, case.act_at) {
            wrong.push(format!("{what}: the office {} may not sign it", signature.title));
        }
    }
}

/// The claim asks for what was decided.
fn claimed(steps: &[Entry], row: &Decision, wrong: &mut Vec<String>) {
    let Some(issued) = &row.issued else { return };
    let claim = steps.iter().find(|it| {
        it.action == "payment.claimed" && text(it, "decision") == Some(issued.number.as_str())
    });
    let day = issued.at.to_offset(VIETNAM).date().to_string();
    let same = claim.is_some_and(|it| {
        it.detail["fine"].as_i64() == Some(row.proposal.amount)
            && text(it, "reference") == Some(issued.reference.as_str())
            && text(it, "decided_on") == Some(day.as_str())
    });
    if !same {
        wrong.push("its claim is another than was decided".into());
    }
}

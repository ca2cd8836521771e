//! What happened to a case: its rows of the audit chain, in words.

use serde_json::Value;
use sqlx::Row as _;

use super::session::Officer;
use crate::AppState;
use crate::store::{StoreError, from_ms};
use crate::web::{Words, format};

/// One line of the history.
#[derive(Debug)]
pub(super) struct Event {
    pub time: String,
    pub who: String,
    pub what: String,
    pub detail: String,
}

/// The history of a case, oldest first.
pub(super) async fn of_case(
    state: &AppState,
    officer: &Officer,
    case_id: &str,
) -> Result<Vec<Event>, StoreError> {
    let rows = sqlx::query(
        "SELECT at, actor, action, detail FROM audit
         WHERE subject_kind = 'case' AND subject_id = $1 ORDER BY seq LIMIT 200",
    )
    .bind(case_id.to_owned())
    .fetch_all(state.store.pool())
    .await?;
    let w = officer.lang.words();
    rows.iter()
        .map(|row| {
            let action: String = row.try_get("action")?;
            let actor: String = row.try_get("actor")?;
            let detail: String = row.try_get("detail")?;
            let detail: Value = serde_json::from_str(&detail).unwrap_or_default();
            let name = action.strip_prefix("case.").unwrap_or(&action).replace('.', "_");
            Ok(Event {
                time: format::second(from_ms(row.try_get("at")?)?),
                who: match actor.split_once(':') {
                    Some((_, who)) => who.to_owned(),
                    None => w.t("case.by_system").to_owned(),
                },
                what: w.named("event", &name),
                detail: describe(&detail, officer.sees_owners(), names_people(&action), w),
            })
        })
        .collect()
}

/// Whether what people write of a step may name whom it is about.
fn names_people(action: &str) -> bool {
    ["delivery.", "minutes.", "decision.", "order.", "referral.", "payment.", "refund.", "owner."]
        .iter()
        .any(|room| action.starts_with(room))
}

fn describe(detail: &Value, sees_owners: bool, names_people: bool, w: &Words) -> String {
    let text = |key: &str| detail.get(key).and_then(Value::as_str);
    let mut parts = Vec::new();
    if let (Some(from), Some(to)) = (text("from"), text("to"))
        && from != to
    {
        parts.push(format!("{} → {}", w.named("state", from), w.named("state", to)));
    }
    if let (Some(camera), Some(act)) = (text("camera"), text("act")) {
        parts.push(format!("{} · {camera}", w.named("act", act)));
    }
    if let Some(plate) = detail.get("plate") {
        let side = |key: &str| plate.get(key).and_then(Value::as_str).unwrap_or("–").to_owned();
        parts.push(format!("{} → {}", side("from"), side("to")));
    }
    if let Some(reason) = text("reason") {
        parts.push(w.named("reason", reason));
    }
    if let Some(other) = text("other") {
        parts.push(w.with("case.title", "id", super::case_page::short_id(other)));
    }
    let doubts = detail.get("doubts").filter(|_| sees_owners).and_then(Value::as_array);
    let doubts = doubts.into_iter().flatten();
    parts.extend(doubts.filter_map(Value::as_str).map(|doubt| w.named("doubt", doubt)));
    // What is written of minutes, decisions, deliveries and money may name people.
    if let Some(note) = text("note").filter(|_| sees_owners || !names_people) {
        parts.push(format!("“{note}”"));
    }
    if let Some(letter) = text("letter") {
        parts.push(w.with("post.letter_of", "letter", letter));
    }
    for (key, section) in [
        ("paper", "paper"),
        ("held", "post_held"),
        ("how", "post_how"),
        ("delivery", "delivery_state"),
        ("cause", "warning_cause"),
        ("why", "warning_why"),
    ] {
        parts.extend(text(key).map(|name| w.named(section, name)));
    }
    parts.extend(text("tracking").map(str::to_owned));
    if let Some(number) = detail.pointer("/notice/number").and_then(Value::as_i64) {
        parts.push(w.with("case.notice_number", "number", format!("{number:06}")));
    }
    parts.join(" · ")
}

//! The rows of a recall, made again from the audit: it says which cases were frozen and judged, and by
//! what rule they were moved together. `verify` holds the table against it, row by row.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sqlx::{AnyConnection, Row as _};
use time::OffsetDateTime;

use super::{Fate, note_down};
use crate::store::{StoreError, Tx};

/// Rows that one row of the audit tells of those from before it did.
const PAGE: usize = 1_000;

/// How a case of a recall stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    pub state: String,
    pub judged: Option<String>,
    pub asked_by: Option<String>,
    pub decided_by: Option<String>,
}

/// The rows of one recall by case.
pub type Rows = BTreeMap<String, Row>;

/// Takes the step of one row of the audit; none where it moves other cases, or another number of them,
/// than it says.
pub fn replay(rows: &mut Rows, action: &str, detail: &Value) -> Option<()> {
    let text = |key: &str| detail[key].as_str();
    let owned = |key: &str| text(key).map(str::to_owned);
    let frozen = Fate::Frozen.name();
    match action.strip_prefix("recall.").unwrap_or(action) {
        "frozen" => {
            for case in detail["cases"].as_array()? {
                let row = Row { state: frozen.clone(), judged: owned("judged"), ..Row::default() };
                rows.entry(case.as_str()?.to_owned()).or_insert(row);
            }
        }
        "covered" => {
            for (case, row) in detail["recalled"].as_object()? {
                let at = |n: usize| row[n].as_str().map(str::to_owned);
                let row = Row { state: at(0)?, judged: at(1), asked_by: at(2), decided_by: at(3) };
                rows.entry(case.clone()).or_insert(row);
            }
        }
        "judged" => {
            for (case, verdict) in detail["verdicts"].as_object()? {
                rows.get_mut(case)?.judged = Some(verdict.as_str()?.to_owned());
            }
        }
        "asked" => {
            let (to, by, which) = (text("to")?, owned("by"), text("which")?);
            let is_meant = |case: &str, row: &Row| match which {
                "" => row.judged.is_some(),
                "same" | "differs" | "unknown" => row.judged.as_deref() == Some(which),
                one => case == one,
            };
            moved(rows, detail, |case, row| {
                let meant = row.state == frozen && is_meant(case, row);
                if meant {
                    (row.state, row.asked_by) = (to.to_owned(), by.clone());
                }
                meant
            })?;
        }
        "agreed" => {
            let (to, by, from) = (text("to")?, owned("by"), text("which")?);
            moved(rows, detail, |_, row| {
                let meant = row.state == from && row.asked_by != by;
                if meant {
                    (row.state, row.decided_by) = (to.to_owned(), by.clone());
                }
                meant
            })?;
        }
        "declined" => {
            let from = text("which")?;
            moved(rows, detail, |_, row| {
                let meant = row.state == from;
                if meant {
                    (row.state, row.asked_by) = (frozen.clone(), None);
                }
                meant
            })?;
        }
        "stood_in" => {
            let (by, gone, part) = (owned("by"), owned("for"), text("part")?);
            moved(rows, detail, |_, row| {
                let (mine, other) = match part {
                    "asked_by" => (&mut row.asked_by, &row.decided_by),
                    _ => (&mut row.decided_by, &row.asked_by),
                };
                let annulling = row.state == Fate::Annulling.name();
                let meant = annulling && *mine == gone && *other != by;
                if meant {
                    mine.clone_from(&by);
                }
                meant
            })?;
        }
        "annulled" => {
            let row = rows.get_mut(text("case")?)?;
            if row.state != Fate::Annulling.name() {
                return None;
            }
            row.state = Fate::Annulled.name();
        }
        _ => {}
    }
    Some(())
}

/// Moves every row that `step` means, if they are as many as `detail` says.
fn moved(
    rows: &mut Rows,
    detail: &Value,
    mut step: impl FnMut(&str, &mut Row) -> bool,
) -> Option<()> {
    let moved = rows.iter_mut().filter_map(|(case, row)| step(case, row).then_some(())).count();
    (detail["cases"].as_u64() == u64::try_from(moved).ok()).then_some(())
}

/// Reads the rows of a recall, from one case to the next.
pub async fn page(
    view: &mut AnyConnection,
    recall: &str,
    after: &str,
) -> Result<Vec<(String, Row)>, StoreError> {
    let rows = sqlx::query(
        "SELECT case_id, state, judged, asked_by, decided_by FROM recalled
         WHERE recall_id = $1 AND case_id > $2 ORDER BY case_id LIMIT $3",
    )
    .bind(recall.to_owned())
    .bind(after.to_owned())
    .bind(PAGE as i64)
    .fetch_all(view)
    .await?;
    rows.iter()
        .map(|row| {
            let kept = Row {
                state: row.try_get("state")?,
                judged: row.try_get("judged")?,
                asked_by: row.try_get("asked_by")?,
                decided_by: row.try_get("decided_by")?,
            };
            Ok((row.try_get("case_id")?, kept))
        })
        .collect()
}

/// Puts the rows of a recall of before into the audit.
pub async fn cover(tx: &mut Tx<'_>, recall: &str, now: OffsetDateTime) -> Result<(), StoreError> {
    let mut after = String::new();
    loop {
        let rows = page(tx, recall, &after).await?;
        let Some((last, _)) = rows.last() else { return Ok(()) };
        after.clone_from(last);
        let told: BTreeMap<_, _> = rows
            .iter()
            .map(|(case, row)| (case, json!([row.state, row.judged, row.asked_by, row.decided_by])))
            .collect();
        let said = json!({ "recalled": told });
        note_down(tx, recall, ("system", "covered"), now, said).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(steps: &[(&str, Value)]) -> Option<Rows> {
        let mut rows = Rows::new();
        for (action, detail) in steps {
            replay(&mut rows, &format!("recall.{action}"), detail)?;
        }
        Some(rows)
    }

    /// Two people, one of whom goes, and a third.
    #[test]
    fn what_the_audit_says_gives_every_row() {
        let steps = [
            ("opened", json!({})),
            ("frozen", json!({ "cases": ["a", "b", "c"], "judged": null })),
            ("judged", json!({ "verdicts": { "a": "same", "b": "differs" } })),
            ("frozen", json!({ "cases": ["d"], "judged": "unknown" })),
            ("asked", json!({ "to": "release_asked", "which": "same", "by": "an", "cases": 1 })),
            (
                "agreed",
                json!({ "to": "released", "which": "release_asked", "by": "binh", "cases": 1 }),
            ),
            ("asked", json!({ "to": "annul_asked", "which": "", "by": "an", "cases": 2 })),
            ("declined", json!({ "to": "frozen", "which": "annul_asked", "by": "an", "cases": 2 })),
            ("asked", json!({ "to": "annul_asked", "which": "b", "by": "an", "cases": 1 })),
            (
                "agreed",
                json!({ "to": "annulling", "which": "annul_asked", "by": "binh", "cases": 1 }),
            ),
            ("stood_in", json!({ "by": "chi", "for": "an", "part": "asked_by", "cases": 1 })),
            ("annulled", json!({ "case": "b" })),
        ];
        let rows = told(&steps).unwrap();
        let row = |case: &str| {
            let row = &rows[case];
            let text = |it: &Option<String>| it.clone().unwrap_or_default();
            [row.state.clone(), text(&row.judged), text(&row.asked_by), text(&row.decided_by)]
        };
        assert_eq!(row("a"), ["released", "same", "an", "binh"]);
        assert_eq!(row("b"), ["annulled", "differs", "chi", "binh"]);
        assert_eq!(row("c"), ["frozen", "", "", ""]);
        assert_eq!(row("d"), ["frozen", "unknown", "", ""]);
    }

    #[test]
    fn a_step_that_moves_others_than_it_says_is_none() {
        let frozen = ("frozen", json!({ "cases": ["a"], "judged": "same" }));
        let asked = |cases: u64| {
            ("asked", json!({ "to": "annul_asked", "which": "", "by": "an", "cases": cases }))
        };
        assert!(told(&[frozen.clone(), asked(1)]).is_some());
        assert!(told(&[frozen.clone(), asked(2)]).is_none());
        let own = json!({ "to": "annulling", "which": "annul_asked", "by": "an", "cases": 1 });
        assert!(told(&[frozen.clone(), asked(1), ("agreed", own)]).is_none(), "one person");
        assert!(told(&[frozen, ("annulled", json!({ "case": "a" }))]).is_none());
    }
}

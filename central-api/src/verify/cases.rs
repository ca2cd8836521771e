//! No row is believed alone: every case is made again from its sealed packages and the decisions in
//! the audit, and compared with its row, its documents and the names of those who decided (`papers` has the
//! documents). A value that a hand in the database put there is named by its column.

use std::collections::BTreeMap;

use contract::Manifest;
use serde_json::Value as Json;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};
use time::OffsetDateTime;

use super::covered;
use super::papers::{self, Readers};
use super::people::{self, People};
use super::{Report, decisions};
use crate::audit::{self, Digests};
use crate::case::acts::{self, Tie};
use crate::case::{self, Action, Actor, Case, Reason, Step, Value, passage};
use crate::law::LawBook;
use crate::store::{StoreError, from_ms, to_ms};

const PAGE: i64 = 200;
pub(super) const CHANGED: &str = "differs from what the evidence and the decisions on record give";

/// A row of the audit about one subject.
#[derive(Clone)]
pub(super) struct Entry {
    pub seq: i64,
    pub at: OffsetDateTime,
    pub actor: String,
    pub action: String,
    pub detail: Json,
}

/// Columns as they must be, by name.
pub(super) type Columns = Vec<(&'static str, Value)>;

/// Findings of two acts by pair, each with the row of the audit that holds it.
type Pairs = BTreeMap<(String, String), (i64, Columns)>;

/// The manifests of the packages that name one case, by their ids.
type Packages = BTreeMap<String, Option<Manifest>>;

/// What every case is made again with.
pub(super) struct Bench<'a> {
    pub law: &'a LawBook,
    pub people: People,
}

/// What the audit says of one case.
#[derive(Default)]
struct Story {
    case: Option<Case>,
    /// Packages in the order in which they came to it.
    packages: Vec<String>,
    /// The law's words as they were kept when the case was opened.
    law: Option<String>,
    /// Every document that was issued about it.
    papers: Vec<Columns>,
    /// Digest of what was last put on record in each proceeding, by its name.
    proceedings: BTreeMap<String, String>,
    /// What was decided about a fine, and claimed.
    steps: Vec<Entry>,
    /// The rows beside it that the audit last told.
    rows: Option<Digests>,
}

/// Checks users, cases, findings of two acts, notices and their files, and what follows from cases.
pub(super) async fn check(
    report: &mut Report,
    view: &mut AnyConnection,
    readers: Readers<'_>,
    law: &LawBook,
) -> Result<(), StoreError> {
    let bench = Bench { law, people: people::check(report, view).await? };
    let mut pairs = Pairs::new();
    let mut last = String::new();
    loop {
        let ids: Vec<String> =
            sqlx::query_scalar("SELECT id FROM cases WHERE id > $1 ORDER BY id LIMIT $2")
                .bind(last.clone())
                .bind(PAGE)
                .fetch_all(&mut *view)
                .await?;
        // Also of cases that are none: a row may name whatever a hand wrote.
        let end = ids.last();
        let mut beside = covered::of_cases(view, &last, end.map(String::as_str)).await?;
        for id in &ids {
            // Those that name this case, not those which the case names.
            let packages = packages(view, id).await?;
            let told = story(report, view, id, &packages, &bench, &mut pairs).await?;
            rows_of(report, view, id, &told).await?;
            if let Some(case) = &told.case {
                papers::check(report, view, readers, case, &told.papers).await?;
                decisions::check(report, view, case, &told.steps, &bench).await?;
            }
            papers::proceedings(report, view, id, &told.proceedings).await?;
            let rows = beside.remove(id);
            covered::compare(report, "case", id, told.rows.as_ref(), rows.as_ref());
        }
        for (id, rows) in &beside {
            covered::compare(report, "case", id, None, Some(rows));
        }
        let Some(end) = end else { break };
        last.clone_from(end);
    }
    papers::unknown(report, view).await?;
    apart(report, view, &pairs).await
}

async fn packages(view: &mut AnyConnection, id: &str) -> Result<Packages, StoreError> {
    let rows = sqlx::query("SELECT id, manifest FROM evidence WHERE case_id = $1")
        .bind(id.to_owned())
        .fetch_all(&mut *view)
        .await?;
    rows.iter()
        .map(|row| {
            let text: String = row.try_get("manifest")?;
            Ok((row.try_get("id")?, Manifest::parse(text.as_bytes()).ok()))
        })
        .collect()
}

/// Replays the audit of one case.
async fn story(
    report: &mut Report,
    view: &mut AnyConnection,
    id: &str,
    packages: &Packages,
    bench: &Bench<'_>,
    pairs: &mut Pairs,
) -> Result<Story, StoreError> {
    let mut told = Story::default();
    let subject = format!("case {id}");
    for entry in entries(view, "case", id).await? {
        let text = |key: &str| entry.detail.get(key).and_then(Json::as_str);
        if let (Some((proceeding, _)), Some(digest)) =
            (entry.action.split_once('.'), text("record"))
        {
            told.proceedings.insert(proceeding.into(), digest.into());
        }
        told.papers.extend(papers::issued(id, &entry));
        if let Some(rows) = audit::told(&entry.detail) {
            told.rows = Some(rows);
        }
        if entry.action.starts_with("decision.") || entry.action == "payment.claimed" {
            told.steps.push(entry.clone());
        }
        let Some(name) = entry.action.strip_prefix("case.") else { continue };
        let wrong = |what: &str| format!("audit row {}, {name}: {what}", entry.seq);
        let Some(before) = told.case.take() else {
            match (name, told.came(&entry, packages)) {
                ("opened", Some(manifest)) => told.open(id, manifest, &entry, bench.law),
                ("opened", None) => report.add(&subject, wrong("its manifest is missing")),
                _ => report.add(&subject, wrong("comes before the case was opened")),
            }
            continue;
        };
        if name == "joined" {
            let Some(manifest) = told.came(&entry, packages) else {
                report.add(&subject, wrong("its manifest is missing"));
                told.case = Some(before);
                continue;
            };
            if !told.is_joined_rightly(&before, manifest, &entry, packages) {
                report.add(&subject, wrong("is not the passage that the case is about"));
            }
            told.join(before, manifest, &entry, bench.law);
            continue;
        }
        let login = entry.actor.strip_prefix("user:").unwrap_or_default();
        let by = text("by").or(bench.people.id(login));
        // What the central does by itself may follow from nobody's decision.
        let by = by.or(Action::parse(name).filter(|it| it.is_central()).map(|_| ""));
        let (Some(action), Some(by)) = (Action::parse(name), by) else {
            report.add(&subject, wrong("is no decision of a known user"));
            told.case = Some(before);
            continue;
        };
        // Who had which duty then is what the decision checked; the rest is checked here again. A
        // notice follows from the approval, whoever wrote it out.
        let told_by_system = entry.actor == "system";
        let rightly = match action {
            Action::Expire => {
                told_by_system
                    && bench.law.limitation(before.act_at).is_ok_and(|end| entry.at > end)
            }
            // Before there were jobs, the officer who approved wrote the notice out.
            Action::Notify if told_by_system => before.approver.as_deref() == Some(by),
            Action::Notify => bench.people.id(login) == Some(by),
            _ => true,
        };
        if !rightly {
            report.add(&subject, wrong("does not follow from what was decided"));
        }
        let actor = match action.is_central() {
            true => Actor::Job,
            false => Actor::Officer {
                user_id: by.into(),
                login: login.into(),
                reviews: true,
                approves: true,
            },
        };
        let step = Step {
            action,
            reason: text("reason").and_then(Reason::parse),
            note: text("note"),
            plate: entry.detail.pointer("/plate/to").and_then(Json::as_str),
            recheck: entry.detail.get("recheck").and_then(Json::as_bool) == Some(true),
            at: entry.at,
        };
        match case::step(&before, step, &actor, true) {
            Ok(after) => told.case = Some(after),
            Err(refusal) => {
                report.add(&subject, wrong(&refusal.to_string()));
                told.case = Some(before);
                continue;
            }
        }
        if action == Action::Notify {
            told.papers.push(papers::notice(id, by, &entry));
        }
        if let Some(other) = text("other").filter(|_| action == Action::Distinguish) {
            let (first, second) = case::in_order(id, other);
            let columns = vec![
                ("decided_by", Value::Text(Some(by.into()))),
                ("decided_at", Value::Integer(Some(to_ms(entry.at)))),
                ("note", Value::Text(text("note").map(str::to_owned))),
            ];
            // The later finding about a pair is the one kept.
            let kept = pairs.entry((first, second)).or_insert((entry.seq, Vec::new()));
            if kept.0 <= entry.seq {
                *kept = (entry.seq, columns);
            }
        }
    }
    if told.case.is_none() {
        report.add(&subject, "no row of the audit says that it was opened");
    }
    for stranger in packages.keys().filter(|id| !told.packages.contains(id)) {
        report.add(&subject, format!("evidence {stranger} names it, but never came to it"));
    }
    Ok(told)
}

impl Story {
    /// The manifest of the package that came to the case with `entry`.
    fn came<'a>(&mut self, entry: &Entry, packages: &'a Packages) -> Option<&'a Manifest> {
        let id = entry.detail.get("evidence").and_then(Json::as_str)?;
        let manifest = packages.get(id)?.as_ref()?;
        self.packages.push(id.to_owned());
        Some(manifest)
    }

    fn open(&mut self, id: &str, manifest: &Manifest, entry: &Entry, law: &LawBook) {
        self.case = Some(self.opening(id, manifest, entry, law));
    }

    /// The case that a package opens, under the law's words of that day.
    fn opening(&mut self, id: &str, manifest: &Manifest, entry: &Entry, law: &LawBook) -> Case {
        let mut case = case::opening(id.into(), manifest, entry.at, law);
        // Rows of before these were kept: the law as it stands now.
        if let Some(due) = entry.detail.get("notice_due") {
            case.notice_due = due.as_i64().and_then(|due| from_ms(due).ok());
        }
        self.law = entry.detail.get("law").and_then(Json::as_str).map(str::to_owned);
        if entry.detail.get("law").is_some_and(Json::is_null) {
            case.law = None;
        }
        case
    }

    fn join(&mut self, before: Case, manifest: &Manifest, entry: &Entry, law: &LawBook) {
        let leads = entry.detail.get("leads").and_then(Json::as_bool) == Some(true);
        self.case = Some(match leads {
            true => case::led_by(&before, self.opening(&before.id, manifest, entry, law)),
            false => before,
        });
    }

    /// Whether a package that was joined shows the passage of those before it, by the limits of
    /// that day, and its act is the case's, or one includes the other.
    fn is_joined_rightly(
        &self,
        case: &Case,
        manifest: &Manifest,
        entry: &Entry,
        packages: &Packages,
    ) -> bool {
        let limits = entry.detail.get("limits").cloned().unwrap_or_default();
        let Ok(limits) = serde_json::from_value(limits) else { return false };
        let earlier = self.packages.iter().filter(|id| **id != manifest.evidence_id.to_string());
        let earlier: Vec<_> = earlier.filter_map(|id| packages.get(id)?.as_ref()).collect();
        let tie = acts::tie(&manifest.violation.act, &case.act);
        let leads = entry.detail.get("leads").and_then(Json::as_bool) == Some(true);
        let fits = match leads {
            true => matches!(tie, Tie::Same | Tie::Includes),
            false => matches!(tie, Tie::Same | Tie::Included),
        };
        fits && passage::is_of_case(manifest, case.plate.as_deref(), &earlier, &limits)
    }
}

/// The case's row against its story.
async fn rows_of(
    report: &mut Report,
    view: &mut AnyConnection,
    id: &str,
    told: &Story,
) -> Result<(), StoreError> {
    let Some(case) = &told.case else { return Ok(()) };
    let mut columns = case.columns();
    for (name, value) in &mut columns {
        if let ("law", Some(law)) = (*name, &told.law) {
            *value = Value::Text(Some(law.clone()));
        }
    }
    let names = columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let text = format!("SELECT {names} FROM cases WHERE id = $1");
    let row = sqlx::query(AssertSqlSafe(text)).bind(id.to_owned());
    compare(report, &format!("case {id}"), &row.fetch_one(&mut *view).await?, &columns);
    Ok(())
}

/// The findings of two acts against those in the audit.
async fn apart(
    report: &mut Report,
    view: &mut AnyConnection,
    pairs: &Pairs,
) -> Result<(), StoreError> {
    let rows = sqlx::query(
        "SELECT case_id, other_id, decided_by, decided_at, note FROM distinct_acts
         ORDER BY case_id, other_id",
    )
    .fetch_all(&mut *view)
    .await?;
    let subject = |one: &str, other: &str| format!("cases {one} and {other}, two acts");
    let mut seen = 0;
    for row in &rows {
        let pair: (String, String) = (row.try_get("case_id")?, row.try_get("other_id")?);
        match pairs.get(&pair) {
            Some((_, columns)) => {
                seen += 1;
                compare(report, &subject(&pair.0, &pair.1), row, columns);
            }
            None => report.add(subject(&pair.0, &pair.1), "is on record, but nobody found it"),
        }
    }
    if seen < pairs.len() {
        report.add("two acts", format!("{} findings are not on record", pairs.len() - seen));
    }
    Ok(())
}

/// Names every column of `row` that is not what it must be.
pub(super) fn compare(report: &mut Report, subject: &str, row: &AnyRow, columns: &Columns) {
    for (name, expected) in columns {
        let found = match expected {
            Value::Text(_) => row.try_get(*name).map(Value::Text),
            Value::Integer(_) => row.try_get(*name).map(Value::Integer),
            Value::Real(_) => row.try_get(*name).map(Value::Real),
        };
        // A value of another type than the column's is as wrong as another value.
        if found.as_ref().ok() != Some(expected) {
            report.add(subject, format!("column {name} {CHANGED}"));
        }
    }
}

pub(super) async fn entries(
    view: &mut AnyConnection,
    kind: &str,
    id: &str,
) -> Result<Vec<Entry>, StoreError> {
    let rows = sqlx::query(
        "SELECT seq, at, actor, action, detail FROM audit
         WHERE subject_kind = $1 AND subject_id = $2 ORDER BY seq",
    )
    .bind(kind.to_owned())
    .bind(id.to_owned())
    .fetch_all(&mut *view)
    .await?;
    rows.iter()
        .map(|row| {
            let detail: String = row.try_get("detail")?;
            Ok(Entry {
                seq: row.try_get("seq")?,
                at: from_ms(row.try_get("at")?)?,
                actor: row.try_get("actor")?,
                action: row.try_get("action")?,
                // A row that is no JSON fails the chain's check.
                detail: serde_json::from_str(&detail).unwrap_or_default(),
            })
        })
        .collect()
}

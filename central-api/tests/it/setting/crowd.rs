//! Many cases at once: copies of one that is there, by the database itself.

use std::fmt::Write as _;

use central_api::store::Store;
use sqlx::AssertSqlSafe;

/// Adds `count` copies of `case` with evidence and notice. `columns` are expressions over `i`, which
/// counts from 1, for what differs between them besides ids: `("act_at", "act_at + i")`.
pub async fn copies(store: &Store, case: &str, count: u32, columns: &[(&str, &str)]) {
    let numbers = format!(
        "WITH RECURSIVE numbers (i) AS
         (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < {count})"
    );
    let evidence = [
        ("id", "'copy-' || i"),
        ("device_id", "device_id"),
        ("sequence", "1000 + i"),
        ("manifest", "manifest"),
        ("manifest_digest", "manifest_digest"),
        ("seal", "seal"),
        ("key_id", "key_id"),
        ("captured_at", "captured_at"),
        ("announced_at", "announced_at"),
        ("received_at", "received_at"),
        ("case_id", "'copy-' || i"),
    ];
    let of_evidence =
        format!("evidence WHERE id = (SELECT evidence_id FROM cases WHERE id = '{case}')");
    insert(store, &numbers, "evidence", &evidence, &of_evidence).await;
    let mut cases: Vec<(&str, &str)> = COLUMNS.split(", ").map(|name| (name, name)).collect();
    for (name, value) in [("id", "'copy-' || i"), ("evidence_id", "'copy-' || i")]
        .into_iter()
        .chain(columns.iter().copied())
    {
        cases.iter_mut().find(|(column, _)| *column == name).unwrap().1 = value;
    }
    insert(store, &numbers, "cases", &cases, &format!("cases WHERE id = '{case}'")).await;
    let documents = [
        ("kind", "kind"),
        ("case_id", "'copy-' || i"),
        ("code", "'CODE-' || i"),
        ("year", "year"),
        ("number", "1000 + i"),
        ("sha256", "sha256"),
        ("issued_at", "issued_at"),
        ("issued_by", "issued_by"),
    ];
    let of_notice = format!("documents WHERE case_id = '{case}'");
    insert(store, &numbers, "documents", &documents, &of_notice).await;
}

const COLUMNS: &str = "id, evidence_id, device_id, camera_id, place, act, vehicle, vehicle_type, \
     act_at, received_at, notice_due, plate_read, plate, plate_colour, confidence, plate_by, law, \
     state, version, reviewer, reviewed_at, approver, approved_at, reason, note";

async fn insert(store: &Store, numbers: &str, table: &str, columns: &[(&str, &str)], source: &str) {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let values: Vec<&str> = columns.iter().map(|(_, value)| *value).collect();
    let mut text = String::new();
    write!(text, "INSERT INTO {table} ({}) {numbers} ", names.join(", ")).unwrap();
    // The source's columns are read before `i` is joined: both databases take this for one row.
    let (from, condition) = source.split_once(" WHERE ").unwrap();
    write!(text, "SELECT {} FROM {from}, numbers WHERE {condition}", values.join(", ")).unwrap();
    sqlx::query(AssertSqlSafe(text)).execute(store.pool()).await.unwrap();
}

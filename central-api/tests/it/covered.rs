//! Rows beside the cases that carry law: what is sent, told and signed by, and what recalls touched. Each
//! row that a hand changes, takes away or adds is named with its table, its id and its case, on both
//! databases; the columns come from the schema, so that a new one cannot escape.

use central_api::admin::users;
use central_api::recall::{self, Cause, Choice, Which};
use central_api::store::Dialect;
use central_api::work;
use sqlx::{AssertSqlSafe, Row as _};
use time::Duration;
use time::macros::datetime;

use crate::delivery::{each, notified, posted, printed, told};
use crate::sanctions::{CHIEF, office};
use crate::setting::Setting;
use crate::tampering::{columns, force, lift_constraints, verify};

/// A table, what tells its rows apart, and columns that must differ too in a row that is added.
const TABLES: [(&str, &str, &[&str]); 10] = [
    ("dispatches", "code", &[]),
    ("deliveries", "id", &["tracking"]),
    ("warnings", "case_id", &["cause"]),
    ("warning_messages", "seq", &[]),
    ("case_hands", "user_id", &[]),
    ("post_batches", "id", &["number"]),
    ("offices", "user_id", &[]),
    ("recalls", "id", &[]),
    ("recalled", "case_id", &[]),
    ("warning_exports", "number", &[]),
];

/// Two cases that were sent: one letter came back, one arrived and was warned of; then a camera turned
/// out wrong, and one of them went on while the other was undone.
async fn story(setting: &Setting) -> Vec<String> {
    office(setting, "binh", CHIEF).await;
    let cases = notified(setting, 2).await;
    work::begin(&setting.state).await.unwrap();
    let batch = printed(setting).await;
    posted(setting, &batch).await;
    setting.clock.advance(Duration::days(1));
    let lines = ["1-0001;RB1VN;Chuyển hoàn;22/11/2026", "1-0002;RB2VN;Phát thành công;22/11/2026"];
    told(setting, &lines.map(str::to_owned)).await;
    for more in [Duration::days(21), Duration::minutes(10)] {
        setting.clock.advance(more);
        work::work_off(&setting.state).await.unwrap();
    }
    let state = &setting.state;
    let people = users::list(&state.store).await.unwrap();
    let id = |login: &str| people.iter().find(|user| user.login == login).unwrap().id.clone();
    let (binh, bao) = (id("binh"), id("bao"));
    let (binh, bao) = ((binh.as_str(), "binh"), (bao.as_str(), "bao"));
    let period = (datetime!(2026-11-21 00:00 +7), datetime!(2026-11-22 00:00 +7));
    let why = "đèn bị lắp sai pha từ sáng 21/11";
    let opened = recall::open(state, binh, (Cause::Camera, "cam-01"), period, why).await.unwrap();
    work::work_off(state).await.unwrap();
    for (case, choice) in cases.iter().zip([Choice::Release, Choice::Annul]) {
        let one = Which::One(case.clone());
        recall::ask(state, &opened.id, binh, choice, one).await.unwrap();
        recall::confirm(state, &opened.id, bao, choice, 1).await.unwrap();
        work::work_off(state).await.unwrap();
    }
    cases
}

async fn run(setting: &Setting, sql: String) {
    force(setting, sql).await;
}

/// Findings as they are printed.
async fn findings(setting: &Setting) -> String {
    let found = verify(setting).await.findings;
    found.iter().map(|it| format!("{}: {}\n", it.subject, it.problem)).collect()
}

#[tokio::test]
async fn every_row_that_a_hand_changes_takes_or_adds_is_named() {
    for setting in each().await {
        let cases = story(&setting).await;
        assert_eq!(findings(&setting).await, "", "nothing was touched");
        lift_constraints(&setting).await;
        for (table, key, more) in TABLES {
            let columns = columns(&setting, table).await;
            assert!(columns.len() >= 3, "{table}: {columns:?}");
            let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
            let list = names.join(", ");
            let is_text = |name: &str| columns.iter().any(|it| it.0 == name && it.1 == "text");
            // The last row: of deliveries one that has most columns.
            let text = format!("SELECT CAST(MAX({key}) AS TEXT) AS id FROM {table}");
            let row = sqlx::query(AssertSqlSafe(text)).fetch_one(setting.state.store.pool()).await;
            let id: Option<String> = row.unwrap().get("id");
            let id = id.unwrap_or_else(|| panic!("{table} is empty"));
            let at = format!("CAST({key} AS TEXT) = '{id}'");
            run(&setting, format!("CREATE TABLE kept AS SELECT * FROM {table} WHERE {at}")).await;
            let back = async || {
                run(&setting, format!("DELETE FROM {table} WHERE {at}")).await;
                run(&setting, format!("INSERT INTO {table} ({list}) SELECT {list} FROM kept"))
                    .await;
            };
            for (column, kind) in &columns {
                let other = match kind.as_str() {
                    "text" => format!("COALESCE({column}, '') || 'z'"),
                    _ => format!("COALESCE({column}, 0) + 100"),
                };
                run(&setting, format!("UPDATE {table} SET {column} = {other} WHERE {at}")).await;
                let told = findings(&setting).await;
                // Which file a message went out with is told of the file.
                let by = match (table, column.as_str()) {
                    ("warning_messages", "export") => "warning_exports ",
                    _ => table,
                };
                assert!(told.contains(by), "{table}.{column} of {id}: {told}");
                if column == key {
                    let z = format!("{key} = '{id}z'");
                    let moved = format!("CAST({key} AS TEXT) = CAST({id} + 100 AS TEXT)");
                    let gone = if is_text(key) { z } else { moved };
                    run(&setting, format!("DELETE FROM {table} WHERE {gone}")).await;
                } else if by == table {
                    assert!(told.contains(&id), "{table}.{column} of {id}: {told}");
                }
                back().await;
            }
            run(&setting, format!("DELETE FROM {table} WHERE {at}")).await;
            let told = findings(&setting).await;
            assert!(told.contains(table) && told.contains(&id), "{table} {id} is gone: {told}");
            assert!(told.contains("was put on record, and is not there"), "{table}: {told}");
            if names.contains(&"case_id") {
                assert!(cases.iter().any(|case| told.contains(case)), "{table}: {told}");
            }
            back().await;
            let added = |name: &&str| match (*name == key || more.contains(name), is_text(name)) {
                (false, _) => (*name).to_owned(),
                (true, true) => format!("COALESCE({name}, '') || 'y'"),
                (true, false) => format!("{name} + 1000"),
            };
            let values: Vec<String> = names.iter().map(added).collect();
            let values = values.join(", ");
            run(&setting, format!("INSERT INTO {table} ({list}) SELECT {values} FROM kept")).await;
            let told = findings(&setting).await;
            assert!(told.contains(table), "{table}: {told}");
            assert!(told.contains("is on record, but nobody put it there"), "{table}: {told}");
            let strange = match is_text(key) {
                true => format!("{key} = '{id}y'"),
                false => format!("{key} = CAST('{id}' AS BIGINT) + 1000"),
            };
            run(&setting, format!("DELETE FROM {table} WHERE {strange}")).await;
            run(&setting, "DROP TABLE kept".into()).await;
            assert_eq!(findings(&setting).await, "", "{table} was put back");
        }
        let strange = format!(
            "INSERT INTO proceedings (name, case_id, state, content, changed_at, salt, version)
             VALUES ('appeal', '{}', 'open', '{{}}', 0, '', 1)",
            cases[0]
        );
        run(&setting, strange).await;
        let told = findings(&setting).await;
        assert!(told.contains(&format!("appeal of case {}", cases[0])), "{told}");
    }
}

/// As on the first start of this version over the rows of one before: the audit told nothing of them.
#[tokio::test]
async fn rows_of_before_are_put_into_the_audit_once() {
    let setting = each().await.remove(0);
    assert_eq!(setting.state.store.dialect(), Dialect::Sqlite);
    story(&setting).await;
    // A batch that the audit never told anything about, and an office of somebody of whom it told none.
    for strange in [
        "INSERT INTO post_batches (id, number, state, made_at, made_by, letters)
         SELECT 'before', 99, 'empty', 0, id, 0 FROM users WHERE login = 'chi'",
        "INSERT INTO offices (user_id, title, since)
         SELECT id, 'Trưởng trạm', 0 FROM users WHERE login = 'cuc'",
    ] {
        run(&setting, strange.into()).await;
    }
    let told = findings(&setting).await;
    assert_eq!(told.matches("nobody put it there").count(), 2, "{told}");
    let ask = "INSERT INTO jobs (id, key, task, asked_at, due_at)
         VALUES ('c', 'cover_records', '{\"job\":\"cover_records\",\"table\":0,\"after\":\"\"}', 0, 0)";
    run(&setting, ask.into()).await;
    work::work_off(&setting.state).await.unwrap();
    let told = findings(&setting).await;
    assert!(told.starts_with("offices ") && told.lines().count() == 1, "{told}");
    let covered: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM audit WHERE action = 'records.covered'")
            .fetch_one(setting.state.store.pool())
            .await
            .unwrap();
    assert_eq!(covered, 1, "what the audit tells of already is not covered anew");
}

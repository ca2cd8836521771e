//! A hand in the database: every column of cases, notices, findings and users, changed alone, is
//! named by the verification of the store. The columns come from the database's own schema, so
//! that a new one cannot escape.

use central_api::admin::users::Role;
use central_api::store::Dialect;
use central_api::verify::{Depth, Report, verify_store};
use sqlx::{AssertSqlSafe, Row as _};
use time::Duration;

use crate::setting::Setting;
use crate::setting::browserless::Visitor;

/// Whose a file's row is, which its name tells with it, and when the file came, before its package
/// was whole: nothing stands on that.
const LEFT: [(&str, &str); 2] =
    [("evidence_files", "evidence_id"), ("evidence_files", "stored_at")];

pub async fn verify(setting: &Setting) -> Report {
    let state = &setting.state;
    verify_store(&state.store, &state.evidence, &state.law, Depth::Seals).await.unwrap()
}

async fn run(setting: &Setting, sql: String) {
    sqlx::query(AssertSqlSafe(sql.clone()))
        .execute(setting.state.store.pool())
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// Names and types of a table's columns.
pub async fn columns(setting: &Setting, table: &str) -> Vec<(String, String)> {
    let sql = match setting.state.store.dialect() {
        Dialect::Sqlite => format!("SELECT name, type FROM pragma_table_info('{table}')"),
        Dialect::Postgres => format!(
            "SELECT column_name::text, data_type::text FROM information_schema.columns
             WHERE table_name = '{table}'"
        ),
    };
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(setting.state.store.pool()).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get::<String, _>(1).to_lowercase())).collect()
}

/// Whoever may UPDATE may also lift what stands in the way.
pub async fn lift_constraints(setting: &Setting) {
    if setting.state.store.dialect() == Dialect::Postgres {
        let lift = "DO $$ DECLARE it record; BEGIN
            FOR it IN SELECT conrelid::regclass AS rel, conname FROM pg_constraint
                WHERE contype IN ('c', 'f') AND connamespace = 'public'::regnamespace LOOP
                EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', it.rel, it.conname);
            END LOOP; END $$";
        run(setting, lift.into()).await;
    }
}

/// Runs `sql` with every constraint lifted.
pub async fn force(setting: &Setting, sql: String) {
    if setting.state.store.dialect() == Dialect::Postgres {
        return run(setting, sql).await;
    }
    let mut hand = setting.state.store.pool().acquire().await.unwrap();
    for statement in [
        "PRAGMA foreign_keys = OFF".into(),
        "PRAGMA ignore_check_constraints = ON".into(),
        sql,
        "PRAGMA ignore_check_constraints = OFF".into(),
        "PRAGMA foreign_keys = ON".into(),
    ] {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut *hand).await.unwrap();
    }
}

/// One notified case whose plate was corrected, one of the same number found to be another act,
/// one rejected, one nobody has looked at; and two packages that joined cases, one of which carries
/// its case now.
async fn story(setting: &Setting) -> [String; 4] {
    setting.user("an", &[Role::Reviewer]).await;
    setting.user("binh", &[Role::Approver]).await;
    let mut an = Visitor::officer(&setting.state, "an").await;
    let mut binh = Visitor::officer(&setting.state, "binh").await;
    let misread = |m: &mut contract::Manifest| {
        let plate = m.plate.as_mut().unwrap();
        plate.text = Some("29AA12346".into());
    };
    let corrected = setting.case(1, misread).await;
    let fix = [("reason", "misread"), ("note", "số cuối là 5"), ("plate", "29-AA 123.45")];
    an.decide(&corrected, "correct_plate", &fix).await;
    an.decide(&corrected, "accept", &[]).await;
    setting.clock.advance(Duration::seconds(70));
    binh.decide(&corrected, "approve", &[]).await;
    let apart = setting.case(2, |_| {}).await;
    let note = [("other", corrected.as_str()), ("note", "quay lại lần hai")];
    an.decide(&apart, "distinguish", &note).await;
    an.decide(&apart, "accept", &[]).await;
    let back = [("reason", "plate_doubtful"), ("note", "xem lại")];
    binh.decide(&apart, "return", &back).await;
    an.decide(&apart, "accept", &[]).await;
    binh.decide(&apart, "approve", &[]).await;
    let rejected = setting.case(3, |m| m.violation.act = contract::Act::STOP_LINE).await;
    assert_eq!(setting.case(4, |m| crate::passages::second_camera(m, 2, 400)).await, rejected);
    assert_eq!(setting.case(5, |m| crate::passages::second_camera(m, 3, 600)).await, rejected);
    an.decide(&rejected, "reject", &[("reason", "other"), ("note", "xe khác")]).await;
    let new = setting.case(6, |m| m.plate = None).await;
    [corrected, apart, rejected, new]
}

#[tokio::test]
async fn every_column_that_a_hand_changes_is_named() {
    for mut setting in Setting::each().await {
        crate::owners::registered(&mut setting, "").await;
        let cases = story(&setting).await;
        let whole = verify(&setting).await;
        assert!(whole.ok, "{:?}", whole.findings);
        let states: Vec<String> = sqlx::query_scalar("SELECT state FROM cases ORDER BY act_at")
            .fetch_all(setting.state.store.pool())
            .await
            .unwrap();
        assert_eq!(states, ["notified", "notified", "rejected", "received"]);
        lift_constraints(&setting).await;
        // A row is found by a column that stays: another where that one is changed itself.
        for (table, keys) in [
            ("cases", ["evidence_id", "id"]),
            ("documents", ["number", "code"]),
            ("distinct_acts", ["note", "decided_at"]),
            ("owners", ["salt", "case_id"]),
            ("users", ["login", "id"]),
            ("evidence", ["id", "sequence"]),
            ("evidence_files", ["evidence_id || name", "evidence_id || sha256"]),
        ] {
            let mut columns = columns(&setting, table).await;
            columns.retain(|(column, _)| !LEFT.contains(&(table, column)));
            assert!(columns.len() >= 5, "{table}: {columns:?}");
            for (column, kind) in &columns {
                let stays = |key: &&str| key.split(" || ").all(|part| part != column);
                let key = keys.into_iter().find(stays).unwrap();
                let rows = format!(
                    "SELECT CAST({key} AS TEXT), CAST({column} AS TEXT) FROM {table} ORDER BY {key}"
                );
                let rows = sqlx::query(AssertSqlSafe(rows))
                    .fetch_all(setting.state.store.pool())
                    .await
                    .unwrap();
                for row in rows {
                    let (at, was): (String, Option<String>) = (row.get(0), row.get(1));
                    let is_text = kind == "text";
                    let literal = |text: &str| {
                        if is_text {
                            format!("'{}'", text.replace('\'', "''"))
                        } else {
                            text.into()
                        }
                    };
                    let other = match (&was, is_text) {
                        (None, true) => literal("zz"),
                        (None, false) => "1".into(),
                        (Some(was), true) => literal(&format!("{was}z")),
                        (Some(_), false) => format!("{column} + 100"),
                    };
                    let before = was.as_deref().map_or("NULL".into(), literal);
                    let set = |value: &str| {
                        format!(
                            "UPDATE {table} SET {column} = {value} WHERE CAST({key} AS TEXT) = '{at}'"
                        )
                    };
                    force(&setting, set(&other)).await;
                    let report = verify(&setting).await;
                    force(&setting, set(&before)).await;
                    assert!(!report.ok, "{table}.{column} of {at}, was {was:?}");
                    let told = format!("{:?}", report.findings);
                    // A changed name of the row itself is told as a row too many, or too few; what
                    // is sealed as a broken seal or chain.
                    let in_other_words = matches!(
                        (table, column.as_str()),
                        (_, "id" | "case_id" | "other_id")
                            // The audit has one digest of all of it.
                            | ("owners", _)
                            | ("evidence", "device_id" | "sequence" | "manifest")
                            | ("evidence", "manifest_digest" | "seal" | "key_id")
                    );
                    assert!(
                        in_other_words || told.contains(&format!("column {column} ")),
                        "{table}.{column}: {told}"
                    );
                }
            }
        }
        assert!(verify(&setting).await.ok, "everything was put back");

        // Rows that nobody decided, and rows that are gone.
        let notice = format!("DELETE FROM documents WHERE case_id = '{}'", cases[0]);
        force(&setting, notice).await;
        let told = verify(&setting).await.findings;
        assert_eq!(told[0].subject, format!("notice of case {}", cases[0]), "{told:?}");
        assert_eq!(told[0].problem, "was issued, but is not on record");
    }
}

#[tokio::test]
async fn a_notice_that_was_exchanged_is_named() {
    let setting = Setting::new().await;
    let cases = story(&setting).await;
    let row = sqlx::query(
        "SELECT c.evidence_id, n.sha256 FROM documents n JOIN cases c ON c.id = n.case_id
         WHERE n.case_id = $1",
    )
    .bind(cases[0].clone())
    .fetch_one(setting.state.store.pool())
    .await
    .unwrap();
    let (evidence, sha256): (String, String) = (row.get(0), row.get(1));
    let name = format!("notice-{}.pdf", &sha256[..16]);
    let path = setting.file(&evidence, &name);
    let mut pdf = std::fs::read(&path).unwrap();
    pdf[500] ^= 1;
    std::fs::write(&path, &pdf).unwrap();
    let told = verify(&setting).await.findings;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].subject, format!("notice of case {}: {name}", cases[0]));
    assert_eq!(told[0].problem, "is not the file that was issued");
    std::fs::remove_file(&path).unwrap();
    assert_eq!(verify(&setting).await.findings[0].problem, "missing");
}

#[tokio::test]
async fn the_look_up_of_another_plate_is_told_as_in_the_field() {
    let setting = Setting::new().await;
    let cases = story(&setting).await;
    let sql = format!("UPDATE cases SET plate = '30A99999' WHERE id = '{}'", cases[0]);
    run(&setting, sql).await;
    let told = verify(&setting).await.findings;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].subject, format!("case {}", cases[0]));
    assert!(told[0].problem.starts_with("column plate differs"), "{told:?}");
}

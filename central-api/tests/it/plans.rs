//! No question grows with the number of cases: the plan of every query in the sources, on both
//! databases, as with a million rows.
//!
//! The texts are the string literals of `src` that begin as SQL, so a new query is read here by
//! being written. Texts built from parts come from the functions that build them, and every literal
//! with a part must be met by one of those. SQLite is asked as it runs, without statistics, and with
//! those of a million rows; PostgreSQL with the statistics of a table of the right mixture whose
//! size is set to a million.

use std::collections::BTreeSet;

use central_api::audit;
use central_api::case::{self, Filter, State};
use central_api::documents;
use central_api::jobs;
use central_api::proceedings::{delivery, owner, payment, row, warning};
use central_api::recall;
use central_api::store::Store;
use contract::Act;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use crate::lookup::notified_with;
use crate::setting::{Setting, crowd};
use crate::sources::{Literal, literals};

/// Tables that grow with cases, people's visits and years.
const LARGE: &[&str] = &[
    "attempts",
    "audit",
    "captcha_used",
    "case_hands",
    "cases",
    "deliveries",
    "dispatches",
    "distinct_acts",
    "evidence",
    "evidence_files",
    "documents",
    "document_drafts",
    "evidence_causes",
    "owners",
    "proceedings",
    "recalled",
    "payment_claims",
    "payment_entries",
    "payment_events",
    "payment_receipts",
    "payment_refunds",
    "payment_slips",
    "sessions",
    "warning_messages",
    "warnings",
];
/// Columns that name few rows among a million; `received_at` is asked for where it is absent, as it
/// is while a package is on its way.
const NARROW: &[&str] = &[
    "id",
    "evidence_id",
    "case_id",
    "other_id",
    "code",
    "plate",
    "who",
    "token_hash",
    "subject_id",
    "user_id",
    "fingerprint",
    "sequence",
    "number",
    "seq",
    "received_at",
    "batch_id",
    "tracking",
    "export",
    "claim_id",
    "receipt_id",
    "bank_id",
    "reference",
    "decision",
    "batch",
];
/// Queries that may read much, by a part of their text, and why.
const WHOLE: &[(&str, &str)] = &[
    ("COUNT(*) FROM cases GROUP BY state", "the gauge of all states: one index, once a scrape"),
    ("AS cases FROM cases WHERE state IN", "counts open cases, which people work off"),
    (
        "plate IS NOT NULL AND state NOT IN ('rejected', 'withdrawn')",
        "walks the cases of ten minutes",
    ),
    ("state = $1 AND act_at < $2", "an index from its oldest on, two hundred at a time"),
    ("key = 'issue_notice:' || cases.id", "at a start, over the approved cases alone"),
    ("WHERE recheck = 1", "an index of those alone that wait for a second look"),
    ("ORDER BY +act_at, id LIMIT", "sorts open cases, which people work off"),
    ("LIMIT 10001) AS counted", "stops at ten thousand"),
    ("ORDER BY act_at, id LIMIT 25 OFFSET 0", "walks cases in order and stops at 25"),
    ("WHERE $1 <> '' AND (c.act_at", "the cases of a period, once a recall, a page at a time"),
    (
        "FROM recalled WHERE recall_id = $1 GROUP BY",
        "the cases of one recall, counted for its page",
    ),
    ("WHERE recall_id = $3 AND state", "the cases of one recall, moved together"),
    ("WHERE recall_id = $1 AND case_id > $2", "the cases of one recall, put into the audit once"),
    ("asked_by = NULL WHERE recall_id = $1", "the cases of one recall, moved together"),
    ("FROM proceedings WHERE name = $1 AND state", "worklists: an index of what waits"),
    ("FROM recalled WHERE recall_id = $1 AND state", "the cases of one recall, page by page"),
    ("FROM evidence WHERE id > $1 ORDER BY id", "a page of older packages at a time"),
    ("FROM owners WHERE state = 'by_hand'", "an index of those alone that wait for a clerk"),
    ("(act_at, id) >= ($2, $3)", "a page of an index in its order"),
    ("(runs_from, case_id) >= ($3, $4)", "a page of an index in its order"),
    ("ORDER BY runs_from, case_id LIMIT $4", "a batch of an index in its order"),
    ("export IS NULL ORDER BY seq", "an index of those alone that are not handed over"),
    ("WITH RECURSIVE cameras", "one step of an index for each camera"),
    ("WHERE state = 'open' ORDER BY due, id LIMIT", "walks the index of what is open, two hundred"),
    ("WHERE excess > 0", "an index of what must go back alone"),
    ("state = 'unmatched'", "an index of what waits for a clerk alone"),
    ("state IN ('requested', 'confirmed', 'exported')", "an index of refunds under way alone"),
    (
        "reference >= $1 AND reference < $2 LIMIT 2",
        "so many characters name few, and two are enough",
    ),
    ("FROM evidence WHERE received_at IS NULL", "packages on their way: a gauge, once a scrape"),
];
/// Sources whose queries read the whole store because that is what they are for.
const WHOLE_FILES: &[(&str, &str)] = &[
    ("verify/", "verify --store looks at everything, from the command line"),
    ("payment/check.rs", "verify --store holds the money's rows against the audit, page by page"),
    ("audit/chain.rs", "the audit chain is verified from its first row, page by page"),
    ("device/settle.rs", "an administrator's command for one device"),
];

/// Parts of texts that change no plan, with something in their place.
const PARTS: &[(&str, &str)] = &[
    ("{COLUMNS}", "*"),
    ("{DISPATCH}", "*"),
    ("{MOST}", "50"),
    ("{lock}", ""),
    ("{names}", "id"),
    ("{places}", "$1"),
    ("{sets}", "state = $1"),
    ("${id}", "$2"),
    ("${version}", "$3"),
];

/// Texts that are built from parts.
fn built() -> Vec<String> {
    let mut texts: Vec<String> = case::published_texts().into();
    let states: [&[State]; 5] = [
        &[],
        &State::TO_REVIEW,
        &[State::Accepted, State::Approved, State::Withdrawing],
        &[State::Notified],
        &State::ALL,
    ];
    for states in states {
        for choice in 0..8 {
            let text = |bit: u8| (choice & bit != 0).then(String::new);
            let filter = Filter {
                states: states.to_vec(),
                act: (choice & 1 != 0).then_some(Act::RED_LIGHT),
                camera: text(2),
                plate: text(4),
            };
            texts.extend([filter.count_text(), filter.page_text(1, 25)]);
        }
    }
    texts.push(case::next_text(&State::TO_REVIEW));
    texts.push(case::next_text(&State::TO_APPROVE));
    texts.push(case::count_text());
    texts.extend(case::recheck_texts());
    texts.push(case::expire_text());
    texts.extend(owner::texts());
    texts.extend(documents::texts());
    texts.extend(recall::texts());
    texts.extend(recall::Cause::ALL.into_iter().flat_map(recall::list_texts));
    texts.extend(recall::settle_texts());
    texts.extend(recall::stand_in_texts().into_iter().flatten());
    texts.extend(audit::TABLES.iter().map(audit::Table::text));
    texts.extend([
        jobs::under_way_text(jobs::Job::about("").len()),
        payment::settled_text(20),
        row::among_text(20),
    ]);
    texts.extend(delivery::letter_texts());
    texts.extend([case::count_in_state_text(), delivery::count_text(), warning::count_text()]);
    texts.extend(payment::texts());
    texts
}

/// Every query with where it stands.
fn queries() -> Vec<(String, String)> {
    let built = built();
    let mut met = BTreeSet::new();
    let mut queries = Vec::new();
    for Literal { place, text } in literals() {
        if WHOLE_FILES.iter().any(|(file, _)| place.contains(file)) || !is_sql(&text) {
            continue;
        }
        let fill = |text: String, (part, value): &(&str, &str)| text.replace(part, value);
        let whole = PARTS.iter().fold(text.clone(), fill);
        if !whole.contains('{') {
            queries.push((place, whole));
            continue;
        }
        let matching: Vec<&String> = built.iter().filter(|full| fits(&text, full)).collect();
        assert!(!matching.is_empty(), "{place}: a query built from parts: add what builds it here");
        met.extend(matching);
    }
    let columns = |text: &String| ("built".to_owned(), text.clone());
    assert!(queries.len() > 50, "only {} queries found", queries.len());
    assert!(met.len() > 20, "only {} built queries met", met.len());
    queries.extend(built.iter().map(columns));
    queries
}

fn is_sql(text: &str) -> bool {
    let word = text.split_whitespace().next().unwrap_or_default();
    matches!(word, "SELECT" | "INSERT" | "UPDATE" | "DELETE" | "WITH") && text.contains(' ')
}

/// Whether `full` is `text` with something in its braces.
fn fits(text: &str, full: &str) -> bool {
    let mut rest = full;
    let mut text = text;
    loop {
        let Some((before, after)) = text.split_once('{') else {
            return rest.ends_with(text);
        };
        let Some(at) = rest.find(before) else { return false };
        rest = &rest[at + before.len()..];
        text = after.split_once('}').map_or("", |(_, after)| after);
    }
}

fn excuse(text: &str) -> Option<&'static str> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    WHOLE.iter().find(|(part, _)| text.contains(part)).map(|(_, why)| *why)
}

/// The table and the columns that a line of SQLite's plan narrows it by; none where it is read whole.
fn sqlite_step(line: &str) -> Option<(&str, Vec<&str>)> {
    let (verb, rest) = line.split_once(' ')?;
    let table = rest.split(' ').next()?;
    let columns = match (verb, rest.split_once('(')) {
        ("SCAN", _) => Vec::new(),
        ("SEARCH", Some((_, columns))) => columns
            .trim_end_matches(')')
            .split(" AND ")
            .filter_map(|part| part.strip_suffix("=?"))
            .collect(),
        _ => return None,
    };
    Some((table, columns))
}

async fn sqlite(store: &Store, how: &str) {
    let mut wrong = Vec::new();
    for (place, text) in queries() {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}"));
        let rows = sqlx::query(explain).fetch_all(store.pool()).await;
        let rows = rows.unwrap_or_else(|error| panic!("{place}: {error}\n{text}"));
        for row in rows {
            let line: String = row.try_get("detail").unwrap();
            let Some((table, columns)) = sqlite_step(&line) else { continue };
            // A range over times is what the sweeps of old rows have.
            let sweeps = text.starts_with("DELETE") && line.contains("_at<?)");
            // An index that holds only what waits is short, whatever is read of it.
            let waits = line.contains("USING INDEX evidence_parked");
            let narrow = columns.iter().any(|column| NARROW.contains(column)) || sweeps || waits;
            if LARGE.contains(&table) && !narrow && excuse(&text).is_none() {
                wrong.push(format!("{place}: {line}\n    {text}"));
            }
        }
    }
    assert!(wrong.is_empty(), "SQLite {how}:\n{}", wrong.join("\n"));
}

#[tokio::test]
async fn sqlite_finds_by_what_is_asked() {
    let setting = Setting::new().await;
    sqlite(&setting.state.store, "without statistics").await;
    let store = &setting.state.store;
    let run = async |text: &str| {
        sqlx::query(AssertSqlSafe(text.to_owned())).execute(store.pool()).await.unwrap();
    };
    run("ANALYZE").await;
    run("DELETE FROM sqlite_stat1").await;
    let indexes: Vec<(String, String, i64)> = sqlx::query_as(
        "SELECT name, tbl_name, COALESCE(sql LIKE '% WHERE %', 0) FROM sqlite_schema
         WHERE type = 'index' ORDER BY name",
    )
    .fetch_all(store.pool())
    .await
    .unwrap();
    for (index, table, part) in indexes {
        // An index with a condition holds the few rows that wait for something.
        let large = LARGE.contains(&table.as_str()) && part == 0;
        let rows = if large { 1_000_000 } else { 1000 };
        let columns: Vec<Option<String>> =
            sqlx::query_scalar("SELECT name FROM pragma_index_info($1) ORDER BY seqno")
                .bind(index.clone())
                .fetch_all(store.pool())
                .await
                .unwrap();
        let mut left = rows;
        let mut stat = rows.to_string();
        for column in columns.iter().flatten() {
            left = if NARROW.contains(&column.as_str()) { 2 } else { (left / 7).max(1) };
            stat.push_str(&format!(" {left}"));
        }
        run(&format!("INSERT INTO sqlite_stat1 VALUES ('{table}', '{index}', '{stat}')")).await;
    }
    // A connection reads the statistics when it opens.
    let url = format!("sqlite:{}", setting.folder.path().join("central.db").display());
    sqlite(&Store::open(&url, 1).await.unwrap(), "with a million rows").await;
}

/// What a plan may cost: a million rows read one by one cost ten thousand and more.
const MOST: f64 = 2_000.0;

#[tokio::test]
async fn postgres_finds_by_what_is_asked() {
    let Some(setting) = Setting::each().await.into_iter().nth(1) else { return };
    let (setting, case) = notified_with(setting, |_| {}).await;
    let store = &setting.state.store;
    // Nearly all cases are closed, as after some years.
    let states = "CASE i % 100 WHEN 0 THEN 'received' WHEN 1 THEN 'in_review' WHEN 2 THEN \
         'accepted' WHEN 3 THEN 'approved' WHEN 4 THEN 'rejected' ELSE 'notified' END";
    crowd::copies(
        store,
        &case,
        20_000,
        &[
            ("state", states),
            ("plate", "'29AA' || (10000 + i)"),
            ("camera_id", "'cam-' || (i % 300)"),
            ("act_at", "act_at + 1000 * i"),
        ],
    )
    .await;
    let mut connection = store.pool().acquire().await.unwrap();
    for (table, columns, values) in [
        ("attempts", "who, window_at, count", "'who' || i, i % 1000, 1"),
        ("captcha_used", "id, expires_at", "'id' || i, i"),
        (
            "audit",
            "seq, at, actor, action, subject_kind, subject_id, detail, previous, hash",
            "1000 + i, i, 'a', 'b', CASE i % 5 WHEN 0 THEN 'user' ELSE 'case' END, 'copy-' || i / 5,
             '{}', '', ''",
        ),
        (
            "evidence_files",
            "evidence_id, name, role, media_type, sha256, bytes",
            "'copy-' || (1 + i / 5), 'file-' || i % 5, 'clip', '', '', 1",
        ),
        (
            "dispatches",
            "code, case_id, kind, state, begun_at, runs_from",
            "'CODE-' || i, 'copy-' || i, 'notice', CASE i % 50 WHEN 0 THEN 'waiting' WHEN 1 THEN 'again' WHEN 2
             THEN 'held' WHEN 3 THEN 'on_way' ELSE 'done' END, i, i",
        ),
        (
            "deliveries",
            "id, code, case_id, kind, way, state, number, tracking",
            "'d' || i, 'CODE-' || i, 'copy-' || i, 'notice', 'post', 'sent', i, 'RB' || i",
        ),
        (
            "warnings",
            "case_id, cause, state, runs_from",
            "'copy-' || i, 'no_show', CASE i % 10 WHEN 0 THEN 'running' ELSE 'cleared' END, i",
        ),
        (
            "case_hands",
            "case_id, user_id, act_at",
            "'copy-' || i, (SELECT MIN(id) FROM users), i",
        ),
        (
            "warning_messages",
            "seq, case_id, cause, target, what, at, body",
            "i, 'copy-' || i, 'no_show', 'commune', 'warn', i, '{}'",
        ),
        (
            "payment_claims",
            "id, case_id, decision, decided_on, reference, fine, due, paid, state, opened_at, version",
            "'claim-' || i, 'copy-' || i, i || '/QD', '2026-01-01', 'XP' || 10000000 + i, 5,
             '2026-01-' || 10 + i % 20, 5, CASE i % 50 WHEN 0 THEN 'open' ELSE 'settled' END, i, 1",
        ),
        (
            "payment_receipts",
            "id, account, bank_id, amount, paid_on, purpose, payer, payer_account, payer_bank, source,
             received_at, state, claim_id, salt, version",
            "'receipt-' || i, 'a', 'b' || i, 5, '2026-01-01', '', '', '', '', 'statement', i,
             CASE i % 100 WHEN 0 THEN 'unmatched' ELSE 'assigned' END,
             CASE i % 100 WHEN 0 THEN NULL ELSE 'claim-' || i END, '', 1",
        ),
        (
            "payment_refunds",
            "id, claim_id, amount, name, account, bank, note, state, asked_by, asked_at, salt, version",
            "'refund-' || i, 'claim-' || i, 5, '', '', '', '',
             CASE i % 100 WHEN 0 THEN 'requested' ELSE 'dropped' END, (SELECT MIN(id) FROM users), i,
             '', 1",
        ),
        (
            "payment_entries",
            "booking, account, kind, amount, claim_id, day, at",
            "'b' || i, 'debtor', 'claim', 5, 'claim-' || 1 + i / 5, '2026-01-01', i",
        ),
        ("payment_events", "id, sha256, at", "'e' || i, '', i"),
        (
            "sessions",
            "token_hash, user_id, csrf, created_at, seen_at, expires_at",
            "'token' || i, (SELECT MIN(id) FROM users), '', i, i, i",
        ),
    ] {
        let numbers = "generate_series(1, 20000) AS i";
        run(&mut connection, format!("INSERT INTO {table} ({columns}) SELECT {values} FROM {numbers}")).await;
    }
    run(&mut connection, "ANALYZE".into()).await;
    for table in LARGE {
        // PostgreSQL takes the rows a page from here and the pages from the file.
        run(
            &mut connection,
            format!(
                "UPDATE pg_class SET reltuples = 1000000 WHERE oid = '{table}'::regclass OR oid IN
             (SELECT indexrelid FROM pg_index WHERE indrelid = '{table}'::regclass)"
            ),
        )
        .await;
    }
    run(&mut connection, "SET plan_cache_mode = force_generic_plan".into()).await;
    let mut wrong = Vec::new();
    for (place, text) in queries() {
        let parameters = (1..=32).take_while(|n| text.contains(&format!("${n}"))).count();
        let nulls = vec!["NULL"; parameters].join(", ");
        let arguments = if parameters == 0 { String::new() } else { format!("({nulls})") };
        run(&mut connection, format!("PREPARE question AS {text}")).await;
        let explain = AssertSqlSafe(format!("EXPLAIN EXECUTE question{arguments}"));
        let plan: Vec<String> =
            sqlx::query_scalar(explain).fetch_all(&mut *connection).await.unwrap();
        run(&mut connection, "DEALLOCATE question".into()).await;
        let cost = plan[0].split("..").nth(1).and_then(|rest| rest.split(' ').next());
        let cost: f64 = cost.unwrap().parse().unwrap();
        // How much a sweep removes is not known here; by an index it reads nothing else.
        let sweeps = text.starts_with("DELETE") && !plan.join("").contains("Seq Scan");
        if cost > MOST && !sweeps && excuse(&text).is_none() {
            wrong.push(format!("{place}: cost {cost}\n    {text}\n{}", plan.join("\n")));
        }
    }
    assert!(wrong.is_empty(), "PostgreSQL:\n{}", wrong.join("\n"));
}

async fn run(connection: &mut AnyConnection, text: String) {
    let done = sqlx::raw_sql(AssertSqlSafe(text.clone())).execute(connection).await;
    done.unwrap_or_else(|error| panic!("{error}\n{text}"));
}

#[test]
fn every_excuse_is_still_needed() {
    let texts: Vec<String> = queries()
        .into_iter()
        .map(|(_, text)| text.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    for (part, _) in WHOLE {
        assert!(texts.iter().any(|text| text.contains(part)), "nothing has {part}");
    }
    let files: Vec<String> = literals().into_iter().map(|literal| literal.place).collect();
    for (file, _) in WHOLE_FILES {
        assert!(files.iter().any(|place| place.contains(file)), "no file is {file}");
    }
}

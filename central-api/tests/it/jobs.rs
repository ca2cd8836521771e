//! Jobs on both databases: asked for with their cause, done once whoever dies or fails meanwhile,
//! given up where only people can help, and begun anew when they say so.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use central_api::admin::users::Role;
use central_api::jobs::{self, Job, JobError, LEASE};
use central_api::store::Store;
use central_api::work;
use sqlx::Row as _;
use time::Duration;

use crate::setting::browserless::Visitor;
use crate::setting::{START, Setting};

fn notice(case: &str) -> Job {
    Job::IssueNotice { case: case.into() }
}

async fn ask(store: &Store, job: &Job) {
    let mut tx = store.begin().await.unwrap();
    jobs::ask(&mut tx, job, START).await.unwrap();
    tx.commit().await.unwrap();
}

/// A case that is accepted, and the approver.
async fn accepted(setting: &Setting) -> (String, Visitor) {
    let case = setting.case(1, |_| {}).await;
    setting.user("an", &[Role::Reviewer]).await;
    setting.user("binh", &[Role::Approver]).await;
    Visitor::officer(&setting.state, "an").await.decide(&case, "accept", &[]).await;
    (case, Visitor::officer(&setting.state, "binh").await)
}

#[tokio::test]
async fn a_job_exists_if_its_cause_does_and_is_asked_for_once() {
    for setting in Setting::each().await {
        let store = &setting.state.store;
        let mut tx = store.begin().await.unwrap();
        jobs::ask(&mut tx, &notice("one"), START).await.unwrap();
        drop(tx);
        assert_eq!(jobs::standing(store, START).await.unwrap().waiting, 0);
        for case in ["one", "one", "two"] {
            ask(store, &notice(case)).await;
        }
        let standing = jobs::standing(store, START).await.unwrap();
        assert_eq!((standing.waiting, standing.due_since), (2, Some(START)));
    }
}

#[tokio::test]
async fn who_dies_loses_the_job_to_the_next_and_nothing_of_it_counts() {
    for setting in Setting::each().await {
        let store = &setting.state.store;
        ask(store, &notice("one")).await;
        let first = jobs::take(store, START).await.unwrap().unwrap();
        assert!(jobs::take(store, START).await.unwrap().is_none(), "one worker has it");
        let later = START + LEASE;
        let second = jobs::take(store, later).await.unwrap().unwrap();
        assert_eq!((second.attempts, &second.job), (2, &notice("one")));
        let mut tx = store.begin().await.unwrap();
        assert!(matches!(first.done(&mut tx).await, Err(JobError::Lost)));
        drop(tx);
        // Nor can it put off what another has.
        assert_eq!(jobs::put_off(store, &first, "late", true, later).await.unwrap(), None);
        assert_eq!(jobs::standing(store, later).await.unwrap().dead, 0);
        second.nothing_left(store).await.map(drop).unwrap();
        assert_eq!(jobs::standing(store, later).await.unwrap().waiting, 0);
        assert!(matches!(second.nothing_left(store).await, Err(JobError::Lost)));
    }
}

#[tokio::test]
async fn what_fails_is_tried_again_ever_later_and_given_up_at_last() {
    for setting in Setting::each().await {
        let store = &setting.state.store;
        ask(store, &notice("one")).await;
        let (mut now, mut pauses) = (START, Vec::new());
        loop {
            let taken = jobs::take(store, now).await.unwrap().expect("it is due");
            let error = format!("no disk\0 {}", "x".repeat(1000));
            let given_up = jobs::put_off(store, &taken, &error, false, now).await.unwrap();
            if given_up.expect("this worker has it") {
                break;
            }
            let since = now;
            while jobs::standing(store, now).await.unwrap().due_since.is_none() {
                now += Duration::SECOND;
            }
            pauses.push(now - since);
        }
        assert_eq!(pauses[..3], [5, 10, 20].map(Duration::seconds));
        assert!(pauses.is_sorted() && pauses.len() == 15, "{pauses:?}");
        let dead = jobs::dead(store).await.unwrap();
        assert_eq!((dead.len(), dead[0].attempts), (1, 16));
        assert!(dead[0].error.starts_with("no disk xxx") && dead[0].error.len() == 500);
        assert!(jobs::take(store, now + Duration::days(9)).await.unwrap().is_none());
        // Whoever asks again, or revives it, begins anew.
        ask(store, &notice("one")).await;
        assert_eq!(jobs::take(store, now).await.unwrap().unwrap().attempts, 1);
    }
}

#[tokio::test]
async fn many_workers_issue_every_notice_once_and_without_a_gap() {
    for setting in Setting::each().await {
        let state = &setting.state;
        let (case, _) = accepted(&setting).await;
        let mut cases = vec![case];
        let mut an = Visitor::officer(state, "an").await;
        for sequence in 2..=8 {
            setting.clock.advance(Duration::MINUTE);
            let case = setting
                .case(sequence, |manifest| {
                    let plate = manifest.plate.as_mut().unwrap();
                    // No number that could be another one read wrong.
                    let s = sequence;
                    plate.text = Some(format!("{}AB{s}{s}{s}{s}{s}", 28 + sequence));
                })
                .await;
            let accepted = an.decide(&case, "accept", &[]).await;
            assert_eq!(accepted.status, StatusCode::SEE_OTHER, "{}", accepted.text());
            cases.push(case);
        }
        let mut binh = Visitor::officer(state, "binh").await;
        for case in &cases {
            let (version, csrf) = (binh.version(case).await, binh.csrf.clone());
            let fields = [("csrf", csrf.as_str()), ("version", &version), ("action", "approve")];
            let answer = binh.post(&format!("/ho-so/{case}/quyet-dinh"), &fields).await;
            assert!(answer.location().ends_with("xong=approve"), "{}", answer.text());
        }
        let workers: Vec<_> = (0..6)
            .map(|_| {
                let state = state.clone();
                tokio::spawn(async move { work::work_off(&state).await.unwrap() })
            })
            .collect();
        let mut attempts = 0;
        for worker in workers {
            attempts += worker.await.unwrap();
        }
        assert_eq!(attempts, 8, "each was taken once");
        let rows = sqlx::query("SELECT case_id, number FROM documents ORDER BY number")
            .fetch_all(state.store.pool())
            .await
            .unwrap();
        let numbers: Vec<i64> = rows.iter().map(|row| row.get("number")).collect();
        assert_eq!(numbers, (1..=8).collect::<Vec<_>>());
        let issued: BTreeSet<String> = rows.iter().map(|row| row.get("case_id")).collect();
        assert_eq!(issued, cases.into_iter().collect());
        let drafts: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM document_drafts")
            .fetch_one(state.store.pool())
            .await
            .unwrap();
        assert_eq!(drafts, 0);
    }
}

#[tokio::test]
async fn a_notice_that_may_not_go_out_is_given_up_with_its_reason_and_people_decide() {
    for setting in Setting::each().await {
        let state = &setting.state;
        let (case, mut binh) = accepted(&setting).await;
        setting.user("chi", &[Role::Admin]).await;
        setting.user("dung", &[Role::Auditor]).await;
        let (version, csrf) = (binh.version(&case).await, binh.csrf.clone());
        let fields = [("csrf", csrf.as_str()), ("version", &version), ("action", "approve")];
        binh.post(&format!("/ho-so/{case}/quyet-dinh"), &fields).await;
        // The workers stood still until the term for the notice was over.
        setting.clock.advance(Duration::days(30));
        assert_eq!(work::work_off(state).await.unwrap(), 1);
        let asked = jobs::find(&state.store, &notice(&case)).await.unwrap().unwrap();
        assert_eq!(asked.given_up.as_deref(), Some("the gate is closed: notice_term_passed"));
        let why = "Đã quá thời hạn";
        let numbers: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM document_numbers")
            .fetch_one(state.store.pool())
            .await
            .unwrap();
        assert_eq!(numbers, 0, "no number is taken for it");

        let mut chi = Visitor::officer(state, "chi").await;
        let mut dung = Visitor::officer(state, "dung").await;
        for visitor in [&mut chi, &mut dung] {
            let page = visitor.get("/cong-viec").await.text();
            assert!(page.contains("Lập thông báo") && page.contains(why), "{page}");
        }
        let mut binh = Visitor::officer(state, "binh").await;
        assert_eq!(binh.get("/cong-viec").await.status, StatusCode::FORBIDDEN);
        let page = binh.get(&format!("/ho-so/{case}")).await.text();
        assert!(page.contains("Chưa lập được thông báo") && page.contains("Thử lại"), "{page}");
        let again = format!("/cong-viec/{}/thu-lai", asked.id);
        for (auditor, status) in [(true, 403), (false, 303), (false, 404)] {
            let visitor = if auditor { &mut dung } else { &mut chi };
            let csrf = visitor.csrf.clone();
            let answer = visitor.post(&again, &[("csrf", &csrf)]).await;
            assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
        }
        assert_eq!(jobs::standing(&state.store, state.clock.now()).await.unwrap().waiting, 1);
        let revived: String = sqlx::query_scalar(
            "SELECT actor FROM audit WHERE action = 'job.revived' AND subject_id = $1",
        )
        .bind(asked.id.clone())
        .fetch_one(state.store.pool())
        .await
        .unwrap();
        assert_eq!(revived, "user:chi");
        // Meanwhile the approver takes the approval back: there is nothing to do any more.
        let returned = binh.decide(&case, "return", &[("reason", "poor_evidence")]).await;
        assert_eq!(returned.status, StatusCode::SEE_OTHER, "{}", returned.text());
        let detail = binh.get(&format!("/api/v1/cases/{case}")).await.json();
        assert_eq!(detail["case"]["state"], "returned");
        let standing = jobs::standing(&state.store, state.clock.now()).await.unwrap();
        assert_eq!((standing.waiting, standing.dead), (0, 0));
    }
}

#[tokio::test]
async fn what_is_asked_for_while_somebody_is_at_it_begins_anew() {
    for setting in Setting::each().await {
        let store = &setting.state.store;
        ask(store, &notice("one")).await;
        let running = jobs::take(store, START).await.unwrap().unwrap();
        // What the worker has read is not so any more.
        ask(store, &notice("one")).await;
        assert!(matches!(running.nothing_left(store).await, Err(JobError::Lost)));
        let again = jobs::take(store, START).await.unwrap().unwrap();
        assert_eq!(again.attempts, 1);
        again.nothing_left(store).await.map(drop).unwrap();
    }
}

#[tokio::test]
async fn a_job_of_another_version_is_left_to_its_workers() {
    for setting in Setting::each().await {
        let state = &setting.state;
        ask(&state.store, &notice("one")).await;
        sqlx::query("UPDATE jobs SET task = '{\"job\":\"fly\"}', key = 'fly'")
            .execute(state.store.pool())
            .await
            .unwrap();
        ask(&state.store, &notice("none")).await;
        // The other one is done: there is no such case.
        assert!(work::work_off(state).await.unwrap() == 1);
        assert!(jobs::dead(&state.store).await.unwrap().len() <= 1);
        let left: Vec<String> =
            sqlx::query_scalar("SELECT key FROM jobs WHERE key = 'fly' AND due_at IS NOT NULL")
                .fetch_all(state.store.pool())
                .await
                .unwrap();
        assert_eq!(left, ["fly"]);
    }
}

#[tokio::test]
async fn approved_cases_that_nothing_works_at_are_found_at_the_start() {
    for setting in Setting::each().await {
        let state = &setting.state;
        let (case, mut binh) = accepted(&setting).await;
        let (version, csrf) = (binh.version(&case).await, binh.csrf.clone());
        let fields = [("csrf", csrf.as_str()), ("version", &version), ("action", "approve")];
        binh.post(&format!("/ho-so/{case}/quyet-dinh"), &fields).await;
        // As a version without jobs left it.
        sqlx::query("DELETE FROM jobs").execute(state.store.pool()).await.unwrap();
        work::begin(state).await.unwrap();
        work::work_off(state).await.unwrap();
        let detail = binh.get(&format!("/api/v1/cases/{case}")).await.json();
        assert_eq!(detail["case"]["state"], "notified");
    }
}

#[tokio::test]
async fn numbers_have_no_gap_and_no_year_but_their_own() {
    for setting in Setting::each().await {
        let store = &setting.state.store;
        let (case, mut binh) = accepted(&setting).await;
        let other = setting.case(2, |manifest| manifest.plate = None).await;
        let reason = [("reason", "plate_unreadable")];
        Visitor::officer(&setting.state, "an").await.decide(&other, "reject", &reason).await;
        // Number 1 was drafted for a case that became no notice; ours has one of last year.
        for (case, code, year, number) in [(&other, "A", 2026, 1), (&case, "B", 2025, 77)] {
            sqlx::query(
                "INSERT INTO document_drafts (kind, case_id, code, year, number) VALUES ('notice', $1, $2, $3, $4)",
            )
            .bind(case.clone())
            .bind(code)
            .bind(year)
            .bind(number)
            .execute(store.pool())
            .await
            .unwrap();
        }
        sqlx::query("INSERT INTO document_numbers (kind, year, last) VALUES ('notice', 2026, 1)")
            .execute(store.pool())
            .await
            .unwrap();
        binh.decide(&case, "approve", &[]).await;
        let row = sqlx::query("SELECT case_id, year, number, code FROM documents")
            .fetch_one(store.pool())
            .await
            .unwrap();
        assert_eq!((row.get::<String, _>(0), row.get::<i64, _>(1)), (case.clone(), 2026));
        assert_eq!(row.get::<i64, _>(2), 1, "the abandoned number");
        assert_ne!(row.get::<String, _>(3), "A", "under a code of its own");
        let void: String =
            sqlx::query_scalar("SELECT detail FROM audit WHERE action = 'notice.number_void'")
                .fetch_one(store.pool())
                .await
                .unwrap();
        assert_eq!(void, r#"{"rows":{},"void":{"number":77,"year":2025}}"#);
        let drafts: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM document_drafts")
            .fetch_one(store.pool())
            .await
            .unwrap();
        assert_eq!(drafts, 0);
    }
}

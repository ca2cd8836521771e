//! What must hold of all cases together once the year is over.

use central_api::clock::Clock as _;
use central_api::jobs;
use central_api::verify::{Depth, verify_store};
use sqlx::AssertSqlSafe;

use crate::setting::Setting;

pub async fn balanced(setting: &Setting) {
    let state = &setting.state;
    crate::payment::balanced(setting).await;
    for (what, text) in [
        (
            "numbers with a gap or twice",
            "SELECT kind || ' ' || year FROM documents GROUP BY kind, year
             HAVING MIN(number) <> 1 OR MAX(number) <> COUNT(*) OR COUNT(DISTINCT number) <> COUNT(*)",
        ),
        (
            "notices without two people",
            "SELECT id FROM cases c
             WHERE EXISTS (SELECT 1 FROM documents WHERE case_id = c.id AND kind = 'notice')
               AND (reviewer IS NULL OR approver IS NULL OR reviewer = approver
                 OR NOT EXISTS (SELECT 1 FROM audit a WHERE a.subject_id = c.id AND a.action = 'case.accept')
                 OR NOT EXISTS (SELECT 1 FROM audit a WHERE a.subject_id = c.id AND a.action = 'case.approve'))",
        ),
        (
            "cases past their notice without one",
            "SELECT id FROM cases WHERE state IN ('notified', 'withdrawing', 'withdrawn')
               AND id NOT IN (SELECT case_id FROM documents WHERE kind = 'notice')",
        ),
        (
            "claims without a decision, or decisions without a notice",
            "SELECT case_id FROM payment_claims
             WHERE case_id NOT IN (SELECT case_id FROM documents WHERE kind = 'decision')
                OR case_id NOT IN (SELECT case_id FROM documents WHERE kind = 'minutes')
                OR case_id NOT IN (SELECT case_id FROM documents WHERE kind = 'notice')",
        ),
        (
            "decisions without a claim of their own",
            "SELECT case_id FROM documents d WHERE kind = 'decision' GROUP BY case_id
             HAVING COUNT(*) <> (SELECT COUNT(*) FROM payment_claims p WHERE p.case_id = d.case_id)",
        ),
        (
            "steps after a case was closed by the limitation",
            "SELECT e.subject_id FROM audit e JOIN audit later
               ON later.subject_id = e.subject_id AND later.seq > e.seq
             WHERE e.action = 'case.expire'",
        ),
        (
            "warnings that still hold though all is paid, withdrawn or closed",
            "SELECT w.case_id FROM warnings w JOIN cases c ON c.id = w.case_id
             WHERE w.state <> 'cleared' AND (c.state IN ('withdrawn', 'expired')
               OR EXISTS (SELECT 1 FROM payment_claims p
                   WHERE p.case_id = c.id AND p.state = 'settled'))",
        ),
        (
            "warnings told other than once, or lifted untold",
            "SELECT case_id FROM warning_messages GROUP BY case_id, cause, target, what
             HAVING COUNT(*) > 1",
        ),
        (
            "letters on their way of cases that are closed",
            "SELECT d.case_id FROM dispatches d JOIN cases c ON c.id = d.case_id
             WHERE c.state IN ('withdrawn', 'expired') AND d.state IN ('waiting', 'again', 'held')",
        ),
    ] {
        let found: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(text)).fetch_all(state.store.pool()).await.unwrap();
        assert!(found.is_empty(), "{what}: {found:?}");
    }
    let standing = jobs::standing(&state.store, setting.clock.now()).await.unwrap();
    assert_eq!(standing.dead, 0, "no job was given up");
    let report = verify_store(&state.store, &state.evidence, &state.law, Depth::Seals).await;
    let report = report.unwrap();
    assert!(report.ok, "{:?}", &report.findings[..report.findings.len().min(20)]);
}

//! Decisions taken again by `verify`: by the seal of their row, by the steps on record, and by the law, on
//! both databases.

use central_api::law::LawBook;
use central_api::verify::{Depth, verify_store};
use sqlx::AssertSqlSafe;

use crate::sanctions::{CHIEF, Desk};

const FIRST: &str = include_str!("../../law/decree-168-2024.toml");
const SECOND: &str = include_str!("../../law/decree-238-2026.toml");
const PROCEDURE: &str = include_str!("../../law/procedure.toml");
const CALENDAR: &str = include_str!("../../law/calendar.toml");

/// The law with something else in one place of its procedure, or of the decree's motorbikes at a red light.
fn law(procedure: (&str, &str), decree: (&str, &str)) -> LawBook {
    for (text, was) in [(PROCEDURE, procedure.0), (FIRST, decree.0)] {
        assert!(text.contains(was), "{was}");
    }
    let first = FIRST.replace(decree.0, decree.1);
    let changed = PROCEDURE.replace(procedure.0, procedure.1);
    let decrees = [("decree-168", first.as_str()), ("decree-238", SECOND)];
    LawBook::read(&decrees, ("procedure", &changed), ("calendar", CALENDAR)).unwrap()
}

/// What is found under another law.
async fn found(desk: &Desk, law: &LawBook) -> Vec<String> {
    let state = &desk.setting.state;
    let report = verify_store(&state.store, &state.evidence, law, Depth::Seals).await.unwrap();
    report.findings.into_iter().map(|it| format!("{}: {}", it.subject, it.problem)).collect()
}

#[tokio::test]
async fn a_decision_is_held_against_its_seal_and_against_the_law() {
    for mut desk in Desk::each().await {
        let case = desk.notified().await;
        desk.in_force(&case).await;
        assert_eq!(desk.verified().await, Vec::<String>::new());
        let same = ("up_to", "up_to");
        let none = ("fine", "fine");
        assert_eq!(found(&desk, &law(same, none)).await, Vec::<String>::new());

        let of = |problem: &str| format!("decision of case {case}: {problem}");
        // The bracket was another.
        let dearer = (
            "fine = [4_000_000, 6_000_000]\npoints = 4",
            "fine = [4_000_000, 7_000_000]\npoints = 4",
        );
        let told = found(&desk, &law(same, dearer)).await;
        let then = "stands on 168/2024/NĐ-CP 7.7.c, 4.000.000 to 6.000.000 VND; \
                    the law gives 168/2024/NĐ-CP 7.7.c, 4.000.000 to 7.000.000 VND";
        let asks = "asks for 5.000.000 VND; the law gives 5.500.000 to 5.500.000";
        assert_eq!(told, [of(then), of(asks)]);
        // Without circumstances another amount is due.
        let low = ("default_position = 0.5", "default_position = 0.25");
        let asks = "asks for 5.000.000 VND; the law gives 4.500.000 to 4.500.000";
        assert_eq!(found(&desk, &law(low, none)).await, [of(asks)]);
        // The office might sign less.
        let office = format!("title = \"{CHIEF}\"\nfrom = \"2026-08-15\"\nup_to = 60_000_000");
        let less = office.replace("60_000_000", "5_000_000");
        let may_not = format!("signature: the office {CHIEF} may not sign it");
        assert_eq!(found(&desk, &law((&office, &less), none)).await, [of(&may_not)]);
        // Fewer points come off.
        let points = (
            "fine = [4_000_000, 6_000_000]\npoints = 4",
            "fine = [4_000_000, 6_000_000]\npoints = 2",
        );
        assert_eq!(found(&desk, &law(same, points)).await, [of("takes other points than the law")]);
        // There was a right to explain oneself first.
        let hears = ("person_from = 15_000_000", "person_from = 1_000_000");
        let early = of("was signed while the violator might still explain");
        assert_eq!(found(&desk, &law(hears, none)).await, [early]);

        // A hand in the database lowers the fine.
        let lower = "UPDATE proceedings SET content = REPLACE(content, '\"amount\":5000000', '\"amount\":500000')
             WHERE name = 'decision'";
        let store = &desk.setting.state.store;
        let done = store.write(sqlx::query(AssertSqlSafe(lower.to_owned()))).await.unwrap();
        assert_eq!(done.rows_affected(), 1);
        let told = desk.verified().await;
        let seal = of("differs from what the evidence and the decisions on record give");
        assert!(told.contains(&seal), "{told:?}");
        let steps = of("its amount differs from what the steps on record give");
        assert!(told.contains(&steps), "{told:?}");
        assert!(told.contains(&of("its claim is another than was decided")), "{told:?}");
        let law = of("asks for 500.000 VND; the law gives 5.000.000 to 5.000.000");
        assert!(told.contains(&law), "{told:?}");
    }
}

//! The law is chosen by the time of the act, on the day and not about it.

use std::sync::Arc;

use central_api::admin::users::Role;
use central_api::law::{self, Kind, LawBook, LawError};
use contract::VehicleClass;
use time::macros::datetime;

use crate::setting::Setting;
use crate::setting::browserless::Visitor;

#[test]
fn red_light_costs_what_the_decree_in_force_says() {
    let book = law::book().unwrap();
    let at = datetime!(2026-03-01 12:00 +7);
    let motorbike = book.find("red_light", Kind::Motorbike, at).unwrap();
    assert_eq!(
        (motorbike.article, motorbike.clause, motorbike.point.as_deref()),
        (7, 7, Some("c"))
    );
    assert_eq!((motorbike.fine_min, motorbike.fine_max), (4_000_000, 6_000_000));
    assert_eq!((motorbike.fine_default, motorbike.points), (5_000_000, 4));
    assert_eq!(motorbike.citation(), "điểm c khoản 7 Điều 7 Nghị định số 168/2024/NĐ-CP");
    for class in [VehicleClass::Car, VehicleClass::Bus, VehicleClass::Truck] {
        let car = book.find("red_light", Kind::from(class), at).unwrap();
        assert_eq!((car.article, car.clause, car.point.as_deref()), (6, 9, Some("b")));
        assert_eq!((car.fine_min, car.fine_max, car.points), (18_000_000, 20_000_000, 4));
    }
    let line = book.find("stop_line", Kind::Motorbike, at).unwrap();
    assert_eq!((line.fine_min, line.fine_max, line.points), (200_000, 400_000, 0));
}

#[test]
fn the_amendment_counts_from_midnight_in_vietnam() {
    let book = law::book().unwrap();
    let last_before = datetime!(2026-08-14 23:59:59.999 +7);
    let first = datetime!(2026-08-15 00:00 +7);
    assert_eq!(first, datetime!(2026-08-14 17:00 UTC));
    let before = book.find("red_light", Kind::Car, last_before).unwrap();
    let after = book.find("red_light", Kind::Car, first).unwrap();
    assert!(before.amended_by.is_empty());
    assert_eq!(after.amended_by, ["238/2026/NĐ-CP"]);
    assert!(after.citation().ends_with("(được sửa đổi, bổ sung bởi Nghị định số 238/2026/NĐ-CP)"));

    let hidden = |at| book.find("plate_hidden", Kind::Car, at).unwrap().text;
    assert!(!hidden(last_before).contains("nhận dạng"));
    assert!(hidden(first).contains("nhận dạng"));
}

#[test]
fn who_signs_follows_date_points_and_provision() {
    let book = law::book().unwrap();
    let signer = |act, on, at| book.find(act, on, at).unwrap().signer;
    let (first, second, third) = (
        datetime!(2025-06-30 23:59 +7),
        datetime!(2025-07-01 0:00 +7),
        datetime!(2026-08-15 0:00 +7),
    );
    let signers = |act, on| [first, second, third].map(|at| signer(act, on, at));
    let (team, division) = ("Đội trưởng, Trạm trưởng", "Trưởng phòng Cảnh sát giao thông");
    // 20 million and points.
    assert_eq!(signers("red_light", Kind::Car), ["Giám đốc Công an cấp tỉnh", division, team]);
    // 6 million and points: an officer may sign the amount, not the points.
    assert_eq!(signers("red_light", Kind::Motorbike), [division, division, team]);
    // 400,000 without points.
    assert_eq!(signers("stop_line", Kind::Motorbike), ["Chiến sĩ Cảnh sát giao thông"; 3]);
    // 40 million with points.
    let (head, department) =
        ("Trưởng phòng Cảnh sát giao thông", "Cục trưởng Cục Cảnh sát giao thông");
    assert_eq!(signers("expressway_wrong_way", Kind::Car), [department, head, head]);
    // 1 million without points: then the commune's police could, had it this act on its list.
    assert_eq!(signer("helmet_rider", Kind::Motorbike, first), "Đội trưởng, Trạm trưởng");
}

#[test]
fn before_the_first_decree_there_is_no_provision() {
    let book = law::book().unwrap();
    let error = book.find("red_light", Kind::Car, datetime!(2024-12-31 23:59:59 +7)).unwrap_err();
    assert!(error.to_string().contains("red_light"), "{error}");
    assert!(book.find("red_light", Kind::Car, datetime!(2025-01-01 0:00 +7)).is_ok());
}

#[test]
fn appointments_are_on_days_that_are_certainly_worked() {
    let book = law::book().unwrap();
    for (issued, at) in [
        // Ten days after a Wednesday is a Saturday: the Monday after.
        (datetime!(2026-11-25 15:00 +7), datetime!(2026-12-07 08:00 +7)),
        // 24 November is a day off since 2026.
        (datetime!(2026-11-14 15:00 +7), datetime!(2026-11-25 08:00 +7)),
        // 31 August was swapped; its Saturday was worked.
        (datetime!(2026-08-21 15:00 +7), datetime!(2026-09-03 08:00 +7)),
        (datetime!(2026-08-12 15:00 +7), datetime!(2026-08-22 08:00 +7)),
        (datetime!(2026-02-05 15:00 +7), datetime!(2026-02-23 08:00 +7)),
        // Tết 2027 is not announced: whatever it may take is avoided.
        (datetime!(2027-01-26 15:00 +7), datetime!(2027-02-12 08:00 +7)),
    ] {
        assert_eq!(book.appointment(issued), Ok(at), "issued {issued}");
    }
    let unknown = book.appointment(datetime!(2027-12-25 15:00 +7));
    assert!(matches!(unknown, Err(LawError::UnknownYear { year: 2028, .. })), "{unknown:?}");
}

#[test]
fn an_act_is_barred_after_a_year_and_its_notice_is_due_on_a_day_that_is_worked() {
    let book = law::book().unwrap();
    let act = datetime!(2025-11-21 08:15 +7);
    assert_eq!(book.limitation(act), Ok(datetime!(2026-11-21 23:59:59 +7)));
    // The tenth day, 24 November 2026, is off.
    let due = book.notice_due(datetime!(2026-11-14 23:30 +7));
    assert_eq!(due, Ok(datetime!(2026-11-25 23:59:59 +7)));
    assert!(book.notice_due(datetime!(2027-12-28 12:00 +7)).is_err());
}

#[test]
fn a_procedure_that_lacks_a_term_or_gives_one_twice_is_refused() {
    let whole = include_str!("../../law/procedure.toml");
    let calendar = ("calendar", include_str!("../../law/calendar.toml"));
    let read = |procedure: &str| LawBook::read(&[], ("procedure.toml", procedure), calendar);
    assert!(read(whole).is_ok());
    let twice = whole.replace("name = \"pay\"", "name = \"notice\"");
    let error = read(&twice).unwrap_err().to_string();
    assert_eq!(error, "procedure.toml: deadline Notice: must be given, and once");
    let unknown = whole.replace("name = \"pay\"", "name = \"paid\"");
    let error = read(&unknown).unwrap_err().to_string();
    assert!(error.contains("unknown variant `paid`") && error.contains("`pay`"), "{error}");
}

/// The law is what the handlers' state holds, not what is built in.
#[tokio::test]
async fn a_case_is_opened_and_held_by_the_law_of_its_handlers() {
    let decree = |act: &str| {
        format!(
            "number = \"1/2020/NĐ-CP\"\ntitle = \"Thử\"\neffective = \"2025-01-01\"\n\
             source = \"tests\"\n[[provision]]\nact = {act:?}\non = \"motorbike\"\narticle = 1\n\
             clause = 2\nfine = [100_000, 300_000]\npoints = 0\ntext = \"Hành vi thử\"\n"
        )
    };
    let procedure = ("procedure", include_str!("../../law/procedure.toml"));
    let calendar = ("calendar", include_str!("../../law/calendar.toml"));
    let book = |act: &str| {
        Arc::new(LawBook::read(&[("decree", &decree(act))], procedure, calendar).unwrap())
    };
    let mut setting = Setting::new().await;
    setting.user("an", &[Role::Reviewer]).await;
    let mut seen = Vec::new();
    for (sequence, act) in [(1, "red_light"), (2, "stop_line")] {
        setting.state.law = book(act);
        let case = setting.case(sequence, |m| m.plate.as_mut().unwrap().confidence = 0.8).await;
        let mut an = Visitor::officer(&setting.state, "an").await;
        let detail = an.get(&format!("/api/v1/cases/{case}")).await.json();
        let law = &detail["law"];
        seen.push((law["decree"].clone(), law["fine_max"].clone(), detail["blockers"].clone()));
    }
    assert_eq!(seen[0], ("1/2020/NĐ-CP".into(), 300_000.into(), serde_json::json!([])));
    let held = serde_json::json!([{ "code": "law_missing", "detail": null }]);
    assert_eq!(seen[1], (serde_json::Value::Null, serde_json::Value::Null, held));
}

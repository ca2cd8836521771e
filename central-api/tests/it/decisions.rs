//! Decisions on both databases: the table, the gate, the audit row and the constraint together.

use central_api::admin::users::Role;
use central_api::audit;
use central_api::case::states::Refusal;
use central_api::case::{self, Action, Actor, Command, DecideError, Reason, State};
use central_api::work;
use contract::VehicleClass;
use contract::facts::Lamp;
use contract::manifest::FileRole;
use sqlx::Row as _;

use crate::setting::Setting;

struct Desk {
    setting: Setting,
    reviewer: Actor,
    approver: Actor,
}

impl Desk {
    async fn each() -> Vec<Self> {
        let mut desks = Vec::new();
        for setting in Setting::each().await {
            // Both hold both roles: only the table keeps them apart.
            let roles = [Role::Reviewer, Role::Approver];
            let mut actors = Vec::new();
            for login in ["an", "binh"] {
                let user_id = setting.user(login, &roles).await;
                actors.push(Actor::Officer {
                    user_id,
                    login: login.into(),
                    reviews: true,
                    approves: true,
                });
            }
            let approver = actors.pop().unwrap();
            let reviewer = actors.pop().unwrap();
            desks.push(Self { setting, reviewer, approver });
        }
        desks
    }

    async fn act(&self, actor: &Actor, case: &str, action: Action) -> Result<State, DecideError> {
        let version = case::find(&self.setting.state.store, case).await.unwrap().unwrap().version;
        let command = Command { version, ..command(case, action) };
        case::decide(&self.setting.state, actor, command).await.map(|case| case.state)
    }
}

fn command(case: &str, action: Action) -> Command {
    Command {
        case_id: case.into(),
        version: 1,
        action,
        reason: None,
        note: None,
        plate: None,
        other: None,
    }
}

#[tokio::test]
async fn two_people_lead_a_case_to_its_notice_and_every_step_is_in_the_audit() {
    for desk in Desk::each().await {
        let case = desk.setting.case(1, |_| {}).await;
        assert_eq!(desk.act(&desk.reviewer, &case, Action::Take).await.unwrap(), State::InReview);
        assert_eq!(desk.act(&desk.reviewer, &case, Action::Accept).await.unwrap(), State::Accepted);
        assert_eq!(
            desk.act(&desk.approver, &case, Action::Approve).await.unwrap(),
            State::Approved
        );
        let by_hand = desk.act(&desk.approver, &case, Action::Notify).await;
        assert!(matches!(by_hand, Err(DecideError::Refused(Refusal::Role))), "{by_hand:?}");
        assert_eq!(work::work_off(&desk.setting.state).await.unwrap(), 1);
        let rows = sqlx::query(
            "SELECT action, actor FROM audit WHERE subject_kind = 'case' AND subject_id = $1 ORDER BY seq",
        )
        .bind(case.clone())
        .fetch_all(desk.setting.state.store.pool())
        .await
        .unwrap();
        let steps: Vec<(String, String)> =
            rows.iter().map(|row| (row.get("action"), row.get("actor"))).collect();
        let expected = [
            ("case.opened", "device:box-01"),
            ("case.take", "user:an"),
            ("case.accept", "user:an"),
            ("case.approve", "user:binh"),
            ("case.notify", "system"),
        ];
        assert_eq!(steps, expected.map(|(action, actor)| (action.to_owned(), actor.to_owned())));
        assert!(
            audit::verify(&mut desk.setting.state.store.snapshot().await.unwrap())
                .await
                .unwrap()
                .is_ok()
        );
        let refused = desk.act(&desk.reviewer, &case, Action::Reject).await;
        assert!(matches!(refused, Err(DecideError::Refused(Refusal::NotPossible { .. }))));
    }
}

#[tokio::test]
async fn one_evidence_has_one_case() {
    for desk in Desk::each().await {
        let state = &desk.setting.state;
        let first = desk.setting.case(1, |_| {}).await;
        let manifest: String = sqlx::query_scalar("SELECT manifest FROM evidence")
            .fetch_one(state.store.pool())
            .await
            .unwrap();
        let manifest = contract::Manifest::parse(manifest.as_bytes()).unwrap();
        let mut tx = state.store.begin().await.unwrap();
        let again =
            case::open(&mut tx, state.terms(), &manifest, crate::setting::START).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(first, again);
        let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM cases")
            .fetch_one(state.store.pool())
            .await
            .unwrap();
        assert_eq!(count, 1);
    }
}

#[tokio::test]
async fn the_reviewer_cannot_approve_and_neither_can_the_hand_in_the_database() {
    for desk in Desk::each().await {
        let case = desk.setting.case(1, |_| {}).await;
        desk.act(&desk.reviewer, &case, Action::Accept).await.unwrap();
        for action in [Action::Approve, Action::Return] {
            let refused = desk.act(&desk.reviewer, &case, action).await;
            assert!(
                matches!(refused, Err(DecideError::Refused(Refusal::SamePerson))),
                "{refused:?}"
            );
        }
        let forced = sqlx::query("UPDATE cases SET approver = reviewer WHERE id = $1")
            .bind(case.clone())
            .execute(desk.setting.state.store.pool())
            .await;
        assert!(forced.unwrap_err().as_database_error().unwrap().is_check_violation());
        let forced = sqlx::query("UPDATE cases SET state = 'notified' WHERE id = $1")
            .bind(case)
            .execute(desk.setting.state.store.pool())
            .await;
        assert!(forced.unwrap_err().as_database_error().unwrap().is_check_violation());
    }
}

#[tokio::test]
async fn whoever_corrected_the_plate_cannot_approve_either() {
    for desk in Desk::each().await {
        let state = &desk.setting.state;
        let case = desk.setting.case(1, |manifest| manifest.plate = None).await;
        let fix = |plate: &str| Command {
            reason: Some(Reason::PlateUnreadable),
            plate: Some(plate.into()),
            ..command(&case, Action::CorrectPlate)
        };
        let bad = case::decide(state, &desk.approver, fix("13-AA 123.45")).await;
        assert!(matches!(bad, Err(DecideError::Plate(_))), "{bad:?}");
        let without = Command { reason: None, ..fix("29-AA 123.45") };
        let refused = case::decide(state, &desk.approver, without).await;
        assert!(matches!(refused, Err(DecideError::Refused(Refusal::ReasonMissing))));
        let fixed = case::decide(state, &desk.approver, fix("29-aa 123.45")).await.unwrap();
        assert_eq!(fixed.plate.as_deref(), Some("29AA12345"));
        assert_eq!(fixed.plate_read, None);

        let taken = desk.act(&desk.reviewer, &case, Action::Accept).await;
        assert!(matches!(taken, Err(DecideError::Refused(Refusal::Taken))));
        desk.act(&desk.reviewer, &case, Action::Take).await.unwrap();
        desk.act(&desk.reviewer, &case, Action::Accept).await.unwrap();
        let refused = desk.act(&desk.approver, &case, Action::Approve).await;
        assert!(matches!(refused, Err(DecideError::Refused(Refusal::SamePerson))));
    }
}

#[tokio::test]
async fn of_two_officers_with_the_same_page_one_is_told() {
    for desk in Desk::each().await {
        let case = desk.setting.case(1, |_| {}).await;
        let state = &desk.setting.state;
        let (one, two) = tokio::join!(
            case::decide(state, &desk.reviewer, command(&case, Action::Take)),
            case::decide(state, &desk.approver, command(&case, Action::Take)),
        );
        let told =
            [&one, &two].iter().filter(|it| matches!(it, Err(DecideError::Conflict))).count();
        assert_eq!(told, 1, "{one:?} {two:?}");
    }
}

#[tokio::test]
async fn the_gate_names_what_is_missing() {
    let desk = Desk::each().await.remove(0);
    type Edit = fn(&mut contract::Manifest);
    let cases: [(&str, Edit); 6] = [
        ("file_missing", |manifest| manifest.files.retain(|file| file.role != FileRole::Clip)),
        ("plate_missing", |manifest| manifest.plate.as_mut().unwrap().text = None),
        ("plate_invalid", |manifest| manifest.violation.vehicle = VehicleClass::Car),
        ("lamp_not_red", |manifest| crate::gate::signal(manifest).lit.lamp = Lamp::Unknown),
        ("verification_expired", |manifest| {
            let verification = manifest.camera.verification.as_mut().unwrap();
            verification.valid_to = time::macros::date!(2026 - 11 - 20);
        }),
        ("law_missing", |manifest| {
            manifest.violation.at = time::macros::datetime!(2024-12-31 12:00 +7);
        }),
    ];
    for (sequence, (name, edit)) in (1u64..).zip(cases) {
        let case = desk.setting.case(sequence, edit).await;
        match desk.act(&desk.reviewer, &case, Action::Accept).await {
            Err(DecideError::Gate(examination)) => {
                let found: Vec<_> =
                    examination.gate.blockers.iter().map(case::Blocker::name).collect();
                assert!(found.contains(&name), "{name}: {found:?}");
            }
            other => panic!("{name}: {other:?}"),
        }
        // What may not be accepted may still be rejected.
        let reject =
            Command { reason: Some(Reason::PoorEvidence), ..command(&case, Action::Reject) };
        let rejected = case::decide(&desk.setting.state, &desk.reviewer, reject).await.unwrap();
        assert_eq!(rejected.state, State::Rejected);
    }
}

#[tokio::test]
async fn evidence_is_verified_again_at_the_approval() {
    let desk = Desk::each().await.remove(0);
    let case_id = desk.setting.case(1, |_| {}).await;
    desk.act(&desk.reviewer, &case_id, Action::Accept).await.unwrap();
    let case = case::find(&desk.setting.state.store, &case_id).await.unwrap().unwrap();
    let path = desk.setting.file(&case.evidence_id, "clip.mp4");
    let mut clip = std::fs::read(&path).unwrap();
    clip[5000] ^= 1;
    std::fs::write(&path, clip).unwrap();
    match desk.act(&desk.approver, &case_id, Action::Approve).await {
        Err(DecideError::Gate(examination)) => {
            let detail = examination.gate.blockers[0].detail().unwrap();
            assert!(detail.starts_with("clip.mp4: SHA-256"), "{detail}");
        }
        other => panic!("{other:?}"),
    }
    std::fs::remove_file(path).unwrap();
    match desk.act(&desk.approver, &case_id, Action::Approve).await {
        Err(DecideError::Gate(examination)) => {
            assert_eq!(examination.gate.blockers[0].detail().unwrap(), "clip.mp4: missing");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_changed_manifest_is_found() {
    let desk = Desk::each().await.remove(0);
    let case = desk.setting.case(1, |_| {}).await;
    sqlx::query("UPDATE evidence SET manifest = REPLACE(manifest, 'straight', 'stopped')")
        .execute(desk.setting.state.store.pool())
        .await
        .unwrap();
    let refused = desk.act(&desk.reviewer, &case, Action::Accept).await;
    assert!(matches!(refused, Err(DecideError::Gate(_))), "{refused:?}");
}

//! A drill of a fault, on both databases: its cases are found by what they were made with, frozen at
//! once, judged again, and undone or released by two people.

use axum::http::StatusCode;
use central_api::admin::users::{self, Role};
use central_api::proceedings::decision;
use central_api::proceedings::row;
use central_api::recall::{self, Cause, Choice, Counts, Fate, list_texts};
use central_api::verify::{Depth, verify_store};
use central_api::work;
use sqlx::Row as _;

use crate::sanctions::staffed;
use crate::setting::browserless::{Answer, Visitor};
use crate::setting::{Setting, manifest_of};

struct Drill {
    setting: Setting,
    an: Visitor,
    binh: Visitor,
    dung: Visitor,
}

impl Drill {
    async fn each() -> Vec<Self> {
        let mut drills = Vec::new();
        for setting in staffed().await {
            let an = Visitor::officer(&setting.state, "an").await;
            let binh = Visitor::officer(&setting.state, "binh").await;
            let dung = Visitor::officer(&setting.state, "dung").await;
            drills.push(Self { setting, an, binh, dung });
        }
        drills
    }

    async fn opened(&mut self, cause: &str, value: &str) -> String {
        let csrf = self.binh.csrf.clone();
        let fields = [
            ("csrf", csrf.as_str()),
            ("cause", cause),
            ("value", value),
            ("from", "2026-11-21"),
            ("to", "2026-11-21"),
            ("reason", "đèn bị lắp sai pha từ sáng 21/11"),
        ];
        let answer = self.binh.post("/ra-soat", &fields).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        let id = answer.location().rsplit('/').next().unwrap().to_owned();
        self.work().await;
        id
    }

    async fn work(&self) {
        work::work_off(&self.setting.state).await.unwrap();
    }

    async fn step(&mut self, who: &str, recall: &str, fields: &[(&str, &str)]) -> Answer {
        let visitor = if who == "binh" { &mut self.binh } else { &mut self.dung };
        let csrf = visitor.csrf.clone();
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend_from_slice(fields);
        let answer = visitor.post(&format!("/ra-soat/{recall}"), &all).await;
        self.work().await;
        answer
    }

    async fn counts(&self, recall: &str) -> Counts {
        recall::counts(&self.setting.state.store, recall).await.unwrap()
    }

    async fn state_of(&mut self, case: &str) -> String {
        let detail = self.an.get(&format!("/api/v1/cases/{case}")).await.json();
        detail["case"]["state"].as_str().unwrap().to_owned()
    }

    async fn verifies(&self) {
        let state = &self.setting.state;
        let report = verify_store(&state.store, &state.evidence, &state.law, Depth::Seals).await;
        let report = report.unwrap();
        assert!(report.ok, "{:?}", report.findings);
    }

    /// Four cases of one camera: received, accepted, notified, and with a decision in force; one of
    /// another camera, and one rejected before.
    async fn cases(&mut self) -> [String; 6] {
        let mut cases = Vec::new();
        for minute in 0..6_u64 {
            let camera = if minute == 4 { "cam-09" } else { "cam-01" };
            let case = self
                .setting
                .case(minute + 1, |manifest| {
                    manifest.camera.id = camera.into();
                    let plate = manifest.plate.as_mut().unwrap();
                    // Numbers of their own: none is the same act as another.
                    plate.raw = format!("29AA1234{minute}");
                    plate.text = Some(plate.raw.clone());
                })
                .await;
            cases.push(case);
        }
        for case in [1, 2, 3] {
            self.an.decide(&cases[case], "accept", &[]).await;
        }
        self.an.decide(&cases[5], "reject", &[("reason", "poor_evidence")]).await;
        let mut chi = Visitor::officer(&self.setting.state, "chi").await;
        for case in [&cases[2], &cases[3]] {
            self.binh.decide(case, "approve", &[]).await;
            // The registry does not know these numbers.
            if let Some(record) =
                central_api::proceedings::owner::find(&self.setting.state.store, case)
                    .await
                    .unwrap()
                    .filter(|record| record.owner.is_none())
            {
                let (csrf, version) = (chi.csrf.clone(), record.version.to_string());
                let named = [
                    ("csrf", csrf.as_str()),
                    ("version", &version),
                    ("who", "other"),
                    ("kind", "person"),
                    ("name", "Trần Thị Chủ Xe"),
                    ("address", "1 Phố Mẫu"),
                    ("note", "theo giấy đăng ký xe"),
                ];
                chi.post(&format!("/ho-so/{case}/chu-xe"), &named).await;
                self.work().await;
            }
            assert_eq!(self.state_of(case).await, "notified");
        }
        let csrf = chi.csrf.clone();
        let drawn = [
            ("csrf", csrf.as_str()),
            ("kind", "person"),
            ("name", "Trần Thị Chủ Xe"),
            ("address", "1 Phố Mẫu"),
            ("born", "1990-05-01"),
            ("drove", "yes"),
            ("identified_on", "2026-11-21"),
            ("place", "Phòng Cảnh sát giao thông"),
            ("version", "0"),
        ];
        chi.post(&format!("/ho-so/{}/bien-ban", cases[3]), &drawn).await;
        self.work().await;
        let proposed = [("csrf", csrf.as_str()), ("version", "0"), ("action", "propose")];
        chi.post(&format!("/ho-so/{}/xu-phat", cases[3]), &proposed).await;
        let csrf = self.dung.csrf.clone();
        let signed = [("csrf", csrf.as_str()), ("version", "1"), ("action", "sign")];
        self.dung.post(&format!("/ho-so/{}/xu-phat", cases[3]), &signed).await;
        self.work().await;
        assert_eq!(self.decision(&cases[3]).await, "issued");
        cases.try_into().unwrap()
    }

    async fn decision(&self, case: &str) -> &'static str {
        let row: Option<decision::Row> = row::find(&self.setting.state.store, case).await.unwrap();
        row.map_or("none", |row| row.content.state.name())
    }
}

#[tokio::test]
async fn what_a_camera_accused_of_wrongly_is_frozen_and_undone_by_two_people() {
    for mut drill in Drill::each().await {
        let [received, accepted, notified, fined, elsewhere, rejected] = drill.cases().await;
        let recall = drill.opened("camera", "cam-01").await;
        let counts = drill.counts(&recall).await;
        assert_eq!((counts.all(), counts.of(Fate::Frozen)), (5, 5));
        // Test packages seal no basis: nothing is judged, and everything was asked.
        assert_eq!((counts.judged(None), counts.judged(Some(recall::Judged::Unknown))), (0, 5));
        let held =
            central_api::case::held_by(&drill.setting.state.store, &elsewhere).await.unwrap();
        assert_eq!(held, None);
        // What was rejected may be taken up again, and stays frozen.
        drill.an.decide(&rejected, "reopen", &[("note", "xem lại hồ sơ này")]).await;
        let answer = drill.an.decide(&rejected, "accept", &[]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        // What comes in late belongs to it too.
        let late = drill
            .setting
            .case(7, |manifest| {
                let plate = manifest.plate.as_mut().unwrap();
                plate.raw = "29AA12347".into();
                plate.text = Some(plate.raw.clone());
            })
            .await;
        let held = central_api::case::held_by(&drill.setting.state.store, &late).await.unwrap();
        assert_eq!(held.as_deref(), Some(recall.as_str()));
        // Frozen: nobody decides against the vehicle meanwhile.
        let answer = drill.an.decide(&received, "accept", &[]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.text().contains("đang tạm dừng để rà soát lỗi"), "{}", answer.text());
        let answer = drill.binh.decide(&accepted, "approve", &[]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);

        // One of them goes on: asked for by one, agreed by another.
        let ask = [("step", "ask"), ("choice", "release"), ("which", received.as_str())];
        assert_eq!(drill.step("binh", &recall, &ask).await.status, StatusCode::SEE_OTHER);
        let agree = [("step", "confirm"), ("choice", "release"), ("shown", "1")];
        let own = drill.step("binh", &recall, &agree).await;
        assert_eq!(own.status, StatusCode::CONFLICT, "{}", own.text());
        let decline = [("step", "decline"), ("choice", "release")];
        assert_eq!(drill.step("dung", &recall, &decline).await.status, StatusCode::SEE_OTHER);
        assert_eq!(drill.counts(&recall).await.of(Fate::Frozen), 6);
        drill.step("binh", &recall, &ask).await;
        assert_eq!(drill.step("dung", &recall, &agree).await.status, StatusCode::SEE_OTHER);
        let answer = drill.an.decide(&received, "accept", &[]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());

        // The others are undone together.
        let ask = [("step", "ask"), ("choice", "annul"), ("which", "all")];
        assert_eq!(drill.step("dung", &recall, &ask).await.status, StatusCode::SEE_OTHER);
        let page = drill.binh.get(&format!("/ra-soat/{recall}")).await.text();
        assert!(page.contains("Đồng ý hủy bỏ (5)"), "{page}");
        // More was asked for than the page showed: nothing is agreed to.
        let agree = [("step", "confirm"), ("choice", "annul"), ("shown", "4")];
        assert_eq!(drill.step("binh", &recall, &agree).await.status, StatusCode::CONFLICT);
        let agree = [("step", "confirm"), ("choice", "annul"), ("shown", "5")];
        assert_eq!(drill.step("binh", &recall, &agree).await.status, StatusCode::SEE_OTHER);
        let counts = drill.counts(&recall).await;
        assert_eq!((counts.of(Fate::Annulled), counts.of(Fate::Released)), (5, 1));
        assert_eq!(drill.state_of(&notified).await, "withdrawn");
        assert_eq!(drill.decision(&fined).await, "annulled");
        assert_eq!(drill.state_of(&fined).await, "withdrawn");
        // What had no notice yet gets none.
        let answer = drill.binh.decide(&accepted, "approve", &[]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(drill.state_of(&elsewhere).await, "received");
        drill.verifies().await;
        let steps: Vec<String> = sqlx::query_scalar(
            "SELECT action FROM audit WHERE subject_kind = 'recall' ORDER BY seq",
        )
        .fetch_all(drill.setting.state.store.pool())
        .await
        .unwrap();
        assert_eq!(
            steps,
            [
                "recall.opened",
                "recall.frozen",
                "recall.listed",
                "recall.judged",
                "recall.frozen",
                "recall.asked",
                "recall.declined",
                "recall.asked",
                "recall.agreed",
                "recall.asked",
                "recall.agreed",
                "recall.annulled",
                "recall.annulled",
                "recall.annulled",
                "recall.annulled",
                "recall.annulled",
            ]
        );
    }
}

#[tokio::test]
async fn every_cause_finds_its_cases_and_no_others() {
    for mut drill in Drill::each().await {
        let [_, accepted, notified, fined, ..] = drill.cases().await;
        drill.setting.user("giang", &[Role::Approver]).await;
        let manifest = manifest_of(1);
        let model = manifest.models[0].sha256.to_string();
        let config = manifest.config.to_string();
        for (cause, value, expected) in [
            ("model", model.as_str(), 6),
            ("model", "00", 0),
            ("config", config.as_str(), 6),
            ("camera", "cam-09", 1),
            ("device", crate::setting::DEVICE, 6),
            ("device", "box-99", 0),
            ("law", "168/2024/NĐ-CP 7.7.c", 6),
            ("law", "168/2024/NĐ-CP 7.7.a", 0),
            ("officer", "an", 4),
            ("officer", "binh", 2),
            // Who signed, and who named the owners, drew the minutes and proposed.
            ("officer", "dung", 1),
            ("officer", "chi", 2),
            ("officer", "giang", 0),
        ] {
            let recall = drill.opened(cause, value).await;
            let counts = drill.counts(&recall).await;
            assert_eq!(counts.all(), expected, "{cause} {value}");
        }
        for case in [&accepted, &notified, &fined] {
            let held = central_api::case::held_by(&drill.setting.state.store, case).await.unwrap();
            assert!(held.is_some());
        }
        // Other days are not touched, and nothing is asked without saying what and why.
        let csrf = drill.binh.csrf.clone();
        let other =
            |from: &'static str, to: &'static str, value: &'static str, why: &'static str| {
                [
                    ("csrf", csrf.clone()),
                    ("cause", "camera".into()),
                    ("value", value.into()),
                    ("from", from.into()),
                    ("to", to.into()),
                    ("reason", why.into()),
                ]
            };
        for (fields, status) in [
            (other("2026-11-22", "2026-11-30", "cam-01", "đèn bị lắp sai pha"), 303),
            (other("2026-11-22", "2026-11-20", "cam-01", "đèn bị lắp sai pha"), 422),
            (other("2016-11-22", "2026-11-20", "cam-01", "đèn bị lắp sai pha"), 422),
            (other("hôm qua", "2026-11-20", "cam-01", "đèn bị lắp sai pha"), 422),
            (other("2026-11-21", "2026-11-21", "", "đèn bị lắp sai pha"), 422),
            (other("2026-11-21", "2026-11-21", "cam-01", "sai"), 422),
        ] {
            let fields: Vec<_> =
                fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let answer = drill.binh.post("/ra-soat", &fields).await;
            assert_eq!(answer.status.as_u16(), status, "{fields:?}: {}", answer.text());
        }
        drill.work().await;
        let latest = recall::all(&drill.setting.state.store).await.unwrap();
        let empty = latest.iter().find(|it| it.value == "cam-01").unwrap();
        assert_eq!(drill.counts(&empty.id).await.all(), 0);
    }
}

#[tokio::test]
async fn packages_of_before_are_traced_and_a_listing_that_dies_begins_again() {
    for mut drill in Drill::each().await {
        drill.cases().await;
        let store = drill.setting.state.store.clone();
        let run = async |text: &'static str| {
            sqlx::query(text).execute(store.pool()).await.unwrap().rows_affected()
        };
        assert!(run("DELETE FROM evidence_causes").await >= 12);
        run("INSERT INTO jobs (id, key, task, asked_at, due_at)
             VALUES ('t', 'trace_evidence', '{\"job\":\"trace_evidence\",\"after\":\"\"}', 0, 0)")
        .await;
        drill.work().await;
        let config = manifest_of(1).config.to_string();
        let recall = drill.opened("config", &config).await;
        assert_eq!(drill.counts(&recall).await.all(), 6);
        // As after a kill between two pages: half of the list, not marked as listed.
        run("UPDATE recalls SET listed_at = NULL").await;
        run("DELETE FROM recalled WHERE case_id = (SELECT MAX(case_id) FROM recalled)").await;
        run("INSERT INTO jobs (id, key, task, asked_at, due_at)
             SELECT 'l', 'list_recall:' || id, '{\"job\":\"list_recall\",\"recall\":\"' || id || '\"}', 0, 0
             FROM recalls")
        .await;
        drill.work().await;
        assert_eq!(drill.counts(&recall).await.all(), 6);
        let row =
            sqlx::query("SELECT listed_at FROM recalls").fetch_one(store.pool()).await.unwrap();
        assert!(row.get::<Option<i64>, _>(0).is_some());
    }
}

#[tokio::test]
async fn nobody_agrees_with_themselves_and_who_is_gone_is_stood_in_for() {
    for mut drill in Drill::each().await {
        let [received, accepted, notified, ..] = drill.cases().await;
        let recall = drill.opened("camera", "cam-01").await;
        let ask = |which| [("step", "ask"), ("choice", "annul"), ("which", which)];
        drill.step("binh", &recall, &ask(&received)).await;
        drill.step("dung", &recall, &ask(&notified)).await;
        // Each is asked to agree with the other's alone, and may take back their own.
        let path = format!("/ra-soat/{recall}");
        for visitor in [&mut drill.binh, &mut drill.dung] {
            let page = visitor.get(&path).await.text();
            assert!(page.contains("Đồng ý hủy bỏ (1)"), "{page}");
            assert!(page.contains("Chờ người khác đồng ý: 1 hồ sơ do bạn đề nghị."), "{page}");
        }
        let agree = [("step", "confirm"), ("choice", "annul"), ("shown", "1")];
        let store = drill.setting.state.store.clone();
        // What dung asked for is agreed with; before the central is at it, dung is dismissed.
        let binh = users::list(&store).await.unwrap();
        let binh = binh.iter().find(|user| user.login == "binh").unwrap().id.clone();
        let by = (binh.as_str(), "binh");
        let state = &drill.setting.state;
        assert_eq!(recall::confirm(state, &recall, by, Choice::Annul, 1).await.unwrap(), 1);
        let now = central_api::clock::Clock::now(&*drill.setting.clock);
        assert!(users::disable(&store, now, "system", "dung", true).await.unwrap());
        assert!(!users::disable(&store, now, "system", "dung", true).await.unwrap(), "once");
        drill.work().await;
        assert_eq!(drill.counts(&recall).await.of(Fate::Annulling), 1);
        assert_eq!(drill.state_of(&notified).await, "notified");
        drill.verifies().await;
        // Whoever agreed cannot be both; another approver stands in, and it goes on.
        let stand_in = [("step", "stand_in")];
        let page = drill.binh.get(&path).await.text();
        assert!(!page.contains("Thay người đã thôi phê duyệt"), "{page}");
        assert_eq!(drill.step("binh", &recall, &stand_in).await.status, StatusCode::CONFLICT);
        drill.setting.user("giang", &[Role::Approver]).await;
        let mut giang = Visitor::officer(&drill.setting.state, "giang").await;
        let page = giang.get(&path).await.text();
        assert!(page.contains("Thay người đã thôi phê duyệt"), "{page}");
        if let Some(folder) = std::env::var_os("SCREENSHOTS") {
            let file = std::path::Path::new(&folder).join("recall-stand-in.html");
            std::fs::write(file, &page).unwrap();
        }
        let csrf = giang.csrf.clone();
        let answer = giang.post(&path, &[("csrf", &csrf), ("step", "stand_in")]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        drill.work().await;
        assert_eq!(drill.counts(&recall).await.of(Fate::Annulled), 1);
        assert_eq!(drill.state_of(&notified).await, "withdrawn");
        let answer = giang.post(&path, &[("csrf", &csrf), ("step", "stand_in")]).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "nobody is missing any more");
        // What binh asked for waits for another person still.
        drill.step("binh", &recall, &ask(&accepted)).await;
        let own = drill.step("binh", &recall, &agree).await;
        assert_eq!(own.status, StatusCode::CONFLICT, "{}", own.text());
        assert_eq!(drill.counts(&recall).await.of(Fate::AnnulAsked), 2);
        drill.verifies().await;
    }
}

#[test]
fn every_cause_has_a_text() {
    for cause in Cause::ALL {
        assert!(!list_texts(cause).is_empty(), "{cause:?}");
    }
}

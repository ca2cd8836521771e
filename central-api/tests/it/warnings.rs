//! Warnings, on both databases: what follows when nobody comes, each told once and in order, and lifted
//! at once; and the worklist of terms.

use axum::http::StatusCode;
use central_api::clock::Clock as _;
use central_api::jobs::{self, Job};
use central_api::law::VIETNAM;
use central_api::proceedings::warning::{
    self, Cause, Folder, Receiver as _, State, Target, What, Why,
};
use central_api::store::to_ms;
use central_api::work;
use contract::VehicleClass;
use contract::plate::{PlateClass, PlateColour};
use time::Duration;
use time::macros::datetime;

use crate::delivery::{each, notified, posted, printed, told, withdrawn_by_two};
use crate::setting::Setting;
use crate::setting::browserless::Visitor;

/// Lets the clock go on and does what is due then.
async fn later(setting: &Setting, by: Duration) {
    setting.clock.advance(by);
    work::work_off(&setting.state).await.unwrap();
}

async fn state_of(setting: &Setting, case: &str) -> Option<State> {
    let all = warning::of_case(&setting.state.store, case).await.unwrap();
    assert!(all.len() < 2);
    all.first().map(|it| it.state)
}

fn export_to_folder(setting: &mut Setting) -> std::path::PathBuf {
    let folder = setting.folder.path().join("warnings");
    let config = std::sync::Arc::get_mut(&mut setting.state.config).unwrap();
    config.warnings.folder.clone_from(&folder);
    folder
}

/// Everything that was handed over, line by line.
fn handed_over(folder: &std::path::Path) -> Vec<String> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
        .unwrap_or_default();
    files.sort();
    files
        .iter()
        .flat_map(|file| {
            assert_eq!(file.extension().unwrap(), "csv", "{}", file.display());
            let text = std::fs::read_to_string(file).unwrap();
            text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

#[tokio::test]
async fn who_does_not_come_is_warned_of_once_and_cleared_at_once() {
    for mut setting in each().await {
        let folder = export_to_folder(&mut setting);
        let cases = notified(&setting, 2).await;
        work::begin(&setting.state).await.unwrap();
        let batch = printed(&setting).await;
        posted(&setting, &batch).await;
        // Sent on Saturday 21 November: the twentieth day is Friday 11 December.
        later(&setting, Duration::days(20)).await;
        assert_eq!(state_of(&setting, &cases[0]).await, Some(State::Running));
        later(&setting, Duration::days(1)).await;
        assert_eq!(setting.clock.now().to_offset(VIETNAM).date().day(), 12);
        for case in &cases {
            assert_eq!(state_of(&setting, case).await, Some(State::Warned));
            let told = warning::messages_of(&setting.state.store, case).await.unwrap();
            let told: Vec<_> = told.iter().map(|it| (it.target, it.what)).collect();
            assert_eq!(told, [(Target::Commune, What::Warn)], "a motorbike is not inspected");
        }
        // Nights go by, the clock steps back and on again: nobody is told twice.
        for by in [1, 1, -3, 5] {
            later(&setting, Duration::days(by)).await;
        }
        withdrawn_by_two(&setting, &cases[0]).await;
        assert_eq!(state_of(&setting, &cases[0]).await, Some(State::Cleared));
        later(&setting, Duration::days(1)).await;
        let lines = handed_over(&folder);
        let seen: Vec<_> = lines
            .iter()
            .map(|line| line.split(',').take(3).collect::<Vec<_>>().join(","))
            .collect();
        assert_eq!(seen, ["1,warn,commune", "2,warn,commune", "3,clear,commune"], "{lines:?}");
        assert!(lines[2].contains("Thông báo bị thu hồi") && lines[2].contains("29-AB 111.11"));
        assert!(!lines.join("").contains("Nguyễn"), "no person is named: {lines:?}");
        // The page says so.
        let mut chi = Visitor::officer(&setting.state, "chi").await;
        let page = chi.get(&format!("/ho-so/{}", cases[1])).await.text();
        assert!(page.contains("Đã gửi cảnh báo ngày"), "{page}");
        let csrf = chi.csrf.clone();
        let path = format!("/ho-so/{}/giao-nhan", cases[1]);
        let came = [("csrf", csrf.as_str()), ("how", "came")];
        assert_eq!(chi.post(&path, &came).await.status, StatusCode::SEE_OTHER);
        assert_eq!(chi.post(&path, &came).await.status, StatusCode::CONFLICT, "once");
        later(&setting, Duration::minutes(10)).await;
        assert!(handed_over(&folder)[3].starts_with("4,clear,commune"));
        let report = central_api::verify::verify_store(
            &setting.state.store,
            &setting.state.evidence,
            &setting.state.law,
            central_api::verify::Depth::Seals,
        );
        let report = report.await.unwrap();
        assert!(report.ok, "{:?}", report.findings);
    }
}

#[tokio::test]
async fn of_a_car_inspection_and_registration_are_told_and_what_is_cleared_stays_so() {
    for setting in Setting::each().await {
        let car = |manifest: &mut contract::Manifest| {
            manifest.violation.vehicle = VehicleClass::Car;
            let plate = manifest.plate.as_mut().unwrap();
            plate.raw = "30F25658".into();
            plate.text = Some("30F25658".into());
            plate.class = Some(PlateClass::CarCivil);
            plate.colour = PlateColour::White;
        };
        let (setting, case) = crate::lookup::notified_with(setting, car).await;
        let store = &setting.state.store;
        let now = setting.clock.now();
        // Somebody is late only with what is owed.
        crate::payment::claimed_of(&setting, &case, 1).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        for cause in Cause::ALL {
            warning::watch(&mut tx, &case, cause, now).await.unwrap();
        }
        tx.commit().await.unwrap();
        work::begin(&setting.state).await.unwrap();
        later(&setting, Duration::days(40)).await;
        let told = warning::messages_of(store, &case).await.unwrap();
        assert_eq!(told.len(), 4, "two causes, two targets");
        let mut tx = store.begin().await.unwrap();
        assert!(warning::clear(&mut tx, &case, Why::Paid, now).await.unwrap());
        assert!(!warning::clear(&mut tx, &case, Why::Paid, now).await.unwrap());
        tx.commit().await.unwrap();
        let told = warning::messages_of(store, &case).await.unwrap();
        let cleared: Vec<_> = told[4..].iter().map(|it| (it.cause, it.target, it.what)).collect();
        assert_eq!(cleared.len(), 4);
        for warned in &told[..4] {
            assert!(cleared.contains(&(warned.cause, warned.target, What::Clear)));
        }
        assert!(told.is_sorted_by_key(|it| it.seq));
        // Nobody begins it again.
        let mut tx = store.begin().await.unwrap();
        warning::watch(&mut tx, &case, Cause::NoShow, now).await.unwrap();
        tx.commit().await.unwrap();
        later(&setting, Duration::days(40)).await;
        assert_eq!(warning::messages_of(store, &case).await.unwrap().len(), 8);
        // A transaction that comes to nothing clears nothing.
        let other = setting.case(2, |manifest| {
            manifest.plate.as_mut().unwrap().text = Some("29AD66666".into());
        });
        let other = other.await;
        let mut tx = store.begin().await.unwrap();
        warning::watch(&mut tx, &other, Cause::NoShow, now).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = store.begin().await.unwrap();
        warning::clear(&mut tx, &other, Why::Settled, now).await.unwrap();
        drop(tx);
        assert_eq!(warning::of_case(store, &other).await.unwrap()[0].state, State::Running);
    }
}

#[tokio::test]
async fn nobody_is_warned_while_a_letter_waits_to_be_sent_again_or_a_withdrawal_is_considered() {
    for setting in each().await {
        let cases = notified(&setting, 3).await;
        work::begin(&setting.state).await.unwrap();
        let batch = printed(&setting).await;
        posted(&setting, &batch).await;
        setting.clock.advance(Duration::days(10));
        let line = "1-0001;RB1VN;Chuyển hoàn;01/12/2026".to_owned();
        assert_eq!(told(&setting, &[line]).await.status, StatusCode::SEE_OTHER);
        let why = [("reason", "wrong_vehicle"), ("note", "đang xác minh biển số giả")];
        Visitor::officer(&setting.state, "binh").await.decide(&cases[1], "withdraw", &why).await;
        later(&setting, Duration::days(12)).await;
        assert_eq!(state_of(&setting, &cases[0]).await, None);
        assert_eq!(state_of(&setting, &cases[1]).await, Some(State::Running));
        assert_eq!(state_of(&setting, &cases[2]).await, Some(State::Warned));
        // It stays: the next night the warning goes out.
        let note = [("note", "xe đúng, biển đúng")];
        Visitor::officer(&setting.state, "bao").await.decide(&cases[1], "keep", &note).await;
        later(&setting, Duration::days(1)).await;
        assert_eq!(state_of(&setting, &cases[1]).await, Some(State::Warned));
        // Sent again, the term runs anew, to its end.
        let batch = printed(&setting).await;
        posted(&setting, &batch).await;
        later(&setting, Duration::days(19)).await;
        assert_eq!(state_of(&setting, &cases[0]).await, Some(State::Running));
        // What the limitation bars is cleared with it.
        later(&setting, Duration::days(340)).await;
        for case in &cases {
            assert_eq!(state_of(&setting, case).await, Some(State::Cleared));
        }
    }
}

#[tokio::test]
async fn over_tet_the_owner_is_held_to_the_latest_end_and_beyond_the_calendar_nobody_is_warned() {
    for setting in Setting::each().await {
        let (setting, case) = crate::lookup::notified_with(setting, |_| {}).await;
        let store = &setting.state.store;
        // Twenty days later is Monday 8 February 2027, which may be off, as may all of that week's days
        // to Thursday.
        let sent = datetime!(2027-01-19 09:00 +7);
        let mut tx = store.begin().await.unwrap();
        warning::watch(&mut tx, &case, Cause::NoShow, sent).await.unwrap();
        tx.commit().await.unwrap();
        let end = setting.state.law.end(Cause::NoShow.term(), sent).unwrap();
        assert!(end.earliest < end.latest, "{end:?}");
        work::begin(&setting.state).await.unwrap();
        let now = setting.clock.now();
        later(&setting, end.earliest - now + Duration::hours(3)).await;
        assert_eq!(state_of(&setting, &case).await, Some(State::Running));
        let mut an = Visitor::officer(&setting.state, "an").await;
        let page = an.get("/thoi-han?loai=no_show").await.text();
        assert!(page.contains("(lịch chưa chốt)"), "both ends are shown: {page}");
        let now = setting.clock.now();
        later(&setting, end.latest - now + Duration::hours(3)).await;
        assert_eq!(state_of(&setting, &case).await, Some(State::Warned));

        // The term reaches into 2028, whose days off nobody has announced; the act is of late 2027.
        sqlx::query("UPDATE cases SET act_at = $1")
            .bind(to_ms(datetime!(2027-12-20 09:00 +7)))
            .execute(store.pool())
            .await
            .unwrap();
        let mut tx = store.begin().await.unwrap();
        warning::watch(&mut tx, &case, Cause::Unpaid, datetime!(2027-12-25 09:00 +7))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let now = setting.clock.now();
        later(&setting, datetime!(2027-12-28 09:00 +7) - now).await;
        later(&setting, Duration::days(30)).await;
        let standing = jobs::standing(store, setting.clock.now()).await.unwrap();
        assert_eq!(standing.dead, 0, "the nightly job is not given up");
        let all = warning::of_case(store, &case).await.unwrap();
        let unpaid = all.iter().find(|it| it.cause == Cause::Unpaid).unwrap();
        assert_eq!(unpaid.state, State::Running);
        let mut an = Visitor::officer(&setting.state, "an").await;
        let page = an.get("/thoi-han").await.text();
        assert!(page.contains("Chưa có lịch nghỉ năm 2028"), "{page}");
    }
}

#[tokio::test]
async fn a_file_is_handed_over_once_whoever_dies_and_in_order() {
    for mut setting in each().await {
        let folder = export_to_folder(&mut setting);
        let state = &setting.state;
        let cases = notified(&setting, 3).await;
        let now = state.clock.now();
        let mut tx = state.store.begin().await.unwrap();
        for case in &cases {
            warning::watch(&mut tx, case, Cause::NoShow, now).await.unwrap();
        }
        tx.commit().await.unwrap();
        work::begin(state).await.unwrap();
        // Nobody can write there: the messages are kept.
        std::fs::write(&folder, b"in the way").unwrap();
        later(&setting, Duration::days(23)).await;
        assert_eq!(state_of(&setting, &cases[0]).await, Some(State::Warned));
        later(&setting, Duration::minutes(6)).await;
        let waits = jobs::find(&state.store, &Job::ExportWarnings).await.unwrap();
        assert!(waits.is_some_and(|job| job.given_up.is_none()), "it is tried again");
        assert_eq!(std::fs::read(&folder).unwrap(), b"in the way");
        std::fs::remove_file(&folder).unwrap();
        // A worker hands the file over and dies before that is on record.
        setting.clock.advance(Duration::hours(2));
        let mut taken = jobs::take(&state.store, state.clock.now()).await.unwrap().unwrap();
        while taken.job != Job::ExportWarnings {
            taken = jobs::take(&state.store, state.clock.now()).await.unwrap().unwrap();
        }
        setting.clock.advance(jobs::LEASE * 2);
        let again = {
            let mut tx = state.store.begin().await.unwrap();
            jobs::ask(&mut tx, &Job::ExportWarnings, state.clock.now()).await.unwrap();
            tx.commit().await.unwrap();
            warning::export(state, &taken).await
        };
        assert!(again.is_err(), "it has lost the job");
        let first = Folder(folder.clone()).file(1);
        let before = std::fs::read(&first).unwrap();
        // Meanwhile another message comes: it is in the next file, not in this one.
        let mut tx = state.store.begin().await.unwrap();
        warning::clear(&mut tx, &cases[1], Why::Came, state.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        work::work_off(state).await.unwrap();
        assert_eq!(std::fs::read(&first).unwrap(), before, "the same file, byte for byte");
        let lines = handed_over(&folder);
        let numbers: Vec<_> = lines.iter().map(|it| it.split(',').next().unwrap()).collect();
        assert_eq!(numbers, ["1", "2", "3", "4"]);
        assert!(Folder(folder.clone()).file(2).exists());
        // Handing over the same number again changes nothing.
        Folder(folder.clone()).hand_over(1, &before).unwrap();
        assert_eq!(handed_over(&folder), lines);
    }
}

#[tokio::test]
async fn terms_come_most_urgent_first_by_kind_and_page_by_page() {
    for setting in each().await {
        let state = &setting.state;
        let cases = notified(&setting, 3).await;
        let waiting = setting.case(9, |manifest| manifest.plate = None).await;
        let batch = printed(&setting).await;
        posted(&setting, &batch).await;
        let mut chi = Visitor::officer(state, "chi").await;
        let page = chi.get("/thoi-han").await.text();
        let at = |words: &str| page.find(words).unwrap_or_else(|| panic!("no {words} in {page}"));
        // The notice in ten days, the owners in twenty.
        assert!(at(&format!("/ho-so/{waiting}")) < at(&format!("/ho-so/{}", cases[0])));
        assert!(
            page.contains("Lập thông báo <b>1</b>") && page.contains("Đến giải quyết <b>3</b>")
        );
        let only = chi.get("/thoi-han?loai=notice").await.text();
        assert!(only.contains(&waiting) && !only.contains(&cases[0]));
        // Many more, of all kinds, read through to the end: each once, in order.
        let copies = [
            (
                "state",
                "CASE i % 3 WHEN 0 THEN 'received' WHEN 1 THEN 'accepted' ELSE 'rejected' END",
            ),
            ("act_at", "act_at + 3600000 * (i % 97)"),
            ("plate", "'29AA' || (10000 + i)"),
        ];
        crate::setting::crowd::copies(&state.store, &cases[0], 180, &copies).await;
        let numbers = match state.store.dialect() {
            central_api::store::Dialect::Sqlite => {
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 180)
                 SELECT i FROM n"
            }
            central_api::store::Dialect::Postgres => {
                "SELECT i FROM generate_series(1, 180) AS n (i)"
            }
        };
        let base = to_ms(setting.clock.now());
        let insert = format!(
            "INSERT INTO warnings (case_id, cause, state, runs_from)
             SELECT 'copy-' || i, 'no_show', 'running', {base} - 86400000 * (i % 19) FROM ({numbers}) AS m"
        );
        sqlx::query(sqlx::AssertSqlSafe(insert)).execute(state.store.pool()).await.unwrap();
        let mut seen = Vec::new();
        let mut link = "/thoi-han".to_owned();
        loop {
            let page = chi.get(&link).await.text();
            let rows: Vec<_> = page
                .split("<th scope=\"row\"><a href=\"/ho-so/")
                .skip(1)
                .map(|rest| rest.split('#').next().unwrap().to_owned())
                .collect();
            assert!(rows.len() <= 50, "{page}");
            seen.extend(rows);
            let Some(next) = page.split("rel=\"next\" href=\"").nth(1) else { break };
            link = next.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
            assert!(seen.len() < 1000);
        }
        // 120 whose notice is due, 180 and 3 whose owners are to come, and the one from before.
        assert_eq!(seen.len(), 120 + 180 + 3 + 1, "{}", seen.len());
        let mut unique = seen.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), 180 + 3 + 1, "each case once a kind");
        // What is typed instead of a place is no place.
        for bad in ["x", "1.2.fly.a", "..."] {
            assert_eq!(chi.get(&format!("/thoi-han?sau={bad}")).await.status, StatusCode::OK);
        }
    }
}

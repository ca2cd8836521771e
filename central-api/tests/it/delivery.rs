//! What happens to a notice after it is issued, on both databases: batches of letters, what the post
//! office says of them, what cannot be sent, and what a clerk puts on record.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use central_api::admin::users::Role;
use central_api::clock::Clock as _;
use central_api::jobs::{self, Job};
use central_api::proceedings::delivery::{
    self, BatchError, BatchState, Delivery, Paper, Progress, Way,
};
use central_api::proceedings::warning;
use central_api::registry;
use central_api::work;
use sqlx::{AssertSqlSafe, Row as _};
use time::Duration;
use time::macros::date;

use crate::setting::Setting;
use crate::setting::browserless::{Answer, Visitor};

/// Settings that ask the registry, with a reviewer, two approvers, two clerks and an auditor.
pub async fn each() -> Vec<Setting> {
    let mut settings = Setting::each().await;
    for setting in &mut settings {
        crate::owners::ask_registry(setting);
        for (login, role) in [
            ("an", Role::Reviewer),
            ("binh", Role::Approver),
            ("bao", Role::Approver),
            ("chi", Role::Registry),
            ("cuc", Role::Registry),
            ("dung", Role::Auditor),
        ] {
            setting.user(login, &[role]).await;
        }
    }
    settings
}

fn name(n: u64) -> String {
    format!("Nguyễn Thị Chủ Xe {n}{n}{n}")
}

/// Registers the owners of `count` motorbikes and issues a notice to each; nobody can take one of their
/// numbers for another.
pub async fn notified(setting: &Setting, count: u64) -> Vec<String> {
    let lines = (1..=count).map(|n| {
        let (province, name) = (28 + n, name(n));
        format!(
            "{province}-AB {n}{n}{n}.{n}{n};xe máy;;Honda;đen;cá nhân;{name};00120000000{n};Số {n}{n} ngõ {n} \
             phố Nguyễn Trãi, phường Thanh Xuân, thành phố Hà Nội;"
        )
    });
    let text = format!("{}\n{}\n", crate::owners::HEADER, lines.collect::<Vec<_>>().join("\n"));
    let now = setting.clock.now();
    registry::import(&setting.state.store, text.as_bytes(), false, now).await.unwrap();
    let mut cases = Vec::new();
    for n in 1..=count {
        cases.push(notified_one(setting, n, Some(n)).await);
    }
    cases
}

/// A notified case whose number is that of the owner `n`, or of nobody.
async fn notified_one(setting: &Setting, sequence: u64, n: Option<u64>) -> String {
    let case = setting
        .case(sequence, |manifest| {
            let plate = manifest.plate.as_mut().unwrap();
            let number = n.map(|n| format!("{}AB{n}{n}{n}{n}{n}", 28 + n));
            plate.text = Some(number.unwrap_or_else(|| "29AC55555".into()));
        })
        .await;
    setting.clock.advance(Duration::minutes(2));
    let accepted = Visitor::officer(&setting.state, "an").await.decide(&case, "accept", &[]).await;
    assert_eq!(accepted.status, StatusCode::SEE_OTHER, "{}", accepted.text());
    Visitor::officer(&setting.state, "binh").await.decide(&case, "approve", &[]).await;
    case
}

/// A clerk prints a batch; its id.
pub async fn printed(setting: &Setting) -> String {
    let mut chi = Visitor::officer(&setting.state, "chi").await;
    let csrf = chi.csrf.clone();
    let answer = chi.post("/giao-nhan/in", &[("csrf", &csrf), ("most", "50")]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    work::work_off(&setting.state).await.unwrap();
    answer.location().strip_prefix("/giao-nhan/").unwrap().to_owned()
}

pub async fn posted(setting: &Setting, batch: &str) -> String {
    let mut chi = Visitor::officer(&setting.state, "chi").await;
    let csrf = chi.csrf.clone();
    let answer = chi.post(&format!("/giao-nhan/{batch}/gui"), &[("csrf", &csrf)]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    answer.location().to_owned()
}

async fn sent(chi: &mut Visitor, file: &[u8]) -> Answer {
    let csrf = chi.csrf.clone();
    chi.upload("/giao-nhan/buu-gui", &[("csrf", &csrf)], file).await
}

/// A file of the post office, taken in by a clerk.
pub async fn told(setting: &Setting, lines: &[String]) -> Answer {
    let text = format!("ma_buu_pham;so_hieu_buu_gui;trang_thai;ngay\n{}\n", lines.join("\n"));
    let mut chi = Visitor::officer(&setting.state, "chi").await;
    sent(&mut chi, text.as_bytes()).await
}

async fn progress(setting: &Setting, case: &str) -> (Progress, i64) {
    let found = delivery::find(&setting.state.store, case, Paper::Notice).await.unwrap().unwrap();
    (found.progress, found.returned)
}

/// The code of a case's latest document of a kind.
pub async fn code(setting: &Setting, case: &str, paper: Paper) -> String {
    delivery::find(&setting.state.store, case, paper).await.unwrap().unwrap().code
}

pub async fn deliveries(setting: &Setting, case: &str, paper: Paper) -> Vec<Delivery> {
    let mut view = setting.state.store.pool().acquire().await.unwrap();
    delivery::deliveries(&mut view, &code(setting, case, paper).await).await.unwrap()
}

pub fn today(setting: &Setting) -> String {
    let day = setting.clock.now().to_offset(central_api::law::VIETNAM).date();
    format!("{:02}/{:02}/{}", day.day(), u8::from(day.month()), day.year())
}

#[tokio::test]
async fn letters_go_out_and_what_comes_back_three_times_is_served() {
    for setting in each().await {
        let store = &setting.state.store;
        let cases = notified(&setting, 3).await;
        assert_eq!(delivery::count(store, Paper::Notice).await.unwrap().waiting, 3);
        let batch = printed(&setting).await;
        let mut chi = Visitor::officer(&setting.state, "chi").await;
        let page = chi.get(&format!("/giao-nhan/{batch}")).await.text();
        assert!(page.contains("1-0003") && page.contains("3 thư"), "{page}");
        let csv = chi.get(&format!("/giao-nhan/{batch}/danh-sach.csv")).await;
        let csv = csv.text();
        assert!(csv.starts_with('\u{feff}') && csv.lines().count() == 4, "{csv}");
        for n in 1..=3 {
            assert!(
                csv.contains(&name(n))
                    && csv.contains(&format!("1-000{n},1,{n},Thông báo vi phạm,00000{n}/TB-"))
            );
        }
        let opened: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM audit WHERE action = 'batch.opened'")
                .fetch_one(store.pool())
                .await
                .unwrap();
        assert_eq!(opened, 1, "who opened it is on record");
        for (login, status) in [("dung", 403), ("binh", 403)] {
            let mut other = Visitor::officer(&setting.state, login).await;
            let answer = other.get(&format!("/giao-nhan/{batch}/thu.pdf")).await;
            assert_eq!(answer.status.as_u16(), status);
        }
        // On paper nothing runs yet.
        assert_eq!(warning::of_case(store, &cases[0]).await.unwrap(), []);
        assert_eq!(posted(&setting, &batch).await, "/giao-nhan?xong=posted.3.0");
        assert_eq!(warning::of_case(store, &cases[0]).await.unwrap().len(), 1);
        setting.clock.advance(Duration::days(2));

        let day = today(&setting);
        let lines = [
            format!("1-0001;RB1VN;Phát thành công;{day}"),
            format!("1-0002;RB2VN;Chuyển hoàn;{day}"),
        ];
        for again in [2, 0] {
            let answer = told(&setting, &lines).await;
            let expected = format!("/giao-nhan?xong=imported.2.{again}");
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
            assert_eq!(answer.location(), expected);
        }
        assert_eq!(progress(&setting, &cases[0]).await, (Progress::Done, 0));
        assert_eq!(progress(&setting, &cases[1]).await, (Progress::Again, 1));
        assert_eq!(progress(&setting, &cases[2]).await, (Progress::OnWay, 0));
        assert_eq!(warning::of_case(store, &cases[1]).await.unwrap(), [], "it waits for the next");
        for round in 2..=3 {
            let batch = printed(&setting).await;
            posted(&setting, &batch).await;
            setting.clock.advance(Duration::days(1));
            let line = format!("{round}-0001;RC{round}VN;Đã chuyển hoàn;{}", today(&setting));
            assert_eq!(told(&setting, &[line]).await.status, StatusCode::SEE_OTHER);
        }
        assert_eq!(progress(&setting, &cases[1]).await, (Progress::Done, 3));
        let deliveries = deliveries(&setting, &cases[1], Paper::Notice).await;
        let served = delivery::served(&deliveries, &setting.state.law).unwrap().unwrap();
        // Returned on Wednesday the 25th: Thursday, Friday, Monday.
        assert_eq!((served.on, served.by), (date!(2026 - 11 - 30), Way::Post));
        let mut chi = Visitor::officer(&setting.state, "chi").await;
        let page = chi.get(&format!("/ho-so/{}", cases[1])).await.text();
        assert!(page.contains("Được coi là đã giao") && page.contains("30/11/2026"), "{page}");
        assert!(page.contains("RC3VN"), "{page}");
        // Nothing is left to print.
        let csrf = chi.csrf.clone();
        let answer = chi.post("/giao-nhan/in", &[("csrf", &csrf), ("most", "9")]).await;
        assert_eq!(answer.status, StatusCode::CONFLICT);
    }
}

#[tokio::test]
async fn two_clerks_at_once_get_different_letters_and_no_number_twice() {
    for setting in each().await {
        notified(&setting, 6).await;
        let clerk: String = sqlx::query_scalar("SELECT id FROM users WHERE login = 'chi'")
            .fetch_one(setting.state.store.pool())
            .await
            .unwrap();
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let (state, clerk) = (setting.state.clone(), clerk.clone());
                tokio::spawn(async move { delivery::make(&state, (&clerk, "chi"), None, 3).await })
            })
            .collect();
        let (mut numbers, mut nothing) = (BTreeSet::new(), 0);
        for task in tasks {
            match task.await.unwrap() {
                Ok(batch) => assert!(numbers.insert(batch.number)),
                Err(BatchError::Nothing) => nothing += 1,
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!((numbers.len(), nothing), (2, 2));
        let rows = sqlx::query("SELECT case_id FROM deliveries")
            .fetch_all(setting.state.store.pool())
            .await
            .unwrap();
        let cases: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
        assert_eq!((rows.len(), cases.len()), (6, 6), "each document once");
    }
}

#[tokio::test]
async fn who_dies_between_file_and_record_is_followed_by_another() {
    for setting in each().await {
        let state = &setting.state;
        notified(&setting, 2).await;
        let clerk: String = sqlx::query_scalar("SELECT id FROM users WHERE login = 'chi'")
            .fetch_one(state.store.pool())
            .await
            .unwrap();
        let batch = delivery::make(state, (&clerk, "chi"), None, 50).await.unwrap();
        let taken = jobs::take(&state.store, state.clock.now()).await.unwrap().unwrap();
        assert_eq!(taken.job, Job::PrintBatch { batch: batch.id.clone() });
        // Its lease runs out while it prints: the files are there, nothing of it is on record.
        setting.clock.advance(jobs::LEASE);
        let next = jobs::take(&state.store, state.clock.now()).await.unwrap().unwrap();
        delivery::print(state, &taken, &batch.id).await.unwrap_err();
        let found = delivery::batch(&state.store, &batch.id).await.unwrap().unwrap();
        assert_eq!(found.state, BatchState::Printing);
        delivery::print(state, &next, &batch.id).await.map(drop).unwrap();
        let found = delivery::batch(&state.store, &batch.id).await.unwrap().unwrap();
        assert_eq!((found.state, found.letters), (BatchState::Printed, 2));
        let letters: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM audit WHERE action = 'delivery.printed'")
                .fetch_one(state.store.pool())
                .await
                .unwrap();
        assert_eq!(letters, 2);
        // The same batch gives the same bytes.
        let folder = setting.folder.path().join("evidence/batches").join(&batch.id);
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), 2);
    }
}

async fn withdrawn(setting: &Setting, case: &str, who: &str) {
    let why = [("reason", "wrong_vehicle"), ("note", "biển số giả, chủ xe có chứng cứ")];
    let mut approver = Visitor::officer(&setting.state, who).await;
    let answer = approver.decide(case, "withdraw", &why).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
}

pub async fn withdrawn_by_two(setting: &Setting, case: &str) {
    withdrawn_by_two_of(setting, case, ["binh", "bao"]).await;
}

pub async fn withdrawn_by_two_of(setting: &Setting, case: &str, [one, other]: [&str; 2]) {
    withdrawn(setting, case, one).await;
    let mut other = Visitor::officer(&setting.state, other).await;
    let answer = other.decide(case, "confirm_withdrawal", &[]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
}

#[tokio::test]
async fn what_is_withdrawn_between_print_and_post_stays_in_the_house() {
    for setting in each().await {
        let cases = notified(&setting, 4).await;
        // Withdrawn before the job came to it: it is not even printed.
        let mut chi = Visitor::officer(&setting.state, "chi").await;
        let csrf = chi.csrf.clone();
        let answer = chi.post("/giao-nhan/in", &[("csrf", &csrf), ("most", "50")]).await;
        let batch = answer.location().strip_prefix("/giao-nhan/").unwrap().to_owned();
        let store = &setting.state.store;
        let mut binh = Visitor::officer(&setting.state, "binh").await;
        let (version, csrf) = (binh.version(&cases[0]).await, binh.csrf.clone());
        let fields = [
            ("csrf", csrf.as_str()),
            ("version", &version),
            ("action", "withdraw"),
            ("reason", "wrong_vehicle"),
            ("note", "biển số giả, có chứng cứ"),
        ];
        binh.post(&format!("/ho-so/{}/quyet-dinh", cases[0]), &fields).await;
        work::work_off(&setting.state).await.unwrap();
        let found = delivery::batch(store, &batch).await.unwrap().unwrap();
        assert_eq!((found.state, found.letters), (BatchState::Printed, 3));
        // Withdrawn, and asked to be withdrawn, once it is printed.
        withdrawn_by_two(&setting, &cases[1]).await;
        withdrawn(&setting, &cases[2], "binh").await;
        let page = chi.get(&format!("/giao-nhan/{batch}")).await.text();
        assert!(
            page.contains("Lấy ra khỏi chồng thư") && page.contains("1-0002, 1-0003"),
            "{page}"
        );
        assert_eq!(posted(&setting, &batch).await, "/giao-nhan?xong=posted.1.1");
        assert_eq!(progress(&setting, &cases[0]).await.0, Progress::Waiting);
        assert_eq!(progress(&setting, &cases[1]).await.0, Progress::Closed);
        assert_eq!(progress(&setting, &cases[2]).await.0, Progress::Waiting);
        assert_eq!(progress(&setting, &cases[3]).await.0, Progress::OnWay);
        assert_eq!(warning::of_case(store, &cases[1]).await.unwrap(), []);
        // It went out all the same: what the post office says of it is no mistake, and serves nobody.
        let line = format!("1-0002;RB9VN;Phát thành công;{}", today(&setting));
        assert_eq!(told(&setting, &[line]).await.status, StatusCode::SEE_OTHER);
        let deliveries = deliveries(&setting, &cases[1], Paper::Notice).await;
        assert_eq!(delivery::served(&deliveries, &setting.state.law).unwrap(), None);
        assert_eq!(deliveries[0].tracking.as_deref(), Some("RB9VN"));
        // Kept after all, the other goes into the next batch.
        let mut bao = Visitor::officer(&setting.state, "bao").await;
        bao.decide(&cases[2], "keep", &[("note", "xe đúng, biển đúng")]).await;
        let next = printed(&setting).await;
        let found = delivery::batch(store, &next).await.unwrap().unwrap();
        assert_eq!((found.number, found.letters), (2, 1), "the first is still being considered");
    }
}

#[tokio::test]
async fn one_wrong_line_is_named_and_nothing_is_taken_in() {
    for setting in each().await {
        let store = &setting.state.store;
        let cases = notified(&setting, 2).await;
        let batch = printed(&setting).await;
        posted(&setting, &batch).await;
        setting.clock.advance(Duration::days(1));
        let day = today(&setting);
        let good = format!("1-0001;RB1VN;Phát thành công;{day}");
        let code: String = sqlx::query_scalar("SELECT code FROM deliveries WHERE case_id = $1")
            .bind(cases[1].clone())
            .fetch_one(store.pool())
            .await
            .unwrap();
        for (line, words) in [
            (format!("7-0001;RB2VN;Đã phát;{day}"), "không có thư nào mang mã này"),
            (format!("ZZZZZZZZZZZZZZZZ;RB2VN;Đã phát;{day}"), "không có thư nào mang mã này"),
            (format!("1-0002;RB2VN;thất lạc;{day}"), "trạng thái không rõ"),
            (format!("1-0002;RB2VN;Đã phát;{}", day.replace("2026", "2028")), "ngày ở tương lai"),
            ("1-0002;RB2VN;Đã phát;01/11/2026".to_owned(), "ngày trước khi in hoặc gửi thư"),
            (format!("1-0002;1,2E+13;Đã phát;{day}"), "số hiệu bưu gửi phải có"),
            (format!("1-0002;RB1VN;Đã phát;{day}"), "số hiệu bưu gửi thuộc thư khác"),
            (format!("1-0001;RB7VN;Đã phát;{day}"), "thư này đã có số hiệu bưu gửi khác"),
            (format!("1-0001;RB1VN;Chuyển hoàn;{day}"), "trái với kết quả đã ghi nhận"),
            ("1-0002;RB2VN".to_owned(), "thiếu hoặc thừa ô"),
        ] {
            let answer = told(&setting, &[good.clone(), line.clone()]).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{line}");
            let text = answer.text();
            assert!(text.contains("Dòng 3") && text.contains(words), "{line}: {text}");
            assert_eq!(progress(&setting, &cases[0]).await, (Progress::OnWay, 0), "{line}");
        }
        // Lines are counted as a table program shows them, however they end.
        let crlf =
            format!("ma_buu_pham;so_hieu;trang_thai;ngay\r\n{good}\r\n1-0002;RB2VN;?;{day}\r\n");
        let mut chi = Visitor::officer(&setting.state, "chi").await;
        let answer = sent(&mut chi, crlf.as_bytes()).await.text();
        assert!(answer.contains("Dòng 3"), "{answer}");
        // As a table program saves it: with its mark, lines ended as there, headers with marks.
        let office = format!(
            "\u{feff}Mã văn bản;Số hiệu bưu gửi;Trạng thái;Ngày\r\n{code};rb2vn;PHÁT THÀNH CÔNG;{day} 08:15\r\n"
        );
        let mut chi = Visitor::officer(&setting.state, "chi").await;
        let answer = sent(&mut chi, office.as_bytes()).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        // By the document's number, with commas, and by the command line's way in.
        let numbered = format!(
            "so_van_ban,so_hieu,trang_thai,ngay_phat\n000001/TB-PC08,RB1VN,đã phát,{day}\n"
        );
        let now = setting.clock.now();
        let law = &setting.state.law;
        let taken = delivery::import(store, law, numbered.as_bytes(), "system", now).await.unwrap();
        assert_eq!((taken.lines, taken.changed), (1, 1));
        for case in &cases {
            assert_eq!(progress(&setting, case).await, (Progress::Done, 0));
        }
        let utf16: Vec<u8> = numbered.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (file, words) in [
            (utf16, "Không đọc được tệp"),
            (b"ma_buu_pham;ngay\n".to_vec(), "Tệp thiếu cột: so_hieu_buu_gui"),
            (b"ma_buu_pham;so_hieu;trang_thai;ngay\n".to_vec(), "Tệp không có dòng nào"),
            (Vec::new(), "Không đọc được tệp"),
        ] {
            let text = sent(&mut chi, &file).await.text();
            assert!(text.contains(words), "{words}: {text}");
        }
        let huge = vec![b'x'; 3 << 20];
        let status = sent(&mut chi, &huge).await.status.as_u16();
        assert!(status == 413 || status == 400, "{status}");
    }
}

#[tokio::test]
async fn what_no_letter_can_reach_is_held_until_a_clerk_sees_to_it() {
    for setting in each().await {
        let state = &setting.state;
        let cases = notified(&setting, 2).await;
        // Of one case nobody knows the owner any more, of the other the address fits no window.
        sqlx::query("DELETE FROM owners WHERE case_id = $1")
            .bind(cases[0].clone())
            .execute(state.store.pool())
            .await
            .unwrap();
        sqlx::query("UPDATE owners SET address = $1 WHERE case_id = $2")
            .bind("ngõ rất dài ".repeat(60))
            .bind(cases[1].clone())
            .execute(state.store.pool())
            .await
            .unwrap();
        let batch = printed(&setting).await;
        let found = delivery::batch(&state.store, &batch).await.unwrap().unwrap();
        assert_eq!((found.state, found.letters), (BatchState::Empty, 0));
        let mut chi = Visitor::officer(state, "chi").await;
        let page = chi.get("/giao-nhan").await.text();
        assert!(page.contains("Chưa xác định chủ xe hoặc địa chỉ"), "{page}");
        assert!(page.contains("Địa chỉ quá dài cho cửa sổ phong bì"), "{page}");
        for case in &cases {
            assert_eq!(progress(&setting, case).await.0, Progress::Held);
        }
        // The clerk hands one over, and lets the other be sent.
        let day = "2026-11-21";
        let path = format!("/ho-so/{}/giao-nhan", cases[0]);
        let csrf = chi.csrf.clone();
        let codes = [
            code(&setting, &cases[0], Paper::Notice).await,
            code(&setting, &cases[1], Paper::Notice).await,
        ];
        let base = [
            ("csrf", csrf.as_str()),
            ("document", codes[0].as_str()),
            ("how", "delivered"),
            ("receiver", "addressee"),
            ("seen", "1"),
        ];
        let note = ("note", "chủ xe ký nhận tại trụ sở");
        for (more, status) in [
            (vec![("day", day), ("note", "ngắn")], 422),
            (vec![("day", "2027-01-01"), note], 422),
            (vec![("day", "2026-11-01"), note], 422),
            (vec![("day", day), note, ("seen", "7")], 422),
            (vec![("day", day), note], 303),
            // Sent twice by an impatient hand.
            (vec![("day", day), note], 409),
        ] {
            let mut fields: Vec<_> = base
                .iter()
                .copied()
                .filter(|(name, _)| !more.iter().any(|it| it.0 == *name))
                .collect();
            let doubled = more.iter().any(|it| it.0 == "seen");
            fields.extend(more);
            let answer = chi.post(&path, &fields).await;
            let status = if doubled { 409 } else { status };
            assert_eq!(answer.status.as_u16(), status, "{fields:?}: {}", answer.text());
        }
        assert_eq!(progress(&setting, &cases[0]).await.0, Progress::Done);
        let fields = [("csrf", csrf.as_str()), ("document", &codes[1]), ("how", "release")];
        let path = format!("/ho-so/{}/giao-nhan", cases[1]);
        assert_eq!(chi.post(&path, &fields).await.location(), "/giao-nhan?xong=released");
        assert_eq!(chi.post(&path, &fields).await.status, StatusCode::CONFLICT);
        assert_eq!(progress(&setting, &cases[1]).await.0, Progress::Waiting);
        // Who sees no owners does not see what a clerk wrote.
        let mut an = Visitor::officer(state, "an").await;
        let page = an.get(&format!("/ho-so/{}", cases[0])).await.text();
        assert!(page.contains("Giao trực tiếp") && !page.contains("ký nhận tại trụ sở"), "{page}");
        assert_eq!(an.post(&path, &[("csrf", "x")]).await.status, StatusCode::FORBIDDEN);
    }
}

/// Output of a tool, or nothing where it is not installed.
fn tool(name: &str, arguments: &[&str]) -> Option<String> {
    let output = std::process::Command::new(name).args(arguments).output().ok()?;
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

#[tokio::test]
async fn every_sheet_of_a_letter_is_its_addressee_s_alone_and_the_address_shows() {
    let setting = each().await.remove(0);
    notified(&setting, 3).await;
    let batch = printed(&setting).await;
    let mut chi = Visitor::officer(&setting.state, "chi").await;
    let pdf = chi.get(&format!("/giao-nhan/{batch}/thu.pdf")).await;
    assert_eq!(pdf.headers["content-type"], "application/pdf");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("letters.pdf");
    std::fs::write(&file, &pdf.bytes).unwrap();
    if let Some(keep) = std::env::var_os("SCREENSHOTS") {
        std::fs::copy(&file, std::path::Path::new(&keep).join("batch.pdf")).unwrap();
    }
    let file = file.to_str().unwrap();
    let found = delivery::batch(&setting.state.store, &batch).await.unwrap().unwrap();
    let pages = usize::try_from(found.pages).unwrap();
    assert_eq!(pages % 6, 0, "three letters of whole sheets, printed on both sides");
    let each = pages / 3;
    for page in 0..pages {
        let number = (page + 1).to_string();
        let arguments = ["-f", &number, "-l", &number, "-layout", file, "-"];
        let Some(text) = tool("pdftotext", &arguments) else { return };
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let own = (page / each + 1) as u64;
        for n in 1..=3 {
            let named = text.contains(&name(n));
            assert!(!named || n == own, "page {number} of letter {own} names {n}: {text}");
        }
        if page % each == 0 {
            assert!(text.contains(&name(own)) && text.contains(&format!("1-000{own}")), "{text}");
            let window = tool("pdftotext", &["-f", &number, "-l", &number, "-bbox", file, "-"]);
            for word in ["Chủ", "Xe", "Trãi,", "Xuân,", &format!("1-000{own}")] {
                shown(window.as_deref().unwrap(), word);
            }
        }
    }
}

/// That the first such word of a page lies behind the window wherever the sheet has slipped to.
fn shown(page: &str, word: &str) {
    let line = page.lines().find(|line| line.contains(&format!(">{word}</word>")));
    let line = line.unwrap_or_else(|| panic!("no {word} in {page}"));
    let at = |key: &str| -> f32 {
        line.split(&format!("{key}=\"")).nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
    };
    // The envelope's window, 20 mm from the left and 15 from the bottom of 220 × 110, 90 × 40 mm.
    let mm = 72.0 / 25.4;
    for (slip_x, slip_y) in [(0.0, 0.0), (10.0, 0.0), (0.0, 11.0), (10.0, 11.0)] {
        let (left, right) = ((20.0 - slip_x) * mm, (110.0 - slip_x) * mm);
        let (top, bottom) = ((55.0 - slip_y) * mm, (95.0 - slip_y) * mm);
        assert!(at("xMin") >= left && at("xMax") <= right, "{word}: {line}");
        assert!(at("yMin") >= top && at("yMax") <= bottom, "{word} {top}–{bottom}: {line}");
    }
}

/// No list sorts what it reads, however much there is: each is read in the order of an index.
#[tokio::test]
async fn lists_are_read_in_the_order_of_their_index() {
    let setting = Setting::new().await;
    for text in [
        delivery::list_text(),
        warning::list_text(),
        "SELECT act_at, id FROM cases WHERE state = $1 AND (act_at, id) >= ($2, $3)
         ORDER BY act_at, id LIMIT $4"
            .into(),
    ] {
        let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}")))
            .fetch_all(setting.state.store.pool())
            .await
            .unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        let plan = plan.join("; ");
        assert!(plan.starts_with("SEARCH") && !plan.contains("TEMP B-TREE"), "{text}: {plan}");
        assert!(plan.contains(",") || plan.contains(">("), "the place is sought too: {plan}");
    }
}

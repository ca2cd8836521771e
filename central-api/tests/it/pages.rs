//! The officers' pages: who may open what, what is escaped, what forms need, how the clip streams.

use axum::http::StatusCode;
use central_api::admin::users::Role;
use time::Duration;

use crate::setting::Setting;
use crate::setting::browserless::Visitor;

#[tokio::test]
async fn every_route_answers_every_role_as_the_table_says() {
    let setting = Setting::new().await;
    let case = setting.case(1, |_| {}).await;
    let logins = [
        ("reviewer", Role::Reviewer),
        ("approver", Role::Approver),
        ("registry", Role::Registry),
        ("admin", Role::Admin),
        ("auditor", Role::Auditor),
    ];
    for (login, role) in logins {
        setting.user(login, &[role]).await;
    }
    const OK: u16 = 200;
    const NO: u16 = 403;
    // Columns: nobody, reviewer, approver, registry, admin, auditor.
    let page = format!("/ho-so/{case}");
    let clip = setting.url(&case, "clip.mp4").await;
    let notice = format!("/ho-so/{case}/thong-bao.pdf");
    let one = format!("/api/v1/cases/{case}");
    let code = format!("/ho-so/{case}/vietqr.svg");
    let table: [(&str, [u16; 6]); 29] = [
        ("/dang-nhap", [OK, OK, OK, OK, OK, OK]),
        ("/tra-cuu", [OK, OK, OK, OK, OK, OK]),
        ("/api/openapi.json", [OK, OK, OK, OK, OK, OK]),
        ("/xet-duyet", [303, OK, NO, NO, NO, NO]),
        ("/phe-duyet", [303, NO, OK, NO, NO, NO]),
        ("/ho-so", [303, OK, OK, OK, NO, OK]),
        (&page, [303, OK, OK, OK, NO, OK]),
        (&clip, [303, OK, OK, OK, NO, OK]),
        (&notice, [303, 404, 404, 404, NO, 404]),
        ("/api/v1/cases", [401, OK, OK, OK, NO, OK]),
        (&one, [401, OK, OK, OK, NO, OK]),
        ("/thiet-bi", [303, NO, NO, NO, OK, OK]),
        ("/kiem-tra", [303, NO, OK, NO, NO, NO]),
        ("/cong-viec", [303, NO, NO, NO, OK, OK]),
        ("/chu-xe", [303, NO, OK, OK, NO, OK]),
        ("/xu-phat", [303, NO, OK, OK, NO, OK]),
        ("/ra-soat", [303, NO, OK, NO, NO, OK]),
        ("/ra-soat/unknown", [303, NO, 404, NO, NO, 404]),
        ("/ho-so/unknown/van-ban/decision-2026-1.pdf", [303, NO, 404, 404, NO, 404]),
        ("/giao-nhan", [303, NO, OK, OK, NO, OK]),
        ("/giao-nhan/unknown", [303, NO, 404, 404, NO, 404]),
        ("/giao-nhan/unknown/thu.pdf", [303, NO, NO, 404, NO, NO]),
        ("/giao-nhan/unknown/danh-sach.csv", [303, NO, NO, 404, NO, NO]),
        ("/thoi-han", [303, OK, OK, OK, NO, OK]),
        ("/tien", [303, NO, OK, OK, NO, OK]),
        ("/tien/tep/unknown", [303, NO, NO, 404, NO, NO]),
        (&code, [303, NO, 404, 404, NO, 404]),
        ("/thiet-bi/unknown", [303, NO, NO, NO, 404, 404]),
        ("/ho-so/unknown", [303, 404, 404, 404, NO, 404]),
    ];
    let mut visitors = vec![Visitor::new(&setting.state)];
    for (login, _) in logins {
        let mut visitor = Visitor::new(&setting.state);
        let answer = visitor.sign_in(login, crate::setting::PASSWORD).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        visitors.push(visitor);
    }
    for (path, expected) in table {
        for (visitor, expected) in visitors.iter_mut().zip(expected) {
            let answer = visitor.get(path).await;
            assert_eq!(answer.status.as_u16(), expected, "{path}");
            let csp = answer.headers["content-security-policy"].to_str().unwrap();
            assert!(csp.contains("default-src 'none'") && !csp.contains("unsafe"), "{path}");
        }
    }
    // Deciding is for the duty that the action belongs to.
    for (login, action, status) in [
        ("reviewer", "approve", 409),
        ("approver", "accept", 403),
        ("auditor", "accept", 403),
        ("registry", "reject", 403),
        ("reviewer", "take", 303),
    ] {
        let mut officer = Visitor::officer(&setting.state, login).await;
        let answer = officer.decide(&case, action, &[("reason", "duplicate")]).await;
        assert_eq!(answer.status.as_u16(), status, "{login} {action}: {}", answer.text());
    }
}

#[tokio::test]
async fn forms_without_the_session_s_token_change_nothing() {
    let setting = Setting::new().await;
    let case = setting.case(1, |_| {}).await;
    setting.user("an", &[Role::Reviewer]).await;
    let mut officer = Visitor::officer(&setting.state, "an").await;
    let path = format!("/ho-so/{case}/quyet-dinh");
    for token in ["", "0000"] {
        let fields = [("csrf", token), ("version", "1"), ("action", "accept")];
        assert_eq!(officer.post(&path, &fields).await.status, StatusCode::FORBIDDEN);
        let fields = [("csrf", token)];
        assert_eq!(officer.post("/dang-xuat", &fields).await.status, StatusCode::FORBIDDEN);
    }
    officer.csrf = "wrong".into();
    let body = serde_json::json!({"action": "accept", "version": 1});
    let answer = officer.json(&format!("/api/v1/cases/{case}/decisions"), body).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(officer.version(&case).await, "1");

    let mut stranger = Visitor::new(&setting.state);
    let fields = [("login", "an"), ("password", crate::setting::PASSWORD)];
    assert_eq!(stranger.post("/dang-nhap", &fields).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_a_camera_says_is_text_and_never_markup() {
    let setting = Setting::new().await;
    let case = setting
        .case(1, |manifest| {
            manifest.camera.place = "<script>alert(1)</script>".into();
            manifest.unit.operator = "\"><img src=x onerror=alert(2)>".into();
            manifest.plate.as_mut().unwrap().text = Some("<script>x</scr>".into());
            manifest.plate.as_mut().unwrap().raw = "<b>bold</b>".into();
        })
        .await;
    setting.user("an", &[Role::Reviewer]).await;
    let mut officer = Visitor::officer(&setting.state, "an").await;
    for path in ["/xet-duyet".to_owned(), format!("/ho-so/{case}")] {
        let text = officer.get(&path).await.text();
        assert!(text.contains("&#60;script&#62;alert(1)"), "{path}");
        for bad in ["<script>alert", "<script>x", "<b>bold", "<img src=x"] {
            assert!(!text.contains(bad), "{path} holds {bad}");
        }
    }
    // The same through the filter's own echo.
    let text = officer.get("/xet-duyet?plate=%3Cscript%3E&camera=%22%3E%3Cb%3E").await.text();
    assert!(!text.contains("<script>s") && !text.contains("\"><b>"));
}

#[tokio::test]
async fn wrong_passwords_pause_and_sessions_end() {
    let setting = Setting::new().await;
    setting.user("an", &[Role::Reviewer]).await;
    let mut visitor = Visitor::new(&setting.state);
    for _ in 0..setting.state.config.staff.login_attempts {
        assert_eq!(visitor.sign_in("an", "wrong password").await.status, StatusCode::UNAUTHORIZED);
    }
    let right = crate::setting::PASSWORD;
    assert_eq!(visitor.sign_in("an", right).await.status, StatusCode::TOO_MANY_REQUESTS);
    setting.clock.advance(Duration::minutes(16));
    assert_eq!(visitor.sign_in("an", right).await.status, StatusCode::SEE_OTHER);

    assert_eq!(visitor.get("/xet-duyet").await.status, StatusCode::OK);
    let idle = i64::from(setting.state.config.staff.idle_minutes);
    setting.clock.advance(Duration::minutes(idle - 1));
    assert_eq!(visitor.get("/xet-duyet").await.status, StatusCode::OK);
    setting.clock.advance(Duration::minutes(idle));
    let answer = visitor.get("/xet-duyet").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.location(), "/dang-nhap?ve=/xet-duyet");
}

#[tokio::test]
async fn signing_out_and_disabling_end_a_session() {
    let setting = Setting::new().await;
    setting.user("an", &[Role::Reviewer]).await;
    let mut officer = Visitor::officer(&setting.state, "an").await;
    let csrf = officer.csrf.clone();
    let mut other = Visitor::officer(&setting.state, "an").await;
    assert_eq!(officer.post("/dang-xuat", &[("csrf", &csrf)]).await.location(), "/dang-nhap");
    assert_eq!(officer.get("/xet-duyet").await.status, StatusCode::SEE_OTHER);
    assert_eq!(other.get("/xet-duyet").await.status, StatusCode::OK);
    sqlx::query("UPDATE users SET disabled = 1").execute(setting.state.store.pool()).await.unwrap();
    assert_eq!(other.get("/xet-duyet").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn the_clip_comes_in_ranges_and_only_files_of_the_manifest_come() {
    let setting = Setting::new().await;
    let case = setting.case(1, |_| {}).await;
    setting.user("an", &[Role::Reviewer]).await;
    let mut officer = Visitor::officer(&setting.state, "an").await;
    let path = setting.url(&case, "clip.mp4").await;
    let whole = officer.get(&path).await;
    assert_eq!(whole.status, StatusCode::OK);
    assert_eq!(whole.headers["content-type"], "video/mp4");
    assert_eq!(whole.headers["accept-ranges"], "bytes");
    let part = officer.get_range(&path, "bytes=100-199").await;
    assert_eq!(part.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.bytes, whole.bytes[100..200]);
    let size = whole.bytes.len();
    assert_eq!(part.headers["content-range"], format!("bytes 100-199/{size}"));
    let beyond = officer.get_range(&path, &format!("bytes={size}-")).await;
    assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
    for name in ["manifest.json", "other.jpg", "..%2F..%2Fcentral.db"] {
        let answer = officer.get(&setting.url(&case, name).await).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{name}");
    }
    // Nor does the file of another case come under this one.
    let other = setting.case(2, |_| {}).await;
    let strayed = setting.url(&other, "clip.mp4").await.replace(&other, &case);
    assert_eq!(officer.get(&strayed).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_second_officer_with_an_old_page_gets_a_clear_conflict() {
    let setting = Setting::new().await;
    let case = setting.case(1, |_| {}).await;
    let next = setting.case(2, |_| {}).await;
    for login in ["an", "binh"] {
        setting.user(login, &[Role::Reviewer]).await;
    }
    let mut an = Visitor::officer(&setting.state, "an").await;
    let mut binh = Visitor::officer(&setting.state, "binh").await;
    let accepted = an.decide(&case, "accept", &[]).await;
    // The next case comes by itself.
    assert_eq!(accepted.location(), format!("/ho-so/{next}?xong=accept"));
    let csrf = binh.csrf.clone();
    let old = [("csrf", csrf.as_str()), ("version", "1"), ("action", "accept")];
    let answer = binh.post(&format!("/ho-so/{case}/quyet-dinh"), &old).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    let text = answer.text();
    assert!(
        text.contains("Hồ sơ đã thay đổi") && text.contains(&format!("href=\"/ho-so/{case}\""))
    );
}

#[tokio::test]
async fn pages_speak_both_languages() {
    let setting = Setting::new().await;
    let mut visitor = Visitor::new(&setting.state);
    assert!(visitor.get("/tra-cuu").await.text().contains("Tra cứu phương tiện vi phạm"));
    let answer = visitor.get("/ngon-ngu?to=en&back=%2Ftra-cuu").await;
    assert_eq!(answer.location(), "/tra-cuu");
    let text = visitor.get("/tra-cuu").await.text();
    assert!(text.contains("Look up a vehicle") && text.contains("<html lang=\"en\">"));
    assert_eq!(visitor.get("/ngon-ngu?to=vi&back=https://evil.example").await.location(), "/");
}

#[tokio::test]
async fn a_vehicle_that_may_be_on_duty_is_marked_for_the_reviewer() {
    let setting = Setting::new().await;
    setting.user("an", &[Role::Reviewer]).await;
    let plain = setting.case(1, |_| {}).await;
    let lights = setting.case(2, |manifest| {
        manifest.plate.as_mut().unwrap().text = Some("29AA12346".into());
        manifest.violation.may_be_on_duty = true;
    });
    let lights = lights.await;
    let state = setting.case(3, |manifest| {
        let plate = manifest.plate.as_mut().unwrap();
        plate.text = Some("80A12345".into());
        plate.colour = contract::plate::PlateColour::Blue;
    });
    let state = state.await;
    let mut an = Visitor::officer(&setting.state, "an").await;
    for (case, marked) in [(plain, false), (lights, true), (state, true)] {
        let page = an.get(&format!("/ho-so/{case}")).await.text();
        assert_eq!(page.contains("Có thể là xe ưu tiên"), marked, "{case}");
        let detail = an.get(&format!("/api/v1/cases/{case}")).await.json();
        assert_eq!(detail["may_be_on_duty"], marked, "{case}");
    }
}

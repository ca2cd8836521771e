//! The main way through a real browser: an officer signs in, watches the clip, accepts; an
//! approver approves; the owner finds it by plate. `SCREENSHOTS=folder` keeps a picture of every
//! page at desk and phone width.

mod desks;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use central_api::admin::users::Role;
use central_api::proceedings::delivery::Paper;
use central_api::serve::web_router;
use central_api::{
    jobs::{self, Job},
    work,
};
use fantoccini::{Client, Locator};
use serde_json::{Value, json};

use crate::setting::browserless::Visitor;
use crate::setting::{PASSWORD, Setting};
use crate::support::axe;
use crate::support::driver::Driver;

/// A page that a person comes by: without faults for who cannot see it, and kept as a picture.
async fn shot(driver: &Driver, browser: &Client, name: &str) {
    axe::check(browser, name).await;
    let Some(folder) = std::env::var_os("SCREENSHOTS").map(std::path::PathBuf::from) else {
        return;
    };
    for (width, kind) in [(1400, "desk"), (390, "phone")] {
        let metrics = |height: u64| json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        devtools(driver, browser, "Emulation.setDeviceMetricsOverride", metrics(900)).await;
        let height =
            browser.execute("return document.documentElement.scrollHeight", vec![]).await.unwrap();
        devtools(
            driver,
            browser,
            "Emulation.setDeviceMetricsOverride",
            metrics(height.as_u64().unwrap()),
        )
        .await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let png = browser.screenshot().await.unwrap();
        std::fs::write(folder.join(format!("{name}-{kind}.png")), png).unwrap();
    }
    devtools(driver, browser, "Emulation.clearDeviceMetricsOverride", json!({})).await;
}

/// A command of the browser's own protocol, by way of the driver.
async fn devtools(driver: &Driver, browser: &Client, command: &str, parameters: Value) {
    let session = browser.session_id().await.unwrap().unwrap();
    let body = json!({ "cmd": command, "params": parameters }).to_string();
    let request = format!(
        "POST /session/{session}/goog/cdp/execute HTTP/1.1\r\nHost: 127.0.0.1\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(("127.0.0.1", driver.port)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
}

/// The served pages in a browser.
struct Site {
    browser: Client,
    base: String,
    server: tokio::task::JoinHandle<()>,
    _profile: tempfile::TempDir,
}

const DESK: [u32; 2] = [1400, 1000];
const PHONE: [u32; 2] = [390, 844];

impl Site {
    async fn open(driver: &Driver, setting: &Setting, size: [u32; 2]) -> Self {
        let (base, server) = serve(setting).await;
        let profile = tempfile::tempdir().unwrap();
        let browser = driver.browser(profile.path(), size).await;
        Self { browser, base, server, _profile: profile }
    }

    /// The same pages in a browser of its own, where nobody is signed in.
    async fn anew(self, driver: &Driver, size: [u32; 2]) -> Self {
        self.browser.clone().close().await.unwrap();
        let profile = tempfile::tempdir().unwrap();
        let browser = driver.browser(profile.path(), size).await;
        Self { browser, _profile: profile, ..self }
    }

    async fn close(self) {
        self.browser.close().await.unwrap();
        self.server.abort();
    }

    /// No page scrolls sideways.
    async fn fits(&self) {
        let wide = "return document.documentElement.scrollWidth - innerWidth";
        let wide = self.browser.execute(wide, vec![]).await.unwrap();
        assert_eq!(wide, 0, "{} scrolls sideways", self.path().await);
    }

    async fn goto(&self, path: &str) {
        self.browser.goto(&format!("{}{path}", self.base)).await.unwrap();
    }

    async fn path(&self) -> String {
        self.browser.current_url().await.unwrap().path().to_owned()
    }

    async fn click(&self, css: &str) {
        let element = self.browser.wait().for_element(Locator::Css(css)).await.unwrap();
        element.click().await.unwrap();
    }

    async fn fill(&self, css: &str, text: &str) {
        let element = self.browser.wait().for_element(Locator::Css(css)).await.unwrap();
        element.clear().await.unwrap();
        element.send_keys(text).await.unwrap();
    }

    async fn text(&self) -> String {
        let main = self.browser.wait().for_element(Locator::Css("main")).await.unwrap();
        main.text().await.unwrap()
    }

    /// Waits until the page's text holds `words`.
    async fn sees(&self, words: &str) {
        for _ in 0..600 {
            if let Ok(main) = self.browser.find(Locator::Css("main")).await
                && main.text().await.is_ok_and(|text| text.contains(words))
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{words:?} never came; at {}:\n{}", self.path().await, self.text().await);
    }

    async fn sign_in(&self, login: &str) {
        self.goto("/dang-nhap").await;
        self.fill("input[name=login]", login).await;
        self.fill("input[name=password]", PASSWORD).await;
        self.click("form.stack button[type=submit]").await;
        self.browser.wait().for_element(Locator::Css("nav.tabs")).await.unwrap();
    }

    async fn sign_out(&self) {
        self.click("header form button").await;
        self.sees("Đăng nhập cán bộ").await;
    }

    async fn keys(&self, keys: &str) {
        let body = self.browser.find(Locator::Css("body")).await.unwrap();
        body.send_keys(keys).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn officer_approver_and_owner_meet_in_the_browser() {
    let Some(driver) = Driver::start() else {
        println!("skipped: chromedriver is not installed");
        return;
    };
    let mut setting = Setting::new().await;
    // The browser does the real amount of work.
    std::sync::Arc::get_mut(&mut setting.state.config).unwrap().lookup.captcha_bits = 16;
    setting.user("an", &[Role::Reviewer]).await;
    setting.user("binh", &[Role::Approver]).await;
    let case = setting.case(1, |_| {}).await;
    more_cases(&setting).await;
    let site = Site::open(&driver, &setting, DESK).await;
    let browser = &site.browser;

    site.goto("/ho-so").await;
    assert_eq!(site.path().await, "/dang-nhap");
    shot(&driver, browser, "sign-in").await;
    site.sign_in("an").await;
    assert_eq!(site.path().await, "/xet-duyet");
    shot(&driver, browser, "queue").await;
    site.goto("/xet-duyet").await;
    site.keys("j").await;
    let focused = browser.active_element().await.unwrap().attr("href").await.unwrap();
    assert_eq!(focused.as_deref(), Some(format!("/ho-so/{case}").as_str()));
    browser.active_element().await.unwrap().send_keys("\u{E007}").await.unwrap();
    site.sees("Đủ điều kiện ra quyết định").await;
    watch_the_clip(browser).await;
    shot(&driver, browser, "case").await;
    // `a` opens the confirmation with its button in focus; Enter would submit it.
    site.keys("a").await;
    site.click("details[data-key=a] button[type=submit]").await;
    site.sees("Đã chấp nhận, hồ sơ chuyển sang phê duyệt.").await;
    site.keys("r").await;
    shot(&driver, browser, "case-reject").await;
    site.sign_out().await;

    site.sign_in("binh").await;
    assert_eq!(site.path().await, "/phe-duyet");
    site.goto(&format!("/ho-so/{case}")).await;
    shot(&driver, browser, "approval").await;
    site.click("details[data-key=a] summary").await;
    site.click("details[data-key=a] button[type=submit]").await;
    site.sees("Đã phê duyệt, hệ thống đang lập thông báo.").await;
    site.goto(&format!("/ho-so/{case}")).await;
    site.sees("Hệ thống đang lập thông báo; tải lại trang sau vài giây.").await;
    shot(&driver, browser, "approved").await;
    work::work_off(&setting.state).await.unwrap();
    site.goto(&format!("/ho-so/{case}")).await;
    site.sees("Tải thông báo (PDF)").await;
    shot(&driver, browser, "notified").await;
    site.goto("/ho-so").await;
    shot(&driver, browser, "all").await;
    site.goto("/ho-so/none").await;
    shot(&driver, browser, "not-found").await;
    site.goto("/xet-duyet").await;
    site.sees("Không có quyền").await;
    site.goto("/phe-duyet").await;
    site.sign_out().await;

    site.goto("/tra-cuu").await;
    shot(&driver, browser, "lookup").await;
    site.fill("input[name=plate]", "29-AA 123.45").await;
    site.click("input[name=vehicle_type][value='2']").await;
    site.click("form.stack button[type=submit]").await;
    site.sees("Chưa xử phạt").await;
    shot(&driver, browser, "lookup-result").await;
    assert!(site.text().await.contains("08:16, 21/11/2026"));

    site.goto("/ngon-ngu?to=en&back=%2Ftra-cuu").await;
    site.sees("Look up a vehicle").await;
    shot(&driver, browser, "lookup-english").await;
    site.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clip_that_the_browser_cannot_play_is_said_at_once() {
    let Some(driver) = Driver::start() else {
        println!("skipped: chromedriver is not installed");
        return;
    };
    let setting = Setting::new().await;
    setting.user("an", &[Role::Reviewer]).await;
    let case = {
        let clip = bytes::Bytes::from_static(include_bytes!("../assets/clip-h265.mp4"));
        setting.case_with(1, vec![("clip.mp4", clip)], |_| {}).await
    };
    // The same number a minute later, and the same passage from the other side: the page shows both.
    setting.case(2, |_| {}).await;
    let joined = setting.case(3, |m| crate::passages::second_camera(m, 3, 400)).await;
    assert_eq!(joined, case);
    let site = Site::open(&driver, &setting, DESK).await;
    site.sign_in("an").await;
    site.goto(&format!("/ho-so/{case}")).await;
    let plays = "const source = document.querySelector('.clip source'); \
                 return document.querySelector('video').canPlayType(source.type)";
    let plays = site.browser.execute(plays, vec![]).await.unwrap();
    assert_eq!(plays, "", "this Chromium decodes H.265: the test needs one that does not");
    site.sees("Trình duyệt không phát được video.").await;
    site.sees("Đoạn phim được camera mã hóa H.265 (HEVC).").await;
    let shown = "const video = document.querySelector('video'); \
                 const link = document.querySelector('.unplayable a'); \
                 return [video.checkVisibility(), link.checkVisibility(), link.pathname, \
                     document.querySelectorAll('.evidence .frames img').length]";
    let shown = site.browser.execute(shown, vec![]).await.unwrap();
    let clip = setting.url(&case, "clip.mp4").await;
    assert_eq!(shown, json!([false, true, clip, 3]));
    site.sees("Hồ sơ cùng hoặc gần giống biển số, gần cùng lúc").await;
    site.sees("Bằng chứng bổ sung của cùng một lần đi qua").await;
    site.click(".related summary").await;
    shot(&driver, &site.browser, "case-h265").await;
    site.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clerk_names_the_owner_on_a_phone() {
    let Some(driver) = Driver::start() else {
        println!("skipped: chromedriver is not installed");
        return;
    };
    let mut setting = Setting::new().await;
    crate::owners::registered(&mut setting, "đã bán").await;
    setting.user("an", &[Role::Reviewer]).await;
    setting.user("binh", &[Role::Approver]).await;
    setting.user("chi", &[Role::Registry]).await;
    setting.user("dung", &[Role::Admin]).await;
    let case = setting.case(1, |_| {}).await;
    Visitor::officer(&setting.state, "an").await.decide(&case, "accept", &[]).await;
    Visitor::officer(&setting.state, "binh").await.decide(&case, "approve", &[]).await;
    let site = Site::open(&driver, &setting, PHONE).await;
    site.sign_in("chi").await;
    assert_eq!(site.path().await, "/chu-xe");
    site.sees("Xe đã bán, chưa sang tên").await;
    shot(&driver, &site.browser, "owners").await;
    site.click("main th a").await;
    site.sees("Đúng là chủ đăng ký").await;
    site.click("#chu-xe details:last-of-type summary").await;
    shot(&driver, &site.browser, "owner").await;
    site.fits().await;
    site.click("#chu-xe input[value=organisation]").await;
    site.fill("#chu-xe input[name=name]", "Công ty Mua Xe").await;
    site.fill("#chu-xe input[name=id_number]", "0101234567").await;
    site.fill("#chu-xe input[name=address]", "2 Phố Mẫu").await;
    let note = "#chu-xe details:last-of-type textarea";
    site.fill(note, "hợp đồng mua bán ngày 01/10/2026").await;
    site.click("#chu-xe details:last-of-type button").await;
    site.sees("Không có hồ sơ nào chờ xác định chủ xe.").await;
    work::work_off(&setting.state).await.unwrap();
    site.goto(&format!("/ho-so/{case}")).await;
    site.sees("Tải thông báo (PDF)").await;
    site.sees("Công ty Mua Xe").await;
    shot(&driver, &site.browser, "owner-named").await;
    site.sign_out().await;
    let mut tx = setting.state.store.begin().await.unwrap();
    let now = crate::setting::START;
    jobs::ask(&mut tx, &Job::IssueNotice { case: case.clone() }, now).await.unwrap();
    tx.commit().await.unwrap();
    let taken = jobs::take(&setting.state.store, now).await.unwrap().unwrap();
    let why = "the gate is closed: notice_term_passed";
    jobs::put_off(&setting.state.store, &taken, why, true, now).await.unwrap();
    site.sign_in("dung").await;
    site.goto("/cong-viec").await;
    site.sees("Đã quá thời hạn").await;
    shot(&driver, &site.browser, "jobs").await;
    site.click("main table button").await;
    site.sees("Không có việc nào bị bỏ dở.").await;
    site.close().await;
}

/// The pages on a port of their own.
async fn serve(setting: &Setting) -> (String, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let router = web_router(setting.state.clone());
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let server = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    (base, server)
}

/// The browser decodes the clip and its time moves.
async fn watch_the_clip(browser: &Client) {
    let script = "const video = document.querySelector('video'); video.play(); \
                  return [video.readyState, video.currentTime, video.videoWidth]";
    let mut last = Value::Null;
    for _ in 0..100 {
        last = browser.execute(script, vec![]).await.unwrap();
        if last[0].as_u64() >= Some(2) && last[1].as_f64() > Some(0.3) {
            assert_eq!(last[2], 640);
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the clip does not play: {last}");
}

async fn more_cases(setting: &Setting) {
    let others = [
        ("30F25658", contract::VehicleClass::Car, 0.99),
        ("51LD12345", contract::VehicleClass::Car, 0.81),
        ("29B112345", contract::VehicleClass::Motorbike, 0.93),
    ];
    for (sequence, (plate, vehicle, confidence)) in (2u64..).zip(others) {
        setting
            .case(sequence, |manifest| {
                manifest.violation.vehicle = vehicle;
                let reading = manifest.plate.as_mut().unwrap();
                reading.text = Some(plate.into());
                reading.raw = plate.into();
                reading.confidence = confidence;
            })
            .await;
    }
    setting.case(5, |manifest| manifest.plate = None).await;
}

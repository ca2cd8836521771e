//! The main way through a real browser: an officer signs in, watches the clip, accepts; an
//! approver approves; the owner finds it by plate. `SCREENSHOTS=folder` keeps a picture of every
//! page at desk and phone width.

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

struct Site {
    browser: Client,
    base: String,
}

impl Site {
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
    let (base, server) = serve(&setting).await;

    let profile = tempfile::tempdir().unwrap();
    let browser = driver.browser(profile.path(), [1400, 1000]).await;
    let site = Site { browser, base };
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
    site.browser.clone().close().await.unwrap();
    server.abort();
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
    let (base, server) = serve(&setting).await;
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.browser(profile.path(), [1400, 1000]).await;
    let site = Site { browser, base };
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
    site.browser.clone().close().await.unwrap();
    server.abort();
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
    let (base, server) = serve(&setting).await;
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.browser(profile.path(), [390, 844]).await;
    let site = Site { browser, base };
    site.sign_in("chi").await;
    assert_eq!(site.path().await, "/chu-xe");
    site.sees("Xe đã bán, chưa sang tên").await;
    shot(&driver, &site.browser, "owners").await;
    site.click("main th a").await;
    site.sees("Đúng là chủ đăng ký").await;
    site.click("#chu-xe details:last-of-type summary").await;
    shot(&driver, &site.browser, "owner").await;
    let wide = "return document.documentElement.scrollWidth - innerWidth";
    assert_eq!(site.browser.execute(wide, vec![]).await.unwrap(), 0, "no page scrolls sideways");
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
    site.browser.clone().close().await.unwrap();
    server.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clerk_proposes_a_fine_and_a_leader_signs_it_on_a_phone() {
    let Some(driver) = Driver::start() else {
        println!("skipped: chromedriver is not installed");
        return;
    };
    let setting = crate::sanctions::staffed().await.remove(0);
    let case = setting.case(1, |_| {}).await;
    Visitor::officer(&setting.state, "an").await.decide(&case, "accept", &[]).await;
    Visitor::officer(&setting.state, "binh").await.decide(&case, "approve", &[]).await;
    let (base, server) = serve(&setting).await;
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.browser(profile.path(), [1400, 1000]).await;
    let site = Site { browser, base };
    site.sign_in("chi").await;
    site.goto(&format!("/ho-so/{case}")).await;
    site.click("#xu-phat details summary").await;
    site.click("#xu-phat input[name=drove][value=yes]").await;
    let born = "document.querySelector('#xu-phat input[name=born]').value = '1990-05-01'";
    site.browser.execute(born, vec![]).await.unwrap();
    shot(&driver, &site.browser, "minutes").await;
    site.click("#xu-phat details button").await;
    site.sees("Đã lập biên bản, văn bản đang được in.").await;
    work::work_off(&setting.state).await.unwrap();
    site.goto(&format!("/ho-so/{case}")).await;
    site.sees("Biên bản vi phạm hành chính số 000001/BB-VPHC").await;
    site.click("#xu-phat .buttons > details:last-of-type > summary").await;
    site.click("#xu-phat input[value=hardship]").await;
    shot(&driver, &site.browser, "proposal").await;
    site.click("#xu-phat .buttons > details:last-of-type button").await;
    site.sees("Đã đề xuất quyết định, chờ lãnh đạo ký.").await;
    site.browser.clone().close().await.unwrap();

    let profile = tempfile::tempdir().unwrap();
    let browser = driver.browser(profile.path(), [390, 844]).await;
    let site = Site { browser, ..site };
    site.sign_in("dung").await;
    site.goto("/xu-phat").await;
    site.sees("4.500.000 đ").await;
    shot(&driver, &site.browser, "sanctions").await;
    site.click("main th a").await;
    site.sees("Ký quyết định").await;
    let wide = "return document.documentElement.scrollWidth - innerWidth";
    assert_eq!(site.browser.execute(wide, vec![]).await.unwrap(), 0, "no page scrolls sideways");
    shot(&driver, &site.browser, "signing").await;
    site.click("#xu-phat button.good").await;
    site.sees("Đã ký, quyết định đang được ban hành.").await;
    work::work_off(&setting.state).await.unwrap();
    site.goto(&format!("/ho-so/{case}")).await;
    site.sees("Quyết định xử phạt số 000001/QĐ-XPHC").await;
    shot(&driver, &site.browser, "decided").await;
    // A fault is found at the camera: the same leader recalls its cases.
    site.goto("/ra-soat").await;
    site.click("main details summary").await;
    let choose = "const form = document.querySelector('main form'); form.cause.value = 'camera'; \
                  form.from.value = '2026-11-20'; form.to.value = '2026-11-22'";
    site.browser.execute(choose, vec![]).await.unwrap();
    site.fill("main input[name=value]", "cam-01").await;
    site.fill("main input[name=reason]", "đèn bị lắp sai pha từ sáng 21/11").await;
    shot(&driver, &site.browser, "recall-form").await;
    site.click("main form button").await;
    site.sees("Đang tìm hồ sơ").await;
    work::work_off(&setting.state).await.unwrap();
    let recall = site.path().await;
    site.goto(&recall).await;
    site.sees("Tạm dừng").await;
    assert_eq!(site.browser.execute(wide, vec![]).await.unwrap(), 0, "no page scrolls sideways");
    shot(&driver, &site.browser, "recall").await;
    site.goto("/ra-soat").await;
    site.sees("đèn bị lắp sai pha").await;
    shot(&driver, &site.browser, "recalls").await;
    site.browser.clone().close().await.unwrap();
    server.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clerk_asks_for_a_deferral_and_a_leader_signs_it_on_a_phone() {
    let Some(driver) = Driver::start() else {
        println!("skipped: chromedriver is not installed");
        return;
    };
    let mut desk = crate::sanctions::Desk::each().await.remove(0);
    let mut config = (*desk.setting.state.config).clone();
    config.treasury.bank = "970436".into();
    config.treasury.account = crate::payment::ACCOUNT.into();
    config.treasury.name = "KHO BAC NHA NUOC".into();
    desk.setting.state.config = std::sync::Arc::new(config);
    let case = desk.notified().await;
    desk.in_force(&case).await;
    let reference = desk.decision(&case).await.unwrap().content.issued.unwrap().reference;
    let day = time::macros::date!(2026 - 11 - 21);
    let paid = crate::payment::incoming("FT26325000123", 1_500_000, day, &reference);
    crate::payment::notify(&desk.setting, &paid).await.unwrap();
    let setting = &desk.setting;
    work::work_off(&setting.state).await.unwrap();
    let (base, server) = serve(setting).await;
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.browser(profile.path(), [1280, 900]).await;
    let site = Site { browser, base };
    site.sign_in("chi").await;
    site.goto(&format!("/ho-so/{case}")).await;
    site.sees("Biên lai thu tiền phạt số 000001").await;
    // By keyboard, as on any desk.
    site.click("#thi-hanh .buttons > details:last-of-type > summary").await;
    shot(&driver, &site.browser, "correction-form").await;
    site.click("#thi-hanh .buttons > details:first-of-type > summary").await;
    let until = "document.querySelector('#thi-hanh input[name=until]').value = '2027-01-31'";
    site.browser.execute(until, vec![]).await.unwrap();
    site.fill("#thi-hanh details[open] input[name=reason]", "nhà bị cháy ngày 15/11/2026").await;
    site.fill("#thi-hanh details[open] input[name=certified_by]", "UBND phường Đông Hà").await;
    shot(&driver, &site.browser, "deferral-form").await;
    site.click("#thi-hanh details[open] button").await;
    site.sees("Đã trình lãnh đạo.").await;
    site.click("#chuyen .buttons > details:first-of-type > summary").await;
    shot(&driver, &site.browser, "referral-form").await;
    site.browser.clone().close().await.unwrap();

    let profile = tempfile::tempdir().unwrap();
    let browser = driver.browser(profile.path(), [390, 844]).await;
    let site = Site { browser, ..site };
    site.sign_in("dung").await;
    site.goto("/xu-phat").await;
    site.sees("Hoãn thi hành").await;
    shot(&driver, &site.browser, "orders").await;
    site.click("main th a").await;
    site.sees("UBND phường Đông Hà").await;
    let wide = "return document.documentElement.scrollWidth - innerWidth";
    assert_eq!(site.browser.execute(wide, vec![]).await.unwrap(), 0, "no page scrolls sideways");
    shot(&driver, &site.browser, "order-signing").await;
    site.click("#thi-hanh button.good").await;
    site.sees("Đã ký: văn bản đang được lập.").await;
    work::work_off(&setting.state).await.unwrap();
    site.goto(&format!("/ho-so/{case}")).await;
    site.sees("000001/QĐ-HQĐPT-").await;
    shot(&driver, &site.browser, "order-in-force").await;
    site.browser.clone().close().await.unwrap();
    server.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clerk_sends_letters_and_sees_what_is_due() {
    let Some(driver) = Driver::start() else {
        println!("skipped: chromedriver is not installed");
        return;
    };
    let setting = crate::delivery::each().await.remove(0);
    let cases = crate::delivery::notified(&setting, 4).await;
    setting.case(9, |manifest| manifest.plate = None).await;
    let (base, server) = serve(&setting).await;
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.browser(profile.path(), [1400, 1000]).await;
    let site = Site { browser, base };
    site.sign_in("chi").await;
    site.goto("/giao-nhan").await;
    site.sees("Chưa có đợt thư nào.").await;
    shot(&driver, &site.browser, "post").await;
    site.click("form[action='/giao-nhan/in'] button").await;
    site.sees("Hệ thống đang in đợt thư này.").await;
    let batch = site.path().await;
    work::work_off(&setting.state).await.unwrap();
    crate::delivery::withdrawn_by_two(&setting, &cases[3]).await;
    site.goto(&batch).await;
    site.sees("Lấy ra khỏi chồng thư").await;
    site.click("main details summary").await;
    shot(&driver, &site.browser, "batch").await;
    site.click("main details button").await;
    site.sees("Đã ghi nhận giao bưu điện 3 thư; 0 thư giữ lại.").await;
    // A file as a person chooses it: first one with a mistake, then the right one.
    let file = setting.folder.path().join("buu-dien.csv");
    let day = "21/11/2026";
    for (tracking, words) in
        [("RB1VN", "số hiệu bưu gửi thuộc thư khác"), ("RB2VN", "Đã nhập 2 dòng")]
    {
        let text = format!(
            "\u{feff}Mã bưu phẩm;Số hiệu;Trạng thái;Ngày\r\n1-0001;RB1VN;Phát thành công;{day}\r\n\
             1-0002;{tracking};Chuyển hoàn;{day}\r\n"
        );
        std::fs::write(&file, text).unwrap();
        site.goto("/giao-nhan").await;
        let input = site.browser.find(Locator::Css("input[type=file]")).await.unwrap();
        input.send_keys(file.to_str().unwrap()).await.unwrap();
        site.click("form[action='/giao-nhan/buu-gui'] button").await;
        site.sees(words).await;
        shot(&driver, &site.browser, &format!("post-{tracking}")).await;
    }
    site.goto("/thoi-han").await;
    site.sees("Gửi lại thư bị trả lại").await;
    shot(&driver, &site.browser, "terms").await;
    site.goto(&format!("/ho-so/{}", cases[1])).await;
    site.click("#giao-nhan .paper details summary").await;
    site.sees("Bị trả lại").await;
    shot(&driver, &site.browser, "case-delivery").await;
    site.click("#giao-nhan .paper input[value=commune]").await;
    site.fill("#giao-nhan .paper textarea", "biên bản niêm yết số 12/BB ngày 21/11").await;
    site.click("#giao-nhan .paper details button").await;
    site.sees("Niêm yết tại cấp xã").await;
    shot(&driver, &site.browser, "case-posted").await;
    site.browser.clone().close().await.unwrap();

    let profile = tempfile::tempdir().unwrap();
    let browser = driver.browser(profile.path(), [390, 844]).await;
    let site = Site { browser, base: site.base };
    site.sign_in("chi").await;
    for path in ["/giao-nhan", &batch, "/thoi-han", &format!("/ho-so/{}", cases[0])] {
        site.goto(path).await;
        let wide = "return document.documentElement.scrollWidth - innerWidth";
        let wide = site.browser.execute(wide, vec![]).await.unwrap();
        assert_eq!(wide, 0, "{path} scrolls sideways");
    }
    site.browser.clone().close().await.unwrap();
    server.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clerk_sends_a_decision_and_nothing_runs_before_its_service() {
    let Some(driver) = Driver::start() else {
        println!("skipped: chromedriver is not installed");
        return;
    };
    let mut desk = crate::sanctions::Desk::each().await.remove(0);
    let case = desk.notified().await;
    desk.in_force(&case).await;
    let (base, server) = serve(&desk.setting).await;
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.browser(profile.path(), [1280, 1000]).await;
    let site = Site { browser, base };
    site.sign_in("chi").await;
    site.goto("/giao-nhan").await;
    site.sees("Quyết định xử phạt").await;
    shot(&driver, &site.browser, "papers-post").await;
    site.click("form[action='/giao-nhan/in'] button").await;
    site.sees("Hệ thống đang in đợt thư này.").await;
    let batch = site.path().await;
    work::work_off(&desk.setting.state).await.unwrap();
    site.goto(&batch).await;
    site.sees("1 quyết định xử phạt, 1 thông báo trừ điểm, 1 thông báo vi phạm").await;
    site.click("main details summary").await;
    shot(&driver, &site.browser, "papers-batch").await;
    site.click("main details button").await;
    site.sees("Đã ghi nhận giao bưu điện 3 thư").await;
    let own = format!("/ho-so/{case}");
    for (path, words, name) in [
        ("/thoi-han", "Quyết định đã gửi, chưa giao", "papers-terms"),
        ("/tien", "03/12/2026", "papers-money"),
        (own.as_str(), "nếu không có căn cứ xác định ngày nhận", "papers-case-sent"),
    ] {
        site.goto(path).await;
        site.sees(words).await;
        shot(&driver, &site.browser, name).await;
    }
    // The violator comes and takes it: its term runs from today.
    let code = crate::delivery::code(&desk.setting, &case, Paper::Decision).await;
    let decision = format!("#giao-nhan .paper:has(input[value='{code}'])");
    site.click(&format!("{decision} details summary")).await;
    site.click(&format!("{decision} input[value=delivered]")).await;
    site.fill(&format!("{decision} textarea"), "ký nhận tại trụ sở, sổ giao nhận số 7").await;
    shot(&driver, &site.browser, "papers-by-hand").await;
    site.click(&format!("{decision} details button")).await;
    site.sees("Người có tên trong văn bản").await;
    site.sees("Hạn nộp phạt").await;
    shot(&driver, &site.browser, "papers-case-served").await;
    site.browser.clone().close().await.unwrap();

    let profile = tempfile::tempdir().unwrap();
    let browser = driver.browser(profile.path(), [390, 844]).await;
    let site = Site { browser, base: site.base };
    site.sign_in("chi").await;
    for path in ["/giao-nhan", &batch, "/thoi-han", "/tien", &own] {
        site.goto(path).await;
        let wide = "return document.documentElement.scrollWidth - innerWidth";
        let wide = site.browser.execute(wide, vec![]).await.unwrap();
        assert_eq!(wide, 0, "{path} scrolls sideways");
    }
    site.browser.clone().close().await.unwrap();
    server.abort();
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clerk_takes_a_statement_in_with_the_browser() {
    use crate::payment::{FINE, claimed, csv, each, reference};
    let Some(driver) = Driver::start() else {
        println!("skipped: chromedriver is not installed");
        return;
    };
    let (setting, _) = each().await.remove(0);
    for seed in 1..=4 {
        claimed(&setting, seed).await;
    }
    let (base, server) = serve(&setting).await;
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.browser(profile.path(), [1400, 1000]).await;
    let site = Site { browser, base };
    site.sign_in("chi").await;
    site.goto("/tien").await;
    site.sees("Không có khoản thu nào").await;
    let code = |seed| reference(seed).to_string();
    let text = csv(&[
        ("FT26325001", FINE, &format!("NOP PHAT VPHC {} TRAN VAN NOP", code(1))),
        ("FT26325002", FINE + 500_000, &format!("nop phat qd 2 {}", code(2).to_lowercase())),
        ("FT26325003", 3_000_000, "TRAN THI CHUYEN NOP PHAT NGUOI BIEN SO 29AA12345"),
        ("FT26325004", FINE, &format!("{} {}", code(3), code(4))),
        ("FT26325005", 1_250_000, "thanh toan tien dien thang 11"),
        ("FT26325006", -11_000, "phi quan ly tai khoan"),
    ]);
    let file = setting.folder.path().join("sao-ke.csv");
    std::fs::write(&file, text).unwrap();
    let input = site.browser.find(Locator::Css("input[type=file]")).await.unwrap();
    input.send_keys(file.to_str().unwrap()).await.unwrap();
    site.click(".upload button").await;
    site.sees("2 khoản khớp hồ sơ, 3 khoản chưa rõ").await;
    shot(&driver, &site.browser, "money").await;
    // The one about electricity is the last to wait.
    site.click(".tiles article:nth-child(3) details:nth-child(2) summary").await;
    let form = ".tiles article:nth-child(3) details:nth-child(2)";
    for (field, text) in [
        ("input[name=name]", "TRAN VAN DIEN"),
        ("input[name=account]", "0011004455"),
        ("input[name=bank]", "970436"),
        ("textarea", "chuyển nhầm, đã gọi ngân hàng"),
    ] {
        site.fill(&format!("{form} {field}"), text).await;
    }
    shot(&driver, &site.browser, "money-form").await;
    site.click(&format!("{form} button")).await;
    site.sees("chờ người thứ hai duyệt").await;
    site.sign_out().await;
    site.sign_in("binh").await;
    site.goto("/tien").await;
    shot(&driver, &site.browser, "money-approver").await;
    site.click("form button.good").await;
    site.sees("Đã duyệt hoàn trả").await;
    site.click("table.boxes th a").await;
    site.sees("Còn phải nộp").await;
    shot(&driver, &site.browser, "money-case").await;
    site.browser.clone().close().await.unwrap();
    server.abort();
}

//! What follows a notice, in a real browser: clerk and leader at their desks and on a phone.

use super::*;

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
    let site = Site::open(&driver, &setting, DESK).await;
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
    let site = site.anew(&driver, PHONE).await;
    site.sign_in("dung").await;
    site.goto("/xu-phat").await;
    site.sees("4.500.000 đ").await;
    shot(&driver, &site.browser, "sanctions").await;
    site.click("main th a").await;
    site.sees("Ký quyết định").await;
    site.fits().await;
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
    site.fits().await;
    shot(&driver, &site.browser, "recall").await;
    site.goto("/ra-soat").await;
    site.sees("đèn bị lắp sai pha").await;
    shot(&driver, &site.browser, "recalls").await;
    site.close().await;
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
    let site = Site::open(&driver, setting, [1280, 900]).await;
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
    let site = site.anew(&driver, PHONE).await;
    site.sign_in("dung").await;
    site.goto("/xu-phat").await;
    site.sees("Hoãn thi hành").await;
    shot(&driver, &site.browser, "orders").await;
    site.click("main th a").await;
    site.sees("UBND phường Đông Hà").await;
    site.fits().await;
    shot(&driver, &site.browser, "order-signing").await;
    site.click("#thi-hanh button.good").await;
    site.sees("Đã ký: văn bản đang được lập.").await;
    work::work_off(&setting.state).await.unwrap();
    site.goto(&format!("/ho-so/{case}")).await;
    site.sees("000001/QĐ-HQĐPT-").await;
    shot(&driver, &site.browser, "order-in-force").await;
    site.close().await;
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
    let site = Site::open(&driver, &setting, DESK).await;
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
    let site = site.anew(&driver, PHONE).await;
    site.sign_in("chi").await;
    for path in ["/giao-nhan", &batch, "/thoi-han", &format!("/ho-so/{}", cases[0])] {
        site.goto(path).await;
        site.fits().await;
    }
    site.close().await;
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
    let site = Site::open(&driver, &desk.setting, [1280, 1000]).await;
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
    let site = site.anew(&driver, PHONE).await;
    site.sign_in("chi").await;
    for path in ["/giao-nhan", &batch, "/thoi-han", "/tien", &own] {
        site.goto(path).await;
        site.fits().await;
    }
    site.close().await;
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
    let site = Site::open(&driver, &setting, DESK).await;
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
    site.close().await;
}

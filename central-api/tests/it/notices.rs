//! The notice as paper: its words with every mark, its QR code, the same bytes again.

use std::path::Path;
use std::process::Command;

use axum::http::StatusCode;
use bytes::Bytes;
use central_api::admin::users::Role;
use central_api::config::Office;
use central_api::documents::Head;
use central_api::notice::{Content, Pictures, Taken, render};
use contract::Digest;
use time::macros::datetime;

use crate::setting::Setting;
use crate::setting::browserless::Visitor;

pub fn content() -> Content {
    let office = |number: u32| Office {
        name: format!("Đội Cảnh sát giao thông số {number}"),
        address: format!("Số {number} đường Lê Duẩn, phường Đông Hà"),
        phone: "0233 000 000".into(),
    };
    Content {
        head: head("000012/TB-PC08"),
        detecting_unit: "Đội Cảnh sát giao thông số 1".into(),
        vehicle: "Xe mô tô, xe gắn máy".into(),
        plate: "29-AA 123.45".into(),
        owner: None,
        plate_colour: "Nền màu trắng, chữ và số màu đen".into(),
        act_at: datetime!(2026-11-21 08:15:30 +7),
        act_place: "Nút giao Trần Phú – Hùng Vương, phường Đông Hà, hướng Bắc – Nam".into(),
        act: "Không chấp hành hiệu lệnh của đèn tín hiệu giao thông".into(),
        citation: "điểm c khoản 7 Điều 7 Nghị định số 168/2024/NĐ-CP (được sửa đổi, bổ sung bởi \
                   Nghị định số 238/2026/NĐ-CP)"
            .into(),
        appointment: datetime!(2026-12-01 08:00 +7),
        offices: vec![office(1), office(2)],
        no_show_days: 20,
        device: "Camera cam-01, thiết bị số SN-0001, phương án lắp đặt số 12/PA-PC08".into(),
        results: "03 ảnh toàn cảnh, 01 ảnh cận cảnh biển số, 01 đoạn video".into(),
        evidence_id: "01934b1e-0000-7000-8000-000000000001".into(),
        further: vec![
            "Camera cam-02, thiết bị số SN-0002, phương án lắp đặt số 12/PA-PC08. Mã bằng chứng: \
             01934b1e-0000-7000-8000-000000000002"
                .into(),
        ],
        signer: "Nguyễn Văn Bình".into(),
        archive: "PC08".into(),
        lookup_url: "https://phatnguoi.example/tra-cuu?thong-bao=K7QM2X9DHR4TBV6N".into(),
    }
}

fn head(number: &str) -> Head {
    Head {
        form: "Mẫu số 01/73 (Thông tư số 73/2024/TT-BCA)",
        parent: "CÔNG AN TỈNH QUẢNG TRỊ".into(),
        agency: "Phòng Cảnh sát giao thông".into(),
        number: number.into(),
        place: "Quảng Trị".into(),
        at: datetime!(2026-11-21 09:00 +7),
        code: "K7QM2X9DHR4TBV6N".into(),
    }
}

pub fn pictures() -> Pictures {
    Pictures {
        moments: vec![Taken {
            jpeg: Bytes::from_static(include_bytes!("../assets/on.jpg")),
            at: datetime!(2026-11-21 08:15:30 +7),
            shows: "trên vạch",
            main: true,
        }],
        close_up: Bytes::from_static(include_bytes!("../assets/closeup.jpg")),
        further: vec![(Bytes::from_static(include_bytes!("../assets/past.jpg")), "cam-02".into())],
    }
}

/// Output of a tool, or nothing where it is not installed.
pub fn tool(name: &str, arguments: &[&str]) -> Option<String> {
    match Command::new(name).args(arguments).output() {
        Ok(output) => {
            assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
            Some(String::from_utf8(output.stdout).unwrap())
        }
        Err(_) => {
            println!("skipped: {name} is not installed");
            None
        }
    }
}

pub fn text_of(pdf: &Path) -> Option<String> {
    let text = tool("pdftotext", &["-layout", pdf.to_str().unwrap(), "-"])?;
    Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn the_same_notice_has_the_same_bytes() {
    let first = render(&content(), Some(&pictures())).unwrap();
    assert!(first.starts_with(b"%PDF-"));
    assert_eq!(first, render(&content(), Some(&pictures())).unwrap());
    let other = Content { head: head("000013/TB-PC08"), ..content() };
    assert_ne!(first, render(&other, Some(&pictures())).unwrap());
    assert!(first.len() < 600_000, "{}", first.len());
}

#[test]
fn the_text_can_be_copied_with_every_mark() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notice.pdf");
    std::fs::write(&file, render(&content(), None).unwrap()).unwrap();
    let Some(text) = text_of(&file) else { return };
    for words in [
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "Độc lập - Tự do - Hạnh phúc",
        "CÔNG AN TỈNH QUẢNG TRỊ",
        "PHÒNG CẢNH SÁT GIAO THÔNG",
        "Số: 000012/TB-PC08",
        "Quảng Trị, ngày 21 tháng 11 năm 2026",
        "THÔNG BÁO",
        "29-AA 123.45",
        "08 giờ 15 phút, ngày 21 tháng 11 năm 2026",
        "08 giờ 00 phút, ngày 01 tháng 12 năm 2026",
        "Không chấp hành hiệu lệnh của đèn tín hiệu giao thông",
        "Nghị định số 238/2026/NĐ-CP",
        "2. Chủ phương tiện:",
        "Địa chỉ:",
        "Biện pháp ngăn chặn",
        "giấy phép lái xe",
        "01934b1e-0000-7000-8000-000000000001; còn được ghi nhận trong 01 gói bằng chứng khác (phụ lục).",
        "Nơi nhận:",
        "THỦ TRƯỞNG ĐƠN VỊ",
        "Nguyễn Văn Bình",
        "K7QM2X9DHR4TBV6N",
    ] {
        assert!(text.contains(words), "{words:?} is not in:\n{text}");
    }
}

#[test]
fn the_code_leads_to_the_lookup() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notice.pdf");
    std::fs::write(&file, render(&content(), Some(&pictures())).unwrap()).unwrap();
    if let Some(keep) = std::env::var_os("SCREENSHOTS") {
        std::fs::copy(&file, Path::new(&keep).join("notice.pdf")).unwrap();
    }
    let picture = folder.path().join("page");
    let (file, picture) = (file.to_str().unwrap(), picture.to_str().unwrap());
    if tool("pdftoppm", &["-r", "150", "-png", "-singlefile", file, picture]).is_none() {
        return;
    }
    let Some(found) = tool("zbarimg", &["-q", "--raw", &format!("{picture}.png")]) else { return };
    assert_eq!(found.trim(), content().lookup_url);
}

/// Greatest step between neighbours in a part of a picture, given in shares of its size.
fn edge(picture: &image::GrayImage, [left, top, right, bottom]: [f32; 4]) -> u8 {
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let (columns, rows) = (
        (left * width) as u32..(right * width) as u32,
        (top * height) as u32..(bottom * height) as u32,
    );
    let grey = |x, y| picture.get_pixel(x, y).0[0];
    rows.flat_map(|y| columns.clone().map(move |x| (x, y)))
        .map(|(x, y)| grey(x, y).abs_diff(grey(x + 1, y)))
        .max()
        .unwrap()
}

/// A picture of black and white stripes, as sharp as the characters of a plate.
fn striped(width: u32, height: u32) -> Bytes {
    let picture = image::GrayImage::from_fn(width, height, |x, _| {
        image::Luma([if x / 3 % 2 == 0 { 20 } else { 235 }])
    });
    let mut jpeg = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut jpeg, image::ImageFormat::Jpeg).unwrap();
    jpeg.into_inner().into()
}

#[tokio::test]
async fn the_annex_shows_the_accused_vehicle_and_nobody_else() {
    let setting = Setting::new().await;
    setting.user("an", &[Role::Reviewer]).await;
    setting.user("binh", &[Role::Approver]).await;
    let (on, close_up) = (striped(1280, 760), striped(1280, 680));
    let sealed = Digest::of(&on);
    let files = vec![("on.jpg", on.clone()), ("closeup.jpg", close_up)];
    let case = setting.case_with(1, files, |manifest| {
        let view = contract::view::View {
            picture: [1280, 720],
            vehicle: [320, 180, 320, 360],
            plate: None,
            others: Vec::new(),
            lamps: vec![[1152, 36, 64, 72]],
            marks: vec![vec![[0, 600], [1280, 600]]],
        };
        manifest.files[1].view = Some(view.clone());
        manifest.files[3].view = Some(contract::view::View {
            picture: [1280, 640],
            vehicle: [64, 64, 512, 512],
            plate: Some([[700, 200], [1200, 200], [1200, 400], [700, 400]]),
            lamps: Vec::new(),
            marks: Vec::new(),
            ..view
        });
    });
    let case = case.await;
    // The same passage by a second camera, and one whose picture does not say who is who.
    let joined = setting.case_with(2, vec![("on.jpg", on)], |manifest| {
        crate::passages::second_camera(manifest, 2, 900);
        manifest.files[1].view = Some(contract::view::View {
            picture: [1280, 720],
            vehicle: [640, 180, 320, 360],
            plate: None,
            others: Vec::new(),
            lamps: Vec::new(),
            marks: Vec::new(),
        });
    });
    assert_eq!(joined.await, case);
    let unknown = setting.case(3, |manifest| crate::passages::second_camera(manifest, 3, 700));
    assert_eq!(unknown.await, case);
    Visitor::officer(&setting.state, "an").await.decide(&case, "accept", &[]).await;
    let mut binh = Visitor::officer(&setting.state, "binh").await;
    binh.decide(&case, "approve", &[]).await;
    let folder = tempfile::tempdir().unwrap();
    let (pdf, root) = (folder.path().join("notice.pdf"), folder.path().join("picture"));
    std::fs::write(&pdf, binh.get(&format!("/ho-so/{case}/thong-bao.pdf")).await.bytes).unwrap();
    let arguments = ["-all", pdf.to_str().unwrap(), root.to_str().unwrap()];
    if tool("pdfimages", &arguments).is_none() {
        return;
    }
    let picture = |index: u32| {
        let path = folder.path().join(format!("picture-{index:03}.jpg"));
        image::open(path).unwrap().to_luma8()
    };
    let on = picture(0);
    assert_eq!(on.dimensions(), (1280, 760));
    // Beside the vehicle, above it, between it and the lamp: no stripe is left.
    for away in [[0.01, 0.02, 0.22, 0.70], [0.28, 0.02, 0.48, 0.20], [0.55, 0.02, 0.88, 0.70]] {
        assert!(edge(&on, away) < 24, "{away:?}: {}", edge(&on, away));
    }
    for kept in [[0.27, 0.25, 0.48, 0.70], [0.905, 0.06, 0.94, 0.13], [0.1, 0.96, 0.9, 0.99]] {
        assert!(edge(&on, kept) > 120, "{kept:?}: {}", edge(&on, kept));
    }
    // The moments before and after say of nothing where it is: nothing of them is shown.
    for other in [1, 2] {
        assert!(edge(&picture(other), [0.0, 0.0, 0.999, 0.999]) < 24);
    }
    let close_up = picture(3);
    assert_eq!(edge(&close_up, [0.455, 0.02, 0.485, 0.90]), 0, "between the panels is nothing");
    assert!(edge(&close_up, [0.06, 0.11, 0.44, 0.84]) > 120);
    assert!(edge(&close_up, [0.56, 0.30, 0.92, 0.57]) > 120);
    let further = picture(4);
    for away in [[0.01, 0.02, 0.45, 0.70], [0.80, 0.02, 0.99, 0.70]] {
        assert!(edge(&further, away) < 24, "{away:?}: {}", edge(&further, away));
    }
    assert!(edge(&further, [0.52, 0.27, 0.73, 0.70]) > 120);
    assert!(!folder.path().join("picture-005.jpg").exists(), "nothing of the third camera");
    if let Some(text) = text_of(&pdf) {
        assert!(text.contains("Ảnh 5. Cùng hành vi, do camera cam-02 ghi"), "{text}");
        assert_eq!(text.matches("Hành vi còn được ghi nhận bởi: Camera cam-02").count(), 2);
    }
    if let Some(keep) = std::env::var_os("SCREENSHOTS") {
        std::fs::copy(&pdf, Path::new(&keep).join("notice-further.pdf")).unwrap();
    }
    // What was sealed is as it was.
    let detail = binh.get(&format!("/api/v1/cases/{case}")).await.json();
    let kept = setting.file(detail["case"]["evidence_id"].as_str().unwrap(), "on.jpg");
    assert_eq!(Digest::of(&std::fs::read(kept).unwrap()), sealed);
}

#[tokio::test]
async fn a_notified_case_has_its_notice_on_record() {
    let setting = Setting::new().await;
    let case = setting.case(1, |manifest| {
        manifest.files[1].view = Some(contract::view::View {
            picture: [960, 540],
            vehicle: [500, 225, 70, 135],
            plate: None,
            others: Vec::new(),
            lamps: vec![[795, 38, 75, 158]],
            marks: vec![vec![[180, 345], [780, 345]]],
        });
    });
    let case = case.await;
    setting.user("an", &[Role::Reviewer]).await;
    setting.user("binh", &[Role::Approver]).await;
    Visitor::officer(&setting.state, "an").await.decide(&case, "accept", &[]).await;
    let mut approver = Visitor::officer(&setting.state, "binh").await;
    let path = format!("/ho-so/{case}/thong-bao.pdf");
    assert_eq!(approver.get(&path).await.status, StatusCode::NOT_FOUND);
    approver.decide(&case, "approve", &[]).await;
    let pdf = approver.get(&path).await;
    assert_eq!(pdf.status, StatusCode::OK);
    assert_eq!(pdf.headers["content-type"], "application/pdf");
    if let Some(keep) = std::env::var_os("SCREENSHOTS") {
        std::fs::write(Path::new(&keep).join("notice-issued.pdf"), &pdf.bytes).unwrap();
    }
    let detail = approver.get(&format!("/api/v1/cases/{case}")).await.json();
    assert_eq!(detail["notice"]["sha256"], Digest::of(&pdf.bytes).to_string());
    assert_eq!(detail["notice"]["number"], 1);

    // A changed file is never handed out.
    let evidence = detail["case"]["evidence_id"].as_str().unwrap();
    let name = format!("notice-{}.pdf", &detail["notice"]["sha256"].as_str().unwrap()[..16]);
    std::fs::write(setting.file(evidence, &name), b"%PDF-forged").unwrap();
    assert_eq!(approver.get(&path).await.status, StatusCode::INTERNAL_SERVER_ERROR);
}

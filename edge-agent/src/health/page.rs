//! The report as a page for people on the local network: Vietnamese first, English below, readable on
//! a phone, without scripts; it loads itself anew every few seconds.

use std::fmt::{self, Write as _};

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::camera::{CameraStatus, LampStatus, PaceStatus, Stream};
use super::finding::{Finding, Verdict};
use super::findings;
use super::report::Report;
use crate::evidence::caption::VIETNAM;
use crate::markup::escaped;
use crate::pace::Less;
use contract::VehicleClass;
use contract::manifest::{Clock, ClockSource};
use judge::lamp::Light;

pub const STYLE: &str = include_str!("page.css");
/// Seconds between two looks.
const REFRESH: u32 = 10;

const TIME: &[BorrowedFormatItem<'_>] =
    format_description!("[hour]:[minute]:[second] [day]/[month]/[year]");

/// The whole page.
pub fn page(report: &Report) -> String {
    let mut html = String::with_capacity(16 * 1024);
    // Writing into a text cannot fail.
    let _ = write(&mut html, report);
    html
}

fn write(to: &mut String, report: &Report) -> fmt::Result {
    let worst = report.findings.iter().map(|finding| finding.verdict).max();
    let worst = worst.unwrap_or(Verdict::Good);
    let device = escaped(report.device.as_deref().unwrap_or("edge-agent"));
    write!(
        to,
        "<!doctype html>\n<html lang=\"vi\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"refresh\" content=\"{REFRESH}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{device}: {}</title>\n<link rel=\"stylesheet\" href=\"/page.css\">\n</head>\n<body>\n\
         <header class=\"{}\">\n<h1>{device}</h1>\n<p class=\"state\">{}</p>\n\
         <p class=\"en\" lang=\"en\">{}</p>\n<p class=\"when\">{} · edge-agent {}</p>\n</header>\n<main>\n",
        summary(worst).0,
        class(worst),
        summary(worst).0,
        summary(worst).1,
        moment(report.at),
        report.version
    )?;
    let (bad, good): (Vec<_>, Vec<_>) =
        report.findings.iter().partition(|finding| finding.verdict != Verdict::Good);
    if !bad.is_empty() {
        section(to, "todo", "Cần xử lý", "To do")?;
        list(to, &bad)?;
        to.push_str("</section>\n");
    }
    section(to, "cameras", "Camera", "Cameras")?;
    for camera in &report.cameras {
        write_camera(to, camera)?;
    }
    if report.cameras.is_empty() {
        to.push_str(
            "<p>Không có camera nào. <span class=\"en\" lang=\"en\">No cameras.</span></p>\n",
        );
    }
    to.push_str("</section>\n");
    let rest: Vec<_> =
        good.into_iter().filter(|finding| !finding.part.starts_with("camera ")).collect();
    section(to, "box", "Thiết bị", "The box")?;
    list(to, &rest)?;
    to.push_str("</section>\n</main>\n</body>\n</html>\n");
    Ok(())
}

fn section(to: &mut String, id: &str, vi: &str, en: &str) -> fmt::Result {
    writeln!(
        to,
        "<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{vi} \
         <span class=\"en\" lang=\"en\">{en}</span></h2>"
    )
}

fn list(to: &mut String, findings: &[&Finding]) -> fmt::Result {
    to.push_str("<ul class=\"findings\">\n");
    for finding in findings {
        let vi = finding.text_vi.as_deref().unwrap_or(&finding.text);
        write!(
            to,
            "<li class=\"{}\"><p><strong>{}</strong> <span class=\"part\">{}</span></p><p>{}</p>",
            class(finding.verdict),
            verdict(finding.verdict),
            escaped(part(&finding.part)),
            escaped(vi)
        )?;
        if let Some(advice) = &finding.advice {
            write!(to, "<p class=\"advice\">→ {}</p>", escaped(advice.vi))?;
        }
        let advice = finding.advice.map(|it| format!(": {}", it.en)).unwrap_or_default();
        writeln!(
            to,
            "<p class=\"en\" lang=\"en\">{}</p></li>",
            escaped(&format!("{}{advice}", finding.text))
        )?;
    }
    to.push_str("</ul>\n");
    Ok(())
}

fn write_camera(to: &mut String, camera: &CameraStatus) -> fmt::Result {
    let (mark, vi, ..) = findings::words(camera.state);
    writeln!(
        to,
        "<article class=\"{}\">\n<h3>{}</h3>\n<p><strong>{}</strong> {vi}, từ {}</p>\n\
         <p class=\"en\" lang=\"en\">{}</p>\n<dl>",
        class(mark),
        escaped(&camera.id),
        verdict(mark),
        moment(camera.since),
        escaped(&camera.state.name().replace('_', " ")),
    )?;
    let row = |to: &mut String, vi: &str, en: &str, value: &str| {
        writeln!(
            to,
            "<div><dt>{vi} <span class=\"en\" lang=\"en\">{en}</span></dt><dd>{}</dd></div>",
            escaped(value)
        )
    };
    if let Some(analysed) = &camera.analysed {
        let stream = match analysed.stream {
            Stream::Main => "luồng chính",
            Stream::Substream => "luồng phụ",
        };
        let size = format!("{stream} {}×{}", analysed.width, analysed.height);
        row(to, "Luồng hình", "stream", &size)?;
        row(to, "Giải mã", "decoder", analysed.decoder)?;
    }
    let rates = format!("{} → {}", decimal(camera.arriving_fps), decimal(camera.fps));
    row(to, "Hình/giây đến → phân tích", "frames a second in → analysed", &rates)?;
    if let Some(pace) = camera.pace.as_ref().filter(|pace| pace.least < pace.most) {
        row(to, "Nhịp phân tích", "pace", &pace_words(pace))?;
    }
    let dropped: Vec<String> = camera
        .dropped
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(cause, count)| format!("{}: {count}", dropped_words(cause)))
        .collect();
    if !dropped.is_empty() {
        row(to, "Bỏ qua", "dropped", &dropped.join(", "))?;
    }
    if let Some(known) = &camera.clock {
        row(to, "Giờ", "clock", &clock(known))?;
    }
    for lamp in &camera.lamps {
        row(to, &format!("Đèn {}", escaped(&lamp.name)), "lamp", &shown(lamp))?;
    }
    if let Some(sight) = camera.sight {
        row(to, "Tầm nhìn", "sight", sight_words(sight))?;
    }
    if let Some(vehicle) = &camera.last_vehicle {
        let told = format!("{}, {}", kind(vehicle.class), moment(vehicle.at));
        row(to, "Xe gần nhất", "last vehicle", &told)?;
    }
    if let Some(finding) = &camera.last_finding {
        let told = format!("{}, {}", finding.act, moment(finding.at));
        row(to, "Vi phạm gần nhất", "last finding", &told)?;
    }
    to.push_str("</dl>\n</article>\n");
    Ok(())
}

/// The present rate, its range, and why it is not more.
fn pace_words(pace: &PaceStatus) -> String {
    let why = match pace.present.less {
        Some(Less::Governed) => ", giảm vì thiết bị bận",
        Some(Less::Quiet) => ", giảm vì không có gì chuyển động",
        None => "",
    };
    let [now, least, most] =
        [pace.present.fps, pace.least, pace.most].map(|fps| decimal(fps.into()));
    format!("{now} (từ {least} đến {most}){why}")
}

const fn summary(worst: Verdict) -> (&'static str, &'static str) {
    match worst {
        Verdict::Good => ("Mọi thứ hoạt động tốt", "Everything works"),
        Verdict::Warn => ("Hoạt động, có điểm cần xem", "Works; somebody should look"),
        Verdict::Bad => ("Có phần không hoạt động", "Something does not work"),
    }
}

const fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Good => "good",
        Verdict::Warn => "warn",
        Verdict::Bad => "bad",
    }
}

/// Colours are never alone.
const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Good => "TỐT",
        Verdict::Warn => "LƯU Ý",
        Verdict::Bad => "HỎNG",
    }
}

fn part(part: &str) -> &str {
    match part {
        "clock" => "đồng hồ",
        "disk" => "ổ đĩa",
        "spool" => "kho chứng cứ",
        "uplink" => "gửi về trung tâm",
        "certificate" => "chứng thư số",
        "history" => "nhật ký",
        "models" => "mô hình",
        "heat" => "nhiệt độ",
        "memory" => "bộ nhớ",
        "load" => "tải",
        "release" => "bản phát hành",
        "agent" => "phần mềm",
        part => part,
    }
}

const fn kind(class: VehicleClass) -> &'static str {
    match class {
        VehicleClass::Motorbike => "xe máy",
        VehicleClass::Car => "ô tô con",
        VehicleClass::Bus => "xe khách",
        VehicleClass::Truck => "xe tải",
    }
}

fn clock(clock: &Clock) -> String {
    let source = match clock.source {
        ClockSource::Rtcp => "theo camera (RTCP)",
        ClockSource::Arrival => "theo lúc hình đến thiết bị",
        ClockSource::Recording => "theo bản ghi",
        ClockSource::Unknown => "KHÔNG CHẮC",
    };
    match clock.offset_ms {
        Some(offset) => format!("{source}, lệch {offset} ms"),
        None => source.into(),
    }
}

fn shown(lamp: &LampStatus) -> String {
    let since = |at: Option<OffsetDateTime>| {
        at.map_or_else(String::new, |at| format!(" từ {}", moment(at)))
    };
    match lamp.light {
        Some(Light::Red) => format!("ĐỎ{}", since(lamp.since)),
        Some(Light::Amber) => format!("VÀNG{}", since(lamp.since)),
        Some(Light::Green) => format!("XANH{}", since(lamp.since)),
        None => format!("không đọc được{}", since(lamp.unreadable_since)),
    }
}

fn sight_words(sight: &str) -> &str {
    match sight {
        "clear" => "rõ",
        "still" => "không có gì chuyển động",
        "damaged" => "hình bị lỗi",
        "frozen" => "hình đứng yên",
        "moved" => "camera bị lệch",
        "defocused" => "hình mờ",
        "blinded" => "quá sáng, quá tối hoặc bị che",
        other => other,
    }
}

/// Why something was left out, where it is a picture; else the cause's own name.
fn dropped_words(cause: &str) -> String {
    match cause {
        "not_due" => "chưa đến lượt phân tích".into(),
        "late" => "phân tích không kịp".into(),
        "governed" => "giảm vì thiết bị bận".into(),
        "quiet" => "giảm vì không có gì chuyển động".into(),
        "disordered" => "sai thứ tự giờ".into(),
        "damaged_picture" => "hình hỏng".into(),
        "frozen_picture" => "hình đứng yên".into(),
        "still_picture" => "không có gì chuyển động".into(),
        "moved_picture" => "camera bị lệch".into(),
        "defocused_picture" => "hình mờ".into(),
        "blinded_picture" => "bị lóa hoặc che".into(),
        cause => cause.replace('_', " "),
    }
}

fn decimal(value: f64) -> String {
    format!("{value:.1}").replace('.', ",")
}

fn moment(at: OffsetDateTime) -> String {
    // Plain numbers of a date: formatting them cannot fail.
    at.to_offset(VIETNAM).format(TIME).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use time::macros::datetime;
    use uuid::Uuid;

    use super::*;
    use crate::clock::{Clock as _, Simulated};
    use crate::config::Fps;
    use crate::health::{Analysed, Board, CameraState, Configured, Crew, Premises, Sources};
    use crate::pace::Present;

    /// A box with a good camera and a covered one.
    fn report() -> Report {
        let clock = Simulated::at(datetime!(2026-11-28 08:15:30 +07:00));
        let board = Board::new(Arc::new(clock.clone()));
        let camera = board.camera("cam-01");
        let (width, height) = (1280, 720);
        let (stream, decoder) = (Stream::Substream, "avdec_h264");
        camera.analyses(Analysed { stream, width, height, decoder });
        camera.state(CameraState::Streaming, "");
        let known =
            Clock { source: ClockSource::Rtcp, offset_ms: Some(-12), age_ms: Some(800), epoch: 0 };
        camera.shows("clear", &known);
        camera.lamp("main", Some(Light::Green), clock.now());
        clock.advance(Duration::from_secs(3));
        camera.lamp("main", Some(Light::Red), clock.now());
        camera.lamp("<i>arrow", None, clock.now());
        camera.vehicle(VehicleClass::Motorbike, clock.now());
        camera.finding("red_light", clock.now(), Uuid::from_u128(7));
        camera.dropped("not_due", 1500);
        camera.dropped("late", 0);
        camera.dropped("governed", 12);
        let present = Present { fps: 7.5, less: Some(Less::Governed) };
        camera.paced(Fps { least: 5.0, most: 10.0 }, present);
        for _ in 0..20 {
            clock.advance(Duration::from_millis(100));
            camera.frame(clock.now());
        }
        camera.arrived(25, Duration::from_secs(1));
        let covered = board.camera("cam-02");
        covered
            .state(CameraState::Blinded, "the picture is too bright, too dark or <b>covered</b>");
        let configured = Configured::new(clock.now());
        let crew = Crew::new(Arc::new(clock));
        let premises = Premises::default();
        let (spool, uplink, history, updates) = (None, None, None, None);
        Sources { board, spool, uplink, crew, configured, history, updates, premises }.report()
    }

    #[test]
    fn it_says_what_the_report_says_and_what_to_do() {
        let report = report();
        let html = page(&report);
        for part in [
            "<html lang=\"vi\">",
            "http-equiv=\"refresh\"",
            "Có phần không hoạt động",
            "luồng phụ 1280×720",
            "25,0 → 10,0",
            "chưa đến lượt phân tích: 1500",
            "giảm vì thiết bị bận: 12",
            "7,5 (từ 5,0 đến 10,0), giảm vì thiết bị bận",
            "theo camera (RTCP), lệch -12 ms",
            "ĐỎ từ 08:15:33 28/11/2026",
            "không đọc được từ 08:15:33 28/11/2026",
            "xe máy, 08:15:33 28/11/2026",
            "red_light, 08:15:33 28/11/2026",
            "→ Xem có gì che camera",
            "see what covers the camera",
        ] {
            assert!(html.contains(part), "{part} is not in {html}");
        }
        assert!(!html.contains("không kịp: 0"), "what did not happen is not shown");
        assert!(!html.contains("<b>") && !html.contains("<i>"), "escaped");
        assert!(!html.contains("<script") && !html.contains("style="), "as the policy allows");
        // One source: what is to be done stands in the JSON, too.
        let json = serde_json::to_value(&report).unwrap();
        let findings = json["findings"].as_array().unwrap();
        let blinded = findings.iter().find(|it| it["part"] == "camera cam-02").unwrap();
        assert_eq!(blinded["verdict"], "bad");
        assert_eq!(blinded["advice"]["en"], "see what covers the camera or shines into it");
        assert_eq!(json["cameras"][0]["lamps"][1]["light"], serde_json::Value::Null);
    }
}

//! Boxes say how they are over mutual TLS; those who answer for them see which one needs somebody.

use central_api::admin::users::Role;
use contract::report::{Camera, Configuration, MAX_REPORT_BYTES, Report, Spool};
use serde_json::json;
use time::Duration;

use crate::ops::get;
use crate::setting::Setting;
use crate::setting::browserless::Visitor;
use crate::support::{Database, World, on_both};

on_both!(the_latest_word_of_each_box_is_kept_and_no_other_s);

pub fn report(at: time::OffsetDateTime) -> Report {
    let camera = |id: &str, state: &str, detail: &str| Camera {
        id: id.into(),
        state: state.into(),
        detail: detail.into(),
        fps: 4.98,
        quiet_s: Some(0),
        reconnects: 3,
        warnings: Vec::new(),
    };
    Report {
        at,
        up_s: 7300,
        software: "edge-agent 0.1.0".into(),
        models: Vec::new(),
        configuration: Configuration { since: at, refused: None, awaits_restart: Vec::new() },
        cameras: vec![
            camera("cam-01", "streaming", ""),
            camera("cam-02", "failed", "RTSP 401 from 10.0.0.7:554, <b>check</b> password"),
        ],
        spool: Spool { pending: 12, bytes: 3 << 20, ..Spool::default() },
        troubles: Vec::new(),
        update: None,
    }
}

async fn the_latest_word_of_each_box_is_kept_and_no_other_s(database: Database) {
    central_api::ops::install().unwrap();
    let world = World::new(database).await;
    let first = world.road_box("edge-01", 1).await;
    let second = world.road_box("edge-02", 2).await;
    let url = first.base.replace("evidence", "report");
    let at = time::OffsetDateTime::now_utc();
    let word = report(at);
    for pending in [12, 13] {
        let word = Report { spool: Spool { pending, ..word.spool.clone() }, ..word.clone() };
        let answer = first.send(first.client.post(&url).json(&word)).await;
        assert_eq!(answer.status, 204);
    }
    let calm = Report { cameras: Vec::new(), ..word.clone() };
    assert_eq!(second.send(second.client.post(&url).json(&calm)).await.status, 204);
    let rows = "SELECT COUNT(*) FROM device_reports";
    assert_eq!(world.count(rows).await, 2);
    assert_eq!(
        world
            .count("SELECT COUNT(*) FROM device_reports WHERE report LIKE '%\"pending\":13%'")
            .await,
        1
    );

    let metrics = get(&world, "/metrics").await.1;
    // Of the whole process: other tests scrape other databases.
    assert!(metrics.contains("devices_standing{standing=\"attention\"}"), "{metrics}");

    // What no box says is refused, and leaves what it said before.
    let refused = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut body = serde_json::to_value(&word).unwrap();
        change(&mut body);
        first.client.post(&url).json(&body)
    };
    for (request, status, code) in [
        (refused(&|body| body["at"] = json!("9999-12-31T23:59:59Z")), 400, "bad_request"),
        (refused(&|body| body["cameras"][0]["detail"] = json!("a\u{202E}b")), 400, "bad_request"),
        (refused(&|body| body["troubles"] = json!(vec!["x"; 65])), 400, "bad_request"),
        (
            refused(&|body| body["troubles"] = json!(["x".repeat(MAX_REPORT_BYTES)])),
            413,
            "too_large",
        ),
        (first.client.post(&url).body("[".repeat(60_000)), 400, "bad_request"),
    ] {
        assert_eq!(first.send(request).await.refusal(), (status, code.into()));
    }
    assert_eq!(world.count(rows).await, 2);

    // What another version says besides is not kept.
    let answer = first.send(refused(&|body| body["plate"] = json!("29A12345"))).await;
    assert_eq!(answer.status, 204);
    let kept = "SELECT COUNT(*) FROM device_reports WHERE report LIKE '%29A12345%'";
    assert_eq!(world.count(kept).await, 0);
    world.stop().await;
}

#[tokio::test]
async fn who_answers_for_the_boxes_sees_which_one_needs_somebody() {
    let setting = Setting::new().await;
    setting.user("admin", &[Role::Admin]).await;
    let mut admin = Visitor::officer(&setting.state, "admin").await;
    let empty = admin.get("/thiet-bi").await.text();
    assert!(empty.contains("Thiết bị tại hiện trường"), "{empty}");

    let now = setting.state.clock.now();
    let mut well = report(now);
    well.cameras.truncate(1);
    let mut full = report(now - Duration::seconds(90));
    full.troubles.push("evidence cannot be sealed: the spool is full".into());
    full.configuration.refused = Some("site.toml:7: camera[0].place is missing".into());
    for (id, word) in [("edge-a", Some(&well)), ("edge-b", Some(&full)), ("edge-c", None)] {
        setting.enrolled(id, word).await;
    }
    let page = admin.get("/thiet-bi").await.text();
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text}: {page}"));
    // Who needs help comes first.
    assert!(place(">edge-b<") < place(">edge-c<") && place(">edge-c<") < place(">edge-a<"));
    for text in [
        "evidence cannot be sealed: the spool is full",
        "1/2 camera không giám sát được",
        "Đồng hồ lệch -90 giây so với trung tâm",
        "site.toml:7: camera[0].place is missing",
        "Chưa báo cáo",
    ] {
        place(text);
    }
    let only = admin.get("/thiet-bi?standing=trouble").await.text();
    assert!(only.contains(">edge-b<") && !only.contains(">edge-a<"));
    let one = admin.get("/thiet-bi/edge-b").await.text();
    for text in
        ["RTSP 401 from 10.0.0.7:554, &#60;b&#62;check", "2 giờ", "12 · 3", "Không kết nối được"]
    {
        assert!(one.contains(text), "{text}: {one}");
    }

    // What was well and says nothing any more.
    setting.clock.advance(Duration::minutes(6));
    let later = admin.get("/thiet-bi?standing=silent").await.text();
    assert!(later.contains(">edge-a<") && later.contains("6 phút trước"), "{later}");
}

//! How often cameras are looked at when the box does not bear them all, and when nothing moves.

use std::time::{Duration, Instant};

use fixtures::rtsp::{Options, Server};
use serde_json::Value;

use crate::footage;
use crate::reload::{Running, camera, frames, site};

const LEAST: f64 = 4.0;
/// As many as come.
const MOST: f64 = 25.0;
/// Together they would be 150 looks a second, which one set of networks bears on no machine.
const MANY: usize = 3;

/// Every camera of `urls` in the range, each picture looked at twice, by one set of networks.
fn ranged(urls: &[String]) -> String {
    let names: Vec<String> = (1..=urls.len()).map(|n| format!("cam-{n}")).collect();
    let cameras: Vec<(&str, &str)> =
        names.iter().zip(urls).map(|(name, url)| (name.as_str(), url.as_str())).collect();
    let keys = format!(
        "plan = \"THU\"\nanalysed_fps = {{ least = {LEAST}, most = {MOST} }}\n\
         closer = [0.3, 0.3, 0.4, 0.4]"
    );
    format!("{}[models]\nworkers = 1\n", site(&cameras).replace("plan = \"THU\"", &keys))
}

fn all(status: &Value) -> impl Iterator<Item = &Value> {
    status["cameras"].as_array().into_iter().flatten()
}

fn rate(camera: &Value) -> f64 {
    camera["pace"]["fps"].as_f64().unwrap_or(0.0)
}

fn dropped(camera: &Value, cause: &str) -> u64 {
    camera["dropped"][cause].as_u64().unwrap_or(0)
}

#[test]
fn what_the_box_does_not_bear_is_left_out_evenly_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let road = folder.path().join("road.mp4");
    footage::record(&road, (footage::WIDTH, footage::HEIGHT), 4, footage::H264);
    let server = |n: usize| Server::start(&Options::local(&road, &format!("/{n}"))).unwrap();
    let servers: Vec<Server> = (0..MANY).map(server).collect();
    let urls: Vec<String> = servers.iter().map(|server| server.urls().remove(0)).collect();

    let running = Running::start(&ranged(&urls));
    let governed = |it: &Value| it["pace"]["less"] == "governed" && dropped(it, "governed") > 0;
    running.until("every camera is governed", |now| {
        all(now).count() == MANY && all(now).all(governed)
    });
    // As long as costs are remembered.
    std::thread::sleep(Duration::from_secs(15));
    let (before, from) = (running.until("status", |_| true), Instant::now());
    std::thread::sleep(Duration::from_secs(15));
    let (after, took) = (running.until("status", |_| true), from.elapsed().as_secs_f64());
    let pairs: Vec<_> = all(&before).zip(all(&after)).collect();
    let each = |of: &dyn Fn(&Value) -> u64| -> Vec<f64> {
        pairs.iter().map(|(a, b)| (of(b) - of(a)) as f64 / took).collect()
    };
    let seen = each(&|it| it["frames"].as_u64().unwrap());
    let late = each(&|it| dropped(it, "late"));
    let left = each(&|it| dropped(it, "governed"));
    let mean = seen.iter().sum::<f64>() / MANY as f64;
    let worst = seen.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(worst >= 0.8 * mean, "{seen:?}");
    for ((seen, late), left) in seen.iter().zip(&late).zip(&left) {
        // Nothing is counted twice, and what is left out is so by measure, not by chance.
        let (told, words) = (seen + late + left, format!("{seen} seen, {late} late, {left} left"));
        assert!(told <= 1.1 * MOST && late < left, "{words}");
    }
    for camera in all(&after) {
        assert!((LEAST..MOST).contains(&rate(camera)), "{camera:#}");
    }
    let metrics = running.get("/metrics").unwrap();
    for line in [
        "edge_camera_pace_fps{camera=\"cam-1\",bound=\"least\"} 4",
        "edge_camera_pace_fps{camera=\"cam-1\",bound=\"most\"} 25",
        "edge_camera_dropped_total{camera=\"cam-1\",reason=\"governed\"}",
    ] {
        assert!(metrics.contains(line), "{line}");
    }
    assert!(running.get("/").unwrap().contains("giảm vì thiết bị bận"));

    // The others go: the one that stays has what it had not.
    let held = camera(&after, "cam-1").map_or(0.0, rate);
    running.write(&ranged(&urls[..1]));
    let alone = running.until("it comes back", |now| {
        camera(now, "cam-1").is_some_and(|it| rate(it) >= (2.0 * held).min(MOST))
    });
    assert_eq!(camera(&alone, "cam-1").unwrap()["reconnects"], 0, "it went on all the while");
}

#[test]
fn where_nothing_moves_the_least_is_looked_at_until_something_does() {
    let folder = tempfile::tempdir().unwrap();
    let road = folder.path().join("road.mp4");
    footage::record_later(&road, (footage::WIDTH, footage::HEIGHT), 4, 8, footage::H264);
    let server = Server::start(&Options::local(&road, "/quiet")).unwrap();
    let running = Running::start(&ranged(&server.urls()));
    let quiet = |now: &Value| camera(now, "cam-1").is_some_and(|it| it["pace"]["less"] == "quiet");
    for _ in 0..2 {
        let now = running.until("nothing moves", quiet);
        assert_eq!(camera(&now, "cam-1").map(rate), Some(LEAST));
        running.until("something moves", |now| frames(now, "cam-1") > 0 && !quiet(now));
    }
    let last = running.until("status", |_| true);
    assert!(dropped(camera(&last, "cam-1").unwrap(), "quiet") > 10, "{last:#}");
}

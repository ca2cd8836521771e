//! The public look-up under load: 300,000 notified cases, a hundred look-ups a second over loopback,
//! on SQLite and on a PostgreSQL that waits for its disk. `make bench-lookup` runs it and prints the
//! figures; nothing is asserted about time here.

use std::sync::Arc;
use std::time::{Duration, Instant};

use central_api::store::{Dialect, Store};
use serde_json::{Value, json};
use tokio::time::interval;

use crate::lookup::notified_with;
use crate::setting::browserless::solve;
use crate::setting::{Setting, crowd};
use crate::support::Database;

const CASES: u32 = 300_000;
const A_SECOND: u64 = 100;
const SECONDS: u64 = 30;
/// Look-ups before the measurement: connections open, pages of the database read.
const WARM_UP: u64 = 300;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: make bench-lookup"]
async fn a_hundred_look_ups_a_second() {
    let seconds = std::env::var("BENCH_SECONDS").ok().and_then(|text| text.parse().ok());
    let seconds = seconds.unwrap_or(SECONDS);
    let mut results = Vec::new();
    for (name, database) in
        [("sqlite", Some(Database::sqlite())), ("postgres", Database::durable_postgres().await)]
    {
        let Some(database) = database else { continue };
        let result = measure(database, name, seconds).await;
        println!("{result}");
        results.push(result);
    }
    if let Some(path) = std::env::var_os("BENCH_RESULT") {
        let text = serde_json::to_string_pretty(&json!({ "lookup": results })).unwrap();
        std::fs::write(path, text + "\n").unwrap();
    }
}

async fn measure(database: Database, name: &str, seconds: u64) -> Value {
    let filling = Instant::now();
    let (mut setting, case) = notified_with(Setting::on(database).await, |_| {}).await;
    crowd::copies(
        &setting.state.store,
        &case,
        CASES,
        &[
            // Three violations a plate, 100,000 plates, 300 cameras.
            ("plate", "'29AA' || (10000 + i / 3 % 90000)"),
            ("camera_id", "'cam-' || (i % 300)"),
            ("act_at", "act_at - 1000 * i"),
        ],
    )
    .await;
    settle(&setting.state.store).await;
    let filled_s = filling.elapsed().as_secs_f64();
    let config = Arc::make_mut(&mut setting.state.config);
    config.lookup.requests_per_minute = u32::MAX / 2;
    config.lookup.captcha_bits = 1;
    // All visitors come from this machine's one address.
    config.connections.per_address = 1000;
    config.web.listen = ([127, 0, 0, 1], 0).into();
    config.device.listen = ([127, 0, 0, 1], 0).into();
    config.keys.folder = setting.folder.path().join("keys");
    let running = central_api::serve::start(setting.state.clone()).await.unwrap();
    let base = format!("http://{}/api/v1/lookup", running.web);
    let client = reqwest::Client::new();
    let look_ups = seconds * A_SECOND;
    let mut ticks = interval(Duration::from_millis(1000 / A_SECOND));
    let mut tasks = Vec::new();
    for n in 0..WARM_UP + look_ups {
        ticks.tick().await;
        let (client, base) = (client.clone(), base.clone());
        tasks.push(tokio::spawn(async move { look_up(&client, &base, n).await }));
    }
    let mut times = Vec::new();
    for task in tasks {
        times.push(task.await.unwrap());
    }
    running.stop().await;
    let mut answers: Vec<Duration> = times[WARM_UP as usize..].iter().map(|both| both.1).collect();
    let mut both: Vec<Duration> = times[WARM_UP as usize..].iter().map(|both| both.0).collect();
    let at = |times: &mut Vec<Duration>, share: f64| {
        times.sort();
        let index = ((times.len() - 1) as f64 * share).round() as usize;
        (times[index].as_secs_f64() * 1e6).round() / 1e3
    };
    json!({
        "database": name,
        "cases": CASES + 1,
        "filled_s": (filled_s * 10.0).round() / 10.0,
        "look_ups": look_ups,
        "a_second": A_SECOND,
        "look_up_ms": {
            "p50": at(&mut answers, 0.5), "p99": at(&mut answers, 0.99), "most": at(&mut answers, 1.0)
        },
        "with_challenge_ms": {
            "p50": at(&mut both, 0.5), "p99": at(&mut both, 0.99), "most": at(&mut both, 1.0)
        },
    })
}

/// Years of cases came in at once: the database gets the quiet minute in which it would have written
/// them out and counted them by itself.
async fn settle(store: &Store) {
    let chores: &[&str] = match store.dialect() {
        Dialect::Sqlite => &["PRAGMA wal_checkpoint(TRUNCATE)"],
        Dialect::Postgres => &["VACUUM ANALYZE", "CHECKPOINT"],
    };
    for chore in chores {
        sqlx::query(*chore).execute(store.pool()).await.unwrap();
    }
}

/// One look-up: how long challenge and answer took, and the answer alone.
async fn look_up(client: &reqwest::Client, base: &str, n: u64) -> (Duration, Duration) {
    let begun = Instant::now();
    let challenge = client.post(format!("{base}/challenges")).send().await.unwrap();
    let challenge: Value = serde_json::from_slice(&challenge.bytes().await.unwrap()).unwrap();
    let token = challenge["token"].as_str().unwrap();
    // Every plate in turn, far apart.
    let plate = format!("29-AA {}", 10_000 + n * 7919 % 90_000);
    let question = json!({
        "plate": plate, "vehicle_type": 2, "token": token, "nonce": solve(token),
    });
    let asked = Instant::now();
    let answer = client
        .post(base)
        .header("content-type", "application/json")
        .body(question.to_string())
        .send()
        .await
        .unwrap();
    let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    let took = (begun.elapsed(), asked.elapsed());
    assert!(answer["total"].as_u64().is_some_and(|total| total >= 3), "{plate}: {answer}");
    took
}

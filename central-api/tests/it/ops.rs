//! What operators see: alive, ready, counted, and metrics only from inside.

use crate::support::{Database, World, on_both};

on_both!(probes_and_metrics, metrics_stay_inside);

pub async fn get(world: &World, path: &str) -> (u16, String) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let response = client.get(format!("{}{path}", world.web())).send().await.unwrap();
    assert!(response.headers().contains_key("x-request-id"));
    (response.status().as_u16(), response.text().await.unwrap())
}

async fn probes_and_metrics(database: Database) {
    central_api::ops::install().unwrap();
    let world = World::new(database).await;
    let road_box = world.road_box("edge-01", 1).await;
    let package = road_box.sealed(road_box.next());
    road_box.announce(&package).await.progress();
    assert_eq!(get(&world, "/healthz").await, (200, "ok\n".into()));
    assert_eq!(get(&world, "/readyz").await, (200, "ready\n".into()));
    let (status, text) = get(&world, "/metrics").await;
    assert_eq!(status, 200);
    for metric in ["evidence_incomplete ", "evidence_announced_total ", "devices "] {
        let line = text.lines().find(|line| line.starts_with(metric)).unwrap_or_default();
        let value: f64 = line.rsplit(' ').next().unwrap().parse().unwrap();
        assert!(value >= 1.0, "{metric}: {line}");
    }
    assert!(text.contains("device_request_seconds_bucket"), "{text}");

    sqlx::query("DROP TABLE _sqlx_migrations").execute(world.app.store.pool()).await.unwrap();
    let (status, text) = get(&world, "/readyz").await;
    assert_eq!(status, 503);
    assert!(text.contains("database"), "{text}");
    world.stop().await;
}

async fn metrics_stay_inside(database: Database) {
    let world = World::with(database, |config| config.web.behind_proxy = true).await;
    assert_eq!(get(&world, "/healthz").await.0, 200);
    assert_eq!(get(&world, "/metrics").await.0, 404);
    world.stop().await;
}

//! Prometheus metrics: counters from all over the service, and gauges read at each scrape.

use std::sync::OnceLock;

use metrics::{describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::AppState;
use crate::device::fleet::{self, Standing};
use crate::jobs;
use crate::store::StoreError;

static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();

/// Seconds; a device request over a slow WAN is the slowest thing here.
const BUCKETS: &[f64] =
    &[0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0];

#[derive(Debug, thiserror::Error)]
#[error("failed to set up metrics: {0}")]
pub struct MetricsError(String);

/// Starts recording for the whole process; later calls change nothing.
pub fn install() -> Result<(), MetricsError> {
    if HANDLE.get().is_some() {
        return Ok(());
    }
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), BUCKETS)
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(|e| MetricsError(e.to_string()))?;
    // Whoever was faster has installed the same thing.
    let _ = HANDLE.set(handle);
    listen::describe_metrics();
    describe_counter!("evidence_announced_total", "Manifests taken on record");
    describe_counter!("evidence_received_total", "Packages received whole, each one case");
    describe_counter!("evidence_joined_total", "Packages joined to a case that there was already");
    describe_counter!("evidence_bytes_total", "Bytes of evidence files received");
    describe_counter!("release_bytes_total", "Bytes of releases handed to boxes");
    describe_counter!("intake_refusals_total", "Device requests refused, by code");
    describe_counter!("web_requests_total", "Web requests, by route and status class");
    describe_histogram!("device_request_seconds", "Time to answer a device request");
    describe_histogram!("web_request_seconds", "Time to answer a web request");
    describe_gauge!("evidence_incomplete", "Packages begun and not finished");
    describe_gauge!("evidence_parked", "Packages kept without a case until somebody decides");
    describe_counter!("evidence_parked_total", "Packages parked for times that cannot be right");
    describe_gauge!("devices_stuck", "Devices that cannot get past a package: see list-devices");
    describe_gauge!("devices_standing", "Enrolled devices by how they stand: see /thiet-bi");
    describe_gauge!("cases", "Cases by state");
    describe_counter!("jobs_total", "Attempts at jobs, by kind and result");
    describe_histogram!("job_seconds", "Time of an attempt at a job");
    describe_gauge!("jobs_waiting", "Jobs waiting or being worked on");
    describe_gauge!("jobs_dead", "Jobs that were given up: see /cong-viec");
    describe_gauge!("jobs_overdue_seconds", "How long the oldest due job has been due");
    describe_gauge!("devices", "Enrolled devices that are not revoked");
    Ok(())
}

/// The text of a scrape.
pub(super) async fn render(app: &AppState) -> Result<String, StoreError> {
    let incomplete: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM evidence WHERE received_at IS NULL")
            .fetch_one(app.store.pool())
            .await?;
    gauge!("evidence_incomplete").set(incomplete as f64);
    let devices: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM devices WHERE revoked_at IS NULL")
        .fetch_one(app.store.pool())
        .await?;
    gauge!("devices").set(devices as f64);
    for (name, sql) in [
        (
            "evidence_parked",
            "SELECT COUNT(*) FROM evidence
             WHERE parked IS NOT NULL AND closed_at IS NULL AND case_id IS NULL",
        ),
        (
            "devices_stuck",
            "SELECT COUNT(*) FROM devices WHERE stuck_at IS NOT NULL AND revoked_at IS NULL",
        ),
    ] {
        let count: i64 = sqlx::query_scalar(sql).fetch_one(app.store.pool()).await?;
        gauge!(name).set(count as f64);
    }
    let now = app.clock.now();
    let members = fleet::all(&app.store, now).await?;
    let standings: Vec<Standing> = members.iter().map(|member| member.standing(now)).collect();
    for standing in Standing::ALL {
        let count = standings.iter().filter(|it| **it == standing).count();
        gauge!("devices_standing", "standing" => standing.name()).set(count as f64);
    }
    let queue = jobs::standing(&app.store, now).await?;
    gauge!("jobs_waiting").set(queue.waiting as f64);
    gauge!("jobs_dead").set(queue.dead as f64);
    let overdue = queue.due_since.map_or(0.0, |since| (now - since).as_seconds_f64());
    gauge!("jobs_overdue_seconds").set(overdue);
    let states: Vec<(String, i64)> =
        sqlx::query_as("SELECT state, COUNT(*) FROM cases GROUP BY state")
            .fetch_all(app.store.pool())
            .await?;
    for (state, count) in states {
        gauge!("cases", "state" => state).set(count as f64);
    }
    Ok(HANDLE.get().map(PrometheusHandle::render).unwrap_or_default())
}

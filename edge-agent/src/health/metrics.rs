//! What the agent counts and measures, named for whoever reads `/metrics` without this code.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use super::HealthError;

/// Seconds: from a plate's network to a detector on a busy box.
const BUCKETS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];

/// Installs the process-wide metrics recorder. Call before anything counts.
pub fn install_recorder() -> Result<PrometheusHandle, HealthError> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), BUCKETS)?
        .install_recorder()?;
    describe();
    Ok(handle)
}

fn describe() {
    listen::describe_metrics();
    cameras();
    evidence();
    describe_gauge!("edge_config_behind", "1 where the files say what is not in force");
    describe_gauge!("edge_release", "Number of the release that runs; 0: what was installed");
    describe_gauge!("edge_release_on_trial", "1 while it has to show that the box is well with it");
    describe_gauge!("edge_release_undone", "1 where a later release was undone or refused");
    describe_gauge!("edge_history_bytes", Unit::Bytes, "Room that the history takes");
    describe_gauge!("edge_history_failed", "1 while the disk does not take the history");
    describe_counter!("edge_history_dropped_total", "Records that found no room to be written");
    describe_counter!("edge_history_missed_total", "Records that the disk did not take");
    describe_gauge!("edge_member_up", "Whether a thread the box needs works, by member");
    describe_counter!("edge_member_panics_total", "Panics of a thread, by member");
}

fn cameras() {
    describe_gauge!("edge_camera_state", "1 for the state a camera is in, else 0");
    describe_gauge!("edge_camera_fps", "Pictures looked at in a second, lately");
    describe_gauge!(
        "edge_camera_pace_fps",
        "Pictures a second that a camera is to be looked at: at present, at the least, at the most"
    );
    describe_gauge!(
        "edge_camera_last_frame_age_seconds",
        Unit::Seconds,
        "Since a picture was last looked at"
    );
    describe_counter!("edge_camera_frames_total", "Pictures looked at");
    describe_counter!(
        "edge_camera_dropped_total",
        "Pictures, events and clips left out, by reason"
    );
    describe_counter!("edge_camera_reconnects_total", "Connections to a camera made anew");
    describe_gauge!(
        "edge_camera_clock_difference_seconds",
        Unit::Seconds,
        "How far a camera's own clock is ahead of the box's"
    );
    describe_gauge!(
        "edge_camera_clock_beyond_bound",
        "1 where that is more than its clock_warn_ms"
    );
    describe_gauge!(
        "edge_camera_clock_follows_ntp",
        "1 where a camera says that NTP sets its clock"
    );
    describe_counter!(
        "edge_camera_clock_failures_total",
        "Times that a camera could not be asked for its time"
    );
    describe_gauge!("edge_lamp_wire_good", "0 where a lamp is unreadable by its wire, else 1");
    describe_counter!(
        "edge_lamp_wire_alarms_total",
        "Times that a lamp became unreadable by its wire: it differs, or is silent"
    );
    describe_gauge!("edge_tracks", "Vehicles followed just now");
    describe_histogram!("edge_inference_seconds", Unit::Seconds, "One look, by model");
    describe_counter!("edge_accusations_total", "Violations found, by rule");
    describe_counter!("edge_abstentions_total", "Vehicles nothing is said of, by rule and reason");
    describe_gauge!("edge_passages", "Passages known between the cameras of this box");
    describe_counter!("edge_passages_forgotten_total", "Passages forgotten for want of room");
    describe_counter!("edge_passages_undated_total", "Passages whose time is not known");
    describe_counter!(
        "edge_passages_unknown_total",
        "Passages without a plate or a time, by camera"
    );
}

fn evidence() {
    describe_gauge!("edge_spool_packages", "Packages on this box, by state");
    describe_gauge!("edge_spool_bytes", Unit::Bytes, "Room that they take, by state");
    describe_gauge!("edge_spool_sequence", "Number of the newest package");
    describe_gauge!("edge_spool_full", "1 where there is no room to seal");
    describe_gauge!("edge_spool_failed", "1 where the volume failed");
    describe_counter!("edge_spool_sealed_total", "Packages sealed");
    describe_counter!("edge_spool_delivered_total", "Packages with a receipt of the central");
    describe_counter!("edge_spool_refused_total", "Packages the central refused for good");
    describe_counter!("edge_spool_damaged_total", "Packages found damaged");
    describe_counter!("edge_spool_expired_total", "Delivered packages removed for room or age");
    describe_counter!("edge_spool_full_total", "Packages for which there was no room");
    describe_counter!("edge_uplink_requests_total", "Requests to the central");
    describe_counter!("edge_uplink_bytes_total", Unit::Bytes, "Evidence sent");
    describe_counter!("edge_uplink_resends_total", "Packages announced again");
    describe_counter!("edge_uplink_failures_total", "Failures to deliver, by kind");
    describe_gauge!("edge_uplink_blocked", "1 where nothing is delivered until somebody acts");
    describe_counter!("edge_reports_total", "Reports to the central, by whether it took them");
    describe_gauge!(
        "edge_uplink_last_contact_timestamp_seconds",
        Unit::Seconds,
        "When the central last answered, since 1970"
    );
}

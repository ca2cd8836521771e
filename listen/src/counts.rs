//! What every listener counts, in words for whoever reads a program's metrics.

use metrics::{describe_counter, describe_gauge};

/// Describes them to the recorder that the program has installed.
pub fn describe() {
    describe_gauge!("listener_connections", "Open connections, by listener");
    describe_counter!(
        "listener_refused_total",
        "Connections over a bound that nobody made room for"
    );
    describe_counter!("listener_evicted_total", "Silent connections that made room for another");
    describe_counter!("listener_timeouts_total", "Connections closed for being silent or slow");
    describe_counter!("listener_handshake_failures_total", "Connections without a TLS handshake");
    describe_counter!("listener_accept_failures_total", "Failures to accept a connection");
}

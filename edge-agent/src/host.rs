//! The `Host` of a request. A page of another site whose name was made to lead here (DNS rebinding) has
//! its own name in it; an address cannot be made to.

use std::net::IpAddr;

/// Without the port.
pub fn name(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

pub fn is_address(name: &str) -> bool {
    name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok()
}

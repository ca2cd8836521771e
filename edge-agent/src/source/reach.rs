//! Why nothing answers at an address. GStreamer says "could not open" for all of it; a person wants
//! to know whether to look at the name, the cable, the port or the login.

use std::io::ErrorKind;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

/// A camera's cable is short.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks once more, by itself; none where the port accepts a connection.
pub fn silence(host: &str, port: u16) -> Option<String> {
    let places: Vec<_> = match (host, port).to_socket_addrs() {
        Ok(places) => places.collect(),
        Err(error) => return Some(format!("the name {host} is not known (DNS): {error}")),
    };
    let mut said = format!("the name {host} has no address (DNS)");
    for place in places.iter().take(2) {
        said = match TcpStream::connect_timeout(place, PATIENCE) {
            Ok(_) => return None,
            Err(error) => match error.kind() {
                ErrorKind::ConnectionRefused => format!(
                    "connection refused by {place}: check the port, and that RTSP is switched on"
                ),
                ErrorKind::TimedOut | ErrorKind::WouldBlock => format!(
                    "time-out, {place} does not answer within {} s: check power, cable and address",
                    PATIENCE.as_secs()
                ),
                _ => format!("no way to {place}: {error}"),
            },
        };
    }
    Some(said)
}

//! Who is asking: the peer's address, or what the trusted proxies say it was.

use std::convert::Infallible;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use ipnet::IpNet;
use serde::Deserialize;

use crate::AppState;

/// An address or a network in CIDR notation, as the configuration names proxies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Network(IpNet);

impl Network {
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let network = match text.parse::<IpAddr>() {
            Ok(address) => Some(IpNet::from(address.to_canonical())),
            Err(_) => text.parse().ok(),
        };
        network.map(Self).ok_or_else(|| {
            format!("{text:?} is no address and no network such as 10.0.0.5 or 10.0.0.0/24")
        })
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Address of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client(pub IpAddr);

impl FromRequestParts<AppState> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let peer = peer.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
        let web = &state.config.web;
        let proxies = if web.behind_proxy { web.trusted_proxies.as_slice() } else { &[] };
        Ok(Self(origin(peer, &parts.headers, proxies)))
    }
}

/// The last address on the way here that no trusted proxy has: each proxy appends the address it
/// was called from, so everything left of the first untrusted one is that client's own invention.
fn origin(peer: IpAddr, headers: &HeaderMap, proxies: &[Network]) -> IpAddr {
    let trusted = |address: IpAddr| proxies.iter().any(|proxy| proxy.contains(address));
    let mut client = peer.to_canonical();
    let lines: Vec<_> = headers.get_all("x-forwarded-for").iter().collect();
    let mut hops = lines.iter().rev().flat_map(|line| line.as_bytes().rsplit(|b| *b == b','));
    while trusted(client) {
        // Where a hop cannot be read, the proxy that wrote it down is all that is known.
        let Some(hop) = hops.next().and_then(read) else { break };
        client = hop;
    }
    client
}

/// An entry of X-Forwarded-For; some proxies add the port.
fn read(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim();
    let address = match text.parse::<SocketAddr>() {
        Ok(socket) => socket.ip(),
        Err(_) => {
            let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
            bare.unwrap_or(text).parse().ok()?
        }
    };
    Some(address.to_canonical())
}

impl Client {
    /// What counts as one client: an IPv4 address, or the /64 that one IPv6 customer has.
    pub fn group(self) -> String {
        match listen::network(self.0) {
            address @ IpAddr::V4(_) => address.to_string(),
            network @ IpAddr::V6(_) => format!("{network}/64"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_ipv6_customer_is_one_client() {
        let group = |text: &str| Client(text.parse().unwrap()).group();
        assert_eq!(group("2001:db8::1"), group("2001:db8::ffff"));
        assert_ne!(group("2001:db8::1"), group("2001:db8:0:1::1"));
        assert_eq!(group("::ffff:10.0.0.1"), "10.0.0.1");
    }

    fn from(peer: &str, lines: &[&str], proxies: &[&str]) -> String {
        let proxies: Vec<Network> = proxies.iter().map(|text| text.parse().unwrap()).collect();
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        origin(peer.parse().unwrap(), &headers, &proxies).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed_and_only_their_own_word() {
        let near = &["10.0.0.0/24", "2001:db8:1::/48"][..];
        for (peer, lines, client) in [
            // Not a proxy of ours: whatever it says.
            ("203.0.113.7", &["1.2.3.4"][..], "203.0.113.7"),
            ("10.0.0.5", &["203.0.113.9"], "203.0.113.9"),
            ("::ffff:10.0.0.5", &["203.0.113.9"], "203.0.113.9"),
            // What the client put in front does not count, in one line or in several.
            ("10.0.0.5", &["1.2.3.4, 203.0.113.9"], "203.0.113.9"),
            ("10.0.0.5", &["1.2.3.4", "203.0.113.9"], "203.0.113.9"),
            ("10.0.0.5", &["1.2.3.4, 203.0.113.9, 10.0.0.6"], "203.0.113.9"),
            ("10.0.0.5", &["10.0.0.9, 203.0.113.9,10.0.0.6 "], "203.0.113.9"),
            ("2001:db8:1::5", &["2001:db8:2::9"], "2001:db8:2::9"),
            // With ports, as some proxies write.
            ("10.0.0.5", &["203.0.113.9:4711"], "203.0.113.9"),
            ("10.0.0.5", &["[2001:db8:2::9]:4711"], "2001:db8:2::9"),
            // Nothing, or nothing readable: the proxy itself.
            ("10.0.0.5", &[], "10.0.0.5"),
            ("10.0.0.5", &["1.2.3.4, unknown"], "10.0.0.5"),
            ("10.0.0.5", &["1.2.3.4,"], "10.0.0.5"),
        ] {
            assert_eq!(from(peer, lines, near), client, "{peer} {lines:?}");
        }
        assert_eq!(from("127.0.0.1", &["1.2.3.4"], &[]), "127.0.0.1");
    }

    #[test]
    fn networks_are_read_or_refused_with_an_example() {
        let network: Network = " 10.0.0.5 ".parse().unwrap();
        assert!(network.contains("10.0.0.5".parse().unwrap()));
        assert!(!network.contains("10.0.0.6".parse().unwrap()));
        for bad in ["proxy.local", "10.0.0.0/33", "10.0.0", ""] {
            assert!(bad.parse::<Network>().unwrap_err().contains("10.0.0.0/24"), "{bad}");
        }
    }
}

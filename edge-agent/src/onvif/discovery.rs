//! Which cameras are there (WS-Discovery): a question to all on the network, or to one address, and
//! what is answered within a stated time.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::Endpoint;
use super::xml::{self, Unreadable};

pub const PORT: u16 = 3702;
const GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 255, 250);
/// The cameras of one network; a flood of answers ends here.
const MAX_CAMERAS: usize = 256;
const MAX_DATAGRAMS: usize = 4096;
/// The question is asked so often, because datagrams get lost.
const ROUNDS: u32 = 2;
/// Routers towards a camera at most: its network is the junction's.
const HOPS: u32 = 2;

/// A camera that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub device: Endpoint,
    /// As the camera calls itself.
    pub name: Option<String>,
    pub hardware: Option<String>,
}

/// Where to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// All that hear it, from each of these own addresses.
    Everybody {
        from: Vec<Ipv4Addr>,
        group: SocketAddr,
    },
    One(SocketAddr),
}

/// Why nothing can be asked.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    #[error("the box's network interfaces cannot be listed: {0}")]
    Interfaces(io::Error),
    #[error("no interface {wanted:?} with an IPv4 address; there are: {there}")]
    NoInterface { wanted: String, there: String },
    #[error("the question cannot be sent{}: {error}", .from.map(|ip| format!(" from {ip}")).unwrap_or_default())]
    Send { from: Option<IpAddr>, error: io::Error },
}

/// The own addresses to ask from: of the interface of this name or address, else of all but the
/// loopback.
pub fn everybody(interface: Option<&str>) -> Result<Whom, DiscoveryError> {
    let list = getifaddrs().map_err(|error| DiscoveryError::Interfaces(error.into()))?;
    let own: Vec<(String, bool, Ipv4Addr)> = list
        .filter(|one| one.flags.contains(InterfaceFlags::IFF_UP))
        .filter_map(|one| {
            let ip = one.address?.as_sockaddr_in()?.ip();
            Some((one.interface_name, one.flags.contains(InterfaceFlags::IFF_LOOPBACK), ip))
        })
        .collect();
    let chosen = |(name, loopback, ip): &(String, bool, Ipv4Addr)| match interface {
        Some(wanted) => name == wanted || ip.to_string() == wanted,
        None => !loopback,
    };
    let from: Vec<Ipv4Addr> = own.iter().filter(|one| chosen(one)).map(|one| one.2).collect();
    if from.is_empty() {
        let there: Vec<String> = own.iter().map(|(name, _, ip)| format!("{name} ({ip})")).collect();
        let wanted = interface.unwrap_or("but the loopback").to_owned();
        return Err(DiscoveryError::NoInterface { wanted, there: there.join(", ") });
    }
    Ok(Whom::Everybody { from, group: (GROUP, PORT).into() })
}

/// Asks, and gathers answers for this long.
pub async fn find(whom: &Whom, wait: Duration) -> Result<Vec<Found>, DiscoveryError> {
    let (sources, to): (Vec<IpAddr>, SocketAddr) = match whom {
        Whom::Everybody { from, group } => {
            (from.iter().map(|ip| IpAddr::V4(*ip)).collect(), *group)
        }
        Whom::One(to) if to.is_ipv4() => (vec![Ipv4Addr::UNSPECIFIED.into()], *to),
        Whom::One(to) => (vec![std::net::Ipv6Addr::UNSPECIFIED.into()], *to),
    };
    let until = Instant::now() + wait;
    let mut searches = tokio::task::JoinSet::new();
    let mut failure = None;
    for from in sources {
        match open(from).await {
            Ok(socket) => drop(searches.spawn(search(socket, from, to, until, wait))),
            Err(error) => failure = Some(DiscoveryError::Send { from: Some(from), error }),
        }
    }
    let mut found: BTreeMap<String, Found> = BTreeMap::new();
    let mut heard = false;
    while let Some(result) = searches.join_next().await {
        match result {
            Ok(Ok(more)) => {
                heard = true;
                for camera in more {
                    // Heard on two interfaces, or twice, it is one.
                    found.entry(camera.device.to_string()).or_insert(camera);
                }
            }
            Ok(Err(error)) => failure = Some(error),
            Err(_) => {}
        }
    }
    match failure {
        // One interface that cannot send, such as a cable not plugged in, does not hide the others.
        Some(error) if !heard => Err(error),
        _ => Ok(found.into_values().take(MAX_CAMERAS).collect()),
    }
}

async fn open(from: IpAddr) -> io::Result<UdpSocket> {
    // Bound to an interface's address, multicast leaves through that interface.
    let socket = UdpSocket::bind((from, 0)).await?;
    if from.is_ipv4() {
        socket.set_multicast_ttl_v4(HOPS)?;
    }
    Ok(socket)
}

async fn search(
    socket: UdpSocket,
    from: IpAddr,
    to: SocketAddr,
    until: Instant,
    wait: Duration,
) -> Result<Vec<Found>, DiscoveryError> {
    let mut found: Vec<Found> = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut datagrams = 0;
    for round in 1..=ROUNDS {
        for types in ["dn:NetworkVideoTransmitter", "tds:Device"] {
            let sent = socket.send_to(probe(types).as_bytes(), to).await;
            sent.map_err(|error| DiscoveryError::Send { from: Some(from), error })?;
        }
        let pause = if round < ROUNDS { wait / 3 } else { wait };
        let next = (Instant::now() + pause).min(until);
        while let Ok(received) = timeout_at(next, socket.recv_from(&mut buffer)).await {
            datagrams += 1;
            if datagrams > MAX_DATAGRAMS {
                return Ok(found);
            }
            // A refused port is told as an error of the next reception.
            let Ok((length, sender)) = received else { continue };
            for camera in read_matches(&buffer[..length], sender).unwrap_or_default() {
                if found.len() < MAX_CAMERAS && found.iter().all(|one| one.device != camera.device)
                {
                    found.push(camera);
                }
            }
        }
    }
    Ok(found)
}

fn probe(types: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><s:Envelope xmlns:s=\
         \"http://www.w3.org/2003/05/soap-envelope\" xmlns:a=\
         \"http://schemas.xmlsoap.org/ws/2004/08/addressing\" xmlns:d=\
         \"http://schemas.xmlsoap.org/ws/2005/04/discovery\" xmlns:dn=\
         \"http://www.onvif.org/ver10/network/wsdl\" xmlns:tds=\"http://www.onvif.org/ver10/device/wsdl\">\
         <s:Header><a:Action s:mustUnderstand=\"1\">\
         http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action><a:MessageID>urn:uuid:{}\
         </a:MessageID><a:ReplyTo><a:Address>\
         http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo>\
         <a:To s:mustUnderstand=\"1\">urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To></s:Header>\
         <s:Body><d:Probe><d:Types>{types}</d:Types></d:Probe></s:Body></s:Envelope>",
        Uuid::new_v4()
    )
}

/// The cameras of one datagram. A service is where the datagram came from, whatever address it
/// names: nobody on the network can send a question to a third.
pub(super) fn read_matches(datagram: &[u8], sender: SocketAddr) -> Result<Vec<Found>, Unreadable> {
    let text = String::from_utf8_lossy(datagram);
    let document = xml::parse(&text)?;
    let Some(list) = xml::find(document.root_element(), "ProbeMatches") else {
        return Ok(Vec::new());
    };
    let matches = xml::children(list, "ProbeMatch").take(MAX_CAMERAS);
    Ok(matches.filter_map(|camera| one(camera, sender.ip())).collect())
}

fn one(camera: roxmltree::Node<'_, '_>, sender: IpAddr) -> Option<Found> {
    let told = xml::text(camera, &["XAddrs"])?;
    let addresses: Vec<Endpoint> =
        told.split_whitespace().take(8).filter_map(|one| Endpoint::parse(one).ok()).collect();
    let own = sender.to_string();
    let device = match addresses.iter().find(|one| one.host() == own) {
        Some(device) => device.clone(),
        None => addresses.first()?.at_host(sender)?,
    };
    let scopes = xml::at(camera, &["Scopes"]).and_then(|node| node.text()).unwrap_or_default();
    let scope = |kind: &str| {
        let prefix = format!("onvif://www.onvif.org/{kind}/");
        let told =
            scopes.split_whitespace().take(64).find_map(|scope| scope.strip_prefix(&prefix))?;
        Some(xml::plain(&decoded(told))).filter(|name| !name.is_empty())
    };
    Some(Found { device, name: scope("name"), hardware: scope("hardware") })
}

/// `%20` and its like; what is none of them stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut left = text.as_bytes();
    while let [first, rest @ ..] = left {
        let pair = rest.get(..2).filter(|_| *first == b'%');
        let byte =
            pair.and_then(|pair| hex::decode(pair).ok()).and_then(|bytes| bytes.first().copied());
        bytes.push(byte.unwrap_or(*first));
        left = if byte.is_some() { &rest[2..] } else { rest };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(inner: &str) -> Vec<Found> {
        let text = format!(
            "<SOAP-ENV:Envelope xmlns:SOAP-ENV='http://www.w3.org/2003/05/soap-envelope' xmlns:d=\
             'http://schemas.xmlsoap.org/ws/2005/04/discovery'><SOAP-ENV:Body><d:ProbeMatches>{inner}\
             </d:ProbeMatches></SOAP-ENV:Body></SOAP-ENV:Envelope>"
        );
        read_matches(text.as_bytes(), "192.0.2.10:3702".parse().unwrap()).unwrap()
    }

    #[test]
    fn a_camera_is_where_its_answer_came_from() {
        let found = matches(
            "<d:ProbeMatch><d:Scopes>onvif://www.onvif.org/type/video_encoder \
             onvif://www.onvif.org/name/Ng%C3%A3%20t%C6%B0%201 onvif://www.onvif.org/hardware/DS-2%zz\
             </d:Scopes><d:XAddrs>http://169.254.1.2/onvif/device_service \
             http://192.0.2.10/onvif/device_service http://[fe80::1]/onvif/device_service</d:XAddrs>\
             </d:ProbeMatch>",
        );
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].device.to_string(), "http://192.0.2.10/onvif/device_service");
        assert_eq!(found[0].name.as_deref(), Some("Ngã tư 1"));
        assert_eq!(found[0].hardware.as_deref(), Some("DS-2%zz"));
        // An answer cannot name another machine.
        let found = matches(
            "<d:ProbeMatch><d:XAddrs>http://203.0.113.9:8000/onvif/x</d:XAddrs></d:ProbeMatch>",
        );
        assert_eq!(found[0].device.to_string(), "http://192.0.2.10:8000/onvif/x");
        assert!(matches("<d:ProbeMatch><d:XAddrs>file:///x</d:XAddrs></d:ProbeMatch>").is_empty());
        assert!(matches("<d:ProbeMatch/>").is_empty());
    }

    #[test]
    fn interfaces_are_told_where_none_is_as_asked() {
        let told = everybody(Some("no-such-port")).unwrap_err().to_string();
        assert!(told.starts_with("no interface \"no-such-port\""), "{told}");
        let Whom::Everybody { from, group } = everybody(Some("127.0.0.1")).unwrap() else {
            panic!()
        };
        assert_eq!((from, group.port()), (vec![Ipv4Addr::LOCALHOST], PORT));
    }
}

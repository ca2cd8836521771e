//! Both listeners against those who connect and say nothing, over real sockets and TLS.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use central_api::config::Config;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{Database, World, on_both};

on_both!(
    strangers_keep_out_neither_pages_nor_boxes,
    one_box_does_not_take_all_places,
    boxes_on_slow_lines_leave_the_others_their_places,
);

fn short(config: &mut Config) {
    config.connections.handshake_seconds = 1;
    config.connections.header_seconds = 1;
    config.connections.idle_seconds = 2;
    config.web.max_connections = 40;
    config.device.max_connections = 40;
}

fn address(url: &str) -> SocketAddr {
    url.split('/').nth(2).unwrap().parse().unwrap()
}

async fn closed(mut stream: impl tokio::io::AsyncRead + Unpin) {
    let mut rest = [0; 4096];
    let reading = async { while matches!(stream.read(&mut rest).await, Ok(count) if count > 0) {} };
    tokio::time::timeout(Duration::from_secs(20), reading).await.expect("it is never closed");
}

async fn page(world: &World) -> u16 {
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10));
    let url = format!("{}/tra-cuu", world.web());
    client.build().unwrap().get(url).send().await.unwrap().status().as_u16()
}

/// TLS of somebody without a certificate of ours: the handshake ends well on the client's side.
async fn stranger(
    world: &World,
    to: SocketAddr,
) -> Option<tokio_rustls::client::TlsStream<TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(world.ca.pem().as_bytes()).unwrap()).unwrap();
    let config =
        rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(to).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await.ok()
}

async fn strangers_keep_out_neither_pages_nor_boxes(database: Database) {
    let world = World::with(database, short).await;
    let (web, device) = (address(&world.web()), address(&world.device_base()));
    let mut road_box = world.road_box("edge-01", 1).await;
    let mut silent = Vec::new();
    for at in 0..160 {
        let mut to_web = TcpStream::connect(web).await.unwrap();
        if at % 2 == 0 {
            // HTTP/2, and then nothing. It may be closed already.
            let _ = to_web.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
        }
        silent.extend([to_web, TcpStream::connect(device).await.unwrap()]);
        if at % 40 == 39 {
            if let Some(stream) = stranger(&world, device).await {
                closed(stream).await;
            }
            assert_eq!(page(&world).await, 200);
            let package = road_box.sealed(road_box.next());
            road_box.deliver(&package).await.unwrap();
            road_box.advance(&package);
        }
    }
    for stream in silent {
        closed(stream).await;
    }
    assert_eq!(page(&world).await, 200);
    assert_eq!(world.cases().await, 4);
    world.stop().await;
}

async fn one_box_does_not_take_all_places(database: Database) {
    let world = World::with(database, |config| {
        short(config);
        config.device.max_connections = 8;
        config.device.max_connections_per_device = 2;
        config.connections.idle_seconds = 60;
    })
    .await;
    let greedy = world.road_box("edge-01", 1).await;
    let calm = world.road_box("edge-02", 2).await;
    let package = greedy.sealed(greedy.next());
    // Each client of its own has a connection of its own, and keeps it.
    let mut clients = Vec::new();
    let mut answered = 0;
    for _ in 0..10 {
        let client = greedy.another_client(&world);
        let request = client.post(&greedy.base).json(&package.announcement());
        answered += u32::from(request.send().await.is_ok());
        clients.push(client);
    }
    assert_eq!(answered, 2);
    calm.announce(&calm.sealed(calm.next())).await.progress();
    world.stop().await;
}

async fn boxes_on_slow_lines_leave_the_others_their_places(database: Database) {
    let world = World::new(database).await;
    // Each has a request on its way that does not end, as it seems to the others.
    let mut open = Vec::new();
    for number in 0..100 {
        let slow = world.road_box(&format!("slow-{number:03}"), number).await;
        let (part, body) = futures::channel::mpsc::unbounded::<Result<&str, std::io::Error>>();
        part.unbounded_send(Ok("{\"manifest\":")).unwrap();
        let request = slow.client.post(&slow.base).body(reqwest::Body::wrap_stream(body));
        open.push((part, tokio::spawn(request.send())));
    }
    let mut other = world.road_box("edge-01", 200).await;
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let package = other.sealed(other.next());
        other.deliver(&package).await.unwrap();
        other.advance(&package);
    }
    // They were being served all the while: the rest of theirs is read.
    for (part, request) in open {
        part.unbounded_send(Ok("no manifest")).unwrap();
        drop(part);
        assert_eq!(request.await.unwrap().unwrap().status(), 400);
    }
    world.stop().await;
}

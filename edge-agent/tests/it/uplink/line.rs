//! A line that breaks: passes bytes on and cuts every connection after so many of them.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

pub struct Line {
    address: SocketAddr,
}

impl Line {
    /// Carries `cut_after` bytes towards `to` in each connection.
    pub async fn start(to: SocketAddr, cut_after: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, to, cut_after));
            }
        });
        Self { address }
    }

    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }
}

async fn carry(near: TcpStream, to: SocketAddr, cut_after: usize) {
    let Ok(far) = TcpStream::connect(to).await else { return };
    let (mut near_read, mut near_write) = near.into_split();
    let (mut far_read, mut far_write) = far.into_split();
    let back = tokio::spawn(async move {
        let _ = tokio::io::copy(&mut far_read, &mut near_write).await;
    });
    let mut carried = 0;
    let mut buffer = vec![0; 16 * 1024];
    while carried < cut_after {
        match near_read.read(&mut buffer).await {
            Ok(count) if count > 0 => {
                carried += count;
                if far_write.write_all(&buffer[..count]).await.is_err() {
                    break;
                }
            }
            _ => break,
        }
    }
    // Dropping both halves closes the line in both directions.
    back.abort();
}

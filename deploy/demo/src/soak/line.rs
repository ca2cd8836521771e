//! The line between box and central: a relay that can be slow, silent or cut. What passes is not
//! looked at; both ends keep their own encryption.

use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How the line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Good,
    /// So many bytes a second, each way.
    Slow(u32),
    /// Connections are taken and nothing passes.
    Silent,
    /// Every connection is closed.
    Cut,
}

/// Passed at once at most.
const CHUNK: usize = 4096;

/// Dropping it cuts the line for good.
#[derive(Debug)]
pub struct Line {
    pub port: u16,
    mood: watch::Sender<Mood>,
}

impl Line {
    /// Listens on a free port of this machine and leads to `to`.
    pub async fn open(to: u16) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("a port for the line")?;
        let port = listener.local_addr()?.port();
        let (mood, told) = watch::channel(Mood::Good);
        tokio::spawn(listen(listener, to, told));
        Ok(Self { port, mood })
    }

    pub fn be(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }
}

/// Until the line is dropped.
async fn listen(listener: TcpListener, to: u16, mood: watch::Receiver<Mood>) {
    let mut gone = mood.clone();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((near, _)) => drop(tokio::spawn(connection(near, to, mood.clone()))),
                // Out of descriptors, perhaps: others may close meanwhile.
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            },
            ended = gone.changed() => if ended.is_err() { return },
        }
    }
}

async fn connection(near: TcpStream, to: u16, mood: watch::Receiver<Mood>) {
    if *mood.borrow() == Mood::Cut {
        return;
    }
    let Ok(far) = TcpStream::connect(("127.0.0.1", to)).await else { return };
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    tokio::select! {
        () = pass(near_in, far_out, mood.clone()) => {}
        () = pass(far_in, near_out, mood) => {}
    }
}

/// One way, until it ends or the line is cut.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut mood: watch::Receiver<Mood>,
) {
    let mut chunk = [0; CHUNK];
    loop {
        let now = *mood.borrow_and_update();
        let rate = match now {
            Mood::Cut => return,
            Mood::Silent => {
                if mood.changed().await.is_err() {
                    return;
                }
                continue;
            }
            Mood::Slow(rate) => Some(rate),
            Mood::Good => None,
        };
        let read = tokio::select! {
            read = from.read(&mut chunk) => read,
            changed = mood.changed() => if changed.is_err() { return } else { continue },
        };
        let Ok(length @ 1..) = read else { return };
        if let Some(rate) = rate {
            tokio::time::sleep(Duration::from_secs_f64(length as f64 / f64::from(rate.max(1))))
                .await;
        }
        if to.write_all(&chunk[..length]).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_millis(150);

    /// Answers what it is told.
    async fn echo() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.into_split();
                    let _ = tokio::io::copy(&mut from, &mut to).await;
                });
            }
        });
        port
    }

    async fn echoed(stream: &mut TcpStream, bytes: usize) -> std::io::Result<usize> {
        stream.write_all(&vec![7; bytes]).await?;
        stream.read_exact(&mut vec![0; bytes]).await
    }

    #[tokio::test]
    async fn the_line_is_slow_silent_cut_and_good_again() {
        let line = Line::open(echo().await).await.unwrap();
        let dial = async || TcpStream::connect(("127.0.0.1", line.port)).await.unwrap();
        let mut stream = dial().await;
        echoed(&mut stream, 100).await.unwrap();
        line.be(Mood::Slow(4000));
        let began = Instant::now();
        echoed(&mut stream, 400).await.unwrap();
        assert!(began.elapsed() > Duration::from_millis(150), "{:?}", began.elapsed());
        line.be(Mood::Silent);
        let mut waits = dial().await;
        timeout(SOON, echoed(&mut waits, 10)).await.unwrap_err();
        line.be(Mood::Good);
        // What was sent into the silence arrives now.
        assert_eq!(waits.read_exact(&mut [0; 10]).await.unwrap(), 10);
        line.be(Mood::Cut);
        assert!(echoed(&mut waits, 10).await.is_err());
        assert!(echoed(&mut dial().await, 10).await.is_err());
        line.be(Mood::Good);
        echoed(&mut dial().await, 10).await.unwrap();
    }
}

//! The line protocol of a signal cabinet's gateway. The agent connects and only listens:
//!
//! ```text
//! red1 on
//! red2 off
//! ```
//!
//! Each line is an input's name, a space, `on` or `off`, and a line feed: ASCII, at most 80 characters.
//! The gateway says every input when somebody connects, at each change, and again at least every
//! second; an input not heard of for three seconds is silent. Names that nobody asks for are skipped,
//! so one gateway serves all lamps of a junction.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::said::{STALE, Said};
use crate::backoff::Backoff;
use crate::clock::since_start;

const MAX_LINE: usize = 80;
const RETRY: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));

/// Why the gateway is not heard.
#[derive(Debug, thiserror::Error)]
enum TcpError {
    #[error("cannot be reached: {0}")]
    Connect(std::io::Error),
    #[error("says nothing for {} s", STALE.as_secs())]
    Silent,
    #[error("closed the connection")]
    Closed,
    #[error("connection broken: {0}")]
    Broken(std::io::Error),
    #[error("sends a line of more than {MAX_LINE} characters: no gateway of this protocol")]
    Long,
}

/// Listens to the gateway at `place` for as long as it is polled.
pub async fn listen(place: String, inputs: BTreeMap<String, Arc<Said>>, seed: u64) {
    let mut backoff = Backoff::new(RETRY.0, RETRY.1, seed);
    let mut told = false;
    loop {
        let (heard, error) = hear(&place, &inputs).await;
        inputs.values().for_each(|input| input.lost());
        if heard {
            backoff.reset();
        }
        if heard || !told {
            told = true;
            tracing::warn!(place, %error, "signal cabinet is not heard");
        }
        tokio::time::sleep(backoff.next()).await;
    }
}

/// Until the connection ends; whether anything was heard.
async fn hear(place: &str, inputs: &BTreeMap<String, Arc<Said>>) -> (bool, TcpError) {
    let mut stream = match timeout(STALE, TcpStream::connect(place)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return (false, TcpError::Connect(error)),
        Err(_) => return (false, TcpError::Connect(std::io::ErrorKind::TimedOut.into())),
    };
    let mut heard = false;
    let mut line = Vec::new();
    let mut part = [0; 512];
    loop {
        let read = match timeout(STALE, stream.read(&mut part)).await {
            Err(_) => return (heard, TcpError::Silent),
            Ok(Err(error)) => return (heard, TcpError::Broken(error)),
            Ok(Ok(0)) => return (heard, TcpError::Closed),
            Ok(Ok(read)) => read,
        };
        for byte in &part[..read] {
            if *byte == b'\n' {
                if let Some((name, red)) = word(&line)
                    && let Some(input) = inputs.get(name)
                {
                    if !heard {
                        tracing::info!(place, "signal cabinet is heard");
                    }
                    heard = true;
                    input.word(red, since_start());
                }
                line.clear();
            } else if line.len() == MAX_LINE {
                return (heard, TcpError::Long);
            } else {
                line.push(*byte);
            }
        }
    }
}

/// One line, taken apart.
fn word(line: &[u8]) -> Option<(&str, bool)> {
    let text = std::str::from_utf8(line).ok()?.trim_end_matches('\r');
    let (name, state) = text.split_once(' ')?;
    match state {
        "on" => Some((name, true)),
        "off" => Some((name, false)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

    use super::*;
    use crate::wire::{Cabinet as _, Word};

    #[test]
    fn lines_are_words_or_nothing() {
        assert_eq!(word(b"red1 on"), Some(("red1", true)));
        assert_eq!(word(b"red1 off\r"), Some(("red1", false)));
        for line in [&b""[..], b"red1", b"red1 ON", b"red1  on", b"red1 on now", b"\xff on"] {
            assert_eq!(word(line), None, "{line:?}");
        }
    }

    async fn until(input: &Said, word: Word) {
        for _ in 0..200 {
            if input.says(since_start()) == word {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("never {word:?}");
    }

    #[tokio::test]
    async fn a_gateway_is_heard_lost_and_heard_again() {
        let gateway = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = gateway.local_addr().unwrap().to_string();
        let (red1, red2) = (Arc::new(Said::default()), Arc::new(Said::default()));
        let inputs = BTreeMap::from([
            ("red1".to_owned(), Arc::clone(&red1)),
            ("red2".to_owned(), Arc::clone(&red2)),
        ]);
        let listening = tokio::spawn(listen(place, inputs, 1));
        let (mut line, _) = gateway.accept().await.unwrap();
        line.write_all(b"red1 on\nother on\nrub").await.unwrap();
        until(&red1, Word::Red).await;
        line.write_all(b"bish\nred1 off\r\nred2 on\n").await.unwrap();
        until(&red1, Word::NotRed).await;
        until(&red2, Word::Red).await;
        drop(line);
        until(&red1, Word::Nothing).await;
        let (mut line, _) = gateway.accept().await.unwrap();
        line.write_all(b"red1 on\n").await.unwrap();
        until(&red1, Word::Red).await;
        // A line without an end is cut, and so is the word that came before it.
        line.write_all(&[b'x'; 4096]).await.unwrap();
        until(&red1, Word::Nothing).await;
        listening.abort();
    }
}

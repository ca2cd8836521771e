//! One package on its way: announce, send what is missing, announce again, check the receipt.

use bytes::Bytes;
use contract::Digest;
use contract::manifest::File;
use contract::package::check_file;
use contract::seal::Purpose;
use contract::wire::{MissingFile, Receipt};

use crate::spool::{Entry, Opened, SpoolError, State};

use super::{Trouble, Uplink, on_spool};

impl Uplink {
    /// Delivers one package; `Ok` once the central's receipt is verified and stored.
    pub(super) async fn deliver(&mut self, state: State, entry: &Entry) -> Result<(), Trouble> {
        let asked = entry.clone();
        let package = match on_spool(&self.spool, move |spool| spool.read(state, &asked)).await {
            Ok(package) => package,
            Err(SpoolError::Damaged { problem, .. }) => return Err(Trouble::Damaged { problem }),
            Err(error) => return Err(error.into()),
        };
        let mut progressed = false;
        let result = self.exchange(&package, &mut progressed).await;
        let receipt = match result {
            Err(Trouble::Retry { reason, after, .. }) => {
                return Err(Trouble::Retry { reason, after, progressed });
            }
            other => other?,
        };
        self.check_receipt(&package, &receipt)?;
        self.monitor.delivered(entry.sequence);
        // What was sent once more keeps its first receipt.
        if state != State::Delivered {
            let sequence = entry.sequence;
            on_spool(&self.spool, move |spool| spool.deliver(state, sequence, &receipt)).await?;
        }
        Ok(())
    }

    /// The exchange up to a receipt, not yet checked.
    async fn exchange(
        &mut self,
        package: &Opened,
        progressed: &mut bool,
    ) -> Result<String, Trouble> {
        let id = package.manifest.evidence_id;
        let mut answer = self.central.announce(id, &package.bytes, &package.seal).await?;
        self.monitor.contact();
        if let Some(receipt) = answer.receipt {
            return Ok(receipt);
        }
        for missing in &answer.missing {
            self.send(package, missing, progressed).await?;
        }
        answer = self.central.announce(id, &package.bytes, &package.seal).await?;
        answer.receipt.ok_or_else(|| Trouble::Retry {
            reason: format!(
                "central still lacks {} files after all were sent",
                answer.missing.len()
            ),
            after: None,
            progressed: false,
        })
    }

    async fn send(
        &mut self,
        package: &Opened,
        missing: &MissingFile,
        progressed: &mut bool,
    ) -> Result<(), Trouble> {
        let listed = package.manifest.files.iter().find(|file| file.sha256 == missing.sha256);
        let Some(file) = listed else {
            return Err(Trouble::Retry {
                reason: format!(
                    "central asks for {}, which the manifest does not list",
                    missing.sha256
                ),
                after: None,
                progressed: false,
            });
        };
        let content = read_checked(package, file).await?;
        // A central that claims more than there is gets the file from its start.
        let mut at = if missing.received < file.bytes { missing.received } else { 0 };
        while at < file.bytes {
            let end = file.bytes.min(at + self.bucket.chunk());
            self.bucket.take(end - at).await;
            let chunk = content.slice(at as usize..end as usize);
            let id = package.manifest.evidence_id;
            let begun = self.clock.monotonic();
            let put = self.central.put(id, file.sha256, at, file.bytes, chunk).await;
            self.bucket.learn(end - at, begun, &put);
            put?;
            self.monitor.contact();
            *progressed = true;
            at = end;
        }
        Ok(())
    }

    fn check_receipt(&self, package: &Opened, jws: &str) -> Result<(), Trouble> {
        let fail = |problem: String| Trouble::Receipt { problem };
        let payload = self
            .receipts
            .verify(Purpose::Receipt, jws.trim_end())
            .map_err(|e| fail(e.to_string()))?;
        let receipt: Receipt = serde_json::from_slice(&payload)
            .map_err(|e| fail(format!("its content does not read: {e}")))?;
        if receipt.evidence_id != package.manifest.evidence_id {
            return Err(fail("it is for another package".into()));
        }
        if receipt.manifest != Digest::of(&package.bytes) {
            return Err(fail("it is for another manifest of this package".into()));
        }
        Ok(())
    }
}

/// Reads a file and checks it against the manifest, so that damage is found here, not there.
async fn read_checked(package: &Opened, file: &File) -> Result<Bytes, Trouble> {
    let path = package.path(file);
    let file = file.clone();
    let read = tokio::task::spawn_blocking(move || match std::fs::read(&path) {
        Ok(content) => match check_file(&file, &content) {
            Ok(()) => Ok(Bytes::from(content)),
            Err(failure) => Err(Trouble::Damaged { problem: failure.to_string() }),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(Trouble::Damaged { problem: format!("{}: missing", file.name) })
        }
        Err(source) => Err(SpoolError::Io { action: "read", path, source }.into()),
    });
    match read.await {
        Ok(result) => result,
        Err(join) => Err(SpoolError::Poisoned { cause: join.to_string() }.into()),
    }
}

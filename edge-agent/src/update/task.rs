//! The agent's side of updates: on trial it shows first that the box is well; then it asks every while
//! what it is to run, fetches, stages and checks that, and asks to be replaced.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use contract::Digest;
use contract::release::{Offer, Release};
use tokio::io::AsyncReadExt as _;
use tokio_util::sync::CancellationToken;

use super::UpdateError;
use super::child::Base;
use super::folder::{Folder, Undone, Wanted};
use super::stage::{Files, Stager};
use super::status::{Phase, Status, Updates};
use super::trial::{Proof, comes};
use crate::backoff::Backoff;
use crate::clock::Clock;
use crate::config;
use crate::health::{Board, Configured, Crew};
use crate::keys;
use crate::spool::Spool;
use crate::uplink::{Bucket, Central, Trouble};

/// How often the box is looked at during a trial.
const LOOK: Duration = Duration::from_secs(2);
/// First wait after the central was not reached.
const RETRY: Duration = Duration::from_secs(10);
/// For one piece the central may ask to wait so long.
const PATIENCE: Duration = Duration::from_secs(60);
/// What a release has to say in so long that it can start here.
const CHECK: Duration = Duration::from_secs(300);
/// Of what it says besides, so much is kept.
const MAX_WORDS: u64 = 4096;

/// What an agent updates itself with.
#[derive(Debug, Clone)]
pub struct Means {
    pub central: Central,
    pub clock: Arc<dyn Clock>,
    pub board: Board,
    pub crew: Crew,
    pub spool: Arc<Spool>,
    pub configured: Configured,
    /// Bytes a second; 0 is no limit.
    pub rate: u64,
    /// Told when the agent is to end so that another release can take its place.
    pub replace: CancellationToken,
    pub seed: u64,
}

#[derive(Debug)]
pub struct Updater {
    stager: Stager,
    base: Option<Base>,
    every: Duration,
    calm: Duration,
    means: Means,
    told: Updates,
}

impl Updater {
    /// For `config`, in the folder it names. `reserve` bytes stay free on its volume.
    pub fn new(config: &config::Update, reserve: u64, means: Means) -> Result<Self, UpdateError> {
        let stager = Stager {
            folder: Folder::open(&config.dir)?,
            keys: keys::load_release_keys(&config.keys)?,
            reserve,
        };
        let base = Base::of_environment();
        let release = base.as_ref().map_or(0, |base| base.release);
        let phase = if base.is_some() { Phase::Idle } else { Phase::NotLaunched };
        let told = Updates::new(standing(&stager.folder, release, phase)?);
        let [every, calm] = [config.every_s, config.calm_s].map(Duration::from_secs);
        Ok(Self { stager, base, every, calm, means, told })
    }

    /// Goes on under the status of one that failed.
    pub fn under(self, told: Updates) -> Self {
        Self { told, ..self }
    }

    /// Where updates stand, for those who show it.
    pub fn status(&self) -> Updates {
        self.told.clone()
    }

    pub async fn run(self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.work() => {}
        }
    }

    /// Never returns by itself.
    async fn work(self) {
        let Some(base) = self.base.clone() else {
            tracing::warn!("not started by `edge-agent launch`: no updates");
            return std::future::pending().await;
        };
        if self.told.status().on_trial
            && let Err(error) = self.prove(base.release).await
        {
            tracing::error!(%error, "the trial cannot be shown");
            self.told.phase(Phase::Waiting { why: error.to_string() });
            return std::future::pending().await;
        }
        let mut backoff = Backoff::new(RETRY.min(self.every), self.every, self.means.seed);
        // Boxes that were switched on together do not all ask at once.
        let mut pause = backoff.next();
        loop {
            self.means.clock.sleep(pause).await;
            pause = match self.round(&base).await {
                Ok(()) => {
                    backoff.reset();
                    backoff.longest()
                }
                Err(error) => {
                    let phase = match &error {
                        UpdateError::Central(why) => Phase::Unreached { why: why.clone() },
                        other => Phase::Waiting { why: other.to_string() },
                    };
                    if self.told.status().phase != phase {
                        tracing::warn!(%error, "no update");
                    }
                    self.told.phase(phase);
                    backoff.next()
                }
            };
        }
    }

    /// Returns once the box is well with the release on trial, and the launcher was told.
    async fn prove(&self, number: u64) -> Result<(), UpdateError> {
        let folder = &self.stager.folder;
        let trial = folder.standing()?.trial.filter(|trial| trial.number == number);
        let mut proof = Proof::new(trial.map(|trial| trial.cameras).unwrap_or_default(), self.calm);
        let mut said = None;
        loop {
            // By the question that a release must be able to ask: else no further one could come.
            if !proof.reached() && self.ask().await.is_ok() {
                proof.reach();
            }
            let Means { board, crew, clock, .. } = &self.means;
            let mut troubles = crew.troubles();
            if self.means.spool.stats().failed {
                troubles.push("evidence cannot be sealed: the spool's volume failed".into());
            }
            let lacks = proof.lacks(&board.snapshot(), troubles);
            if said.as_ref() != Some(&lacks) {
                tracing::info!(number, ?lacks, "on trial");
                // For people only.
                if let Err(error) = folder.wait_for(&lacks.join("; ")) {
                    tracing::warn!(%error, "what the trial waits for cannot be written down");
                }
                self.told.phase(Phase::Proving { lacks: lacks.clone() });
            }
            if proof.holds(&lacks, clock.monotonic()) {
                if let Err(error) = folder.confirm(number) {
                    tracing::error!(%error, "the trial cannot be confirmed yet");
                    clock.sleep(LOOK).await;
                    continue;
                }
                tracing::info!(number, "release confirmed: the box is well with it");
                self.told.proven();
                self.told.phase(Phase::Idle);
                return Ok(());
            }
            said = Some(lacks);
            clock.sleep(LOOK).await;
        }
    }

    /// Asks once, and does what is to be done about the answer.
    async fn round(&self, base: &Base) -> Result<(), UpdateError> {
        let offered = self.ask().await?;
        let judged = offered.as_ref().map(|offer| self.stager.judge(offer)).transpose()?;
        let (Some(offer), Some(Some(release))) = (offered, judged) else {
            self.told.phase(Phase::Idle);
            return Ok(());
        };
        let (number, of) = (release.number, release.bytes());
        tracing::info!(number, release.version, bytes = of, "release offered");
        let mut line = Line {
            central: self.means.central.clone(),
            bucket: Bucket::new(self.means.rate, Arc::clone(&self.means.clock)),
            clock: Arc::clone(&self.means.clock),
        };
        let told = self.told.clone();
        let tell = |bytes| told.phase(Phase::Fetching { next: number, bytes, of });
        self.stager.stage(&offer, &release, &mut line, tell).await?;
        self.told.phase(Phase::Checking { next: number });
        if let Err(error) = self.check(base, &release).await {
            return self.refuse(number, error);
        }
        // Fetching takes long on a slow line: somebody may have thought better of it.
        if self.ask().await?.as_ref() != Some(&offer) {
            self.told.phase(Phase::Idle);
            return Ok(());
        }
        let cameras = self.means.board.snapshot().into_iter();
        let (working, others): (Vec<_>, Vec<_>) = cameras.partition(|camera| comes(camera.state));
        if working.is_empty() && !others.is_empty() {
            return Err(UpdateError::Blind { number });
        }
        let cameras = working.into_iter().map(|camera| camera.id).collect();
        let wanted = Wanted { number, cameras };
        self.stager.folder.want(&wanted)?;
        tracing::info!(number, "release staged and checked: ending, so that it can be tried");
        self.means.replace.cancel();
        std::future::pending().await
    }

    async fn ask(&self) -> Result<Option<Offer>, UpdateError> {
        let answer = self.means.central.release().await;
        answer.map_err(|trouble| UpdateError::Central(trouble.to_string()))
    }

    /// Lets the staged program read the configuration and load its models, as it would at its start.
    async fn check(&self, base: &Base, release: &Release) -> Result<(), UpdateError> {
        let number = release.number;
        if let Some(why) = self.means.configured.status().refused {
            let problem = format!("is not in force ({why}): no release can be checked by it");
            return Err(UpdateError::File { path: "configuration".into(), problem });
        }
        let folder = self.stager.folder.release(number);
        let command = base.command(&["check-config", "--to-run"], Some((&folder, release)));
        // Only its own word says that it does not fit; a busy box or a file half saved says nothing.
        let unfit = |problem: String| UpdateError::Unfit { number, problem };
        let unchecked = |problem: String| UpdateError::Unchecked { number, problem };
        let mut child = tokio::process::Command::from(command)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| unchecked(error.to_string()))?;
        let stderr = child.stderr.take();
        let ended = async {
            let mut words = Vec::new();
            if let Some(mut stderr) = stderr {
                // What does not read ends with the program, whose status counts.
                let _ = (&mut stderr).take(MAX_WORDS).read_to_end(&mut words).await;
                let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
            }
            (child.wait().await, String::from_utf8_lossy(&words).trim().to_owned())
        };
        match tokio::time::timeout(CHECK, ended).await {
            Ok((Ok(status), _)) if status.success() => Ok(()),
            Ok((Ok(status), words)) => {
                let problem = format!("its check ended with {status}: {words}");
                let ours = self.means.configured.status().refused.is_some();
                Err(if ours || status.code().is_none() {
                    unchecked(problem)
                } else {
                    unfit(problem)
                })
            }
            Ok((Err(error), _)) => Err(unchecked(error.to_string())),
            Err(_) => Err(unchecked(format!("its check took over {} s", CHECK.as_secs()))),
        }
    }

    /// Notes a release that would not do here, so that it is not fetched again.
    fn refuse(&self, number: u64, error: UpdateError) -> Result<(), UpdateError> {
        if !error.is_final() {
            return Err(error);
        }
        tracing::error!(number, %error, "release refused");
        let undone = Undone::new(number, &error.to_string(), self.means.clock.now());
        self.stager.folder.refuse(&undone)?;
        self.stager.folder.remove_release(number)?;
        self.told.undone(undone);
        self.told.phase(Phase::Idle);
        Ok(())
    }
}

/// Where updates stand, for who looks from outside: the keys can be read, and what runs is whole.
pub fn look(config: &config::Update) -> Result<Status, UpdateError> {
    let keys = keys::load_release_keys(&config.keys)?;
    let folder = Folder::existing(&config.dir);
    let release = folder.standing()?.running();
    if release != 0 {
        folder.verified(release, &keys)?;
    }
    standing(&folder, release, Phase::Idle)
}

/// Where updates stand with `release` running.
fn standing(folder: &Folder, release: u64, phase: Phase) -> Result<Status, UpdateError> {
    let standing = folder.standing()?;
    let on_trial = release != 0 && standing.trial.is_some_and(|trial| trial.number == release);
    let undone = standing.undone.into_iter().chain(folder.refused()?);
    let undone = undone.max_by_key(|undone| undone.number);
    Ok(Status { release, on_trial, undone, phase })
}

/// The central's files, no faster than the line may be used.
struct Line {
    central: Central,
    bucket: Bucket,
    clock: Arc<dyn Clock>,
}

impl Files for Line {
    fn chunk(&self) -> u64 {
        self.bucket.chunk()
    }

    async fn fetch(&mut self, sha256: Digest, first: u64, last: u64) -> Result<Bytes, String> {
        self.bucket.take(last + 1 - first).await;
        let mut patience = PATIENCE;
        loop {
            let begun = self.clock.monotonic();
            let fetched = self.central.release_file(sha256, first, last).await;
            self.bucket.learn(last + 1 - first, begun, &fetched);
            match fetched {
                // The central says when: too many asked just now.
                Err(Trouble::Retry { after: Some(wait), .. }) if !patience.is_zero() => {
                    let wait = wait.max(Duration::from_millis(100)).min(patience);
                    patience -= wait;
                    self.clock.sleep(wait).await;
                }
                fetched => return fetched.map_err(|trouble| trouble.to_string()),
            }
        }
    }
}

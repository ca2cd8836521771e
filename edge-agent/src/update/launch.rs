//! The launcher: the program that was installed, running what is to run as its child. It alone decides
//! which release that is, by `standing.json`; what it reads of the agent are wishes.
//!
//! A release that is wanted is verified and put on trial. It is proven once its own program has said
//! so within its time; where it ends [`STARTS`] times before, or the time runs out, the box goes back
//! to what was proven. A start is counted before it is made, so that a release that stops the whole
//! box is undone as well. A proven release that ends, ends the launcher: starting again is the service
//! manager's.

use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, ExitCode, ExitStatus};
use std::time::Duration;

use contract::release::Release;
use contract::seal::VerifyingKey;
use rustix::process::{Pid, Signal as Kill, kill_process, set_parent_process_death_signal};
use time::OffsetDateTime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

use super::UpdateError;
use super::child::Base;
use super::folder::{Folder, Standing, Trial, Undone};
use crate::config;
use crate::keys;

/// So often a release on trial may end before it is undone.
pub const STARTS: u32 = 3;
/// So often a proven release may fall, one life after another, each shorter than [`SHORT`].
const FALLS: u32 = 3;
const SHORT: Duration = Duration::from_secs(300);
/// With this status a program ends that panicked.
const PANICKED: i32 = 101;
/// Between two starts of a release on trial.
const PAUSE: Duration = Duration::from_secs(2);
/// How often the child and its word are looked at.
const LOOK: Duration = Duration::from_millis(100);
/// What a child that is asked to end has to seal and hand over in, and one that asks to be replaced.
const GRACE: Duration = Duration::from_secs(30);
/// Before this a child may not yet listen to whoever asks it to read its configuration anew, and would
/// end of it.
const LISTENS: Duration = Duration::from_secs(2);
/// So often what lies here is looked at before it is held to be broken: a disk may fail to read once.
const READS: u32 = 3;
const AGAIN: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub struct Launcher {
    folder: Folder,
    keys: Vec<VerifyingKey>,
    base: Base,
    trial: Duration,
    /// What a child that was asked to end, or asks to be replaced, ends in.
    grace: Duration,
}

/// How a child's time ended.
enum End {
    Exited(ExitStatus),
    /// Somebody asked the launcher to stop, and it did.
    Stopped(ExitStatus),
    OutOfTime,
}

impl Launcher {
    pub fn new(config: &config::Update, base: Base) -> Result<Self, UpdateError> {
        Ok(Self {
            folder: Folder::open(&config.dir)?,
            keys: keys::load_release_keys(&config.keys)?,
            base,
            trial: Duration::from_secs(config.trial_s),
            grace: GRACE,
        })
    }

    /// The same where a trial may take only so long.
    pub fn within(self, trial: Duration) -> Self {
        Self { trial, ..self }
    }

    /// The same where a child has only so long to end.
    pub fn patient(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// Runs until asked to stop, or until a proven release ends. On one thread: the kernel ends the
    /// child with the thread that started it.
    pub async fn run(self) -> Result<ExitCode, UpdateError> {
        let _lock = self.folder.lock()?;
        let mut asked = Asked::listen().map_err(|error| self.problem(error.to_string()))?;
        loop {
            let (standing, release) = self.choose(self.settled()?).await?;
            let number = release.as_ref().map_or(0, |release| release.number);
            let trial = standing.trial.is_some();
            tracing::info!(release = number, trial, "starting");
            let begun = Instant::now();
            let end = self.oversee(&mut asked, release.as_ref(), trial).await?;
            let mut standing = self.settled()?;
            let running = standing.running();
            match (end, standing.trial.as_mut().filter(|trial| trial.number == number)) {
                (End::Stopped(status), tried) => {
                    // No failure of the release.
                    if let Some(trial) = tried {
                        trial.starts = trial.starts.saturating_sub(1);
                        self.stand(&standing);
                    }
                    return Ok(code(status));
                }
                (End::OutOfTime, Some(_)) => {
                    let waits = self.folder.waiting().unwrap_or_else(|| "it said nothing".into());
                    let time = self.trial.as_secs();
                    self.undo(standing, format!("not confirmed within {time} s: {waits}"));
                }
                (End::Exited(status), Some(trial)) => {
                    tracing::warn!(release = number, %status, "ended on trial");
                    trial.ended = Some(status.to_string());
                    let last = trial.starts >= STARTS;
                    self.stand(&standing);
                    if !last && let Some(code) = asked.pause(PAUSE).await {
                        return Ok(code);
                    }
                }
                // Not for another one, which would be on trial now: for who started us.
                (End::Exited(status), None) if running == number => {
                    match self.fell(standing, status, begun.elapsed()) {
                        // Nothing could be undone: the same would fall again.
                        Some(standing) if standing.running() != number => {}
                        _ => return Ok(code(status)),
                    }
                }
                (End::Exited(_) | End::OutOfTime, None) => {
                    if let Some(code) = asked.pause(PAUSE).await {
                        return Ok(code);
                    }
                }
            }
        }
    }

    /// Counts how often what is proven fell: a release may show only days later that it cannot live here.
    /// One that ends with a word of its own is not fallen: its configuration may be wrong. Gives what is
    /// to run after it was undone.
    fn fell(&self, mut standing: Standing, status: ExitStatus, life: Duration) -> Option<Standing> {
        let fallen = status.signal().is_some() || status.code() == Some(PANICKED);
        let falls = if fallen && life < SHORT { standing.falls + 1 } else { 0 };
        if falls >= FALLS && standing.proven != 0 {
            let reason =
                format!("fell {FALLS} times within {} s of its start: {status}", SHORT.as_secs());
            return Some(self.undo(standing, reason));
        }
        if falls != standing.falls {
            standing.falls = falls;
            self.stand(&standing);
        }
        None
    }

    /// A disk that is full is no reason to run something else: what was decided holds in this life, and
    /// is decided again in the next.
    fn stand(&self, standing: &Standing) {
        if let Err(error) = self.folder.stand(standing) {
            tracing::error!(%error, "a decision cannot be written down");
        }
    }

    /// Where a disk that is full takes no decision, what was decided before it holds.
    fn settled(&self) -> Result<Standing, UpdateError> {
        self.settle().or_else(|error| {
            tracing::error!(%error, "nothing new is tried");
            self.folder.standing()
        })
    }

    /// Takes in what the agent said: that the release on trial is well, that another is wanted.
    fn settle(&self) -> Result<Standing, UpdateError> {
        let mut standing = self.folder.standing()?;
        if let Some(trial) = &standing.trial
            && self.folder.confirmed()? == Some(trial.number)
        {
            tracing::info!(release = trial.number, "confirmed");
            (standing.previous, standing.proven) = (standing.proven, trial.number);
            // What fell was another one.
            (standing.trial, standing.falls) = (None, 0);
            self.folder.stand(&standing)?;
        }
        // A wish that does not read is none.
        let wish = self.folder.wanted();
        if let Err(error) = &wish {
            tracing::error!(%error, "not a wish");
        }
        let forget = !matches!(wish, Ok(None));
        let wanted = wish.ok().flatten();
        if standing.trial.is_none()
            && let Some(wanted) = &wanted
            && wanted.number > standing.highest
        {
            let number = wanted.number;
            // What an earlier trial said must be gone before this one is on record.
            self.folder.forget_trial()?;
            standing.highest = number;
            let cameras = wanted.cameras.clone();
            standing.trial = Some(Trial { number, cameras, starts: 0, ended: None });
            self.folder.stand(&standing)?;
            tracing::info!(release = number, "on trial");
        }
        if forget {
            self.folder.forget_wanted()?;
        }
        self.tidy(&standing)?;
        Ok(standing)
    }

    /// What is started now, verified; what does not hold is undone until something does.
    async fn choose(
        &self,
        mut standing: Standing,
    ) -> Result<(Standing, Option<Release>), UpdateError> {
        loop {
            if let Some(trial) = standing.trial.as_mut() {
                if trial.starts >= STARTS {
                    let ended = trial.ended.as_deref().unwrap_or("the box itself went down");
                    let reason = format!("ended {STARTS} times before it was confirmed: {ended}");
                    standing = self.undo(standing, reason);
                    continue;
                }
                trial.starts += 1;
                if let Err(error) = self.folder.stand(&standing) {
                    tracing::error!(%error, "a start cannot be counted: not tried now");
                    standing.trial = None;
                }
            }
            let number = standing.running();
            if number == 0 {
                return Ok((standing, None));
            }
            match self.verified(number).await {
                Ok(release) => return Ok((standing, Some(release))),
                Err(error) => standing = self.undo(standing, error.to_string()),
            }
        }
    }

    async fn verified(&self, number: u64) -> Result<Release, UpdateError> {
        let mut looks = 1;
        loop {
            match self.folder.verified(number, &self.keys) {
                Err(error) if looks < READS => {
                    tracing::warn!(release = number, %error, "does not hold: looked at again");
                    looks += 1;
                    tokio::time::sleep(AGAIN).await;
                }
                looked => return looked,
            }
        }
    }

    /// Goes back from what runs to what was proven before it.
    fn undo(&self, standing: Standing, reason: String) -> Standing {
        let number = standing.running();
        tracing::error!(release = number, reason, "undone");
        let undone = Some(Undone::new(number, &reason, OffsetDateTime::now_utc()));
        let standing = match standing.trial {
            Some(_) => Standing { trial: None, undone, ..standing },
            None => {
                Standing { proven: standing.previous, previous: 0, falls: 0, undone, ..standing }
            }
        };
        self.stand(&standing);
        standing
    }

    /// Removes releases that nothing leads back to. Newer ones are the agent's.
    fn tidy(&self, standing: &Standing) -> Result<(), UpdateError> {
        let kept = [standing.proven, standing.previous, standing.running()];
        for number in self.folder.numbers()? {
            if number <= standing.highest && !kept.contains(&number) {
                self.folder.remove_release(number)?;
            }
        }
        Ok(())
    }

    /// One life of a child. An error leaves none behind.
    async fn oversee(
        &self,
        asked: &mut Asked,
        release: Option<&Release>,
        trial: bool,
    ) -> Result<End, UpdateError> {
        let mut child = match self.spawn(release) {
            Ok(child) => child,
            // As if it had ended at once.
            Err(error) => {
                tracing::error!(%error, "cannot be started");
                return Ok(End::Exited(ExitStatus::from_raw(127 << 8)));
            }
        };
        let end = self.accompany(&mut child, asked, trial).await;
        if end.is_err() {
            self.end(&mut child).await?;
        }
        end
    }

    async fn accompany(
        &self,
        child: &mut Child,
        asked: &mut Asked,
        mut trial: bool,
    ) -> Result<End, UpdateError> {
        let (begun, mut stopping) = (Instant::now(), false);
        let (mut reread, mut wanted) = (false, None::<Instant>);
        let mut look = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                biased;
                wish = asked.next() => match wish {
                    Wish::Reread => reread = true,
                    Wish::Stop => {
                        tell(child, Kill::TERM);
                        stopping = true;
                    }
                },
                _ = look.tick() => {
                    if let Some(status) = self.ended(child)? {
                        let end = if stopping { End::Stopped(status) } else { End::Exited(status) };
                        return Ok(end);
                    }
                    if reread && begun.elapsed() > LISTENS {
                        tell(child, Kill::HUP);
                        reread = false;
                    }
                    // Who asks to be replaced ends by itself, unless it hangs.
                    let wish = matches!(self.folder.wanted(), Ok(Some(_)));
                    wanted = wish.then(|| wanted.unwrap_or_else(Instant::now));
                    if !trial && wanted.is_some_and(|asked| asked.elapsed() > self.grace) {
                        tracing::error!("asked to be replaced and did not end: ended");
                        self.end(child).await?;
                    }
                    // Proven at once, not at its end: it may run for months.
                    if trial && matches!(self.folder.confirmed(), Ok(Some(_))) {
                        trial = self.settled()?.trial.is_some();
                    }
                    if trial && !stopping && begun.elapsed() > self.trial {
                        self.end(child).await?;
                        return Ok(End::OutOfTime);
                    }
                }
            }
        }
    }

    fn spawn(&self, release: Option<&Release>) -> std::io::Result<Child> {
        let folder = release.map(|release| self.folder.release(release.number));
        let release: Option<(&Path, &Release)> = folder.as_deref().zip(release);
        let mut command = self.base.command(&["run"], release);
        // Where the launcher is killed, nobody would know of its child: it goes as in a power cut, and
        // holds nothing that the next one needs.
        // SAFETY: prctl is async-signal-safe and touches only the new process.
        unsafe {
            command
                .pre_exec(|| set_parent_process_death_signal(Some(Kill::KILL)).map_err(Into::into));
        }
        command.spawn()
    }

    /// Ends the child, politely first.
    async fn end(&self, child: &mut Child) -> Result<(), UpdateError> {
        tell(child, Kill::TERM);
        let asked = Instant::now();
        while asked.elapsed() < self.grace {
            if self.ended(child)?.is_some() {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
        let killed = child.kill().and_then(|()| child.wait());
        killed.map(drop).map_err(|error| self.problem(error.to_string()))
    }

    fn ended(&self, child: &mut Child) -> Result<Option<ExitStatus>, UpdateError> {
        child.try_wait().map_err(|error| self.problem(error.to_string()))
    }

    fn problem(&self, problem: String) -> UpdateError {
        UpdateError::File { path: self.base.program.clone(), problem }
    }
}

fn tell(child: &Child, signal: Kill) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // One that has just ended hears nothing, which is as well.
        let _ = kill_process(pid, signal);
    }
}

/// As a shell tells it.
fn code(status: ExitStatus) -> ExitCode {
    let code = status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

/// What the launcher is asked from outside.
struct Asked {
    interrupt: Signal,
    terminate: Signal,
    reload: Signal,
}

enum Wish {
    Stop,
    Reread,
}

impl Asked {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            reload: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.interrupt.recv() => Wish::Stop,
            _ = self.terminate.recv() => Wish::Stop,
            _ = self.reload.recv() => Wish::Reread,
        }
    }

    /// Waits; with what to end where somebody asks to stop meanwhile.
    async fn pause(&mut self, pause: Duration) -> Option<ExitCode> {
        let over = Instant::now() + pause;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(over) => return None,
                wish = self.next() => if matches!(wish, Wish::Stop) {
                    return Some(ExitCode::SUCCESS);
                },
            }
        }
    }
}

//! The threads and tasks the box cannot do without: each gives signs of life, one that panicked is
//! started again, and one that ended or fell silent makes the box unhealthy.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;

/// A member that gives no sign for this long is stuck: longer than any picture, seal or connection
/// attempt takes.
const PATIENCE: Duration = Duration::from_secs(120);
/// Waits before a start after a panic: doubling from the first to the last.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LAST_WAIT: Duration = Duration::from_secs(60);

/// All members.
#[derive(Debug, Clone)]
pub struct Crew {
    clock: Arc<dyn Clock>,
    members: Arc<Mutex<BTreeMap<String, Member>>>,
}

#[derive(Debug, Clone)]
struct Member {
    state: Life,
    /// Last sign of life; none where the member gives none while it runs.
    seen: Option<Duration>,
    panics: u64,
    last_panic: Option<String>,
}

/// How a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Life {
    Running,
    /// Panicked; will be started again in a moment.
    Fallen,
    /// Over without having been asked to stop.
    Ended,
    /// Over as asked.
    Stopped,
    /// Runs, but has given no sign for too long.
    Silent,
}

/// One member as `/status` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MemberStatus {
    pub name: String,
    pub state: Life,
    pub panics: u64,
    pub last_panic: Option<String>,
}

/// With what a member gives its signs of life.
#[derive(Debug, Clone)]
pub struct Pulse {
    crew: Crew,
    name: Arc<str>,
}

impl Crew {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, members: Arc::default() }
    }

    /// Runs `work` on a thread of its own until it returns; after a panic anew. It must give signs
    /// of life through the pulse. Returning before `stop` is an end nobody asked for.
    pub fn thread(
        &self,
        name: &str,
        stop: Arc<AtomicBool>,
        mut work: impl FnMut(&Pulse) + Send + 'static,
    ) -> std::io::Result<JoinHandle<()>> {
        let pulse = self.join(name);
        thread::Builder::new().name(name.into()).spawn(move || {
            let mut wait = FIRST_WAIT;
            loop {
                pulse.beat();
                // What `work` keeps is made anew by itself or stands between two items.
                match catch_unwind(AssertUnwindSafe(|| work(&pulse))) {
                    Ok(()) => return pulse.over(stop.load(Ordering::Relaxed)),
                    Err(panic) => pulse.fell(words(panic.as_ref())),
                }
                let mut left = wait;
                while !left.is_zero() && !stop.load(Ordering::Relaxed) {
                    let nap = left.min(Duration::from_millis(50));
                    thread::sleep(nap);
                    left -= nap;
                }
                wait = wait.saturating_mul(2).min(LAST_WAIT);
            }
        })
    }

    /// Runs the task that `make` gives until it returns; after a panic a new one.
    pub async fn task<F>(&self, name: &str, stop: CancellationToken, mut make: impl FnMut() -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let pulse = self.join(name);
        let mut wait = FIRST_WAIT;
        loop {
            pulse.revived();
            match tokio::spawn(make()).await {
                Err(error) if error.is_panic() => {
                    pulse.fell(words(error.into_panic().as_ref()));
                }
                _ => return pulse.over(stop.is_cancelled()),
            }
            tokio::select! {
                () = stop.cancelled() => return pulse.over(true),
                () = tokio::time::sleep(wait) => {}
            }
            wait = wait.saturating_mul(2).min(LAST_WAIT);
        }
    }

    fn join(&self, name: &str) -> Pulse {
        let member = Member { state: Life::Running, seen: None, panics: 0, last_panic: None };
        self.members().insert(name.to_owned(), member);
        Pulse { crew: self.clone(), name: name.into() }
    }

    /// Who is over and not wanted any more is not shown.
    pub fn dismiss(&self, name: &str) {
        self.members().remove(name);
        metrics::gauge!("edge_member_up", "member" => name.to_owned()).set(1.0);
    }

    pub fn snapshot(&self) -> Vec<MemberStatus> {
        let now = self.clock.monotonic();
        let members = self.members();
        let status = |(name, member): (&String, &Member)| {
            let quiet = member.seen.is_some_and(|seen| now.saturating_sub(seen) > PATIENCE);
            let state = match member.state {
                Life::Running if quiet => Life::Silent,
                state => state,
            };
            let last_panic = member.last_panic.clone();
            MemberStatus { name: name.clone(), state, panics: member.panics, last_panic }
        };
        members.iter().map(status).collect()
    }

    /// What is wrong with the crew, in words; nothing while all work.
    pub fn troubles(&self) -> Vec<String> {
        let trouble = |member: MemberStatus| {
            let name = &member.name;
            match member.state {
                Life::Running | Life::Stopped => None,
                Life::Silent => Some(format!("{name} has given no sign of life for minutes")),
                Life::Ended => Some(format!("{name} has ended: restart the agent")),
                Life::Fallen => {
                    let cause = member.last_panic.unwrap_or_default();
                    Some(format!("{name} failed and is started again: {cause}"))
                }
            }
        };
        self.snapshot().into_iter().filter_map(trouble).collect()
    }

    /// Brings the metrics up to date; called when they are read.
    pub fn publish(&self) {
        for member in self.snapshot() {
            let up = matches!(member.state, Life::Running | Life::Stopped);
            metrics::gauge!("edge_member_up", "member" => member.name).set(f64::from(u8::from(up)));
        }
    }

    fn members(&self) -> MutexGuard<'_, BTreeMap<String, Member>> {
        // Plain values, each set in one step.
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pulse {
    /// A sign of life, more often than every minute.
    pub fn beat(&self) {
        let now = self.crew.clock.monotonic();
        self.change(|member| {
            member.state = Life::Running;
            member.seen = Some(now);
        });
    }

    fn revived(&self) {
        self.change(|member| member.state = Life::Running);
    }

    fn fell(&self, cause: String) {
        tracing::error!(member = &*self.name, cause, "panicked; it is started again");
        metrics::counter!("edge_member_panics_total", "member" => self.name.to_string())
            .increment(1);
        self.change(|member| {
            member.state = Life::Fallen;
            member.panics += 1;
            member.last_panic = Some(cause);
        });
    }

    fn over(&self, asked: bool) {
        if !asked {
            tracing::error!(member = &*self.name, "ended without having been asked to");
        }
        self.change(|member| member.state = if asked { Life::Stopped } else { Life::Ended });
    }

    fn change(&self, change: impl FnOnce(&mut Member)) {
        if let Some(member) = self.crew.members().get_mut(&*self.name) {
            change(member);
        }
    }
}

/// What a panic said.
fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no words".into())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};

    use time::macros::datetime;

    use super::*;
    use crate::clock::Simulated;

    fn crew() -> (Crew, Simulated) {
        let clock = Simulated::at(datetime!(2026-11-21 10:00 UTC));
        (Crew::new(Arc::new(clock.clone())), clock)
    }

    fn state(crew: &Crew, name: &str) -> Life {
        crew.snapshot().into_iter().find(|member| member.name == name).unwrap().state
    }

    #[test]
    fn a_thread_that_panics_is_told_of_and_works_again() {
        let (crew, _) = crew();
        let stop = Arc::new(AtomicBool::new(false));
        let (send, receive) = channel::<u32>();
        let (done, seen) = channel();
        let thread = crew
            .thread("sealer", Arc::clone(&stop), move |pulse| {
                work(&receive, pulse, |number| {
                    assert_ne!(number, 2, "number two");
                    done.send(number).unwrap();
                });
            })
            .unwrap();
        assert!(crew.troubles().is_empty());
        for number in 1..=3 {
            send.send(number).unwrap();
        }
        assert_eq!(seen.recv().unwrap(), 1);
        assert_eq!(seen.recv().unwrap(), 3, "the one after the panic");
        let member = crew.snapshot().remove(0);
        assert_eq!((member.state, member.panics), (Life::Running, 1));
        assert!(member.last_panic.unwrap().contains("number two"));
        stop.store(true, Ordering::Relaxed);
        drop(send);
        thread.join().unwrap();
        assert_eq!(state(&crew, "sealer"), Life::Stopped);
    }

    fn work(receive: &Receiver<u32>, pulse: &Pulse, mut each: impl FnMut(u32)) {
        for number in receive {
            pulse.beat();
            each(number);
        }
    }

    #[test]
    fn an_end_nobody_asked_for_and_silence_are_troubles() {
        let (crew, clock) = crew();
        let (hold, held) = channel::<()>();
        let (start, started) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let ended = crew.thread("cam-01", Arc::clone(&stop), |_| ()).unwrap();
        ended.join().unwrap();
        let silent = crew
            .thread("cam-02", Arc::clone(&stop), move |_| {
                start.send(()).unwrap();
                // Until the sender goes.
                let _ = held.recv();
            })
            .unwrap();
        started.recv().unwrap();
        assert_eq!(crew.troubles(), ["cam-01 has ended: restart the agent"]);
        clock.advance(Duration::from_secs(121));
        let troubles = crew.troubles();
        assert_eq!(troubles.len(), 2);
        assert!(troubles[1].contains("cam-02 has given no sign"), "{troubles:?}");
        stop.store(true, Ordering::Relaxed);
        drop(hold);
        silent.join().unwrap();
        assert_eq!(crew.troubles(), ["cam-01 has ended: restart the agent"]);
    }

    #[tokio::test]
    async fn a_task_that_panics_is_made_anew() {
        let (crew, _) = crew();
        let stop = CancellationToken::new();
        let mut tries = 0;
        crew.task("uplink", stop.clone(), || {
            tries += 1;
            let (first, stop) = (tries == 1, stop.clone());
            async move {
                assert!(!first, "the first one");
                stop.cancel();
            }
        })
        .await;
        let member = crew.snapshot().remove(0);
        assert_eq!((member.state, member.panics), (Life::Stopped, 1));
    }
}

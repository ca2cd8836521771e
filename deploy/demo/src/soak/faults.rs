//! What goes wrong in a soak, by seed, and how long everything takes to be well again without
//! anybody's hand.

use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::Result;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::line::Mood;
use super::stage::{Seen, Stage, camera_of};
use super::street::Camera;

/// A camera, or the way to the central, that is not well by then is stuck.
const STUCK: Duration = Duration::from_secs(150);
/// What a changed file may take until it is in force, or refused.
const REREAD: Duration = Duration::from_secs(45);

/// The state of a camera whose pictures come and cannot be dated.
const UNDATED: &str = "clock_unknown";
/// A piece of a recording is shown no longer than it is.
const PIECE: Duration = Duration::from_secs(18);

/// What happens to a camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Dies and is back at once.
    Cut,
    /// Is away for a while.
    Gone,
    /// Its connections stay open and nothing comes.
    Freeze,
    /// Answers nobody, though its port is open.
    Mute,
    /// The agent is told an address that nobody has.
    Nowhere,
    /// Packets get lost.
    Loss,
    /// Bits of its pictures are changed.
    Bits,
    /// Its pictures change their size in the middle of the stream.
    Size,
    /// Comes back with another codec.
    Codec,
    /// Its clock leaps in the middle of the stream.
    Clock,
}

impl Trouble {
    pub const ALL: [Self; 10] = [
        Self::Cut,
        Self::Gone,
        Self::Freeze,
        Self::Mute,
        Self::Nowhere,
        Self::Loss,
        Self::Bits,
        Self::Size,
        Self::Codec,
        Self::Clock,
    ];

    /// What `world` makes of a camera's recording for it, one step after another: mark and words.
    pub const fn making(self) -> &'static [(&'static str, &'static [&'static str])] {
        // A piece: less to be made ready. None of them comes to its end, where the street would leap.
        match self {
            Self::Bits => &[
                ("bits", &["damage", "--fault", "bits:3"]),
                ("again", &["damage", "--fault", "bits:9"]),
            ],
            Self::Size => &[("piece", &["damage", "--to", "24"])],
            Self::Codec => &[("h265", &["damage", "--to", "24", "--codec", "h265"])],
            _ => &[],
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Cut => "connection cut",
            Self::Gone => "camera gone",
            Self::Freeze => "camera froze",
            Self::Mute => "camera mute",
            Self::Nowhere => "unreachable address",
            Self::Loss => "packets lost",
            Self::Bits => "bits changed",
            Self::Size => "size changed",
            Self::Codec => "codec changed",
            Self::Clock => "clock stepped",
        }
    }
}

/// How fast one thing follows another, seconds.
#[derive(Debug, Clone)]
pub struct Tempo {
    /// A camera is well for so long.
    pub well: Range<f64>,
    /// And troubled for so long.
    pub troubled: Range<f64>,
    pub central_well: Range<f64>,
    pub central_troubled: Range<f64>,
    pub agent_lives: Range<f64>,
    pub edits: Range<f64>,
    pub troubles: &'static [Trouble],
}

impl Tempo {
    /// For a run of so many minutes.
    pub fn of(minutes: f64) -> Self {
        Self {
            well: 15.0..45.0,
            troubled: 8.0..40.0,
            central_well: 30.0..90.0,
            central_troubled: 10.0..(minutes * 6.0).clamp(30.0, 240.0),
            agent_lives: (minutes * 12.0).clamp(120.0, 600.0)
                ..(minutes * 24.0).clamp(180.0, 1200.0),
            edits: 45.0..120.0,
            troubles: &Trouble::ALL,
        }
    }

    /// Something of everything in half a minute.
    pub fn short() -> Self {
        Self {
            well: 1.0..3.0,
            troubled: 6.0..8.0,
            central_well: 4.0..6.0,
            central_troubled: 4.0..6.0,
            agent_lives: 20.0..22.0,
            edits: 1.0..2.0,
            troubles: &[Trouble::Cut, Trouble::Freeze, Trouble::Clock],
        }
    }
}

/// One that happened.
#[derive(Debug, Clone, Serialize)]
pub struct Happened {
    pub kind: &'static str,
    /// To whom.
    pub to: String,
    pub from_s: f64,
    /// When what was wrong was put right.
    pub until_s: f64,
    /// From then until all was well again; none where it was not.
    pub recovered_s: Option<f64>,
    /// The agent itself was killed meanwhile.
    pub through_a_kill: bool,
    /// The last state that the agent showed while it lasted.
    pub shown: Option<String>,
}

/// Own numbers for everybody who makes trouble.
pub fn dice(seed: u64, whose: u64) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(whose);
    random
}

fn seconds(random: &mut ChaCha8Rng, range: &Range<f64>) -> Duration {
    Duration::from_secs_f64(random.random_range(range.clone()))
}

impl Stage {
    /// Waits, but no longer than anything new is to happen.
    pub async fn rest(&self, time: Duration) {
        let end = Instant::now() + time;
        while !self.over.get() && Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Notes it, and complains where it did not end well.
    fn happened(&self, all: &Log, mut one: Happened, life: u32, took: Option<Duration>) {
        one.recovered_s = took.map(|took| took.as_secs_f64());
        one.through_a_kill = life != self.life.get();
        let shown = one.shown.as_deref().unwrap_or("nothing seen");
        match one.recovered_s {
            Some(took) => println!(
                "  {:>6.0} s  {:<20} {:<9} {:>5.1} s long, well after {took:>5.1} s   {shown}",
                one.from_s,
                one.kind,
                one.to,
                one.until_s - one.from_s
            ),
            None => self.complain(format!(
                "{} of {} at {:.0} s: not well in time after it ended, {shown}",
                one.kind, one.to, one.from_s
            )),
        }
        all.borrow_mut().push(one);
    }

    fn begin(&self, kind: &'static str, to: &str) -> Happened {
        Happened {
            kind,
            to: to.to_owned(),
            from_s: self.now_s(),
            until_s: 0.0,
            recovered_s: None,
            through_a_kill: false,
            shown: None,
        }
    }

    /// One camera's troubles, one after another.
    pub async fn trouble_camera(
        &self,
        camera: &Camera,
        tempo: &Tempo,
        mut random: ChaCha8Rng,
        all: &Log,
    ) -> Result<()> {
        // Each kind once before any comes again.
        let mut next = Vec::new();
        loop {
            self.rest(seconds(&mut random, &tempo.well)).await;
            if self.over.get() {
                return Ok(());
            }
            if next.is_empty() {
                next = tempo.troubles.to_vec();
            }
            let trouble = next.swap_remove(random.random_range(0..next.len()));
            let (mut one, life) = (self.begin(trouble.name(), &camera.id), self.life.get());
            let hold = seconds(&mut random, &tempo.troubled);
            // Where the machine itself keeps a camera from being dated, it cannot be better than that.
            let undated = self.state_of(camera).is_some_and(|state| state.starts_with(UNDATED));
            camera.troubled.set(true);
            self.make_trouble(trouble, camera, hold, &mut random).await?;
            one.until_s = self.now_s();
            one.shown = self.state_of(camera);
            let mut first = None;
            let well = |seen: &Seen| {
                let Some(its) = camera_of(&seen.status, &camera.id) else { return false };
                let frames = its["frames"].as_u64().unwrap_or_default();
                let (of, from) = *first.get_or_insert((seen.life, frames));
                let moves = of != seen.life || frames > from;
                moves && (its["state"] == "streaming" || undated && its["state"] == UNDATED)
            };
            let took = self.until(Instant::now(), STUCK, well).await;
            camera.troubled.set(false);
            self.happened(all, one, life, took);
        }
    }

    /// Does it, waits, and puts it right.
    async fn make_trouble(
        &self,
        trouble: Trouble,
        camera: &Camera,
        hold: Duration,
        random: &mut ChaCha8Rng,
    ) -> Result<()> {
        let site = &self.site;
        match trouble {
            Trouble::Cut => {}
            Trouble::Gone => {
                camera.off()?;
                self.rest(hold).await;
            }
            Trouble::Freeze => {
                camera.freeze(true)?;
                self.rest(hold).await;
                return camera.freeze(false);
            }
            Trouble::Mute => {
                camera.off()?;
                let _deaf = tokio::net::TcpListener::bind(("127.0.0.1", camera.port)).await?;
                self.rest(hold).await;
            }
            Trouble::Nowhere => {
                self.point(camera, true).await?;
                self.rest(hold).await;
                return self.point(camera, false).await;
            }
            Trouble::Loss => {
                let flag = format!("--misbehave=packets:{:.1}:3", random.random_range(2.0..6.0));
                camera.show(site, trouble, &[&flag]).await?;
                self.rest(hold).await;
            }
            Trouble::Bits => {
                camera.show(site, trouble, &[]).await?;
                self.rest(hold).await;
            }
            Trouble::Size => {
                camera.show(site, trouble, &["--misbehave=resize:4"]).await?;
                self.rest(hold.min(PIECE)).await;
            }
            Trouble::Codec => {
                camera.show(site, trouble, &[]).await?;
                self.rest(hold.min(PIECE)).await;
            }
            Trouble::Clock => {
                let sign = if random.random_bool(0.5) { "" } else { "-" };
                let flag = format!("--misbehave=clock:{sign}{}:3", random.random_range(2..10_000));
                camera.show(site, trouble, &[&flag]).await?;
                self.rest(hold).await;
            }
        }
        camera.show_well(site).await
    }

    /// Has the agent told another address, and the right one again.
    async fn point(&self, camera: &Camera, nowhere: bool) -> Result<()> {
        let _alone = self.street.desk.lock().await;
        camera.nowhere.set(nowhere);
        self.street.write()
    }

    fn state_of(&self, camera: &Camera) -> Option<String> {
        let seen = self.seen.borrow();
        let its = camera_of(&seen.as_ref()?.status, &camera.id)?;
        let text = |key: &str| its[key].as_str().unwrap_or_default().to_owned();
        let (state, detail) = (text("state"), text("detail"));
        Some(if detail.is_empty() { state } else { format!("{state}: {detail}") })
    }

    /// The central dies, hangs, answers slowly, cannot be reached.
    pub async fn trouble_central(
        &self,
        tempo: &Tempo,
        mut random: ChaCha8Rng,
        all: &Log,
    ) -> Result<()> {
        const KINDS: [&str; 5] = ["killed", "hung", "slow line", "silent line", "line cut"];
        let mut next: Vec<&'static str> = Vec::new();
        loop {
            self.rest(seconds(&mut random, &tempo.central_well)).await;
            if self.over.get() {
                return Ok(());
            }
            if next.is_empty() {
                next = KINDS.to_vec();
            }
            let kind = next.swap_remove(random.random_range(0..next.len()));
            let (mut one, life) = (self.begin(kind, "central"), self.life.get());
            let hold = seconds(&mut random, &tempo.central_troubled);
            match kind {
                "killed" => self.kill_central(hold.min(Duration::from_secs(20))).await?,
                "hung" => {
                    self.freeze_central(true)?;
                    self.rest(hold.min(Duration::from_secs(60))).await;
                    self.freeze_central(false)?;
                }
                _ => {
                    self.line.be(match kind {
                        "slow line" => Mood::Slow(random.random_range(40_000..160_000)),
                        "silent line" => Mood::Silent,
                        _ => Mood::Cut,
                    });
                    self.rest(hold).await;
                    self.line.be(Mood::Good);
                }
            }
            one.until_s = self.now_s();
            let pending = |seen: &Seen| seen.status["spool"]["pending"].as_u64();
            let waiting = self.seen.borrow().as_ref().and_then(pending);
            one.shown = waiting.map(|waiting| format!("{waiting} packages waited"));
            // All that waited has gone.
            let well = |seen: &Seen| pending(seen) == Some(0);
            let took = self.until(Instant::now(), 2 * STUCK, well).await;
            self.happened(all, one, life, took);
        }
    }

    fn freeze_central(&self, frozen: bool) -> Result<()> {
        self.central_process.borrow().as_ref().map_or(Ok(()), |process| process.freeze(frozen))
    }

    /// The agent dies, seldom.
    pub async fn trouble_agent(
        &self,
        tempo: &Tempo,
        mut random: ChaCha8Rng,
        all: &Log,
    ) -> Result<()> {
        loop {
            self.rest(seconds(&mut random, &tempo.agent_lives)).await;
            if self.over.get() {
                return Ok(());
            }
            // With a file that nobody understands it would not start.
            let alone = self.street.desk.lock().await;
            let mut one = self.begin("kill -9", "agent");
            let since = Instant::now();
            self.kill_agent().await?;
            drop(alone);
            one.until_s = one.from_s;
            let well = |seen: &Seen| {
                let untroubled = self.street.cameras.iter().filter(|one| !one.troubled.get());
                let state = |camera: &Camera| {
                    camera_of(&seen.status, &camera.id)
                        .is_some_and(|its| its["state"] == "streaming")
                };
                untroubled.into_iter().all(state)
            };
            let took = self.until(since, STUCK, well).await;
            self.happened(all, one, self.life.get(), took);
        }
    }

    /// The configuration is edited while everything runs: every other time by a slip.
    pub async fn edit(&self, tempo: &Tempo, mut random: ChaCha8Rng, all: &Log) -> Result<()> {
        let victims = self.street.victims();
        for slip in [false, true].into_iter().cycle() {
            self.rest(seconds(&mut random, &tempo.edits)).await;
            if self.over.get() {
                break;
            }
            let _alone = self.street.desk.lock().await;
            let (kind, life) = (if slip { "slip refused" } else { "edited" }, self.life.get());
            let mut one = self.begin(kind, "site file");
            if slip {
                self.street.spoilt.set(true);
                self.street.write()?;
                let refused = |seen: &Seen| refusal(seen).is_some();
                if self.until(Instant::now(), REREAD, refused).await.is_none() {
                    self.complain("a site file that nobody understands was not refused");
                }
                one.shown = self.seen.borrow().as_ref().and_then(refusal).map(str::to_owned);
                self.street.spoilt.set(false);
            } else {
                let camera = &victims[random.random_range(0..victims.len())];
                let other = if camera.fps.get() > 4.5 { 4.0 } else { 5.0 };
                camera.fps.set(other);
                one.to.clone_from(&camera.id);
            }
            one.until_s = self.now_s();
            self.street.write()?;
            let before = self.seen.borrow().as_ref().map(in_force);
            let taken = |seen: &Seen| {
                refusal(seen).is_none() && before.as_deref() != Some(in_force(seen).as_str())
            };
            let took = self.until(Instant::now(), REREAD, taken).await;
            self.happened(all, one, life, took);
        }
        Ok(())
    }
}

/// What happened so far.
pub type Log = std::cell::RefCell<Vec<Happened>>;

/// Why the files are not in force.
fn refusal(seen: &Seen) -> Option<&str> {
    seen.status["configuration"]["refused"].as_str()
}

/// Since when what is in force is.
fn in_force(seen: &Seen) -> String {
    seen.status["configuration"]["since"].to_string()
}

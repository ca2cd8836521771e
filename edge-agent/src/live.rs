//! The agent at work: one thread a camera, one that seals, the uplink and the health pages beside
//! them. One that panics is started again and told of; stopping lets every accusation that was made
//! be sealed first.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use contract::manifest;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::cameras::{Cameras, Changes, Followed, Pairs};
use crate::clock::{Clock, System};
use crate::config::{Agent, Camera, Device, Unit};
use crate::evidence::{Sealer, Target};
use crate::health::{self, Board, CameraHandle, Configured, Crew, Premises, Pulse, Sources};
use crate::history::History;
use crate::keys::{self, Identity};
use crate::onvif;
use crate::pace::Governor;
use crate::spool::{Policy, Spool};
use crate::update::{Means, UpdateError, Updater, Updates};
use crate::uplink::{self, Central, Reporter, Uplink, UplinkError};
use crate::watch::eyes::{Eyes, Pool};
use crate::watch::{Accused, Context, Undeveloped, Wanted, Watch, develop};
use crate::wire::Wires;

/// Accusations waiting to be sealed; when full, cameras wait and drop pictures instead.
const QUEUE: usize = 8;
/// How often the configuration's files are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Why an agent ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Somebody asked it to.
    Asked,
    /// Another release is to take its place.
    Replace,
}

/// Runs `agent`, as `followed` says, until asked to stop. Cameras follow the files from then on.
pub async fn run<E: Eyes>(
    agent: Agent,
    mut followed: Followed,
    eyes: Arc<Pool<E>>,
    models: Vec<manifest::ModelUsed>,
    mut requests: Requests,
) -> anyhow::Result<Ended> {
    let (Some(device), Some(unit)) = (agent.device.clone(), agent.unit.clone()) else {
        anyhow::bail!("the configuration has no [device] or no [unit]");
    };
    let clock: Arc<dyn Clock> = Arc::new(System::default());
    let prometheus = health::install_recorder()?;
    let board = Board::new(Arc::clone(&clock));
    let crew = Crew::new(Arc::clone(&clock));
    let configured = Configured::new(clock.now());
    let key = keys::load_seal_key(&device.keys)?;
    let (spool, recovery) = Spool::open(
        &agent.spool.dir,
        Policy::from(&agent.spool),
        key.verifying_key(),
        Arc::clone(&clock),
    )?;
    tracing::info!(?recovery, "spool opened");
    let spool = Arc::new(spool);
    let sealer = Sealer::new(
        manifest_device(&device),
        manifest_unit(&unit),
        key,
        Target::Spool(Arc::clone(&spool)),
    )?;

    let history = History::start(&agent, &board, Arc::clone(&clock), &crew)?;
    let stop = CancellationToken::new();
    let mut sources = Sources {
        board: board.clone(),
        spool: Some(Arc::clone(&spool)),
        uplink: None,
        crew: crew.clone(),
        configured: configured.clone(),
        history: Some(history.clone()),
        updates: None,
        premises: Premises::of(&agent, &models),
    };
    let mut tasks = tokio::task::JoinSet::new();
    if let Some(config) = &agent.uplink {
        let identity = Arc::new(Identity::load(&device.keys, &device.id)?);
        let receipts = keys::load_central_key(&device.keys)?;
        let settings = uplink::Settings::new(config, rand::random());
        let make = {
            let (settings, identity) = (settings.clone(), Arc::clone(&identity));
            let (spool, clock) = (Arc::clone(&spool), Arc::clone(&clock));
            move || {
                let (spool, clock) = (Arc::clone(&spool), Arc::clone(&clock));
                Uplink::new(&settings, &identity, receipts.clone(), spool, clock)
            }
        };
        let first = make()?.monitor();
        sources.uplink = Some(first.clone());
        if let Some(update) = agent.update.clone() {
            let reserve = agent.spool.min_free_bytes;
            let means = Means {
                central: Central::new(&settings, &identity)?,
                clock: Arc::clone(&clock),
                board: board.clone(),
                crew: crew.clone(),
                spool: Arc::clone(&spool),
                configured: configured.clone(),
                rate: settings.rate_bytes_per_s,
                replace: requests.replace.clone(),
                seed: settings.seed,
            };
            let make = move || Updater::new(&update, reserve, means.clone());
            // Evidence goes on whatever is wrong with updates: it is told, not died of.
            match make() {
                Ok(updater) => sources.updates = Some(updater.status()),
                Err(error) => {
                    tracing::error!(%error, "no updates");
                    sources.updates = Some(Updates::failed(error.to_string()));
                }
            }
            let (crew, stop, told) = (crew.clone(), stop.clone(), sources.updates.clone());
            tasks.spawn(async move {
                let run = || renew(make(), told.clone(), stop.clone());
                crew.task("updates", stop.clone(), run).await;
            });
        }
        tasks.spawn({
            let (crew, stop) = (crew.clone(), stop.clone());
            async move {
                let run = || deliver(make().map(|it| it.under(first.clone())), stop.clone());
                crew.task("uplink", stop.clone(), run).await;
            }
        });
        tasks.spawn({
            let (crew, stop, clock) = (crew.clone(), stop.clone(), Arc::clone(&clock));
            let (sources, began) = (sources.clone(), clock.monotonic());
            async move {
                let run = || {
                    let (sources, clock) = (sources.clone(), Arc::clone(&clock));
                    let reporter = Reporter::new(&settings, &identity, Arc::clone(&clock));
                    let up = move || clock.monotonic().saturating_sub(began);
                    let word = move || sources.report().to_central(up());
                    report(reporter, word, stop.clone())
                };
                crew.task("reporter", stop.clone(), run).await;
            }
        });
    }
    if let Some(address) = agent.health.listen {
        let server = health::Server::bind(address, sources, prometheus).await?;
        tracing::info!(address = %server.address()?, "health pages");
        tasks.spawn(server.run(stop.clone()));
    }

    let (asked, whose) = watch::channel(agent.cameras.clone());
    tasks.spawn({
        let (crew, halt) = (crew.clone(), stop.clone());
        let (clock, board) = (Arc::clone(&clock), board.clone());
        async move {
            let watch = || {
                let clock = Arc::clone(&clock);
                onvif::clock::watch(whose.clone(), board.clone(), clock, halt.clone())
            };
            crew.task("camera clocks", halt.clone(), watch).await;
        }
    });
    let wires = Arc::new(Wires::new(crew.clone(), stop.clone()));
    wires.follow(&agent.cameras);

    let (send, receive) = sync_channel(QUEUE);
    let halt = Arc::new(AtomicBool::new(false));
    // No camera hands on anything any more, not even one that was left behind.
    let ended = Arc::new(AtomicBool::new(false));
    let pairs = Pairs::default();
    let sealing = crew.thread("sealer", Arc::clone(&halt), {
        let laboratory =
            Laboratory { board: board.clone(), eyes: Arc::clone(&eyes), pairs: pairs.clone() };
        let ended = Arc::clone(&ended);
        move |pulse| seal_all(&sealer, &receive, &laboratory, &ended, pulse)
    })?;
    let context = Context {
        device: device.id.clone(),
        models,
        plates_per_frame: agent.models.plates_per_frame,
        wanted: Wanted::Suspects,
        passages: Arc::default(),
    };
    let hear = {
        let (history, wires) = (history.clone(), Arc::clone(&wires));
        move |camera: &Camera, watch: &mut Watch<E>| {
            watch.hold_against(wires.checks(camera));
            history.attach(watch);
        }
    };
    let governor = Governor::new(eyes.sets(), Arc::clone(&clock));
    let mut cameras = Cameras::new((crew, board), context, (eyes, governor), send, pairs, hear);
    if let Some(undone) = cameras.apply(&agent.cameras).undone.first() {
        anyhow::bail!("{undone}");
    }

    let why = loop {
        match requests.next(&mut followed).await {
            Request::End(why) => break why,
            Request::Reread => {}
        }
        // Waits for cameras that end, with the other worker there for everything else.
        tokio::task::block_in_place(|| {
            let following = (&mut cameras, &*wires, &asked);
            reread(&mut followed, &agent, following, &configured, &*clock);
        });
    };
    tracing::info!("stopping: cameras first, then what they found is sealed");
    halt.store(true, Ordering::Relaxed);
    tokio::task::spawn_blocking(move || {
        cameras.stop();
        ended.store(true, Ordering::Relaxed);
        let _ = sealing.join();
        // Its trouble was logged and shown when it came.
        let _ = history.finish();
    })
    .await?;
    stop.cancel();
    while tasks.join_next().await.is_some() {}
    Ok(why)
}

fn manifest_device(device: &Device) -> manifest::Device {
    manifest::Device {
        id: device.id.clone(),
        serial: device.serial.clone(),
        software: concat!("edge-agent ", env!("CARGO_PKG_VERSION")).into(),
    }
}

fn manifest_unit(unit: &Unit) -> manifest::Unit {
    manifest::Unit {
        code: unit.code.clone(),
        name: unit.name.clone(),
        operator: unit.operator.clone(),
    }
}

/// Delivers until stopped. The first uplink was made before; where a later one cannot be made, the
/// task ends, and the health page says so.
async fn deliver(uplink: Result<Uplink, UplinkError>, stop: CancellationToken) {
    match uplink {
        Ok(uplink) => uplink.run(stop).await,
        Err(error) => tracing::error!(%error, "uplink cannot be started again"),
    }
}

/// The same for updates. One that cannot be made has said so, and waits for a restart.
async fn renew(
    updater: Result<Updater, UpdateError>,
    told: Option<Updates>,
    stop: CancellationToken,
) {
    match (updater, told) {
        (Ok(updater), Some(told)) => updater.under(told).run(stop).await,
        _ => stop.cancelled().await,
    }
}

/// The same for reports.
async fn report(
    reporter: Result<Reporter, UplinkError>,
    word: impl Fn() -> contract::report::Report + Send + Sync + 'static,
    stop: CancellationToken,
) {
    match reporter {
        Ok(reporter) => reporter.run(word, stop).await,
        Err(error) => tracing::error!(%error, "reports cannot be started"),
    }
}

/// How long the sealer waits for work between two signs of life.
const NAP: Duration = Duration::from_secs(5);

/// What pictures are made with where accusations come without.
struct Laboratory<E: Eyes> {
    board: Board,
    eyes: Arc<Pool<E>>,
    pairs: Pairs,
}

impl<E: Eyes> Laboratory<E> {
    /// The accusation with its pictures; none where it has none, which is counted.
    fn develop(&self, accused: Accused) -> Option<Accused> {
        let negative = accused.negative.is_some();
        let (id, evidence) = (accused.accusation.camera.id.clone(), accused.accusation.evidence_id);
        let camera = self.board.of(&id);
        let developed = {
            let _lost = LostIfPanicking(&camera);
            develop(accused, &self.eyes)
        };
        if let Some(paired) = self.pairs.of(&id).filter(|_| negative) {
            match &developed {
                Ok(_) => paired.note(true),
                Err(Undeveloped::Apart) => paired.note(false),
                Err(_) => {}
            }
        }
        match developed {
            Ok(accused) => Some(accused),
            Err(error) => {
                camera.dropped(error.kind(), 1);
                tracing::warn!(camera = id, %evidence, %error, "accusation without pictures let go");
                None
            }
        }
    }
}

fn seal_all<E: Eyes>(
    sealer: &Sealer,
    receive: &Receiver<Accused>,
    laboratory: &Laboratory<E>,
    ended: &AtomicBool,
    pulse: &Pulse,
) {
    loop {
        pulse.beat();
        let accused = match receive.recv_timeout(NAP) {
            Ok(accused) => accused,
            Err(RecvTimeoutError::Timeout) if ended.load(Ordering::Relaxed) => return,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let Some(accused) = laboratory.develop(accused) else { continue };
        let accusation = &accused.accusation;
        let camera = laboratory.board.of(&accusation.camera.id);
        let sealed = {
            let _lost = LostIfPanicking(&camera);
            sealer.seal(accusation)
        };
        match sealed {
            Ok(sealed) => tracing::info!(
                camera = accusation.camera.id,
                sequence = sealed.sequence,
                evidence = %sealed.evidence_id,
                bytes = sealed.bytes,
                "sealed"
            ),
            Err(error) => {
                camera.dropped("sealing_failed", 1);
                tracing::error!(
                    camera = accusation.camera.id,
                    evidence = %accusation.evidence_id,
                    %error,
                    "violation could not be sealed"
                );
            }
        }
    }
}

/// An accusation during whose sealing the thread panics is lost: counted like any other loss.
struct LostIfPanicking<'a>(&'a CameraHandle);

impl Drop for LostIfPanicking<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.dropped("sealing_panicked", 1);
        }
    }
}

/// Brings what the files say into force as far as a running agent can, and says what is not.
fn reread<E: Eyes>(
    followed: &mut Followed,
    agent: &Agent,
    (cameras, wires, asked): (&mut Cameras<E>, &Wires, &watch::Sender<Vec<Arc<Camera>>>),
    configured: &Configured,
    clock: &dyn Clock,
) {
    let refused = |why: String| {
        tracing::error!(why, "configuration as it was stays in force");
        configured.refused(why);
    };
    let next = match followed.read() {
        Ok(next) => next,
        Err(errors) => return refused(errors.to_string()),
    };
    wires.follow(&next.cameras);
    asked.send_replace(next.cameras.clone());
    let Changes { added, changed, removed, undone } = cameras.apply(&next.cameras);
    let awaits_restart = agent.sections_apart(&next);
    tracing::info!(?added, ?changed, ?removed, ?awaits_restart, "configuration in force");
    configured.applied(clock.now(), awaits_restart);
    if !undone.is_empty() {
        let why = format!("{}; it is tried again", undone.join("; "));
        tracing::error!(why, "configuration in force but for some cameras");
        configured.refused(why);
        followed.again();
    }
}

/// What a running agent is asked from outside.
enum Request {
    End(Ended),
    Reread,
}

/// Where that is heard, from before anything else is made ready.
#[derive(Debug)]
pub struct Requests {
    interrupt: Signal,
    terminate: Signal,
    reload: Signal,
    replace: CancellationToken,
    look: Interval,
}

impl Requests {
    /// Within a runtime.
    pub fn listen() -> std::io::Result<Self> {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            reload: signal(SignalKind::hangup())?,
            replace: CancellationToken::new(),
            look,
        })
    }

    async fn next(&mut self, followed: &mut Followed) -> Request {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return Request::End(Ended::Asked),
                _ = self.terminate.recv() => return Request::End(Ended::Asked),
                () = self.replace.cancelled() => return Request::End(Ended::Replace),
                _ = self.reload.recv() => return Request::Reread,
                _ = self.look.tick() => if followed.changed() { return Request::Reread },
            }
        }
    }
}

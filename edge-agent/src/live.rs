//! The agent at work: one thread a camera, one that seals, the uplink and the health pages beside
//! them. One that panics is started again and told of; stopping lets every accusation that was made
//! be sealed first.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use contract::manifest;
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, System};
use crate::config::{Agent, Camera, Device, Unit};
use crate::evidence::{Sealer, Target};
use crate::health::{self, Board, CameraHandle, Crew, Pulse, Sources};
use crate::keys::{self, Identity};
use crate::source::{Dating, Paired, Settings, SourceError, supervise};
use crate::spool::{Policy, Spool};
use crate::uplink::{self, Uplink, UplinkError};
use crate::watch::elsewhere::Passages;
use crate::watch::eyes::{Eyes, Pool};
use crate::watch::{self, Accused, Context, KEEP_BYTES, Undeveloped, Wanted, Watch, develop};

/// Accusations waiting to be sealed; when full, cameras wait and drop pictures instead.
const QUEUE: usize = 8;

/// Runs `agent` until asked to stop.
pub async fn run<E: Eyes>(
    agent: Agent,
    eyes: Arc<Pool<E>>,
    models: Vec<manifest::ModelUsed>,
) -> anyhow::Result<()> {
    let (Some(device), Some(unit)) = (agent.device.clone(), agent.unit.clone()) else {
        anyhow::bail!("the configuration has no [device] or no [unit]");
    };
    let clock: Arc<dyn Clock> = Arc::new(System::default());
    let prometheus = health::install_recorder()?;
    let board = Board::new(Arc::clone(&clock));
    let crew = Crew::new(Arc::clone(&clock));
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

    let stop = CancellationToken::new();
    let mut monitor = None;
    let mut tasks = tokio::task::JoinSet::new();
    if let Some(config) = &agent.uplink {
        let identity = Identity::load(&device.keys, &device.id)?;
        let receipts = keys::load_central_key(&device.keys)?;
        let settings = uplink::Settings::new(config, rand::random());
        let (spool, clock) = (Arc::clone(&spool), Arc::clone(&clock));
        let make = move || {
            let (spool, clock) = (Arc::clone(&spool), Arc::clone(&clock));
            Uplink::new(&settings, &identity, receipts.clone(), spool, clock)
        };
        let first = make()?.monitor();
        monitor = Some(first.clone());
        let (crew, stop) = (crew.clone(), stop.clone());
        tasks.spawn(async move {
            let run = || deliver(make().map(|uplink| uplink.under(first.clone())), stop.clone());
            crew.task("uplink", stop.clone(), run).await;
        });
    }
    if let Some(address) = agent.health.listen {
        let sources = Sources {
            board: board.clone(),
            spool: Some(Arc::clone(&spool)),
            uplink: monitor,
            crew: crew.clone(),
        };
        let server = health::Server::bind(address, sources, prometheus).await?;
        tracing::info!(address = %server.address()?, "health pages");
        tasks.spawn(server.run(stop.clone()));
    }

    let (send, receive) = sync_channel(QUEUE);
    let halt = Arc::new(AtomicBool::new(false));
    let paired: BTreeMap<String, Arc<Paired>> =
        agent.cameras.iter().map(|camera| (camera.id.clone(), Arc::default())).collect();
    let sealing = crew.thread("sealer", Arc::clone(&halt), {
        let laboratory =
            Laboratory { board: board.clone(), eyes: Arc::clone(&eyes), paired: paired.clone() };
        move |pulse| seal_all(&sealer, &receive, &laboratory, pulse)
    })?;
    let context = Context {
        device: device.id.clone(),
        models,
        plates_per_frame: agent.models.plates_per_frame,
        wanted: Wanted::Suspects,
        passages: Arc::new(Passages::of(&agent.cameras)),
    };
    let mut cameras = Vec::new();
    for camera in &agent.cameras {
        let handle = board.camera(&camera.id);
        // After a panic what was followed is not believed any more: a new watch.
        let watch = {
            let (camera, context, eyes) = (Arc::clone(camera), context.clone(), Arc::clone(&eyes));
            let (send, handle) = (send.clone(), handle.clone());
            move || {
                let accuse = handing(&send, handle.clone());
                let (camera, eyes) = (Arc::clone(&camera), Arc::clone(&eyes));
                Watch::new(camera, context.clone(), eyes, handle.clone(), accuse)
            }
        };
        let paired = paired.get(&camera.id).cloned().unwrap_or_default();
        cameras.push(camera_thread(&crew, (Arc::clone(camera), paired), watch, handle, &halt)?);
    }
    drop(send);

    wait_for_stop().await?;
    tracing::info!("stopping: cameras first, then what they found is sealed");
    halt.store(true, Ordering::Relaxed);
    tokio::task::spawn_blocking(move || {
        for camera in cameras {
            // A panicked camera thread was logged by the panic hook; the others still end well.
            let _ = camera.join();
        }
        let _ = sealing.join();
    })
    .await?;
    stop.cancel();
    while tasks.join_next().await.is_some() {}
    Ok(())
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

/// Hands accusations to the sealer, waiting for room: none is dropped while the sealer lives.
fn handing(
    send: &SyncSender<Accused>,
    board: CameraHandle,
) -> impl FnMut(Accused) + Send + 'static {
    let send = send.clone();
    move |accused| {
        if send.send(accused).is_err() {
            board.dropped("sealer_gone", 1);
        }
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

/// How long the sealer waits for work between two signs of life.
const NAP: Duration = Duration::from_secs(5);

/// What pictures are made with where accusations come without.
struct Laboratory<E: Eyes> {
    board: Board,
    eyes: Arc<Pool<E>>,
    /// Of each camera.
    paired: BTreeMap<String, Arc<Paired>>,
}

impl<E: Eyes> Laboratory<E> {
    /// The accusation with its pictures; none where it has none, which is counted.
    fn develop(&self, accused: Accused) -> Option<Accused> {
        let negative = accused.negative.is_some();
        let (id, evidence) = (accused.accusation.camera.id.clone(), accused.accusation.evidence_id);
        let camera = self.board.camera(&id);
        let developed = {
            let _lost = LostIfPanicking(&camera);
            develop(accused, &self.eyes)
        };
        if let Some(paired) = self.paired.get(&id).filter(|_| negative) {
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
    pulse: &Pulse,
) {
    loop {
        pulse.beat();
        let accused = match receive.recv_timeout(NAP) {
            Ok(accused) => accused,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let Some(accused) = laboratory.develop(accused) else { continue };
        let accusation = &accused.accusation;
        let camera = laboratory.board.camera(&accusation.camera.id);
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

/// How a camera's source is opened.
pub fn settings(camera: &Camera, paired: &Arc<Paired>) -> Result<Settings, SourceError> {
    let main = supervise::input(camera)?;
    let (input, larger) = match supervise::substream(camera)? {
        Some(small) => (small, Some((main, Arc::clone(paired)))),
        None => (main, None),
    };
    Ok(Settings {
        camera: camera.id.clone(),
        input,
        larger,
        dating: Dating::Camera(camera.clock),
        analysed_fps: camera.analysed_fps,
        keep: watch::keep(camera),
        keep_bytes: KEEP_BYTES,
    })
}

fn camera_thread<E: Eyes>(
    crew: &Crew,
    (camera, paired): (Arc<Camera>, Arc<Paired>),
    watch: impl Fn() -> Watch<E> + Send + 'static,
    board: CameraHandle,
    halt: &Arc<AtomicBool>,
) -> std::io::Result<JoinHandle<()>> {
    let stop = Arc::clone(halt);
    crew.thread(&format!("camera {}", camera.id), Arc::clone(halt), move |pulse| {
        let alive = || pulse.beat();
        let make = || settings(&camera, &paired);
        supervise::run(make, &mut watch(), &board, &stop, &alive, rand::random());
    })
}

async fn wait_for_stop() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result,
        _ = terminate.recv() => Ok(()),
    }
}

//! The agent at work: one thread a camera, one that seals, the uplink and the health pages beside
//! them. Stopping lets every accusation that was made be sealed first.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use contract::manifest;
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, System};
use crate::config::{Agent, Camera, Device, Unit};
use crate::evidence::{Sealer, Target};
use crate::health::{self, Board, CameraHandle, Sources};
use crate::keys::{self, Identity};
use crate::source::{Dating, Settings, SourceError, supervise};
use crate::spool::{Policy, Spool};
use crate::uplink::{self, Uplink};
use crate::watch::eyes::{Eyes, Pool};
use crate::watch::{self, Accused, Context, KEEP_BYTES, Wanted, Watch};

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
        let uplink =
            Uplink::new(&settings, &identity, receipts, Arc::clone(&spool), Arc::clone(&clock))?;
        monitor = Some(uplink.monitor());
        tasks.spawn(uplink.run(stop.clone()));
    }
    if let Some(address) = agent.health.listen {
        let sources =
            Sources { board: board.clone(), spool: Some(Arc::clone(&spool)), uplink: monitor };
        let server = health::Server::bind(address, sources, prometheus).await?;
        tracing::info!(address = %server.address()?, "health pages");
        let stop = stop.clone();
        tasks.spawn(async move {
            if let Err(error) = server.run(stop).await {
                tracing::error!(%error, "health pages ended");
            }
        });
    }

    let (send, receive) = sync_channel(QUEUE);
    let sealing = thread::Builder::new().name("sealer".into()).spawn({
        let board = board.clone();
        move || seal_all(&sealer, &receive, &board)
    })?;
    let halt = Arc::new(AtomicBool::new(false));
    let context = Context {
        device: device.id.clone(),
        models,
        plates_per_frame: agent.models.plates_per_frame,
        wanted: Wanted::Suspects,
    };
    let mut cameras = Vec::new();
    for camera in &agent.cameras {
        let watch = Watch::new(
            Arc::clone(camera),
            context.clone(),
            Arc::clone(&eyes),
            board.camera(&camera.id),
            handing(&send, board.camera(&camera.id)),
        );
        cameras.push(camera_thread(Arc::clone(camera), watch, board.camera(&camera.id), &halt)?);
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

fn seal_all(sealer: &Sealer, receive: &Receiver<Accused>, board: &Board) {
    for accused in receive {
        let accusation = &accused.accusation;
        let camera = board.camera(&accusation.camera.id);
        match sealer.seal(accusation) {
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

/// How a camera's source is opened.
pub fn settings(camera: &Camera) -> Result<Settings, SourceError> {
    Ok(Settings {
        camera: camera.id.clone(),
        input: supervise::input(camera)?,
        dating: Dating::Camera(camera.clock),
        analysed_fps: camera.analysed_fps,
        keep: watch::keep(camera),
        keep_bytes: KEEP_BYTES,
    })
}

fn camera_thread<E: Eyes>(
    camera: Arc<Camera>,
    mut watch: Watch<E>,
    board: CameraHandle,
    halt: &Arc<AtomicBool>,
) -> std::io::Result<JoinHandle<()>> {
    let halt = Arc::clone(halt);
    thread::Builder::new().name(camera.id.clone()).spawn(move || {
        supervise::run(|| settings(&camera), &mut watch, &board, &halt, rand::random());
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

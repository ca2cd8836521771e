//! The cameras at work, a thread each. Which ones, and how they are set up, follows the configuration
//! while the agent runs: what changes of one camera is none of the others' business.

mod follow;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

pub use follow::Followed;

use crate::config::Camera;
use crate::health::{Board, CameraHandle, Crew};
use crate::source::{Dating, Paired, Settings, SourceError, supervise};
use crate::watch::eyes::{Eyes, Pool};
use crate::watch::{self, Accused, Context, KEEP_BYTES, Watch};

/// Given every watch that begins.
type Hear<E> = Arc<dyn Fn(&Camera, &mut Watch<E>) + Send + Sync>;

/// Every camera that is watched.
pub struct Cameras<E: Eyes> {
    crew: Crew,
    board: Board,
    context: Context,
    eyes: Arc<Pool<E>>,
    accused: SyncSender<Accused>,
    pairs: Pairs,
    hear: Hear<E>,
    running: BTreeMap<String, Running>,
}

/// Whether streams go together, by camera; shared with whoever develops their pictures.
#[derive(Debug, Clone, Default)]
pub struct Pairs(Arc<Mutex<BTreeMap<String, Arc<Paired>>>>);

impl Pairs {
    pub fn of(&self, camera: &str) -> Option<Arc<Paired>> {
        self.all().get(camera).cloned()
    }

    /// Nothing is known of the camera's streams yet.
    fn begin(&self, camera: &str) -> Arc<Paired> {
        let new = Arc::<Paired>::default();
        self.all().insert(camera.to_owned(), Arc::clone(&new));
        new
    }

    fn all(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Arc<Paired>>> {
        // Plain values, each set in one step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A camera's thread.
struct Running {
    camera: Arc<Camera>,
    halt: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Running {
    /// Waits until it has let go of its camera and handed on what it had found.
    fn over(self) {
        self.halt.store(true, Ordering::Relaxed);
        // A panic was logged where it happened, and is counted; the others go on.
        let _ = self.thread.join();
    }
}

/// What a configuration made different.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    pub added: Vec<String>,
    pub changed: Vec<String>,
    pub removed: Vec<String>,
}

impl<E: Eyes> std::fmt::Debug for Cameras<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.running.keys()).finish()
    }
}

impl<E: Eyes> Cameras<E> {
    pub fn new(
        (crew, board): (Crew, Board),
        context: Context,
        eyes: Arc<Pool<E>>,
        accused: SyncSender<Accused>,
        pairs: Pairs,
    ) -> Self {
        let hear = Arc::new(|_: &Camera, _: &mut Watch<E>| {});
        Self { crew, board, context, eyes, accused, pairs, hear, running: BTreeMap::new() }
    }

    /// `hear` is given every watch that begins, to listen to it or to hold it against something.
    pub fn heard_by(self, hear: impl Fn(&Camera, &mut Watch<E>) + Send + Sync + 'static) -> Self {
        Self { hear: Arc::new(hear), ..self }
    }

    /// Watches exactly `wanted`. Who is set up as before goes on with the tracks it has; who is not
    /// ends first, what was complete of its findings is handed on, and begins anew.
    ///
    /// # Errors
    /// The system gives no thread; those before it are watched.
    pub fn apply(&mut self, wanted: &[Arc<Camera>]) -> std::io::Result<Changes> {
        self.context.passages.keep_for(wanted);
        let same = |running: &Running| wanted.iter().any(|camera| camera.is(&running.camera));
        let over: Vec<String> = self
            .running
            .iter()
            .filter(|(_, running)| !same(running))
            .map(|(id, _)| id.clone())
            .collect();
        let mut changes = Changes::default();
        // All are asked before any is waited for: one that is connecting takes some seconds.
        for id in &over {
            self.running[id].halt.store(true, Ordering::Relaxed);
        }
        for id in over {
            if let Some(running) = self.running.remove(&id) {
                running.over();
            }
            if wanted.iter().any(|camera| camera.id == id) {
                changes.changed.push(id);
            } else {
                self.crew.dismiss(&member(&id));
                self.board.remove(&id);
                changes.removed.push(id);
            }
        }
        for camera in wanted {
            if self.running.contains_key(&camera.id) {
                continue;
            }
            let running = self.start(camera)?;
            self.running.insert(camera.id.clone(), running);
            if !changes.changed.contains(&camera.id) {
                changes.added.push(camera.id.clone());
            }
        }
        Ok(changes)
    }

    fn start(&self, camera: &Arc<Camera>) -> std::io::Result<Running> {
        let board = self.board.camera(&camera.id);
        // After a panic what was followed is not believed any more: a new watch.
        let watch = {
            let (camera, context) = (Arc::clone(camera), self.context.clone());
            let (eyes, send, board) = (Arc::clone(&self.eyes), self.accused.clone(), board.clone());
            let hear = Arc::clone(&self.hear);
            move || {
                let accuse = handing(&send, board.clone());
                let (its, eyes) = (Arc::clone(&camera), Arc::clone(&eyes));
                let mut watch = Watch::new(its, context.clone(), eyes, board.clone(), accuse);
                hear(&camera, &mut watch);
                watch
            }
        };
        let halt = Arc::new(AtomicBool::new(false));
        let paired = self.pairs.begin(&camera.id);
        let thread = self.crew.thread(&member(&camera.id), Arc::clone(&halt), {
            let (camera, halt) = (Arc::clone(camera), Arc::clone(&halt));
            move |pulse| {
                let alive = || pulse.beat();
                let make = || settings(&camera, &paired);
                supervise::run(make, &mut watch(), &board, &halt, &alive, rand::random());
            }
        })?;
        Ok(Running { camera: Arc::clone(camera), halt, thread })
    }

    /// Ends all, and with them the way accusations take.
    pub fn stop(self) {
        for running in self.running.values() {
            running.halt.store(true, Ordering::Relaxed);
        }
        self.running.into_values().for_each(Running::over);
    }
}

/// Its name in the crew.
fn member(camera: &str) -> String {
    format!("camera {camera}")
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

/// How a camera's source is opened.
pub fn settings(camera: &Camera, paired: &Arc<Paired>) -> Result<Settings, SourceError> {
    let (main, small) = supervise::inputs(camera)?;
    let (input, larger) = match small {
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

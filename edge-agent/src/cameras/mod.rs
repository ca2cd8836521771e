//! The cameras at work, a thread each. Which ones, and how they are set up, follows the configuration
//! while the agent runs: what changes of one camera is none of the others' business.

mod follow;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub use follow::{Followed, REST};

use crate::config::Camera;
use crate::health::{Board, CameraHandle, Crew};
use crate::pace::{Governor, Pace};
use crate::source::{Dating, Paired, Settings, SourceError, supervise};
use crate::watch::eyes::{Eyes, Pool};
use crate::watch::{self, Accused, Context, KEEP_BYTES, KnownView, Watch};

/// All cameras that end together are waited for so long: less than systemd waits for the agent.
const PATIENCE: Duration = Duration::from_secs(20);

/// Given every watch that begins.
type Hear<E> = Arc<dyn Fn(&Camera, &mut Watch<E>) + Send + Sync>;

/// What ended watches knew of their cameras' own views.
type Views = Arc<Mutex<BTreeMap<String, KnownView>>>;

/// Every camera that is watched.
pub struct Cameras<E: Eyes> {
    crew: Crew,
    board: Board,
    context: Context,
    eyes: Arc<Pool<E>>,
    governor: Arc<Governor>,
    accused: SyncSender<Accused>,
    pairs: Pairs,
    hear: Hear<E>,
    views: Views,
    running: BTreeMap<String, Running>,
}

/// Whether streams go together, by camera; shared with whoever develops their pictures.
#[derive(Debug, Clone, Default)]
pub struct Pairs(Arc<Mutex<BTreeMap<String, Arc<Paired>>>>);

impl Pairs {
    pub fn of(&self, camera: &str) -> Option<Arc<Paired>> {
        lock(&self.0).get(camera).cloned()
    }

    /// Nothing is known of the camera's streams yet.
    fn begin(&self, camera: &str) -> Arc<Paired> {
        let new = Arc::<Paired>::default();
        lock(&self.0).insert(camera.to_owned(), Arc::clone(&new));
        new
    }
}

/// A camera's thread.
struct Running {
    camera: Arc<Camera>,
    halt: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

/// What a configuration made different.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    pub added: Vec<String>,
    pub changed: Vec<String>,
    pub removed: Vec<String>,
    /// What could not be done, in words.
    pub undone: Vec<String>,
}

impl<E: Eyes> std::fmt::Debug for Cameras<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.running.keys()).finish()
    }
}

impl<E: Eyes> Cameras<E> {
    /// `hear` is given every watch that begins, to listen to it or to hold it against something.
    pub fn new(
        (crew, board): (Crew, Board),
        context: Context,
        (eyes, governor): (Arc<Pool<E>>, Governor),
        accused: SyncSender<Accused>,
        pairs: Pairs,
        hear: impl Fn(&Camera, &mut Watch<E>) + Send + Sync + 'static,
    ) -> Self {
        Self {
            crew,
            board,
            context,
            eyes,
            governor: Arc::new(governor),
            accused,
            pairs,
            hear: Arc::new(hear),
            views: Views::default(),
            running: BTreeMap::new(),
        }
    }

    /// Watches exactly `wanted`. Who is set up as before goes on with the tracks it has; who is not
    /// ends first, what was complete of its findings is handed on, and begins anew. One that does not
    /// end in time keeps its place, and the others go on without it.
    pub fn apply(&mut self, wanted: &[Arc<Camera>]) -> Changes {
        let same = |running: &Running| wanted.iter().any(|camera| camera.is(&running.camera));
        let ending = |(id, running): (&String, &Running)| (!same(running)).then(|| id.clone());
        let over: Vec<String> = self.running.iter().filter_map(ending).collect();
        let mut changes = Changes::default();
        let until = self.halt(|running| !same(running));
        for id in over {
            if !self.ended(&id, until) {
                changes.undone.push(format!("camera {id} does not end: restart the agent"));
            } else if wanted.iter().any(|camera| camera.id == id) {
                changes.changed.push(id);
            } else {
                lock(&self.views).remove(&id);
                self.crew.dismiss(&member(&id));
                self.board.remove(&id);
                changes.removed.push(id);
            }
        }
        self.context.passages.keep_for(wanted);
        for camera in wanted {
            if self.running.contains_key(&camera.id) {
                continue;
            }
            match self.start(camera) {
                Err(error) => {
                    changes.undone.push(format!("camera {}: no thread: {error}", camera.id));
                }
                Ok(running) => {
                    self.running.insert(camera.id.clone(), running);
                    if !changes.changed.contains(&camera.id) {
                        changes.added.push(camera.id.clone());
                    }
                }
            }
        }
        changes
    }

    /// Asks cameras to end, all before any is waited for: one that is connecting takes some seconds. Until
    /// when they are to be waited for: whoever was asked before has had its time.
    fn halt(&self, which: impl Fn(&Running) -> bool) -> Instant {
        let mut asked_anew = false;
        for running in self.running.values().filter(|running| which(running)) {
            asked_anew |= !running.halt.swap(true, Ordering::Relaxed);
        }
        Instant::now() + if asked_anew { PATIENCE } else { Duration::ZERO }
    }

    /// Waits until a halted camera's thread has let go of its camera and handed on what it had found.
    fn ended(&mut self, id: &str, until: Instant) -> bool {
        let Some(running) = self.running.get(id) else { return true };
        while !running.thread.is_finished() {
            if Instant::now() >= until {
                return false;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        if let Some(running) = self.running.remove(id) {
            // A panic was logged where it happened, and is counted; the others go on.
            let _ = running.thread.join();
        }
        true
    }

    fn start(&self, camera: &Arc<Camera>) -> std::io::Result<Running> {
        let board = self.board.camera(&camera.id);
        board.forget();
        let pace = self.governor.pace(camera.analysed_fps);
        // After a panic what was followed is not believed any more: a new watch.
        let watch = {
            let (camera, context) = (Arc::clone(camera), self.context.clone());
            let (eyes, send, board) = (Arc::clone(&self.eyes), self.accused.clone(), board.clone());
            let (hear, pace) = (Arc::clone(&self.hear), Arc::clone(&pace));
            move || {
                let accuse = handing(&send, board.clone());
                let (its, eyes) = (Arc::clone(&camera), Arc::clone(&eyes));
                let mut watch = Watch::new(its, context.clone(), eyes, board.clone(), accuse);
                watch.go_by(Arc::clone(&pace));
                hear(&camera, &mut watch);
                watch
            }
        };
        let halt = Arc::new(AtomicBool::new(false));
        let paired = self.pairs.begin(&camera.id);
        let thread = self.crew.thread(&member(&camera.id), Arc::clone(&halt), {
            let (camera, halt) = (Arc::clone(camera), Arc::clone(&halt));
            let (views, governor) = (Arc::clone(&self.views), Arc::clone(&self.governor));
            move |pulse| {
                let alive = || {
                    pulse.beat();
                    governor.govern();
                };
                let make = || settings(&camera, &paired, Arc::clone(&pace));
                let mut watch = watch();
                if let Some(known) = lock(&views).remove(&camera.id) {
                    watch.recall(known);
                }
                supervise::run(make, &mut watch, &board, &halt, &alive, rand::random());
                lock(&views).insert(camera.id.clone(), watch.view());
            }
        })?;
        Ok(Running { camera: Arc::clone(camera), halt, thread })
    }

    /// Ends all, and with them the way accusations take. One that does not end is left behind.
    pub fn stop(mut self) {
        let until = self.halt(|_| true);
        for id in self.running.keys().cloned().collect::<Vec<_>>() {
            if !self.ended(&id, until) {
                tracing::error!(camera = id, "does not end; it is left behind");
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Plain values, each changed in one step.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
pub fn settings(
    camera: &Camera,
    paired: &Arc<Paired>,
    pace: Arc<Pace>,
) -> Result<Settings, SourceError> {
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
        pace,
        keep: watch::keep(camera),
        keep_bytes: KEEP_BYTES,
    })
}

//! A camera as the page sees it: opened as `run` and `replay` open it while somebody looks, closed a
//! minute after the last one did. Its last picture, what its lamps show, what the detector finds, and
//! the last two minutes of its encoded stream, which a trial decodes once more.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use contract::manifest::Clock as Dated;
use image::imageops::{self, FilterType};
use judge::lamp::{Light, Reading};
use plate_model::{Detection, Frame};
use serde::Serialize;
use time::OffsetDateTime;

use crate::accusation::{Clip, Span};
use crate::cameras;
use crate::clock::System;
use crate::config::{Camera, Lamp};
use crate::evidence::clip::MAX_PICTURES;
use crate::evidence::frames;
use crate::health::{Board, CameraHandle, CameraState, CameraStatus};
use crate::pace::Pace;
use crate::see::lamp::{LampReader, unseen};
use crate::see::{Nanos, seconds};
use crate::source::supervise::{self, Watcher};
use crate::source::{Damage, Dating, Input, Picture, Settings, Source, SourceError};
use crate::watch;
use crate::watch::eyes::{Eyes, Pool};

/// Traffic kept for a trial: so long, or as much as one clip may have.
pub const KEPT: Nanos = seconds(120.0);
/// Analysed pictures kept at the most.
const MOST: usize = 7200;
/// Nobody has looked for this long: the camera is closed.
const IDLE: Duration = Duration::from_secs(60);
/// The tape is cut anew this often.
const CUT: Nanos = seconds(1.0);
/// Widest picture shown, and its quality.
const WIDTH: u32 = 1280;
pub const QUALITY: u8 = 80;

/// One analysed picture without its pixels.
#[derive(Debug, Clone)]
pub struct Seen {
    pub t: Nanos,
    pub pts: Nanos,
    pub captured_at: OffsetDateTime,
    pub steady: Option<Duration>,
    pub clock: Dated,
    pub damage: Option<Damage>,
    pub vehicles: Vec<Detection>,
}

/// What a trial is made on: the stream, and what was seen in it.
#[derive(Debug, Clone)]
pub struct Tape {
    pub clip: Clip,
    pub seen: Vec<Seen>,
}

/// A lamp of the present drawing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LampShown {
    pub name: String,
    /// In the last picture: a light, `dark` or `unclear`.
    pub now: &'static str,
    /// What the rules would go by.
    pub confirmed: Option<Light>,
}

/// The camera's state, without the picture.
#[derive(Debug, Serialize)]
pub struct View {
    pub status: CameraStatus,
    /// Counts pictures.
    pub number: u64,
    pub size: [u32; 2],
    pub lamps: Vec<LampShown>,
    /// Boxes of vehicles: left, top, width, height, 0 to 1.
    pub vehicles: Vec<[f32; 4]>,
    /// Whether a detector looks at the pictures at all.
    pub detects: bool,
    /// Traffic kept, seconds.
    pub kept: f64,
    /// A recording came to its end.
    pub over: bool,
}

/// Where the pictures come from.
#[derive(Debug, Clone)]
enum From {
    Camera,
    Recording { path: PathBuf, start: OffsetDateTime },
}

/// One camera.
#[derive(Debug)]
pub struct Live<E: Eyes> {
    from: From,
    eyes: Option<Arc<Pool<E>>>,
    board: CameraHandle,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug)]
struct Shared {
    /// As drawn at present, and how often that changed.
    camera: Arc<Camera>,
    drawn: u64,
    asked: Instant,
    /// Of the thread that reads the camera, if there is one.
    stop: Option<Arc<AtomicBool>>,
    over: bool,
    number: u64,
    frame: Option<Frame>,
    jpeg: Option<(u64, Bytes)>,
    lamps: Vec<LampShown>,
    seen: VecDeque<Seen>,
    clip: Option<Clip>,
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    // Plain values, each whole by itself: a panic elsewhere leaves nothing half done that matters.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<E: Eyes> Live<E> {
    pub fn new(
        camera: Arc<Camera>,
        recording: Option<(PathBuf, OffsetDateTime)>,
        eyes: Option<Arc<Pool<E>>>,
    ) -> Self {
        let board = Board::new(Arc::new(System::default())).camera(&camera.id);
        let from = recording.map_or(From::Camera, |(path, start)| From::Recording { path, start });
        let shared = Shared {
            camera,
            drawn: 0,
            asked: Instant::now(),
            stop: None,
            over: false,
            number: 0,
            frame: None,
            jpeg: None,
            lamps: Vec::new(),
            seen: VecDeque::new(),
            clip: None,
        };
        Self { from, eyes, board, shared: Arc::new(Mutex::new(shared)) }
    }

    pub fn eyes(&self) -> Option<&Arc<Pool<E>>> {
        self.eyes.as_ref()
    }

    /// Somebody looks: the camera is opened if it is not, a recording from its beginning where `anew`.
    pub fn ask(&self, anew: bool) -> std::io::Result<()> {
        let mut shared = lock(&self.shared);
        shared.asked = Instant::now();
        if shared.stop.is_some() || shared.over && !anew {
            return Ok(());
        }
        // It may be another camera now, and its times begin anew in any case.
        shared.seen.clear();
        shared.clip = None;
        shared.lamps.clear();
        let stop: Arc<AtomicBool> = Arc::default();
        let reading = Reader {
            from: self.from.clone(),
            board: self.board.clone(),
            stop: Arc::clone(&stop),
            looker: Looker {
                eyes: self.eyes.clone(),
                board: self.board.clone(),
                shared: Arc::clone(&self.shared),
                paced: matches!(self.from, From::Recording { .. }).then(Instant::now),
                epoch: None,
                drawn: None,
                lamps: Vec::new(),
                cut_at: 0,
            },
        };
        std::thread::Builder::new()
            .name(format!("camera {}", shared.camera.id))
            .spawn(move || reading.run())?;
        shared.stop = Some(stop);
        shared.over = false;
        Ok(())
    }

    /// Looks on with another drawing; where the way to the camera is another, it is opened anew.
    pub fn draw(&self, camera: Camera) {
        let mut shared = lock(&self.shared);
        if shared.camera.is(&camera) {
            return;
        }
        let reads_it = matches!(self.from, From::Camera);
        if reads_it && !reached_alike(&shared.camera, &camera) {
            // One connection at a time: who asks next opens it, once this one has ended.
            if let Some(stop) = &shared.stop {
                stop.store(true, Ordering::Relaxed);
            }
        }
        shared.camera = Arc::new(camera);
        shared.drawn += 1;
    }

    pub fn view(&self) -> View {
        let shared = lock(&self.shared);
        let frame = shared.frame.as_ref();
        let size = frame.map_or([0, 0], |frame| [frame.width(), frame.height()]);
        let [width, height] = size.map(|side| side.max(1) as f32);
        let part = |found: &Detection| {
            let bbox = found.bbox;
            [bbox.x1 / width, bbox.y1 / height, bbox.width() / width, bbox.height() / height]
        };
        let kept = shared.seen.front().zip(shared.seen.back());
        View {
            status: self.board.status(),
            number: shared.number,
            size,
            lamps: shared.lamps.clone(),
            vehicles: shared.seen.back().iter().flat_map(|it| &it.vehicles).map(part).collect(),
            detects: self.eyes.is_some(),
            kept: kept.map_or(0.0, |(first, last)| (last.t - first.t) as f64 / 1e9),
            over: shared.over,
        }
    }

    /// Width and height of the pictures, once there was one.
    pub fn size(&self) -> Option<[u32; 2]> {
        lock(&self.shared).frame.as_ref().map(|frame| [frame.width(), frame.height()])
    }

    /// The last picture, and its number.
    pub fn jpeg(&self) -> Option<(u64, Bytes)> {
        let (number, frame) = {
            let shared = lock(&self.shared);
            if let Some((_, jpeg)) = shared.jpeg.as_ref().filter(|(of, _)| *of == shared.number) {
                return Some((shared.number, jpeg.clone()));
            }
            (shared.number, shared.frame.clone()?)
        };
        let bytes = Bytes::from(smaller(&frames::to_rgb(&frame), WIDTH)?);
        lock(&self.shared).jpeg = Some((number, bytes.clone()));
        Some((number, bytes))
    }

    /// The traffic kept; none before there was any.
    pub fn tape(&self) -> Option<Tape> {
        let shared = lock(&self.shared);
        let clip = shared.clip.clone()?;
        let last = clip.units.iter().map(|unit| unit.pts_ns).max()?;
        let first = clip.units.first()?.pts_ns;
        let within = |seen: &&Seen| (first..=last).contains(&seen.t);
        let seen: Vec<Seen> = shared.seen.iter().filter(within).cloned().collect();
        (!seen.is_empty()).then_some(Tape { clip, seen })
    }
}

impl<E: Eyes> Drop for Live<E> {
    fn drop(&mut self) {
        if let Some(stop) = &lock(&self.shared).stop {
            stop.store(true, Ordering::Relaxed);
        }
    }
}

/// A picture no wider than `most`, as JPEG.
pub fn smaller(rgb: &image::RgbImage, most: u32) -> Option<Vec<u8>> {
    let (width, height) = rgb.dimensions();
    if width <= most {
        return frames::encode(rgb, QUALITY).ok();
    }
    let size = (most, (height * most / width).max(1));
    frames::encode(&imageops::resize(rgb, size.0, size.1, FilterType::Triangle), QUALITY).ok()
}

/// The thread that reads a camera.
struct Reader<E: Eyes> {
    from: From,
    board: CameraHandle,
    stop: Arc<AtomicBool>,
    looker: Looker<E>,
}

impl<E: Eyes> Reader<E> {
    fn run(mut self) {
        let shared = Arc::clone(&self.looker.shared);
        let _closed = Closed(Arc::clone(&shared), matches!(self.from, From::Recording { .. }));
        let make = || {
            // By itself: the lock is not held while the camera is asked for its streams.
            let camera = Arc::clone(&lock(&shared).camera);
            settings(&self.from, &camera)
        };
        let alive = || {
            if lock(&shared).asked.elapsed() > IDLE {
                self.stop.store(true, Ordering::Relaxed);
            }
        };
        supervise::run(make, &mut self.looker, &self.board, &self.stop, &alive, rand::random());
    }
}

/// Notes that the camera is closed, however that came.
struct Closed(Arc<Mutex<Shared>>, bool);

impl Drop for Closed {
    fn drop(&mut self) {
        let mut shared = lock(&self.0);
        let stopped = shared.stop.take().is_some_and(|stop| stop.load(Ordering::Relaxed));
        shared.over = self.1 && !stopped;
    }
}

/// Whether both are reached the same way.
fn reached_alike(a: &Camera, b: &Camera) -> bool {
    (&a.uri, &a.onvif, &a.substream, &a.credentials)
        == (&b.uri, &b.onvif, &b.substream, &b.credentials)
}

/// As the agent opens it, but what is kept is what is looked at.
fn settings(from: &From, camera: &Camera) -> Result<Settings, SourceError> {
    let pace = Pace::fixed(camera.analysed_fps.most);
    let settings = match from {
        From::Camera => {
            Settings { larger: None, ..cameras::settings(camera, &Arc::default(), pace)? }
        }
        From::Recording { path, start } => Settings {
            camera: camera.id.clone(),
            input: Input::File { path: path.clone() },
            larger: None,
            dating: Dating::Recording { start: *start },
            pace,
            keep: 0,
            keep_bytes: 0,
        },
    };
    Ok(Settings { keep: KEPT, keep_bytes: MAX_PICTURES, ..settings })
}

/// Takes in a camera's pictures.
struct Looker<E: Eyes> {
    eyes: Option<Arc<Pool<E>>>,
    board: CameraHandle,
    shared: Arc<Mutex<Shared>>,
    /// When a recording began to play: it is not shown faster than it was taken.
    paced: Option<Instant>,
    epoch: Option<u32>,
    drawn: Option<(u64, Arc<Camera>)>,
    lamps: Vec<(LampReader, judge::lamp::Lamp)>,
    cut_at: Nanos,
}

impl<E: Eyes> Looker<E> {
    /// Begins anew what the drawing makes another.
    fn follow_drawing(&mut self) -> Arc<Camera> {
        let mut shared = lock(&self.shared);
        let (drawn, camera) = (shared.drawn, Arc::clone(&shared.camera));
        if let Some((_, before)) = self.drawn.as_ref().filter(|(of, _)| *of != drawn)
            && (before.detect, before.closer) != (camera.detect, camera.closer)
        {
            // What was found until now was found elsewhere.
            shared.seen.clear();
        }
        if self.drawn.as_ref().is_none_or(|(_, before)| before.lamps != camera.lamps) {
            let new = |lamp: &Lamp| (LampReader::new(lamp), unseen(lamp));
            self.lamps = camera.lamps.iter().map(new).collect();
        }
        self.drawn = Some((drawn, Arc::clone(&camera)));
        camera
    }

    fn read_lamps(&mut self, picture: &Picture) -> Vec<LampShown> {
        let planes = picture.frame.planes();
        let read = |(reader, lamp): &mut (LampReader, judge::lamp::Lamp)| {
            let reading = reader.read(picture.t, &planes);
            lamp.history.push(picture.t, reading);
            LampShown {
                name: lamp.name.clone(),
                now: match reading {
                    Reading::Lit(Light::Red) => "red",
                    Reading::Lit(Light::Amber) => "amber",
                    Reading::Lit(Light::Green) => "green",
                    Reading::Dark => "dark",
                    Reading::Unclear => "unclear",
                },
                confirmed: lamp.history.at(picture.t).map(|stretch| stretch.light),
            }
        };
        self.lamps.iter_mut().map(read).collect()
    }

    fn vehicles(&self, camera: &Camera, picture: &Picture) -> Vec<Detection> {
        let Some(pool) = &self.eyes else { return Vec::new() };
        let view = watch::view(camera, &picture.frame);
        let found = pool.take(false).vehicles(&picture.frame.planes(), &view);
        found.unwrap_or_else(|error| {
            tracing::error!(camera = camera.id, %error, "detection failed");
            Vec::new()
        })
    }
}

impl<E: Eyes> Watcher for Looker<E> {
    fn picture(&mut self, picture: Picture, source: &Source) {
        if let Some(began) = self.paced {
            let due = began + Duration::from_nanos(picture.t);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        self.board.state(CameraState::Streaming, "");
        self.board.frame(picture.captured_at);
        let camera = self.follow_drawing();
        if self.epoch.replace(picture.clock.epoch) != Some(picture.clock.epoch) {
            // Its times do not compare with those before.
            self.lamps.iter_mut().for_each(|(_, lamp)| lamp.history.sever(0));
            self.cut_at = 0;
            let mut shared = lock(&self.shared);
            shared.seen.clear();
            shared.clip = None;
        }
        let lamps = self.read_lamps(&picture);
        let vehicles = self.vehicles(&camera, &picture);
        let t = picture.t;
        let oldest = {
            let mut shared = lock(&self.shared);
            shared.number += 1;
            shared.lamps = lamps;
            shared.seen.push_back(Seen {
                t,
                pts: picture.pts,
                captured_at: picture.captured_at,
                steady: picture.steady,
                clock: picture.clock,
                damage: picture.damage,
                vehicles,
            });
            while shared.seen.len() > MOST
                || shared.seen.front().is_some_and(|first| first.t + KEPT < t)
            {
                shared.seen.pop_front();
            }
            shared.frame = Some(picture.frame);
            shared.seen.front().map_or(t, |first| first.t)
        };
        if t >= self.cut_at {
            // A recording's last picture may be this one.
            self.cut_at = if self.paced.is_some() { t } else { t + CUT };
            // Where it is too much for one clip, the oldest goes.
            let clip = source.clip(&Span { from: oldest, moments: vec![t], to: t });
            lock(&self.shared).clip = clip;
        }
    }

    fn interrupted(&mut self) {
        self.lamps.clear();
        self.drawn = None;
    }
}

#[cfg(test)]
mod tests {
    use plate_model::Models;

    use super::*;
    use crate::config;

    fn camera(uri: &str, height: f32) -> Camera {
        let text = format!(
            "[[camera]]\nid = \"a\"\nplace = \"b\"\ndirection = \"c\"\nplan = \"d\"\n\
             uri = \"{uri}\"\ndetect = [0.0, 0.1, 1.0, {height}]\n"
        );
        let (agent, _) = config::sketch(&[("site.toml".into(), text)]).unwrap();
        Camera::clone(&agent.cameras[0])
    }

    #[test]
    fn another_drawing_goes_on_and_another_way_opens_anew() {
        let recording = Some((PathBuf::from("clip.mp4"), OffsetDateTime::UNIX_EPOCH));
        for (played, ends) in [(None, true), (recording, false)] {
            let before = Arc::new(camera("rtsp://192.0.2.1/a", 0.6));
            let live = Live::<Models>::new(before, played, None);
            let stop: Arc<AtomicBool> = Arc::default();
            lock(&live.shared).stop = Some(Arc::clone(&stop));
            let drawn = |uri: &str, height: f32| {
                live.draw(camera(uri, height));
                let shared = lock(&live.shared);
                (shared.drawn, shared.camera.uri.clone(), stop.load(Ordering::Relaxed))
            };
            let uri = |host: u8| format!("rtsp://192.0.2.{host}/a");
            assert_eq!(drawn(&uri(1), 0.6), (0, Some(uri(1)), false), "the same");
            assert_eq!(drawn(&uri(1), 0.5), (1, Some(uri(1)), false), "another drawing");
            assert_eq!(drawn(&uri(2), 0.5), (2, Some(uri(2)), ends), "a corrected address");
        }
    }
}

//! Keeps one camera's source open for as long as the agent runs: opens it, hands its pictures on,
//! and after any failure shows why and tries again, with growing waits. Nobody else is affected.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::address::{self, Address, Login};
use super::shared::Counts;
use super::{Damage, Input, Next, Picture, Settings, Source, SourceError};
use crate::backoff::Backoff;
use crate::config::Camera;
use crate::health::{Analysed, CameraHandle, CameraState, Stream};
use crate::onvif;
use crate::pace::Pace;

/// Waits between two attempts to reach a camera.
const RETRY: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// What the camera's loop does with its source.
pub trait Watcher {
    /// A due picture.
    fn picture(&mut self, picture: Picture, source: &Source);
    /// The connection is over; what was followed is lost.
    fn interrupted(&mut self);
}

/// Reads the camera's login file.
pub fn login(camera: &Camera) -> Result<Option<Login>, SourceError> {
    let Some(path) = &camera.credentials else { return Ok(None) };
    let wrong = |problem: String| SourceError::Login { path: path.clone(), problem };
    let text = std::fs::read(path).map_err(|e| wrong(e.to_string()))?;
    let text = String::from_utf8(text).map_err(|_| wrong("must be saved as UTF-8".into()))?;
    address::login_file(&text).map(Some).map_err(|problem| wrong(problem.into()))
}

/// What a camera's addresses open: its main stream and, where that is analysed, its substream. Of a
/// camera that is configured by `onvif` they are asked for, which waits for its answers.
pub fn inputs(camera: &Camera) -> Result<(Input, Option<Input>), SourceError> {
    let login = login(camera)?;
    let (main, small) = match &camera.onvif {
        Some(setting) => {
            let mut setting = setting.clone();
            setting.subprofile = setting.subprofile.filter(|_| camera.analyses_substream());
            let streams = onvif::streams(&setting, login.as_ref())?;
            (streams.main, streams.small)
        }
        None => {
            let small = camera.substream.as_deref().filter(|_| camera.analyses_substream());
            (written(camera.uri.as_deref().unwrap_or_default())?, small.map(written).transpose()?)
        }
    };
    let input = |address| Input::Rtsp { address, login: login.clone() };
    Ok((input(main), small.map(input)))
}

fn written(uri: &str) -> Result<Address, SourceError> {
    let problem = |problem| SourceError::Address { address: address::without_login(uri), problem };
    Address::parse(uri).map_err(problem)
}

/// Runs until `stop`, telling `alive` all the while. `make` gives the settings anew for every attempt, so that a corrected
/// login file and a camera's new address work without a restart.
pub fn run(
    make: impl Fn() -> Result<Settings, SourceError>,
    watcher: &mut impl Watcher,
    board: &CameraHandle,
    stop: &Arc<AtomicBool>,
    alive: &impl Fn(),
    seed: u64,
) {
    let mut backoff = Backoff::new(RETRY.0, RETRY.1, seed);
    let mut epoch = 0;
    let mut first = true;
    while !stop.load(Ordering::Relaxed) {
        if !std::mem::take(&mut first) {
            board.reconnected();
        } else {
            board.state(CameraState::Connecting, "");
        }
        let opened = make().and_then(|settings| {
            let source = Source::open(&settings, epoch)?;
            Ok((source, settings.pace))
        });
        let ended = match opened {
            Ok((mut source, pace)) => {
                let ended = pump((&mut source, &pace), watcher, board, stop, alive, &mut backoff);
                // A new connection starts stream time anew: its tracks are of another epoch.
                epoch = source.epoch() + 1;
                ended
            }
            Err(error) => Err(error),
        };
        watcher.interrupted();
        let Err(error) = ended else { break };
        board.state(error.state(), error.to_string());
        board.dropped(error.kind(), 0);
        pause(backoff.next(), stop, alive);
    }
    board.state(CameraState::Stopped, "");
}

fn pump(
    (source, pace): (&mut Source, &Pace),
    watcher: &mut impl Watcher,
    board: &CameraHandle,
    stop: &Arc<AtomicBool>,
    alive: &impl Fn(),
    backoff: &mut Backoff,
) -> Result<(), SourceError> {
    let mut reported = Counts::default();
    let mut lost = BTreeMap::new();
    let mut counted = Instant::now();
    let mut streaming = None;
    while !stop.load(Ordering::Relaxed) {
        alive();
        match source.next(Duration::from_millis(200))? {
            Next::Picture(picture) => {
                let (width, height) = (picture.frame.width(), picture.frame.height());
                if streaming.replace((width, height)) != Some((width, height)) {
                    backoff.reset();
                    let stream = if source.is_pair() { Stream::Substream } else { Stream::Main };
                    let decoder = source.decoder().unwrap_or("unknown");
                    board.analyses(Analysed { stream, width, height, decoder });
                }
                watcher.picture(*picture, source);
            }
            Next::Nothing => {}
            Next::Ended => return Ok(()),
        }
        let span = counted.elapsed();
        if span >= Duration::from_secs(1) {
            counted = Instant::now();
            let now = source.counts();
            board.arrived(now.decoded.saturating_sub(reported.decoded), span);
            board.paced(pace.range(), pace.present());
            for (cause, count) in now.since(&reported) {
                if count > 0 {
                    board.dropped(cause, count);
                }
            }
            reported = now;
            for (damage, count) in source.losses() {
                let new = count - lost.insert(damage, count).unwrap_or(0);
                if new > 0 {
                    board.dropped(damage.name(), new);
                }
            }
        }
    }
    Ok(())
}

fn pause(wait: Duration, stop: &Arc<AtomicBool>, alive: &impl Fn()) {
    let until = Instant::now() + wait;
    while Instant::now() < until && !stop.load(Ordering::Relaxed) {
        alive();
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What a short look at a camera found.
#[derive(Debug)]
pub struct Probe {
    pub picture: Picture,
    /// It is of the substream, and the main stream comes, too.
    pub pair: bool,
    pub decoder: &'static str,
    /// Parts of the stream that were lost while looking, by cause.
    pub losses: BTreeMap<Damage, u64>,
}

/// How long the doctor looks on after the first whole picture: losses are rarely in the first.
const WATCHED: Duration = Duration::from_secs(4);

/// Opens a camera once and waits for its first whole picture, then looks on for some seconds: for
/// the doctor.
pub fn probe(settings: &Settings, timeout: Duration) -> Result<Probe, SourceError> {
    let mut source = Source::open(settings, 0)?;
    let until = Instant::now() + timeout;
    let mut found: Option<(Picture, Instant)> = None;
    while Instant::now() < until {
        if let Next::Picture(picture) = source.next(Duration::from_millis(100))? {
            // The last one says most: sender reports come after some seconds.
            match &mut found {
                Some((last, _)) if picture.damage.is_none() => *last = *picture,
                None if picture.damage.is_none() => found = Some((*picture, Instant::now())),
                _ => {}
            }
        }
        if found.as_ref().is_some_and(|(_, since)| since.elapsed() >= WATCHED) {
            break;
        }
    }
    let losses = source.losses();
    if let Some((picture, _)) = found.filter(|_| source.complete()) {
        let decoder = source.decoder().unwrap_or("unknown");
        return Ok(Probe { picture, pair: source.is_pair(), decoder, losses });
    }
    let address = settings.input.address();
    let seconds = timeout.as_secs();
    Err(match losses.keys().next() {
        Some(damage) => SourceError::Damaged { address, seconds, why: damage.words() },
        None => SourceError::Stalled { address, seconds },
    })
}

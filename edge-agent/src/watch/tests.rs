//! The whole loop of one camera on painted frames: eyes that read the frame's number from its
//! first pixels and see what a script says, a lamp that is really looked at.

mod elsewhere;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use contract::manifest::Clock;
use contract::{MomentRole, VehicleClass};
use judge::basis::Basis;
use judge::lamp::Light;
use plate_model::{Characters, Frame, Fusion, Layout, PixelFormat, Planes, PlateQuad, View};
use time::OffsetDateTime;

use super::*;
use crate::accusation::{AccessUnit, Pixels, Span};
use crate::boxes::Turn;
use crate::clock::System;
use crate::health::Board;
use crate::see::SECOND;
use crate::see::tracker::Settings;
use crate::source::Damage;
use crate::wire::{Cabinet, WireState, Word};

const SIDE: u32 = 400;
const FPS: u64 = 10;

/// Where the motorbike's wheels are in picture `i`, as a share of the height; it keeps to the
/// middle.
type Way = fn(u64) -> f32;

/// Sees one motorbike on its way.
struct Script(Way);

/// Straight up, over the line at two seconds.
fn through(i: u64) -> f32 {
    0.95 - 0.0175 * i as f32
}

/// Over the line like [`through`], there until nine seconds, then on.
fn stopping(i: u64) -> f32 {
    through(i.min(23) + i.saturating_sub(90))
}

fn bike(y: f32) -> BBox {
    let s = SIDE as f32;
    BBox::new(0.475 * s, (y - 0.1) * s, 0.525 * s, y * s)
}

fn number(planes: &Planes<'_>) -> u64 {
    u64::from(planes.luma().row(0)[0])
}

impl Eyes for Script {
    fn vehicles(
        &mut self,
        planes: &Planes<'_>,
        _view: &View,
    ) -> plate_model::Result<Vec<Detection>> {
        let bbox = bike(self.0(number(planes)));
        let class = VehicleClass::Motorbike;
        Ok(if bbox.y1 < 0.0 { vec![] } else { vec![Detection { class, score: 0.8, bbox }] })
    }

    fn plate(
        &mut self,
        _planes: &Planes<'_>,
        _bbox: BBox,
    ) -> plate_model::Result<Option<(PlateQuad, Characters)>> {
        Ok(None)
    }

    fn fusion(&self, class: VehicleClass) -> Fusion {
        Fusion::new(class)
    }
}

/// A clip of two units, whatever is asked.
struct AnyClip(bool);

impl Clips for AnyClip {
    fn clip(&self, span: &Span) -> Option<Clip> {
        let unit = |pts_ns, key| AccessUnit {
            pts_ns,
            dts_ns: None,
            key,
            whole: true,
            data: Bytes::from_static(&[0, 0, 0, 1]),
            captured_at: OffsetDateTime::UNIX_EPOCH,
        };
        self.0.then(|| Clip {
            caps: "video/x-h264".into(),
            units: vec![unit(span.from, true), unit(span.to, false)],
            turn: Turn::NONE,
            reencoded: false,
            larger: None,
        })
    }
}

/// `far` is the picture of which the far side shows what moves there.
fn picture(i: u64, far: u64, side: u32, lit: Light, source: ClockSource, epoch: u32) -> Picture {
    let layout = Layout::packed(PixelFormat::I420, side, side);
    // A living sensor's noise: no two pictures are alike.
    let noise = |p: usize| (p as u64 * 31 + i * 17).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 60;
    let mut data: Vec<u8> = (0..layout.offsets[1]).map(|p| 104 + noise(p) as u8).collect();
    data.resize(layout.bytes().unwrap(), 128);
    data[0] = i as u8;
    // Somebody rides along the far side.
    let far = 10 + (far as usize * 5) % 200;
    for y in 20..40 {
        data[y * side as usize + far..][..20].fill(220);
    }
    // The sample's head: x 0.92 to 0.95, y 0.05 to 0.17, dark but for one disc.
    let s = side as usize;
    let cell = match lit {
        Light::Red => 0,
        Light::Amber => 1,
        Light::Green => 2,
    };
    for y in s * 5 / 100..s * 17 / 100 {
        for x in s * 92 / 100..s * 95 / 100 {
            let on = (y * 100 / s - 5) / 4 == cell;
            data[y * s + x] = if on { 150 } else { 25 };
            if on {
                let v = if lit == Light::Green { 70 } else { 200 };
                data[layout.offsets[2] + (y / 2) * (s / 2) + x / 2] = v;
            }
        }
    }
    let t = i * SECOND / FPS;
    Picture {
        frame: Frame::from_vec(layout, data).unwrap(),
        t,
        pts: t,
        captured_at: OffsetDateTime::UNIX_EPOCH + std::time::Duration::from_nanos(t),
        steady: None,
        clock: Clock { source, offset_ms: None, age_ms: None, epoch },
        damage: None,
    }
}

/// What a bag over the camera lets through: its noise.
fn covered(i: u64, side: u32) -> Frame {
    let layout = Layout::packed(PixelFormat::I420, side, side);
    let noise = |p: usize| (p as u64 * 13 + i * 7).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 60;
    let mut data: Vec<u8> = (0..layout.offsets[1]).map(|p| 30 + noise(p) as u8).collect();
    data.resize(layout.bytes().unwrap(), 128);
    Frame::from_vec(layout, data).unwrap()
}

struct Run {
    way: Way,
    pictures: u64,
    lit: Light,
    /// When the lamp turns green.
    green: u64,
    /// After which picture the connection breaks.
    broken: Option<u64>,
    acts: Vec<Act>,
    source: ClockSource,
    /// Epoch and side of the frame from this picture on.
    change: Option<(u64, u32, u32)>,
    clip: bool,
    /// Pictures of which the stream lost a part.
    damaged: std::ops::Range<u64>,
    /// Pictures that only repeat the first of them.
    frozen: std::ops::Range<u64>,
    /// Pictures in which nothing moves.
    still: std::ops::Range<u64>,
    /// Pictures that never came.
    missing: std::ops::Range<u64>,
    /// Pictures before a covered lens.
    covered: std::ops::Range<u64>,
    /// What the signal cabinet says all the while; none where there is no wire.
    wire: Option<Word>,
    heard: Arc<Mutex<Heard>>,
}

#[derive(Debug)]
struct Always(Word);

impl Cabinet for Always {
    fn says(&self, _: std::time::Duration) -> Word {
        self.0
    }
}

/// What a listener is told of the rules, and of whom the end.
#[derive(Default)]
struct Heard {
    words: Vec<String>,
    ended: Vec<u64>,
}

impl Listener for Heard {
    fn picture(&mut self, _: &Picture, _: &[Sighting], _: &[Track]) {}

    fn look(&mut self, _: &Picture, _: &listener::Look<'_>) {}

    fn ended(&mut self, track: &Track, _: u32, _: &plate_model::Verdict) {
        self.ended.push(track.id);
    }

    fn found(&mut self, _: &Track, rule: &Act) {
        self.words.push(format!("{rule} found"));
    }

    fn decided(&mut self, _: &Track, rule: &Act, said: &listener::Said<'_>) {
        let word = match said {
            listener::Said::Lawful(kind) => kind.name(),
            listener::Said::Abstained(doubt) => doubt.name(),
            listener::Said::Accused(charge) => charge.act.name(),
        };
        self.words.push(format!("{rule} {word}"));
    }
}

impl Default for Run {
    fn default() -> Self {
        Self {
            way: through,
            pictures: 160,
            lit: Light::Red,
            green: u64::MAX,
            broken: None,
            acts: sample::ACTS.to_vec(),
            source: ClockSource::Rtcp,
            change: None,
            clip: true,
            damaged: 0..0,
            frozen: 0..0,
            still: 0..0,
            missing: 0..0,
            covered: 0..0,
            wire: None,
            heard: Arc::default(),
        }
    }
}

impl Run {
    fn play(self) -> (Vec<Accused>, CameraHandle) {
        let (found, board, _) = self.play_by_state();
        (found, board)
    }

    /// With the camera's state after every picture.
    fn play_by_state(self) -> (Vec<Accused>, CameraHandle, Vec<CameraState>) {
        let board = Board::new(Arc::new(System::default())).camera("cam-01");
        let found: Arc<Mutex<Vec<Accused>>> = Arc::default();
        let inbox = Arc::clone(&found);
        let context = Context {
            device: "edge-01".into(),
            models: vec![],
            plates_per_frame: 4,
            wanted: Wanted::Suspects,
            passages: Arc::default(),
        };
        let pool = Arc::new(Pool::new(Script(self.way), vec![], Settings::default()));
        let camera = Arc::new(sample::judging(&self.acts));
        let mut watch = Watch::new(camera, context, pool, board.clone(), move |accused| {
            inbox.lock().unwrap().push(accused);
        });
        if let Some(word) = self.wire {
            let lamps = sample::judging(&self.acts).lamps.len();
            let check = || Some(Check::new(Arc::new(Always(word)), 1500 * (SECOND / 1000)));
            watch.hold_against((0..lamps).map(|_| check()).collect());
        }
        watch.listen(Box::new(Arc::clone(&self.heard)));
        let mut states = Vec::new();
        for i in 0..self.pictures {
            let (epoch, side) = match self.change {
                Some((from, epoch, side)) if i >= from => (epoch, side),
                _ => (0, SIDE),
            };
            if self.missing.contains(&i) {
                continue;
            }
            let shown = if self.frozen.contains(&i) { self.frozen.start } else { i };
            let lit = if shown >= self.green { Light::Green } else { self.lit };
            let far = if self.still.contains(&i) { self.still.start } else { shown };
            let mut picture = picture(shown, far, side, lit, self.source, epoch);
            if self.covered.contains(&i) {
                picture.frame = covered(i, side);
            }
            let t = i * SECOND / FPS;
            (picture.t, picture.pts) = (t, t);
            picture.captured_at = OffsetDateTime::UNIX_EPOCH + std::time::Duration::from_nanos(t);
            picture.damage = self.damaged.contains(&i).then_some(Damage::PictureLost);
            watch.look(&picture, &AnyClip(self.clip));
            states.push(board.status().state);
            if self.broken == Some(i) {
                watch.interrupted();
                break;
            }
        }
        watch.finish(&AnyClip(self.clip));
        let found = std::mem::take(&mut *found.lock().unwrap());
        (found, board, states)
    }
}

#[test]
fn a_violator_is_accused_with_everything_that_shows_it() {
    let (found, board) = Run::default().play();
    let [accused] = found.as_slice() else { panic!("{} accusations", found.len()) };
    let accusation = &accused.accusation;
    // 0.95 − 0.0175 i = 0.6 at i = 20.
    assert!(accused.crossed_at.abs_diff(2 * SECOND) < SECOND / 20, "{}", accused.crossed_at);
    assert_eq!(accusation.violation.act, Act::RED_LIGHT);
    let roles: Vec<_> = accusation.moments.iter().map(|taken| taken.role).collect();
    assert_eq!(roles, [MomentRole::Before, MomentRole::On, MomentRole::Past]);
    assert_eq!(accusation.violation.at, accusation.moments[1].shot.captured_at);
    for pair in accusation.moments.windows(2) {
        assert!(pair[0].shot.captured_at < pair[1].shot.captured_at);
    }
    let shots = accusation.moments.iter().map(|taken| &taken.shot);
    for shot in shots.chain([&accusation.close_up]) {
        let Pixels::Frame(frame) = &shot.pixels else { panic!("a short act is kept as it is") };
        let [found, there] = [shot.vehicle, bike(through(number(&frame.planes())))];
        // Ways are kept in parts of a pixel.
        assert!(found.iou(&there) > 0.99, "box and frame belong together");
    }
    let [first, last] = [accusation.clip.units[0].pts_ns, accusation.clip.units[1].pts_ns];
    assert!(first <= accused.crossed_at - SECOND && last >= accused.crossed_at + 2 * SECOND);
    assert_eq!(accusation.config_digest, sample::judging(&sample::ACTS).digest());
    let again = Basis::parse(&accusation.basis).unwrap().verdict();
    let Ok(judge::Verdict::Violation(finding)) = again else { panic!("{again:?}") };
    assert_eq!((&finding.act, finding.at), (&Act::RED_LIGHT, accused.crossed_at));
    assert_eq!(finding.facts, accusation.violation.facts);
    assert_eq!(accusation.plate, None);
    assert_eq!(board.status().state, CameraState::Streaming);
}

#[test]
fn listeners_hear_the_last_word_of_every_rule() {
    let told = |run: Run| {
        let heard = Arc::clone(&run.heard);
        run.play();
        let heard = heard.lock().unwrap();
        (heard.words.join(", "), heard.ended.len())
    };
    let accused = "stop_line drove_on, red_light found, red_light red_light";
    assert_eq!(told(Run::default()), (accused.into(), 1));
    let (green, ended) = told(Run { lit: Light::Green, ..Run::default() });
    assert_eq!((green.as_str(), ended), ("stop_line drove_on, red_light lamp_not_red", 1));
    // Who is followed while the connection breaks is told of, once.
    let lost = "red_light sight_lost, stop_line sight_lost";
    assert_eq!(told(Run { broken: Some(15), ..Run::default() }), (lost.into(), 1));
}

#[test]
fn the_same_act_has_the_same_name() {
    let id = |run: Run| run.play().0[0].accusation.evidence_id;
    assert_eq!(id(Run::default()), id(Run::default()));
    let arrival = Run { source: ClockSource::Arrival, ..Run::default() };
    assert_eq!(id(Run::default()), id(arrival), "how the time is known does not rename it");
}

#[test]
fn on_green_nothing_leaves() {
    assert!(Run { lit: Light::Green, ..Run::default() }.play().0.is_empty());
}

#[test]
fn a_lamp_that_its_wire_does_not_bear_out_accuses_nobody() {
    let run = |wire| Run { wire: Some(wire), ..Run::default() }.play();
    let (found, board) = run(Word::Red);
    assert_eq!(found.len(), 1, "agreement changes nothing");
    let id = |found: &[Accused]| found[0].accusation.evidence_id;
    assert_eq!(id(&found), id(&Run::default().play().0));
    assert_eq!(board.status().wires["main"], WireState::Agrees);
    for (word, state) in [(Word::NotRed, WireState::Differs), (Word::Nothing, WireState::Silent)] {
        let (found, board) = run(word);
        assert!(found.is_empty(), "{word:?}");
        assert_eq!(board.status().wires["main"], state);
    }
}

#[test]
fn an_unknown_clock_accuses_nobody_and_says_so() {
    let (found, board) = Run { source: ClockSource::Unknown, ..Run::default() }.play();
    assert!(found.is_empty());
    assert_eq!(board.status().state, CameraState::ClockUnknown);
}

#[test]
fn a_clock_step_on_the_line_voids_what_was_followed() {
    let (found, board) = Run { change: Some((20, 1, SIDE)), ..Run::default() }.play();
    assert!(found.is_empty(), "crossing and approach are of different epochs");
    assert_eq!(board.status().dropped.get("tracks_restarted"), Some(&1));
    // A step long before leaves time to follow anew.
    assert_eq!(Run { change: Some((5, 1, SIDE)), ..Run::default() }.play().0.len(), 1);
}

#[test]
fn a_new_picture_size_starts_anew() {
    // In the larger frame the vehicle is beyond the line at once.
    let (found, _) = Run { change: Some((20, 0, 800)), ..Run::default() }.play();
    assert!(found.is_empty());
}

#[test]
fn without_a_clip_there_is_no_case() {
    assert!(Run { clip: false, ..Run::default() }.play().0.is_empty());
}

/// What the motorbike that stops over the line is accused of.
fn stopped(run: Run) -> Vec<Act> {
    Run { way: stopping, ..run }
        .play()
        .0
        .iter()
        .map(|accused| accused.accusation.violation.act.clone())
        .collect()
}

#[test]
fn one_passage_is_one_act_and_the_graver_one() {
    // The stop line verdict falls at six seconds, the motorbike goes on at nine.
    for acts in [[Act::RED_LIGHT, Act::STOP_LINE], [Act::STOP_LINE, Act::RED_LIGHT]] {
        let run = || Run { acts: acts.to_vec(), ..Run::default() };
        assert_eq!(stopped(run()), [Act::RED_LIGHT], "on during red");
        assert_eq!(stopped(Run { green: 85, ..run() }), [Act::STOP_LINE], "green");
    }
    // It never goes on.
    assert_eq!(stopped(Run { pictures: 88, ..Run::default() }), [Act::STOP_LINE]);
    let only = Run { acts: vec![Act::STOP_LINE], ..Run::default() };
    assert_eq!(stopped(only), [Act::STOP_LINE], "the other rule is not asked here");
    // Nobody will see any more whether it goes on; what was complete is not lost.
    assert_eq!(stopped(Run { broken: Some(86), ..Run::default() }), [Act::STOP_LINE]);
}

// The vehicle crosses at picture 20 and has clearly gone on by 30.

#[test]
fn what_was_not_seen_before_the_damage_is_not_accused() {
    for start in [10, 18, 20, 22] {
        let run = Run { damaged: start..start + 25, ..Run::default() };
        let (found, board, states) = run.play_by_state();
        assert!(found.is_empty(), "damage from picture {start}");
        assert_eq!(states[start as usize + 3], CameraState::Damaged);
        assert_eq!(board.status().state, CameraState::Streaming, "and recovers");
        assert_eq!(board.status().dropped.get("damaged_picture"), Some(&25));
    }
}

#[test]
fn whose_passage_was_cut_by_damage_is_counted_under_that() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let pages = recorder.handle();
    metrics::with_local_recorder(&recorder, || Run { damaged: 22..60, ..Run::default() }.play());
    let page = pages.render();
    let abstained: Vec<&str> =
        page.lines().filter(|line| line.starts_with("edge_abstentions_total{")).collect();
    let cut = |line: &&str| line.contains(r#"reason="sight_lost""#) && line.ends_with(" 1");
    assert_eq!(abstained.iter().filter(|line| cut(line)).count(), 2, "{abstained:?}");
    // Before the line nobody had done anything yet.
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let pages = recorder.handle();
    metrics::with_local_recorder(&recorder, || Run { damaged: 10..60, ..Run::default() }.play());
    assert!(!pages.render().contains("sight_lost"));
}

#[test]
fn what_was_decided_before_the_damage_leaves_with_a_clip_that_ends_there() {
    // A quick one is decided some pictures before its clip would be complete.
    let decided = |start: u64| {
        let run = Run { way: |i| through(2 * i), damaged: start..start + 20, ..Run::default() };
        run.play().0.pop().map(|accused| (start, accused))
    };
    let (start, accused) = (12..30).find_map(decided).unwrap();
    let end = (start - 1) * SECOND / FPS;
    assert_eq!(accused.accusation.clip.units.last().unwrap().pts_ns, end);
    let end = OffsetDateTime::UNIX_EPOCH + std::time::Duration::from_nanos(end);
    assert!(accused.accusation.moments[2].shot.captured_at <= end);
}

#[test]
fn damage_long_before_leaves_time_to_follow_anew() {
    assert_eq!(Run { damaged: 0..4, ..Run::default() }.play().0.len(), 1);
}

#[test]
fn a_frozen_camera_accuses_nobody_and_says_so() {
    for start in [12, 19, 21, 22] {
        let run = Run { frozen: start..start + 40, ..Run::default() };
        let (found, board, states) = run.play_by_state();
        assert!(found.is_empty(), "frozen from picture {start}");
        assert_eq!(states[start as usize + 10], CameraState::Frozen, "within a second");
        assert!(board.status().dropped["frozen_picture"] >= 30);
        assert_eq!(board.status().state, CameraState::Streaming, "and sees again");
    }
    // What was seen before stays, and nothing else shows it.
    let seen = |start: u64| {
        let run = Run { frozen: start..start + 40, ..Run::default() };
        run.play().0.pop().map(|accused| (start, accused))
    };
    let (start, accused) = (22..50).find_map(seen).unwrap();
    assert!(accused.accusation.clip.units.last().unwrap().pts_ns <= start * SECOND / FPS);
}

#[test]
fn where_nothing_moves_nobody_stands_and_nothing_is_said_of_the_camera() {
    // It rolls over the line and stops; so does everybody else, and only the sensor's noise goes on.
    let run = |still| Run { way: stopping, still, acts: vec![Act::STOP_LINE], ..Run::default() };
    let (found, board, states) = run(25..80).play_by_state();
    assert!(found.is_empty());
    assert!(states.iter().all(|state| *state == CameraState::Streaming));
    assert!(board.status().dropped["still_picture"] >= 40);
    assert_eq!(run(0..0).play().0.len(), 1, "while others move it is seen to stand");
}

#[test]
fn before_a_covered_camera_nobody_is_accused_and_it_says_so() {
    for start in [12, 19, 22] {
        let covered = start..start + 120;
        let run = Run { covered, pictures: 200, ..Run::default() };
        let (found, board, states) = run.play_by_state();
        assert!(found.is_empty(), "covered from picture {start}");
        // Ten seconds may be a bus.
        let at = |i: u64| states[(start + i) as usize];
        assert_eq!([at(50), at(110)], [CameraState::Streaming, CameraState::Blinded]);
        assert!(board.status().dropped["blinded_picture"] >= 100);
        assert_eq!(board.status().state, CameraState::Streaming, "and sees again");
    }
    assert_eq!(Run { covered: 60..100, ..Run::default() }.play().0.len(), 1, "seen before");
}

#[test]
fn a_recording_that_ends_frozen_decides_nothing_new() {
    assert!(Run { frozen: 22..100, ..Run::default() }.play().0.is_empty());
}

#[test]
fn time_without_pictures_is_no_sight() {
    assert!(Run { missing: 18..30, ..Run::default() }.play().0.is_empty());
    assert_eq!(Run { missing: 50..70, ..Run::default() }.play().0.len(), 1);
}

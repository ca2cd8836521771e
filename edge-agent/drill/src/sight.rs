//! How detector and tracker see a scene: boxes that tremble and drift, covered from below, missed,
//! weakly seen, doubted, lost and found again as another track; lamps late, dark and unclear. What
//! comes out is what the rules get.

use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use contract::geometry::BBox;
use contract::{Act, VehicleClass};
use judge::basis::Basis;
use judge::lamp::{History, Lamp, Reading};
use judge::road::Road;
use judge::rules::{Elsewhere, Plates};
use judge::track::{Companion, Gap, Looked, Observation};
use judge::{Album, Attention, Finding, Nanos, Rule, SECOND, Scene, Site, Track, Verdict, seconds};
use settings::{Complaints, Reader};

use super::luck::Luck;
use super::scene::{Case, Head};

/// Unseen for longer, a vehicle found again is another track.
const LOST_AFTER: f32 = 2.0;
/// Sightings that make a track count.
const CONFIRMED: usize = 3;
/// Lamps are watched since before a vehicle comes.
const WATCHED: f32 = 14.0;
/// Less of a box than this in the picture is not found.
const LEAST_IN_SIGHT: f32 = 0.5;

#[derive(Debug, Clone, Default)]
pub struct Sight {
    pub fps: u64,
    /// Deviation of each side, as a share of the box's height.
    pub noise: f32,
    /// Share of pictures in which it is missed, and of sightings that are weak.
    pub missed: f32,
    pub weak: f32,
    /// From, until, seconds: not found at all.
    pub gaps: Vec<(f32, f32)>,
    /// From, until, and the share of its height that is covered from below, swaying.
    pub covered: Vec<(f32, f32, f32)>,
    /// When it may have been taken for another, by the tracker's own word.
    pub doubts: Vec<f32>,
    /// Share of the looks that found its class.
    pub class_share: f32,
}

impl Sight {
    /// An ordinary passage, seen plainly.
    pub fn plain(luck: &mut Luck) -> Self {
        let mut sight = Self {
            fps: luck.pick(&[5, 10, 25]),
            noise: luck.between(0.02, 0.035),
            missed: luck.between(0.0, 0.04),
            weak: luck.between(0.0, 0.25),
            class_share: luck.between(0.85, 1.0),
            ..Self::default()
        };
        if luck.chance(0.2) {
            let from = luck.between(0.0, 5.0);
            sight.covered.push((from, from + luck.between(0.1, 0.4), luck.between(0.05, 0.25)));
        }
        sight
    }

    /// On an open stretch until `end`, as our own detector and tracker were measured in a crowd
    /// (`make tracks`: sides tremble by 0.022 heights, 95 % of the sightings found, 3 % of the
    /// vehicles covered from below for a while), and worse: covered `times` as often, and by any share.
    pub fn street(luck: &mut Luck, end: f32, times: f32) -> Self {
        let noise = luck.between(0.018, 0.028);
        let mut sight = Self { noise, covered: Vec::new(), ..Self::plain(luck) };
        sight.missed = luck.between(0.0, 0.1);
        if luck.chance(0.03 * times) {
            let from = luck.between(0.0, end);
            sight.covered.push((from, from + luck.between(0.2, 2.0), luck.between(0.1, 0.85)));
        }
        if luck.chance(0.05 * times) {
            let from = luck.between(0.0, end);
            sight.gaps.push((from, from + luck.between(0.1, 2.0)));
        }
        sight
    }

    /// In traffic, until `end`: whatever may go wrong.
    pub fn hard(luck: &mut Luck, end: f32) -> Self {
        let mut sight = Self {
            noise: luck.between(0.02, 0.04),
            missed: luck.between(0.0, 0.15),
            weak: luck.between(0.0, 0.9),
            class_share: luck.between(0.5, 1.0),
            ..Self::plain(luck)
        };
        while luck.chance(0.4) {
            let from = luck.between(0.0, end);
            sight.gaps.push((from, from + luck.between(0.1, 3.0)));
        }
        while luck.chance(0.5) {
            let from = luck.between(0.0, end);
            sight.covered.push((from, from + luck.between(0.2, 3.0), luck.between(0.1, 0.85)));
        }
        if luck.chance(0.1) {
            sight.doubts.push(luck.between(0.0, end));
        }
        sight
    }

    /// The tracker takes another vehicle for it at `at`: nearly always it doubts, else it lost sight
    /// of it between the two.
    pub fn exchange(luck: &mut Luck, end: f32, at: f32) -> Self {
        let mut sight = if luck.chance(0.5) { Self::plain(luck) } else { Self::hard(luck, end) };
        if luck.chance(0.9) {
            sight.doubts.push(at + luck.between(-0.3, 0.3));
        } else {
            let gone = luck.between(0.2, 1.5);
            sight.gaps.push((at - gone * luck.between(0.2, 0.8), at + gone / 2.0));
        }
        sight
    }

    fn hidden(&self, t: f32) -> bool {
        self.gaps.iter().any(|(from, to)| (*from..*to).contains(&t))
    }

    fn cover(&self, t: f32) -> f32 {
        let over = self.covered.iter().filter(|(from, to, _)| (*from..*to).contains(&t));
        over.map(|(.., share)| *share).fold(0.0, f32::max)
    }
}

/// Errors of a box's four sides: half of them new in every picture, half drifting.
#[derive(Default)]
struct Noise {
    drift: [f32; 4],
    sway: f32,
}

impl Noise {
    fn seen(&mut self, bbox: BBox, sight: &Sight, t: f32, luck: &mut Luck) -> BBox {
        let height = bbox.height();
        self.sway = 0.9 * self.sway + 0.04 * luck.normal();
        let covered = sight.cover(t);
        let lower = if covered > 0.0 { (covered + self.sway).clamp(0.0, 0.92) } else { 0.0 };
        let by = sight.noise * height * if covered > 0.4 { 1.6 } else { 1.0 };
        let sides = [bbox.x1, bbox.y1, bbox.x2, bbox.y2 - lower * height];
        let mut moved = [0.0; 4];
        for ((moved, side), drift) in moved.iter_mut().zip(sides).zip(&mut self.drift) {
            *drift = 0.8 * *drift + 0.6 * luck.normal();
            *moved = side + by * (0.8 * luck.normal() + 0.6 * *drift);
        }
        let [x1, y1, x2, y2] = moved;
        BBox::new(x1, y1, x2.max(x1 + 1.0), y2.max(y1 + 1.0))
    }
}

/// What the camera's table says.
pub fn read(site: &str) -> Result<Site> {
    let table = settings::parse("site.toml".as_ref(), site)
        .map_err(|errors| anyhow!("{errors:?} in {site}"))?;
    let complaints = Complaints::default();
    let found = Site::read(&Reader::new(&table, None, "", &complaints));
    let complaints = complaints.into_inner();
    if complaints.is_empty() { Ok(found) } else { Err(anyhow!("{complaints:?} in {site}")) }
}

/// An accusation with everything that a manifest says of it.
#[derive(Debug)]
pub struct Caught {
    pub class: VehicleClass,
    pub track: u64,
    pub finding: Finding,
    /// The text whose digest a manifest holds.
    pub config: String,
    /// What the verdict stood on, as it is sealed.
    pub basis: Vec<u8>,
}

/// The first accusation of `act` of any track that comes of the vehicle; else what was said of them.
/// Looked at as often as was set, or as often as its rule needs: no box is set up with fewer.
pub fn caught(case: &Case, act: &str, luck: &mut Luck) -> Result<Result<Caught, Vec<Verdict>>> {
    let site = read(&case.site)?;
    let act = Act::parse(act).context("no name of an act")?;
    let rule = site.rule(&act).with_context(|| format!("the site has no {act}"))?;
    Ok(Watch::new(case, &site, rule, luck).run())
}

/// One camera while a vehicle passes.
struct Watch<'a> {
    case: &'a Case,
    site: &'a Site,
    rule: &'a dyn Rule,
    road: Option<Road>,
    lamps: Vec<Lamp>,
    company: Vec<Companion>,
    luck: &'a mut Luck,
    fps: u64,
    noise: Noise,
    track: Option<Track>,
    /// The present track has its verdict.
    decided: bool,
    said: Vec<Verdict>,
    /// The looks at the present track's plate.
    looks: Vec<Looked>,
}

impl<'a> Watch<'a> {
    fn new(case: &'a Case, site: &'a Site, rule: &'a dyn Rule, luck: &'a mut Luck) -> Self {
        let [width, height] = case.size;
        let road = site.junction.as_ref().map(|drawn| Road::new(drawn, width, height));
        let least = site.rules.iter().map(|rule| rule.least_fps()).fold(0.0, f32::max);
        let lamp = |head: &Head| Lamp {
            name: "lamp".into(),
            controls: head.controls.clone(),
            arrow: head.arrow,
            red_arrow: head.red_arrow,
            history: History::default(),
        };
        let company = case.others.iter().zip(2..).map(|(other, id)| Companion {
            id,
            class: other.class,
            height: 1.0,
            seen: Vec::new(),
            heights: Vec::new(),
        });
        Self {
            site,
            rule,
            road,
            lamps: case.heads.iter().map(lamp).collect(),
            company: company.collect(),
            luck,
            fps: case.sight.fps.max(least.ceil() as u64),
            noise: Noise::default(),
            track: None,
            decided: false,
            said: Vec::new(),
            looks: Vec::new(),
            case,
        }
    }

    fn run(mut self) -> Result<Caught, Vec<Verdict>> {
        let fps = self.fps;
        let before = if self.lamps.is_empty() { 0.0 } else { WATCHED };
        let phase = self.luck.between(0.0, 1.0) / fps as f32;
        let last = ((before + self.case.vehicle.end + LOST_AFTER) * fps as f32) as u64 + 2;
        for i in 0..last {
            let now = i * SECOND / fps;
            let t = i as f32 / fps as f32 + phase - before;
            self.see_lamps(t, now);
            if t < 0.0 {
                continue;
            }
            self.see_others(t, now);
            let lost = self.track.as_ref().is_some_and(|it| it.unseen(now) > seconds(LOST_AFTER));
            if lost && let Some(caught) = self.judge(now, t, true) {
                return Ok(caught);
            }
            if lost {
                (self.track, self.decided) = (None, false);
                self.looks.clear();
            }
            self.see_vehicle(t, now, before);
            self.look(now);
            if let Some(caught) = self.judge(now, t, false) {
                return Ok(caught);
            }
        }
        self.judge(last * SECOND / fps, self.case.vehicle.end, true).ok_or(self.said)
    }

    fn see_lamps(&mut self, t: f32, now: Nanos) {
        for (lamp, head) in self.lamps.iter_mut().zip(&self.case.heads) {
            let reading = match head.shows(t) {
                _ if self.luck.chance(head.unclear) => Reading::Unclear,
                Some(light) if !self.luck.chance(head.dark) => Reading::Lit(light),
                _ => Reading::Dark,
            };
            lamp.history.push(now, reading);
        }
    }

    /// Others are noted once a second.
    fn see_others(&mut self, t: f32, now: Nanos) {
        for (known, other) in self.company.iter_mut().zip(&self.case.others) {
            let due = known.seen.last().is_none_or(|(last, _)| now >= last + SECOND);
            let Some(bbox) = (other.boxes)(t).filter(|_| due) else { continue };
            let trembling = 0.03 * bbox.height();
            let [x, y] = bbox.foot();
            let place = [x, y].map(|side| side + trembling * self.luck.normal());
            known.height = bbox.height();
            known.seen.push((now, place));
            known.heights.push(bbox.height());
        }
    }

    fn see_vehicle(&mut self, t: f32, now: Nanos, before: f32) {
        let (case, luck) = (self.case, &mut *self.luck);
        let sight = &case.sight;
        let Some(bbox) = (case.vehicle.boxes)(t) else { return };
        let strong = !luck.chance(sight.weak);
        let seen = self.noise.seen(bbox, sight, t, luck);
        let clipped = seen.clipped(case.size[0], case.size[1]);
        let in_sight = clipped.area() >= LEAST_IN_SIGHT * seen.area();
        if sight.hidden(t) || luck.chance(sight.missed) || !in_sight {
            return;
        }
        let seen = Observation { t: now, bbox: clipped, strong };
        let track = match &mut self.track {
            Some(track) => {
                let from = track.last().t;
                if now - from > SECOND / self.fps + 1 {
                    track.gaps.push(Gap { from, to: now });
                }
                track.see(seen);
                track
            }
            None if strong => self.track.insert(Track::new(1, case.vehicle.class_at(t), seen)),
            None => return,
        };
        track.class_share = Some((sight.class_share * 256.0).round() / 256.0);
        let at = |doubt: &f32| seconds((doubt + before).max(0.0));
        track.doubts = sight.doubts.iter().filter(|doubt| **doubt <= t).map(at).collect();
        track.doubts.sort_unstable();
    }

    /// Looks for the plate as the agent does: where the rule wants it, no more often than it would.
    fn look(&mut self, now: Nanos) {
        const BETWEEN: Nanos = seconds(0.07);
        const MOST: usize = 12;
        let Some(unread) = self.case.beyond.unread else { return };
        let Some(track) = self.track.as_ref().filter(|track| track.last().t == now) else { return };
        let rested = self.looks.last().is_none_or(|last| now >= last.t + BETWEEN);
        let wanted = self.rule.attend(track, &self.scene(now, 0.0, false), &mut Album::default());
        if rested && self.looks.len() < MOST && wanted > Attention::Idle {
            let found = self.luck.chance(unread.found);
            self.looks.push(Looked { t: now, found, read: false });
        }
    }

    /// The accusation, where the track's verdict, the first that is final, accuses it.
    fn judge(&mut self, now: Nanos, t: f32, ended: bool) -> Option<Caught> {
        let track = self.track.as_ref().filter(|it| it.path.len() >= CONFIRMED)?;
        if self.decided {
            return None;
        }
        let scene = self.scene(now, t, ended);
        let verdict = self.rule.judge(track, &scene);
        let Verdict::Violation(finding) = verdict else {
            self.decided = verdict != Verdict::Pending;
            self.said.extend(self.decided.then_some(verdict));
            return None;
        };
        let config = serde_json::json!({ "site": self.site }).to_string();
        let basis = Basis::new(finding.act.clone(), self.rule, &config, track, &scene).to_bytes();
        Some(Caught { class: track.class, track: track.id, finding: *finding, config, basis })
    }

    fn scene(&self, now: Nanos, t: f32, ended: bool) -> Scene<'_> {
        let since = Duration::from_secs_f32(t.max(0.0));
        let beyond = &self.case.beyond;
        Scene {
            road: self.road.as_ref(),
            lamps: &self.lamps,
            company: &self.company,
            elsewhere: Elsewhere {
                plate: beyond.plate.as_deref(),
                passed: &beyond.passed,
                known_to: Duration::from_secs_f32(beyond.known_to),
                plates: Plates {
                    looks: &self.looks,
                    others: beyond.unread.map_or(0, |unread| unread.others),
                    others_read: beyond.unread.map_or(0, |unread| unread.others_read),
                },
            },
            size: self.case.size,
            now,
            captured_at: self.case.start.map(|start| start + since),
            ended,
        }
    }
}

//! Pictures for a person to judge tracks and readings by: every half second the picture with the
//! tracks drawn on it, and at the end contact sheets with each track's best look at its plate, what
//! its frames said alone, and the verdict or the doubt.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};
use plate_model::geometry::BBox;
use plate_model::{Region, Verdict, picture};

use crate::evidence::frames::{jpeg, to_rgb};
use crate::evidence::pen;
use crate::evidence::text::Typeface;
use crate::see::track::{Sighting, Track};
use crate::see::{Nanos, SECOND};
use crate::source::Picture;
use crate::watch::listener::{Listener, Look};

/// Time between drawn pictures.
const EVERY: Nanos = SECOND / 2;
/// How far back a way is drawn.
const WAY: Nanos = 3 * SECOND;
/// A contact sheet's cells.
const COLUMNS: u32 = 4;
const ROWS: u32 = 5;
const CELL: (u32, u32) = (400, 250);
/// The part of a cell that shows the plate.
const SHOWN: (u32, u32) = (384, 130);
const WHITE: Rgb<u8> = Rgb([255, 255, 255]);
const GREY: Rgb<u8> = Rgb([170, 170, 170]);
const GOOD: Rgb<u8> = Rgb([110, 255, 130]);
const DOUBT: Rgb<u8> = Rgb([255, 90, 90]);

/// What is known of one track's plate.
#[derive(Default)]
struct Card {
    best: Option<(f32, RgbImage)>,
    /// Each text that single frames were accepted as, and how often.
    alone: BTreeMap<String, u32>,
    read: u32,
}

/// Draws into a folder; the first failure is kept until asked for.
pub struct Sheets {
    folder: PathBuf,
    face: Typeface,
    next: Nanos,
    cards: BTreeMap<u64, Card>,
    page: RgbImage,
    cells: u32,
    pages: u32,
    failed: Option<io::Error>,
}

impl std::fmt::Debug for Sheets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sheets").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Sheets {
    pub fn create(folder: &Path, face: Typeface) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Self {
            folder: folder.into(),
            face,
            next: 0,
            cards: BTreeMap::new(),
            page: empty_page(),
            cells: 0,
            pages: 0,
            failed: None,
        })
    }

    /// Writes the last sheet; everything is there then, or why not.
    pub fn finish(&mut self) -> io::Result<()> {
        self.turn_page();
        self.failed.take().map_or(Ok(()), Err)
    }

    fn save(&mut self, name: &str, picture: &RgbImage) {
        let write = || {
            let bytes = jpeg(picture).map_err(io::Error::other)?;
            std::fs::write(self.folder.join(name), bytes)
        };
        if let Err(error) = write() {
            self.failed.get_or_insert(error);
        }
    }

    fn turn_page(&mut self) {
        if self.cells > 0 {
            self.pages += 1;
            let page = std::mem::replace(&mut self.page, empty_page());
            self.save(&format!("plates-{:02}.jpg", self.pages), &page);
            self.cells = 0;
        }
    }

    fn draw(&self, picture: &Picture, tracks: &[Track]) -> RgbImage {
        let mut page = to_rgb(&picture.frame);
        let pen = (page.width() as f32 / 640.0).max(1.0);
        for track in tracks.iter().filter(|track| track.confirmed) {
            let (last, here) = (track.last(), track.last().t == picture.t);
            let colour = if here { colour(track.id) } else { GREY };
            let way: Vec<_> = track.path.iter().filter(|seen| seen.t + WAY >= picture.t).collect();
            for pair in way.windows(2) {
                pen::line(&mut page, pair[0].bbox.foot(), pair[1].bbox.foot(), pen, colour);
            }
            let width = if here && last.strong { 2.0 * pen } else { pen };
            pen::frame(&mut page, &last.bbox, width, colour);
            let doubted = track.doubts.iter().any(|t| t + SECOND >= picture.t);
            let text = format!("{}{}", track.id, if doubted { "?" } else { "" });
            let (x, y) = (last.bbox.x1 + 2.0, last.bbox.y1);
            self.face.draw(&mut page, (x + 1.0, y + 1.0), 10.0 * pen, Rgb([0, 0, 0]), &text);
            self.face.draw(&mut page, (x, y), 10.0 * pen, colour, &text);
        }
        let text = format!("{:.2} s", picture.t as f64 / SECOND as f64);
        self.face.draw(&mut page, (4.0, 4.0), 12.0 * pen, WHITE, &text);
        page
    }
}

impl Listener for Sheets {
    fn picture(&mut self, picture: &Picture, _: &[Sighting], tracks: &[Track]) {
        if picture.t < self.next {
            return;
        }
        self.next = picture.t + EVERY;
        let page = self.draw(picture, tracks);
        self.save(&format!("at-{:06}ms.jpg", picture.t / 1_000_000), &page);
    }

    fn look(&mut self, picture: &Picture, look: &Look<'_>) {
        let card = self.cards.entry(look.track).or_default();
        card.read += 1;
        if let Some(text) = &look.alone.text {
            *card.alone.entry(text.clone()).or_default() += 1;
        }
        let value = look.weight * look.alone.confidence;
        if card.best.as_ref().is_some_and(|(best, _)| *best >= value) {
            return;
        }
        let bbox = BBox::around(&look.quad.corners).expanded(0.25);
        let planes = picture.frame.planes();
        let cut = Region::touched(&bbox, planes.width(), planes.height())
            .and_then(|region| picture::rgb(&planes, region).ok());
        if let Some(cut) = cut {
            card.best = Some((value, cut));
        }
    }

    fn ended(&mut self, track: &Track, looks: u32, fused: &Verdict) {
        let card = self.cards.remove(&track.id).unwrap_or_default();
        let (x, y) = (self.cells % COLUMNS * CELL.0, self.cells / COLUMNS * CELL.1);
        if let Some((_, plate)) = &card.best {
            let scale =
                (SHOWN.0 as f32 / plate.width() as f32).min(SHOWN.1 as f32 / plate.height() as f32);
            let side = |side: u32| ((side as f32 * scale) as u32).max(1);
            let (w, h) = (side(plate.width()), side(plate.height()));
            let shown = imageops::resize(plate, w, h, FilterType::CatmullRom);
            imageops::replace(&mut self.page, &shown, i64::from(x + 8), i64::from(y + 8));
        }
        let second = |t: Nanos| t as f64 / SECOND as f64;
        let (from, to) = (second(track.path[0].t), second(track.last().t));
        let name = track.class.name();
        let accepted: u32 = card.alone.values().sum();
        let mut alone: Vec<(&String, &u32)> = card.alone.iter().collect();
        alone.sort_by(|a, b| b.1.cmp(a.1));
        let alone: Vec<String> =
            alone.iter().take(3).map(|(text, n)| format!("{text} ×{n}")).collect();
        let (colour, verdict) = match (&fused.text, &fused.doubt) {
            (Some(text), _) => (GOOD, format!("{text}  {:.3}", fused.confidence)),
            (None, Some(doubt)) if fused.raw.is_empty() => (DOUBT, doubt.to_string()),
            (None, Some(doubt)) => (DOUBT, format!("{}: {doubt}", fused.raw)),
            (None, None) => (DOUBT, fused.raw.clone()),
        };
        let lines = [
            (GREY, format!("track {} {name} {from:.1}–{to:.1} s", track.id)),
            (GREY, format!("{looks} looks, {} read, {accepted} accepted alone", card.read)),
            (WHITE, alone.join(", ")),
        ];
        let mut top = (y + SHOWN.1 + 12) as f32;
        let left = (x + 8) as f32;
        for (colour, text) in lines {
            self.face.draw(&mut self.page, (left, top), 16.0, colour, &text);
            top += 20.0;
        }
        for text in self.face.wrap(&[verdict], " ", SHOWN.0 as f32, 17.0).iter().take(2) {
            self.face.draw(&mut self.page, (left, top), 17.0, colour, text);
            top += 20.0;
        }
        self.cells += 1;
        if self.cells == COLUMNS * ROWS {
            self.turn_page();
        }
    }
}

fn empty_page() -> RgbImage {
    RgbImage::from_pixel(COLUMNS * CELL.0, ROWS * CELL.1, Rgb([24, 24, 24]))
}

/// Neighbouring numbers get unlike colours.
fn colour(id: u64) -> Rgb<u8> {
    const INKS: [[u8; 3]; 8] = [
        [255, 80, 80],
        [80, 220, 255],
        [255, 220, 60],
        [130, 255, 120],
        [255, 120, 240],
        [255, 160, 60],
        [140, 150, 255],
        [240, 240, 240],
    ];
    Rgb(INKS[(id % INKS.len() as u64) as usize])
}

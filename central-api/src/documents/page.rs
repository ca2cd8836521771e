//! Paper to write on: A4 with the margins of administrative documents, a pen that moves down and
//! turns the page. Drawing commands are collected and handed to the PDF at the end.

use std::ops::Range;

use bytes::Bytes;
use krilla::color::luma;
use krilla::destination::{NamedDestination, XyzDestination};
use krilla::geom::{Path, PathBuilder, Point, Rect, Size, Transform};
use krilla::image::Image;
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill as Paint, FillRule};
use krilla::surface::Surface;
use krilla::text::TextDirection;
use krilla::{Document, SerializeSettings};

use super::DocumentError;
use super::fonts::{Fonts, Style};
use super::layout::{self, Fill, Line, Run};
use super::sign;

pub const WIDTH: f32 = 595.28;
pub const HEIGHT: f32 = 841.89;
/// 30 mm left, 20 mm right, 16 mm top, 15 mm bottom.
pub const LEFT: f32 = 85.0;
pub const RIGHT: f32 = WIDTH - 56.7;
const TOP: f32 = 45.4;
const BOTTOM: f32 = HEIGHT - 42.5;
/// Between pictures beside each other.
const GUTTER: f32 = 10.0;
/// Distance of two lines over the size of the type.
const LEADING: f32 = 1.24;

enum Mark {
    Text { x: f32, y: f32, style: Style, size: f32, text: String },
    Shape(Path),
    Picture { image: Image, x: f32, y: f32, width: f32, height: f32 },
}

/// The pages written so far.
pub(crate) struct Paper {
    pub fonts: Fonts,
    pages: Vec<Vec<Mark>>,
    /// Page and upper left corner of the box in which an electronic signature shows.
    signed_at: Option<(usize, Point)>,
    /// Top of the next line.
    pub y: f32,
}

/// Where lines sit in their column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Left,
    Centre,
}

impl Paper {
    pub fn new() -> Result<Self, DocumentError> {
        Ok(Self { fonts: Fonts::load()?, pages: vec![Vec::new()], signed_at: None, y: TOP })
    }

    pub fn space(&mut self, points: f32) {
        self.y += points;
    }

    /// Makes sure that `points` fit on this page.
    pub fn keep(&mut self, points: f32) {
        if self.y + points > BOTTOM {
            self.turn();
        }
    }

    pub fn turn(&mut self) {
        self.pages.push(Vec::new());
        self.y = TOP;
    }

    /// A justified paragraph over the whole width, its first line indented by 1 cm.
    pub fn paragraph(&mut self, runs: &[Run], size: f32) {
        let lines = layout::lines(&self.fonts, runs, size, RIGHT - LEFT, 28.35, Fill::Justified);
        for line in &lines {
            self.keep(size * LEADING);
            self.line(line, LEFT, size);
        }
        self.space(size * 0.25);
    }

    /// Lines in `column`, which moves the pen down.
    pub fn column(&mut self, runs: &[Run], size: f32, column: Range<f32>, align: Align) {
        let width = column.end - column.start;
        for line in layout::lines(&self.fonts, runs, size, width, 0.0, Fill::Ragged) {
            self.keep(size * LEADING);
            let shift = match align {
                Align::Left => 0.0,
                Align::Centre => (width - line.width) / 2.0,
            };
            self.line(&line, column.start + shift, size);
        }
    }

    /// `label` and dots up to the right edge: to be filled in.
    pub fn dotted(&mut self, label: &str, size: f32) {
        let start = LEFT + 28.35;
        let label_width = self.fonts.width(Style::Regular, size, label);
        let dot = self.fonts.width(Style::Regular, size, ".");
        let dots = ((RIGHT - start - label_width - 2.0) / dot).floor().max(0.0) as usize;
        self.keep(size * LEADING);
        let text = format!("{label} {}", ".".repeat(dots.saturating_sub(1)));
        self.text(start, Style::Regular, size, text);
        self.y += size * LEADING + size * 0.28;
    }

    /// A thin line of `width` centred on `x`, below what was written last.
    pub fn rule(&mut self, x: f32, width: f32) {
        let mut path = PathBuilder::new();
        if let Some(rect) = Rect::from_xywh(x - width / 2.0, self.y + 1.5, width, 0.6) {
            path.push_rect(rect);
        }
        if let Some(path) = path.finish() {
            self.shape(path);
        }
        self.y += 5.0;
    }

    /// Leaves room for the signature, in the middle of `column`: an electronic one shows there.
    pub fn signature(&mut self, column: Range<f32>) {
        let x = (column.start + column.end - sign::WIDTH) / 2.0;
        let page = self.pages.len() - 1;
        self.signed_at = Some((page, Point::from_xy(x, self.y + 2.0)));
        self.space(sign::HEIGHT + 6.0);
    }

    pub fn shape(&mut self, path: Path) {
        self.mark(Mark::Shape(path));
    }

    /// JPEGs side by side, each as wide as its share of the page or as high as `max_height`,
    /// whichever is smaller, with a caption below.
    pub fn pictures(
        &mut self,
        row: &[(&Bytes, String)],
        max_height: f32,
        size: f32,
    ) -> Result<(), DocumentError> {
        let share = (RIGHT - LEFT + GUTTER) / row.len().max(1) as f32;
        let mut placed = Vec::with_capacity(row.len());
        for (column, (jpeg, caption)) in row.iter().enumerate() {
            let image = Image::from_jpeg(jpeg.to_vec().into(), true).map_err(DocumentError::Pdf)?;
            let (pixels_wide, pixels_high) = image.size();
            let left = LEFT + share * column as f32;
            let room = share - GUTTER;
            let scale = (room / pixels_wide as f32).min(max_height / pixels_high as f32);
            let (width, height) = (pixels_wide as f32 * scale, pixels_high as f32 * scale);
            placed.push((image, left..left + room, width, height, caption));
        }
        let highest = placed.iter().map(|(_, _, _, height, _)| *height).fold(0.0, f32::max);
        // A caption has two lines at most.
        self.keep(highest + 2.0 * size * LEADING);
        let (top, mut end) = (self.y, self.y);
        for (image, column, width, height, caption) in placed {
            let x = (column.start + column.end - width) / 2.0;
            let y = top + (highest - height) / 2.0;
            self.mark(Mark::Picture { image, x, y, width, height });
            self.y = top + highest + 2.0;
            self.column(&[layout::italic(caption.clone())], size, column, Align::Centre);
            end = end.max(self.y);
        }
        self.y = end + 6.0;
        Ok(())
    }

    fn line(&mut self, line: &Line, x: f32, size: f32) {
        for piece in &line.pieces {
            self.text(x + piece.x, piece.style, size, piece.text.clone());
        }
        self.y += size * LEADING;
    }

    fn text(&mut self, x: f32, style: Style, size: f32, text: String) {
        // The baseline lies an ascender below the line's top.
        let y = self.y + size * 0.95;
        self.mark(Mark::Text { x, y, style, size, text });
    }

    fn mark(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }

    /// The PDF's bytes.
    pub fn print(self, metadata: krilla::metadata::Metadata) -> Result<Vec<u8>, DocumentError> {
        let mut document = Document::new_with(SerializeSettings::default());
        document.set_metadata(metadata);
        if let Some((page, corner)) = self.signed_at {
            let corner = XyzDestination::new(page, corner);
            let place = NamedDestination::new(sign::PLACE.into(), corner);
            // It fails for a name that is taken alone, and there is one.
            let _ = document.register_named_destination(place);
        }
        let size = PageSettings::from_wh(WIDTH, HEIGHT)
            .ok_or_else(|| DocumentError::Pdf("the page has no size".into()))?;
        for marks in self.pages {
            let mut page = document.start_page_with(size.clone());
            let mut surface = page.surface();
            for mark in marks {
                draw(&mut surface, &self.fonts, mark);
            }
            surface.finish();
            page.finish();
        }
        document.finish().map_err(|e| DocumentError::Pdf(format!("{e:?}")))
    }
}

fn draw(surface: &mut Surface<'_>, fonts: &Fonts, mark: Mark) {
    surface.set_fill(Some(Paint {
        paint: luma::Color::black().into(),
        opacity: NormalizedF32::ONE,
        rule: FillRule::NonZero,
    }));
    match mark {
        Mark::Text { x, y, style, size, text } => surface.draw_text(
            Point::from_xy(x, y),
            fonts.font(style),
            size,
            &text,
            false,
            TextDirection::LeftToRight,
        ),
        Mark::Shape(path) => surface.draw_path(&path),
        Mark::Picture { image, x, y, width, height } => {
            if let Some(size) = Size::from_wh(width, height) {
                surface.push_transform(&Transform::from_translate(x, y));
                surface.draw_image(image, size);
                surface.pop();
            }
        }
    }
}

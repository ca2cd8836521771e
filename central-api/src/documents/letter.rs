//! Letters for window envelopes: of each an address sheet, whose address lies behind the window of a DL
//! envelope (110 × 220 mm) when the sheets are folded twice, and the document as it was issued. Every
//! letter begins on a sheet of its own, however it is printed: nobody gets anything of another one's.

use std::sync::Arc;

use bytes::Bytes;
use krilla::color::luma;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill as Paint, FillRule};
use krilla::pdf::{Pdf, PdfDocument};
use krilla::surface::Surface;
use krilla::text::TextDirection;
use krilla::{Document, SerializeSettings};

use super::fonts::{Fonts, Style};
use super::layout::{self, Fill, Line, bold, plain};
use super::page::{HEIGHT, WIDTH};
use super::{DocumentError, sign};
use crate::config::{Agency, Post, Side};

/// Pages of a document that a letter may have.
pub const MOST_PAGES: usize = 20;
const MM: f32 = 72.0 / 25.4;
/// The envelope, and the sheet folded in three: by what is left over it slips to all sides.
const ENVELOPE: [f32; 2] = [220.0, 110.0];
const FOLDED: [f32; 2] = [210.0, 99.0];
/// Between the address and what may be hidden by the window's edge.
const EDGE: f32 = 1.0;
const LARGEST: f32 = 11.0;
const SMALLEST: f32 = 6.5;
const LEADING: f32 = 1.24;
/// Type of what tells one letter from another.
const REFERENCE: f32 = 7.0;

/// Where on the sheet an address is seen wherever it has slipped to: left, top, width, height, points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pane {
    pub left: f32,
    pub top: f32,
    pub width: f32,
    pub height: f32,
}

impl Pane {
    pub fn of(post: &Post) -> Self {
        let slip = [0, 1].map(|axis| (ENVELOPE[axis] - FOLDED[axis]) / 2.0);
        let left = match post.window_side {
            Side::Left => post.window_from_side_mm,
            Side::Right => ENVELOPE[0] - post.window_from_side_mm - post.window_width_mm,
        };
        let top = ENVELOPE[1] - post.window_from_bottom_mm - post.window_height_mm;
        // The middle position, less what it may slip by.
        let inset = slip.map(|slip| slip + EDGE);
        Self {
            left: (left - slip[0] + inset[0]) * MM,
            top: (top - slip[1] + inset[1]) * MM,
            width: (post.window_width_mm - 2.0 * inset[0]) * MM,
            height: (post.window_height_mm - 2.0 * inset[1]) * MM,
        }
    }
}

/// What a letter's address sheet says.
#[derive(Debug)]
pub struct Sheet {
    address: Vec<Line>,
    size: f32,
    reference: String,
    enclosed: String,
}

/// Makes letters.
pub struct Letters {
    fonts: Fonts,
    pane: Pane,
    sender: [String; 3],
}

impl std::fmt::Debug for Letters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letters").field("pane", &self.pane).finish_non_exhaustive()
    }
}

/// A document that goes into a letter, with the number of its pages.
pub struct Enclosed {
    pdf: PdfDocument,
    pub pages: usize,
}

impl std::fmt::Debug for Enclosed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Enclosed").field("pages", &self.pages).finish_non_exhaustive()
    }
}

impl Enclosed {
    pub fn read(pdf: &Bytes) -> Result<Self, DocumentError> {
        let broken = |_| DocumentError::Pdf("a stored document cannot be read as PDF".into());
        // Pages are copied without annotations, and a signature's mark is one.
        let drawn = sign::drawn(pdf).map_err(|e| DocumentError::Pdf(e.to_string()))?;
        let pdf = drawn.unwrap_or_else(|| pdf.to_vec());
        let pdf = Pdf::new(Arc::new(pdf)).map_err(broken)?;
        let pages = pdf.pages().len();
        Ok(Self { pdf: PdfDocument::new(Arc::new(pdf)), pages })
    }
}

impl Letters {
    pub fn new(post: &Post, agency: &Agency) -> Result<Self, DocumentError> {
        Ok(Self {
            fonts: Fonts::load()?,
            pane: Pane::of(post),
            sender: [agency.parent.clone(), agency.name.clone(), agency.address.clone()],
        })
    }

    /// The sheet for an addressee; none where the address does not fit the window in any legible size.
    pub fn sheet(
        &self,
        name: &str,
        address: &str,
        reference: String,
        enclosed: String,
    ) -> Option<Sheet> {
        let room = self.pane.height - REFERENCE * LEADING;
        let mut size = LARGEST;
        while size >= SMALLEST {
            let lines =
                |run| layout::lines(&self.fonts, &[run], size, self.pane.width, 0.0, Fill::Ragged);
            let mut all = lines(bold(name));
            all.extend(lines(plain(address)));
            if all.len() as f32 * size * LEADING <= room {
                return Some(Sheet { address: all, size, reference, enclosed });
            }
            size -= 0.5;
        }
        None
    }

    /// One PDF of all letters, and how many pages it has. The same letters give the same bytes.
    pub fn print(&self, letters: &[(Sheet, Enclosed)]) -> Result<(Vec<u8>, usize), DocumentError> {
        let mut document = Document::new_with(SerializeSettings::default());
        let paper = PageSettings::from_wh(WIDTH, HEIGHT)
            .ok_or_else(|| DocumentError::Pdf("the page has no size".into()))?;
        let mut pages = 0;
        for (sheet, enclosed) in letters {
            let mut page = document.start_page_with(paper.clone());
            let mut surface = page.surface();
            self.draw(&mut surface, sheet);
            surface.finish();
            page.finish();
            let all: Vec<usize> = (0..enclosed.pages).collect();
            document.embed_pdf_pages(&enclosed.pdf, &all);
            pages += 1 + enclosed.pages;
            // Printed on both sides, the next letter still begins on another sheet.
            if (1 + enclosed.pages) % 2 == 1 {
                document.start_page_with(paper.clone()).finish();
                pages += 1;
            }
        }
        let pdf = document.finish().map_err(|e| DocumentError::Pdf(format!("{e:?}")))?;
        Ok((pdf, pages))
    }

    fn draw(&self, surface: &mut Surface<'_>, sheet: &Sheet) {
        surface.set_fill(Some(Paint {
            paint: luma::Color::black().into(),
            opacity: NormalizedF32::ONE,
            rule: FillRule::NonZero,
        }));
        let mut y = self.pane.top;
        for line in &sheet.address {
            for piece in &line.pieces {
                let x = self.pane.left + piece.x;
                self.text(surface, [x, y], piece.style, sheet.size, &piece.text);
            }
            y += sheet.size * LEADING;
        }
        let bottom = self.pane.top + self.pane.height - REFERENCE * LEADING;
        let place = [self.pane.left, bottom];
        self.text(surface, place, Style::Regular, REFERENCE, &sheet.reference);
        // Above the window, and below the fold: nothing of it is seen from outside.
        let left = 20.0 * MM;
        let [parent, agency, address] = &self.sender;
        self.text(surface, [left, 10.0 * MM], Style::Regular, 10.0, &parent.to_uppercase());
        self.text(surface, [left, 15.0 * MM], Style::Bold, 10.0, &agency.to_uppercase());
        self.text(surface, [left, 20.0 * MM], Style::Regular, 9.0, address);
        self.text(surface, [left, 112.0 * MM], Style::Bold, 13.0, "PHIẾU GỬI VĂN BẢN");
        let width = WIDTH - 2.0 * left;
        let mut y = 122.0 * MM;
        for text in [
            format!("Thư số: {}", sheet.reference),
            format!("Kèm theo: {}", sheet.enclosed),
            "Cơ quan Công an không thông báo vi phạm qua điện thoại, tin nhắn và không gửi đường dẫn \
             thanh toán."
                .to_owned(),
        ] {
            let lines =
                layout::lines(&self.fonts, &[plain(text)], 11.5, width, 0.0, Fill::Ragged);
            for line in lines {
                for piece in &line.pieces {
                    self.text(surface, [left + piece.x, y], piece.style, 11.5, &piece.text);
                }
                y += 11.5 * LEADING;
            }
            y += 4.0;
        }
        // Where to fold.
        for fold in [FOLDED[1], 2.0 * FOLDED[1]] {
            let mut mark = PathBuilder::new();
            if let Some(rect) = Rect::from_xywh(5.0 * MM, fold * MM, 5.0 * MM, 0.5) {
                mark.push_rect(rect);
            }
            if let Some(mark) = mark.finish() {
                surface.draw_path(&mark);
            }
        }
    }

    fn text(
        &self,
        surface: &mut Surface<'_>,
        [x, y]: [f32; 2],
        style: Style,
        size: f32,
        text: &str,
    ) {
        let at = Point::from_xy(x, y + size * 0.95);
        let font = self.fonts.font(style);
        surface.draw_text(at, font, size, text, false, TextDirection::LeftToRight);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use proptest::prelude::*;

    fn letters(side: Side) -> Letters {
        let mut config = Config::embedded().unwrap();
        config.post.window_side = side;
        Letters::new(&config.post, &config.agency).unwrap()
    }

    #[test]
    fn the_pane_lies_within_the_folded_sheet_wherever_the_window_is() {
        for side in [Side::Left, Side::Right] {
            let pane = letters(side).pane;
            assert!(pane.left > 10.0 * MM && pane.left + pane.width < 200.0 * MM, "{pane:?}");
            assert!(pane.top > 20.0 * MM && pane.top + pane.height < FOLDED[1] * MM, "{pane:?}");
            assert!(pane.width > 60.0 * MM && pane.height > 15.0 * MM, "{pane:?}");
        }
    }

    #[test]
    fn an_address_that_no_window_shows_is_refused_and_a_long_one_is_set_smaller() {
        let letters = letters(Side::Left);
        let sheet = |address: &str| {
            letters.sheet("Nguyễn Thị Mẫu", address, "1-0001".into(), String::new())
        };
        let usual = "Số 12, ngõ 34 phố Nguyễn Trãi, phường Thanh Xuân, thành phố Hà Nội";
        assert!(sheet(usual).unwrap().size > 10.0);
        let long = usual.repeat(3);
        assert!(sheet(&long).unwrap().size < 10.0);
        assert!(sheet(&usual.repeat(20)).is_none());
    }

    proptest! {
        #[test]
        fn every_line_lies_behind_the_window(
            name in "[A-ZĐÂÊÔƠƯ][a-zạảãâêôơư ]{0,120}", address in "[0-9a-zạảãđâêô, ]{1,300}",
        ) {
            let letters = letters(Side::Right);
            let Some(sheet) = letters.sheet(&name, &address, "12-0007".into(), String::new()) else {
                return Ok(());
            };
            let pane = letters.pane;
            let height = sheet.address.len() as f32 * sheet.size * LEADING;
            prop_assert!(height + REFERENCE * LEADING <= pane.height + 0.01);
            for line in &sheet.address {
                prop_assert!(line.width <= pane.width + 0.01, "{:?}", line);
            }
        }
    }
}

//! What of a picture the detector looks at: a part as a whole, in bands too where that is much taller
//! than its input, and a smaller part once more from closer, where vehicles are far and many.

use crate::detect::INPUT;
use crate::geometry::{BBox, Region};

/// A region this many times as tall as the input's shape is looked at in bands too.
const TALL: f32 = 1.3;
/// Least overlap of two bands, as a share of their height.
const BAND_OVERLAP: f32 = 0.15;
/// Bands of one picture at most.
const MOST_BANDS: u32 = 8;
/// A box that ends this close to a part's edge, in frame pixels, may be cut by it.
const EDGE: f32 = 3.0;
/// So far inside the closer part, in frame pixels, boxes of the whole do not count: from farther
/// away they are drawn less exactly, and what is cut there must not be lost here.
const WELL_INSIDE: f32 = 12.0;
/// Share of a part's width or height from which a vehicle is better judged by the whole: seen so near,
/// a piece of a bus or lorry looks like a vehicle.
const LARGE: f32 = 0.5;
/// Up to this share the closer look has the word; from here to [`LARGE`] both say what they see, so
/// that no vehicle falls between them.
const SMALL: f32 = 0.4;

/// What of a picture is looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct View {
    /// The part analysed; the whole picture where there is none.
    pub part: Option<Region>,
    /// A smaller part, inside that one, which costs a second look: what is small and crowded in the
    /// whole comes apart there.
    pub closer: Option<Region>,
}

impl View {
    /// The whole picture, looked at once.
    pub const WHOLE: Self = Self { part: None, closer: None };

    /// Only `part` of the picture.
    pub const fn part(part: Region) -> Self {
        Self { part: Some(part), closer: None }
    }

    pub(crate) fn looks(&self, width: u32, height: u32) -> Looks {
        let whole = self.part.unwrap_or(Region::whole(width, height));
        Looks { whole, bands: bands(whole), closer: self.closer }
    }
}

/// The looks at one picture.
#[derive(Debug)]
pub(crate) struct Looks {
    pub whole: Region,
    bands: Vec<Region>,
    closer: Option<Region>,
}

impl Looks {
    /// Parts looked at beside the whole.
    pub fn parts(&self) -> impl Iterator<Item = Region> {
        self.bands.iter().copied().chain(self.closer)
    }

    /// Whether what was seen in `part` counts. What is large does not, nor what an edge inside the
    /// whole cuts: it is whole in the next band or in the whole.
    pub fn counts(&self, part: Region, bbox: &BBox) -> bool {
        !self.reaches_out(part, bbox, EDGE) && smaller(bbox, &part.bbox(), LARGE)
    }

    /// Whether what was seen in the whole counts: not where the closer look sees it better.
    pub fn counts_in_whole(&self, bbox: &BBox) -> bool {
        self.closer.is_none_or(|part| {
            self.reaches_out(part, bbox, WELL_INSIDE) || !smaller(bbox, &part.bbox(), SMALL)
        })
    }

    /// Whether a box comes nearer than `margin` to an edge of `part`, or lies beyond it. An edge
    /// that is the whole's own counts for nothing.
    fn reaches_out(&self, part: Region, bbox: &BBox, margin: f32) -> bool {
        let (edge, all) = (part.bbox(), self.whole.bbox());
        (edge.x1 > all.x1 && bbox.x1 < edge.x1 + margin)
            || (edge.y1 > all.y1 && bbox.y1 < edge.y1 + margin)
            || (edge.x2 < all.x2 && bbox.x2 > edge.x2 - margin)
            || (edge.y2 < all.y2 && bbox.y2 > edge.y2 - margin)
    }
}

fn smaller(bbox: &BBox, than: &BBox, share: f32) -> bool {
    bbox.width() < share * than.width() && bbox.height() < share * than.height()
}

/// Overlapping parts of a tall region, each of the input's shape; none where the region is not tall.
fn bands(region: Region) -> Vec<Region> {
    let height = region.width * INPUT.1 as u32 / INPUT.0 as u32;
    if height == 0 || (region.height as f32) < TALL * height as f32 {
        return Vec::new();
    }
    let step = (1.0 - BAND_OVERLAP) * height as f32;
    let count =
        ((region.height as f32 - BAND_OVERLAP * height as f32) / step).ceil().max(2.0) as u32;
    let count = count.min(MOST_BANDS);
    (0..count)
        .map(|i| Region {
            y: region.y + (region.height - height) * i / (count - 1),
            height,
            ..region
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(width: u32, height: u32) -> Region {
        Region { x: 10, y: 20, width, height }
    }

    #[test]
    fn wide_pictures_are_looked_at_once() {
        for (width, height) in [(1920, 1080), (1280, 960), (640, 384), (1, 1)] {
            assert_eq!(bands(region(width, height)), [], "{width}x{height}");
        }
    }

    #[test]
    fn bands_of_a_tall_picture_cover_it_and_overlap() {
        for (width, height) in [(600, 600), (1080, 1920), (640, 700), (300, 20_000)] {
            let whole = region(width, height);
            let bands = bands(whole);
            assert!(bands.len() >= 2, "{width}x{height}");
            assert_eq!(bands[0].y, whole.y);
            assert_eq!(bands[bands.len() - 1].bottom(), whole.bottom());
            let covered = bands.windows(2).all(|pair| pair[1].y < pair[0].bottom());
            // Beyond the most bands there are gaps; the look at the whole still covers them.
            assert!(covered || bands.len() == MOST_BANDS as usize, "{width}x{height}: {bands:?}");
            assert!(bands.iter().all(|band| band.height == bands[0].height && band.x == whole.x));
        }
    }

    /// A picture of 1920x1080 with the part 600..1240 x 0..384 looked at from closer.
    fn closer() -> (Looks, Region) {
        let part = Region { x: 600, y: 0, width: 640, height: 384 };
        (View { part: None, closer: Some(part) }.looks(1920, 1080), part)
    }

    #[test]
    fn a_small_vehicle_well_inside_is_the_closer_looks() {
        let (looks, part) = closer();
        assert_eq!(looks.parts().collect::<Vec<_>>(), [part]);
        let bike = BBox::new(700.0, 100.0, 730.0, 160.0);
        assert!(looks.counts(part, &bike) && !looks.counts_in_whole(&bike));
        // Its upper edge is the picture's own: nothing is cut there.
        let above = BBox::new(700.0, 0.0, 730.0, 40.0);
        assert!(looks.counts(part, &above) && !looks.counts_in_whole(&above));
        let elsewhere = BBox::new(100.0, 100.0, 130.0, 160.0);
        assert!(looks.counts_in_whole(&elsewhere));
        let above_elsewhere = BBox::new(100.0, 0.0, 130.0, 160.0);
        assert!(looks.counts_in_whole(&above_elsewhere));
    }

    #[test]
    fn what_is_cut_or_large_is_the_wholes() {
        let (looks, part) = closer();
        for cut in [
            [601.0, 100.0, 640.0, 160.0],
            [1200.0, 100.0, 1239.0, 160.0],
            [700.0, 300.0, 740.0, 383.0],
        ] {
            let [x1, y1, x2, y2] = cut;
            let bbox = BBox::new(x1, y1, x2, y2);
            assert!(!looks.counts(part, &bbox) && looks.counts_in_whole(&bbox), "{cut:?}");
        }
        let bus = BBox::new(700.0, 20.0, 900.0, 350.0);
        assert!(!looks.counts(part, &bus) && looks.counts_in_whole(&bus));
    }

    #[test]
    fn no_vehicle_falls_between_the_looks() {
        let (looks, part) = closer();
        // Every size and place; the looks may disagree by three pixels of where an edge is.
        for height in (10..380).step_by(10) {
            for x in (560..1260).step_by(5) {
                for y in (0..384).step_by(8) {
                    let (x, y, h) = (x as f32, y as f32, height as f32);
                    let seen = BBox::new(x, y, x + 0.5 * h, y + h);
                    let near = BBox::new(x - 3.0, y - 3.0, x + 0.5 * h + 3.0, y + h + 3.0);
                    assert!(
                        looks.counts_in_whole(&seen)
                            || looks.counts(part, &near.clipped(1920, 1080)),
                        "{seen:?}"
                    );
                }
            }
        }
    }
}

//! What a vehicle looks like: how bright and of what colours its upper half is. In a queue motorbikes stand
//! so close that boxes alone cannot tell them apart for long; the riders' clothes can.
//!
//! Three histograms (Y', Cb, Cr) over the middle of the upper half, which whoever rides behind does not
//! hide. They have no place in them, so a turn or a box that is a little off changes little.

use plate_model::{BBox, Planes};

/// Bins of Y' over 0–255, and of Cb and of Cr over 64–191, beyond which traffic hardly goes.
const LUMA: usize = 16;
const CHROMA: usize = 32;
const BINS: usize = LUMA + 2 * CHROMA;
/// The part of a box that is looked at, in shares of its width and of its height.
const ACROSS: [f32; 2] = [0.2, 0.8];
const DOWN: [f32; 2] = [0.05, 0.6];
/// Chroma samples looked at each way at most.
const SAMPLES: usize = 24;
/// A box nearer to the picture's edge than this, in pixels, may be cut: its upper half is another part
/// of the vehicle than later.
const EDGE: f32 = 4.0;
/// Fewer samples say nothing.
const LEAST: usize = 12;

/// Shares of the samples in each bin; all together 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Appearance([f32; BINS]);

impl Appearance {
    /// Of the vehicle in `bbox`, in pixels; none where the picture's edge cuts it or it is too small.
    pub fn of(planes: &Planes<'_>, bbox: &BBox) -> Option<Self> {
        let (right, bottom) = (planes.width() as f32 - EDGE, planes.height() as f32 - EDGE);
        if bbox.x1 < EDGE || bbox.y1 < EDGE || bbox.x2 > right || bbox.y2 > bottom {
            return None;
        }
        let samples = |from: f32, length: f32, [start, end]: [f32; 2]| {
            let at = |share: f32| ((from + share * length) / 2.0).round() as usize;
            at(start)..at(end)
        };
        let x = samples(bbox.x1, bbox.width(), ACROSS);
        let y = samples(bbox.y1, bbox.height(), DOWN);
        let step = |length: usize| length.div_ceil(SAMPLES).max(1);
        let (across, down) = (step(x.len()), step(y.len()));
        let mut bins = [0u32; BINS];
        let mut seen = 0;
        for cy in y.step_by(down) {
            let (above, below) = (planes.luma().row(2 * cy), planes.luma().row(2 * cy + 1));
            for cx in x.clone().step_by(across) {
                for luma in [above[2 * cx], above[2 * cx + 1], below[2 * cx], below[2 * cx + 1]] {
                    bins[usize::from(luma) * LUMA / 256] += 1;
                }
                let [u, v] = planes.chroma().at(cx, cy);
                let bin = |value: u8| (usize::from(value.clamp(64, 191)) - 64) * CHROMA / 128;
                bins[LUMA + bin(u)] += 4;
                bins[LUMA + CHROMA + bin(v)] += 4;
                seen += 1;
            }
        }
        let all = (12 * seen) as f32;
        (seen >= LEAST).then(|| Self(bins.map(|count| count as f32 / all)))
    }

    /// Share that two have in common, 0 to 1.
    pub fn in_common(&self, other: &Self) -> f32 {
        self.0.iter().zip(&other.0).map(|(a, b)| a.min(*b)).sum()
    }

    /// Moves by `share` towards `other`.
    pub fn approach(&mut self, other: &Self, share: f32) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine += share * (theirs - *mine);
        }
    }
}

#[cfg(test)]
mod tests {
    use plate_model::{Frame, Layout, PixelFormat};
    use proptest::prelude::*;

    use super::*;

    /// A grey picture with a rider in each of two places: luma and chroma of their clothes.
    fn picture(format: PixelFormat, riders: [[u8; 3]; 2]) -> Frame {
        let layout = Layout::packed(format, 160, 120);
        let mut data = vec![128u8; layout.bytes().unwrap()];
        for (i, [luma, u, v]) in riders.into_iter().enumerate() {
            for y in 20..100usize {
                for x in 20 + 70 * i..60 + 70 * i {
                    data[y * layout.strides[0] + x] = luma.saturating_add((x + y) as u8 % 8);
                    let at = y / 2 * layout.strides[1];
                    match format {
                        PixelFormat::I420 => {
                            data[layout.offsets[1] + at + x / 2] = u;
                            data[layout.offsets[2] + at + x / 2] = v;
                        }
                        PixelFormat::Nv12 => {
                            data[layout.offsets[1] + at + x / 2 * 2] = u;
                            data[layout.offsets[1] + at + x / 2 * 2 + 1] = v;
                        }
                    }
                }
            }
        }
        Frame::from_vec(layout, data).unwrap()
    }

    const RED: [u8; 3] = [90, 105, 180];
    const BLUE: [u8; 3] = [80, 160, 110];
    const LEFT: BBox = BBox { x1: 20.0, y1: 20.0, x2: 60.0, y2: 100.0 };
    const RIGHT: BBox = BBox { x1: 90.0, y1: 20.0, x2: 130.0, y2: 100.0 };

    fn look(frame: &Frame, bbox: BBox) -> Appearance {
        Appearance::of(&frame.planes(), &bbox).unwrap()
    }

    #[test]
    fn clothes_tell_riders_apart() {
        let frame = picture(PixelFormat::I420, [RED, BLUE]);
        let (red, blue) = (look(&frame, LEFT), look(&frame, RIGHT));
        assert!((red.in_common(&red) - 1.0).abs() < 1e-5);
        assert!(red.in_common(&blue) < 0.4, "{}", red.in_common(&blue));
        // A box that is a little off still shows the same rider.
        let off = look(&frame, BBox::new(24.0, 14.0, 66.0, 104.0));
        assert!(off.in_common(&red) > 0.8, "{}", off.in_common(&red));
        // Elsewhere in the picture the same clothes look the same.
        let exchanged = picture(PixelFormat::I420, [BLUE, RED]);
        assert!(look(&exchanged, RIGHT).in_common(&red) > 0.95);
    }

    #[test]
    fn a_vehicle_that_the_edge_cuts_has_no_look() {
        let frame = picture(PixelFormat::I420, [RED, BLUE]);
        for cut in [[-5.0, 20.0], [20.0, 3.0], [120.5, 20.0], [20.0, 40.0]] {
            let bbox = BBox::new(cut[0], cut[1], cut[0] + 40.0, cut[1] + 80.0);
            assert_eq!(Appearance::of(&frame.planes(), &bbox), None, "{cut:?}");
        }
        assert!(Appearance::of(&frame.planes(), &LEFT).is_some());
    }

    #[test]
    fn the_decoders_formats_look_alike() {
        let looks = [PixelFormat::I420, PixelFormat::Nv12]
            .map(|format| look(&picture(format, [RED, BLUE]), LEFT));
        assert_eq!(looks[0], looks[1]);
    }

    #[test]
    fn a_look_is_approached() {
        let frame = picture(PixelFormat::I420, [RED, BLUE]);
        let (mut mine, blue) = (look(&frame, LEFT), look(&frame, RIGHT));
        let before = mine.in_common(&blue);
        mine.approach(&blue, 0.5);
        assert!(mine.in_common(&blue) > before + 0.25);
        mine.approach(&blue, 1.0);
        assert!((mine.in_common(&blue) - 1.0).abs() < 1e-5);
    }

    proptest! {
        /// Boxes come from a network: anywhere, of any size.
        #[test]
        fn any_box_is_looked_at_safely(x in -400.0f32..400.0, y in -400.0f32..400.0, w in 0.0f32..900.0, h in 0.0f32..900.0) {
            let frame = picture(PixelFormat::Nv12, [RED, BLUE]);
            if let Some(look) = Appearance::of(&frame.planes(), &BBox::new(x, y, x + w, y + h)) {
                prop_assert!((look.0.iter().sum::<f32>() - 1.0).abs() < 1e-4);
            }
        }
    }
}

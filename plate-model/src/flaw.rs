//! What forbids to take a look at a plate for the whole plate, told by its pixels and place, not by
//! how certain the reader is: a character that is cut off or burnt out is often read as another
//! with full certainty.

use opencv::core::{BORDER_REFLECT_101, CV_32F, Mat, MatTraitConstManual, Point_};
use opencv::imgproc::{get_gaussian_kernel, sep_filter_2d};

use crate::error::Result;
use crate::finder::PlateQuad;
use crate::geometry::{BBox, Point, distance};
use crate::reader::Characters;

/// Corners this near to the picture's edge may be the edge's, in pixels and as a share of the
/// plate's width or height: what the refiner's corners err by.
const EDGE: f32 = 1.5;
const EDGE_SHARE: f32 = 0.025;

/// A pixel whose weakest channel reaches this is burnt out, 0 to 1.
const BURNT: f32 = 0.97;
/// Brighter than the plate's own bright ground by this share of what is left to white.
const LIFT: f32 = 0.5;
/// The ground's brightness is that of the middle of the plate below which this share lies, without
/// these columns and rows around it: a loose straightening shows more than the plate.
const GROUND: f32 = 0.75;
const MIDDLE: (usize, usize) = (12, 8);
/// Rim of the straightened plate that does not count, columns and rows: frames shine.
const RIM: (usize, usize) = (2, 3);

/// A solid burnt-out patch: its side in pixels of the straightened plate, the share of it that must
/// be burnt out, and the brightest ground on which it still stands out. Between characters on a
/// plate that is over-exposed as a whole the ground is as white, in narrower patches.
const PATCHES: [(usize, f32, f32); 2] = [(9, 0.65, 0.85), (13, 0.85, 0.90)];

/// Reach of the surroundings by which contrast is evened out, pixels of the straightened plate:
/// about a character's width.
const AROUND: f64 = 6.0;
/// What contrast is evened to: the mean, the spread, and the least spread that counts as contrast.
const EVEN: (f32, f32, f32) = (0.55, 0.22, 0.03);

/// Why a look is not one at the whole plate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    #[error("the plate is cut by the picture's edge")]
    Cut,
    #[error("glare hides or washes out a part of the plate")]
    Glare,
}

impl Flaw {
    pub fn of(quad: &PlateQuad, characters: &Characters) -> Option<Self> {
        if quad.cut { Some(Self::Cut) } else { characters.glare.then_some(Self::Glare) }
    }
}

/// Whether a plate touches or leaves `picture`, in frame pixels.
pub fn is_cut(corners: &[Point; 4], picture: &BBox) -> bool {
    let [a, b, c, d] = *corners;
    let near = |length: f32| EDGE + EDGE_SHARE * length;
    let x = near((distance(a, b) + distance(d, c)) / 2.0);
    let y = near((distance(a, d) + distance(b, c)) / 2.0);
    let whole = BBox::new(picture.x1 + x, picture.y1 + y, picture.x2 - x, picture.y2 - y);
    // NaN is not inside either.
    let inside =
        |&[x, y]: &Point| (whole.x1..=whole.x2).contains(&x) && (whole.y1..=whole.y2).contains(&y);
    !corners.iter().all(inside)
}

/// Whether a straightened plate, planar RGB, has a patch burnt out that stands out from its ground.
pub fn has_glare(tensor: &[f32], (width, height): (usize, usize)) -> bool {
    let count = width * height;
    let weakest: Vec<f32> =
        (0..count).map(|i| tensor[i].min(tensor[count + i]).min(tensor[2 * count + i])).collect();
    let within = |i: usize, (left, above): (usize, usize)| {
        let (x, y) = (i % width, i / width);
        (left..width - left).contains(&x) && (above..height - above).contains(&y)
    };
    let mut sorted: Vec<f32> =
        (0..count).filter(|&i| within(i, MIDDLE)).map(|i| weakest[i]).collect();
    let at = (GROUND * sorted.len() as f32) as usize;
    let (_, ground, _) = sorted.select_nth_unstable_by(at, f32::total_cmp);
    let ground = *ground;
    let burnt = BURNT.max(ground + LIFT * (1.0 - ground));
    // Sums over the rectangle above and left of each pixel.
    let stride = width + 1;
    let mut sums = vec![0u32; stride * (height + 1)];
    for y in 0..height {
        for x in 0..width {
            let i = y * width + x;
            let here = u32::from(within(i, RIM) && weakest[i] >= burnt);
            sums[(y + 1) * stride + x + 1] =
                here + sums[y * stride + x + 1] + sums[(y + 1) * stride + x] - sums[y * stride + x];
        }
    }
    PATCHES.iter().any(|&(side, share, brightest)| {
        let least = (share * (side * side) as f32).ceil() as u32;
        let sum = |x: usize, y: usize| {
            let (right, below) = (x + side, y + side);
            sums[below * stride + right] + sums[y * stride + x]
                - sums[y * stride + right]
                - sums[below * stride + x]
        };
        ground < brightest
            && (0..=height - side).any(|y| (0..=width - side).any(|x| sum(x, y) >= least))
    })
}

/// The same straightened plate, planar RGB, in grey and with the contrast of all its parts evened
/// out: a character that light has washed out stands as clearly as the others.
pub fn evened(tensor: &[f32], size: (usize, usize)) -> Result<Vec<f32>> {
    let count = size.0 * size.1;
    let luma: Vec<f32> = (0..count)
        .map(|i| 0.2126 * tensor[i] + 0.7152 * tensor[count + i] + 0.0722 * tensor[2 * count + i])
        .collect();
    let mean = smoothed(&luma, size)?;
    let away: Vec<f32> = luma.iter().zip(&mean).map(|(value, mean)| value - mean).collect();
    let squares: Vec<f32> = away.iter().map(|value| value * value).collect();
    let spread = smoothed(&squares, size)?;
    let (middle, contrast, least) = EVEN;
    let grey: Vec<f32> = away
        .iter()
        .zip(&spread)
        .map(|(away, square)| middle + contrast * away / square.max(0.0).sqrt().max(least))
        .map(|value| value.clamp(0.0, 1.0))
        .collect();
    Ok(grey.repeat(3))
}

fn smoothed(values: &[f32], (width, height): (usize, usize)) -> Result<Vec<f32>> {
    let kernel = get_gaussian_kernel(2 * (3.0 * AROUND) as i32 + 1, AROUND, CV_32F)?;
    // Sides of the reader's input: they fit.
    let source = Mat::new_rows_cols_with_data(height as i32, width as i32, values)?;
    let mut out = Mat::default();
    let anchor = Point_::new(-1, -1);
    sep_filter_2d(&source, &mut out, -1, &kernel, &kernel, anchor, 0.0, BORDER_REFLECT_101)?;
    Ok(out.data_typed::<f32>()?.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (usize, usize) = (128, 64);

    fn plate(ground: f32) -> Vec<f32> {
        let strokes = |i: usize| (i % SIZE.0) % 14 < 4 && (14..50).contains(&(i / SIZE.0));
        let pixel = |i: usize| if strokes(i % (SIZE.0 * SIZE.1)) { 0.2 } else { ground };
        (0..3 * SIZE.0 * SIZE.1).map(pixel).collect()
    }

    /// Burns a disc out.
    fn burn(tensor: &mut [f32], [cx, cy]: [f32; 2], radius: f32) {
        for (i, value) in tensor.iter_mut().enumerate() {
            let (x, y) = (i % SIZE.0, i / SIZE.0 % SIZE.1);
            if (x as f32 - cx).hypot(y as f32 - cy) < radius {
                *value = 1.0;
            }
        }
    }

    #[test]
    fn a_burnt_patch_is_glare_and_a_white_plate_is_not() {
        for ground in [0.3, 0.6, 0.85, 0.93, 0.99, 1.0] {
            let mut tensor = plate(ground);
            assert!(!has_glare(&tensor, SIZE), "{ground}");
            burn(&mut tensor, [60.0, 32.0], 9.0);
            assert_eq!(has_glare(&tensor, SIZE), ground < 0.9, "{ground}");
        }
        let mut spark = plate(0.6);
        burn(&mut spark, [60.0, 32.0], 2.5);
        assert!(!has_glare(&spark, SIZE), "smaller than a part of a character");
        let mut rim = plate(0.6);
        rim[..3 * SIZE.0].fill(1.0);
        assert!(!has_glare(&rim, SIZE));
    }

    #[test]
    fn evening_out_brings_faint_strokes_to_the_others() {
        let mut tensor = plate(0.7);
        // The right half is washed out to a fifth of its contrast.
        for (i, value) in tensor.iter_mut().enumerate() {
            if i % SIZE.0 >= 64 {
                *value = 0.7 + (*value - 0.7) * 0.2;
            }
        }
        let contrast = |tensor: &[f32], from: usize| {
            let row = &tensor[32 * SIZE.0 + from..32 * SIZE.0 + from + 28];
            row.iter().fold(0.0f32, |most, v| most.max(*v))
                - row.iter().fold(1.0f32, |m, v| m.min(*v))
        };
        assert!(contrast(&tensor, 90) < 0.25 * contrast(&tensor, 14));
        let even = evened(&tensor, SIZE).unwrap();
        assert_eq!(even.len(), tensor.len());
        assert!(contrast(&even, 90) > 0.8 * contrast(&even, 14), "{}", contrast(&even, 90));
        assert!(even.iter().all(|value| (0.0..=1.0).contains(value)));
    }

    #[test]
    fn a_plate_at_the_edge_is_cut() {
        let picture = BBox::new(0.0, 0.0, 640.0, 480.0);
        let at = |x: f32, y: f32| [[x, y], [x + 80.0, y], [x + 80.0, y + 40.0], [x, y + 40.0]];
        assert!(!is_cut(&at(200.0, 200.0), &picture));
        for corners in [at(-10.0, 200.0), at(1.0, 200.0), at(558.0, 200.0), at(200.0, 438.5)] {
            assert!(is_cut(&corners, &picture), "{corners:?}");
        }
        assert!(!is_cut(&at(5.0, 200.0), &picture), "clear of it by more than corners err");
        let mut lost = at(200.0, 200.0);
        lost[2][0] = f32::NAN;
        assert!(is_cut(&lost, &picture));
        // A part of the picture alone may be analysed: bars beside it are no picture.
        assert!(is_cut(&at(200.0, 200.0), &BBox::new(202.0, 0.0, 640.0, 480.0)));
    }
}

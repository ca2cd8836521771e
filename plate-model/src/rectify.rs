//! A plate seen at an angle becomes the flat picture that the reader was taught on.

use opencv::core::{BORDER_REPLICATE, DECOMP_LU, Mat, MatTraitConstManual, Point2f, Scalar, Size};
use opencv::imgproc::{INTER_LINEAR, get_perspective_transform_slice, warp_perspective};

use crate::error::{ModelError, Result};
use crate::frame::Planes;
use crate::geometry::{BBox, Point, Region};
use crate::tensor::Sampler;

/// Pixels around the corners that interpolation may touch.
const MARGIN: f32 = 2.0;
/// A plate this much larger than the output is averaged down first: bilinear sampling alone would
/// skip pixels and break thin strokes.
const OVERSAMPLING: f32 = 2.0;

/// Rectifies plates; keeps its buffers between plates.
#[derive(Debug, Default)]
pub(crate) struct Rectifier {
    sampler: Sampler,
    patch: Vec<f32>,
}

impl Rectifier {
    /// Fills a planar RGB tensor of `size` with what lies between the corners, which are in frame
    /// pixels, clockwise from the top left.
    pub fn rectify(
        &mut self,
        planes: &Planes<'_>,
        corners: &[Point; 4],
        size: (usize, usize),
        tensor: &mut [f32],
    ) -> Result<()> {
        let bounds = BBox::around(corners);
        let bounds = BBox::new(
            bounds.x1 - MARGIN,
            bounds.y1 - MARGIN,
            bounds.x2 + MARGIN,
            bounds.y2 + MARGIN,
        );
        let Some(region) = Region::touched(&bounds, planes.width(), planes.height()) else {
            return Err(ModelError::Frame("the plate's corners are outside the picture".into()));
        };
        let side = |pixels: u32, out: usize| {
            let shrink = (pixels as f32 / (out as f32 * OVERSAMPLING)).max(1.0);
            (pixels as f32 / shrink).round().max(1.0) as usize
        };
        let patch = (side(region.width, size.0), side(region.height, size.1));
        self.patch.resize(3 * patch.0 * patch.1, 0.0);
        self.sampler.stretch(planes, region, patch, &mut self.patch)?;
        let (sx, sy) =
            (patch.0 as f32 / region.width as f32, patch.1 as f32 / region.height as f32);
        // OpenCV counts pixel centres, we count areas: half a pixel apart.
        let from = corners.map(|[x, y]| {
            Point2f::new((x - region.x as f32) * sx - 0.5, (y - region.y as f32) * sy - 0.5)
        });
        let (right, bottom) = (size.0 as f32 - 0.5, size.1 as f32 - 0.5);
        let to = [
            Point2f::new(-0.5, -0.5),
            Point2f::new(right, -0.5),
            Point2f::new(right, bottom),
            Point2f::new(-0.5, bottom),
        ];
        let transform = get_perspective_transform_slice(from, to, DECOMP_LU)?;
        let planes_in = self.patch.chunks_exact(patch.0 * patch.1);
        for (source, target) in planes_in.zip(tensor.chunks_exact_mut(size.0 * size.1)) {
            // Sides are at most 16,384: they fit.
            let source = Mat::new_rows_cols_with_data(patch.1 as i32, patch.0 as i32, source)?;
            let mut target =
                Mat::new_rows_cols_with_data_mut(size.1 as i32, size.0 as i32, target)?;
            warp_perspective(
                &source,
                &mut target,
                &transform,
                Size::new(size.0 as i32, size.1 as i32),
                INTER_LINEAR,
                BORDER_REPLICATE,
                Scalar::default(),
            )?;
        }
        Ok(())
    }
}

/// Points of a rectified picture back in frame pixels; `corners` and `size` are what it was made with.
pub(crate) fn unrectified<const N: usize>(
    corners: &[Point; 4],
    size: (usize, usize),
    points: &[Point; N],
) -> Result<[Point; N]> {
    let (right, bottom) = (size.0 as f32, size.1 as f32);
    let from = [[0.0, 0.0], [right, 0.0], [right, bottom], [0.0, bottom]];
    let as_cv = |points: [Point; 4]| points.map(|[x, y]| Point2f::new(x, y));
    let transform = get_perspective_transform_slice(as_cv(from), as_cv(*corners), DECOMP_LU)?;
    let m: &[f64] = transform.data_typed()?;
    Ok(points.map(|[x, y]| {
        let row = |i: usize| m[i] * f64::from(x) + m[i + 1] * f64::from(y) + m[i + 2];
        let depth = row(6);
        [(row(0) / depth) as f32, (row(3) / depth) as f32]
    }))
}

/// How crisp the strokes of a rectified plate are: root mean square of the steps between horizontal
/// neighbours over the spread of brightness. Blur spreads one large step over many small ones, so
/// it lowers the value; a flat patch has 0.
pub(crate) fn sharpness(tensor: &[f32], (width, height): (usize, usize)) -> f32 {
    let green = &tensor[width * height..2 * width * height];
    let count = green.len() as f32;
    let mean = green.iter().sum::<f32>() / count;
    let variance = green.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / count;
    let spread = variance.sqrt();
    // Less contrast than this is no plate one could read.
    if spread < 0.01 {
        return 0.0;
    }
    let steps: f32 = green
        .chunks_exact(width)
        .flat_map(|row| row.windows(2))
        .map(|pair| (pair[1] - pair[0]).powi(2))
        .sum();
    (steps / (height * (width - 1)) as f32).sqrt() / spread
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Frame, Layout, PixelFormat};

    /// A picture whose luma is a bright quadrilateral-free ramp: value depends on x only.
    fn ramp(width: u32, height: u32) -> Frame {
        let layout = Layout::packed(PixelFormat::I420, width, height);
        let mut data = vec![128; layout.bytes().unwrap()];
        for y in 0..height as usize {
            for x in 0..width as usize {
                data[y * width as usize + x] = 16 + (x * 200 / width as usize) as u8;
            }
        }
        Frame::from_vec(layout, data).unwrap()
    }

    #[test]
    fn upright_corners_reproduce_the_crop() {
        let frame = ramp(400, 200);
        let mut tensor = vec![0.0; 3 * 128 * 64];
        let corners = [[40.0, 20.0], [168.0, 20.0], [168.0, 84.0], [40.0, 84.0]];
        Rectifier::default().rectify(&frame.planes(), &corners, (128, 64), &mut tensor).unwrap();
        for x in [0, 50, 127] {
            let expected = (16.0 + (40 + x) as f32 * 0.5 - 16.0) / 219.0;
            let found = tensor[30 * 128 + x];
            assert!((found - expected).abs() < 0.006, "x {x}: {found} instead of {expected}");
        }
    }

    #[test]
    fn corners_decide_which_way_is_up() {
        let frame = ramp(400, 200);
        let mut tensor = vec![0.0; 3 * 128 * 64];
        let upside_down = [[300.0, 150.0], [100.0, 150.0], [100.0, 50.0], [300.0, 50.0]];
        let mut rectifier = Rectifier::default();
        rectifier.rectify(&frame.planes(), &upside_down, (128, 64), &mut tensor).unwrap();
        assert!(tensor[32 * 128] > tensor[32 * 128 + 127] + 0.2);
    }

    #[test]
    fn points_come_back_from_the_rectified_picture() {
        let corners = [[100.0, 50.0], [220.0, 60.0], [210.0, 130.0], [90.0, 100.0]];
        let own = [[0.0, 0.0], [128.0, 0.0], [128.0, 64.0], [0.0, 64.0]];
        let back = unrectified(&corners, (128, 64), &own).unwrap();
        for (found, wanted) in back.iter().flatten().zip(corners.iter().flatten()) {
            assert!((found - wanted).abs() < 1e-3, "{back:?}");
        }
        // Perspective keeps straight lines: the middle is where the diagonals cross.
        let [middle] = unrectified(&corners, (128, 64), &[[64.0, 32.0]]).unwrap();
        let side = |a: Point, b: Point, p: Point| {
            (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])
        };
        assert!(side(corners[0], corners[2], middle).abs() < 0.1, "{middle:?}");
        assert!(side(corners[1], corners[3], middle).abs() < 0.1, "{middle:?}");
    }

    #[test]
    fn corners_outside_are_an_error() {
        let frame = ramp(64, 48);
        let mut tensor = vec![0.0; 3 * 128 * 64];
        let outside = [[90.0, 60.0], [99.0, 60.0], [99.0, 66.0], [90.0, 66.0]];
        let result =
            Rectifier::default().rectify(&frame.planes(), &outside, (128, 64), &mut tensor);
        assert!(matches!(result, Err(ModelError::Frame(_))));
    }

    #[test]
    fn blur_lowers_sharpness() {
        let (width, height) = (64, 8);
        let stripes: Vec<f32> =
            (0..3 * width * height).map(|i| f32::from(u8::from((i / 4) % 2 == 0))).collect();
        let blurred: Vec<f32> = (0..stripes.len())
            .map(|i| {
                let near = &stripes[i.saturating_sub(2)..(i + 3).min(stripes.len())];
                near.iter().sum::<f32>() / near.len() as f32
            })
            .collect();
        let (sharp, soft) =
            (sharpness(&stripes, (width, height)), sharpness(&blurred, (width, height)));
        assert!(soft < 0.8 * sharp, "{soft} against {sharp}");
        assert_eq!(sharpness(&vec![0.5; stripes.len()], (width, height)), 0.0);
    }
}

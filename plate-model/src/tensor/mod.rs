//! From a decoder's planes straight to the network's tensor: resampling, colour conversion,
//! scaling to 0–1 (or bytes) and letterboxing in one pass, with no RGB picture in between.
//!
//! The pass is separable. For each output row the source rows that it covers are summed with 8-bit
//! weights into 16-bit rows (Y, U, V apart), then each output pixel gathers its columns with 14-bit
//! weights, and the three sums become RGB. Sums are integers, so the AVX2 and the scalar path give
//! the same numbers. Shrinking averages the covered area (as `INTER_AREA` does in training),
//! growing is bilinear. Chroma is taken as centred between luma pixels.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod axis;
mod blocks;
mod colour;
mod letterbox;
mod scalar;

use crate::error::{ModelError, Result};
use crate::frame::{Chroma, Plane, Planes};
use crate::geometry::Region;
use axis::{Axis, Columns, Span};
pub use blocks::BLOCK;
use colour::Coefficients;
pub use letterbox::Letterbox;

/// Grey of the padding, as in training.
pub const PADDING: f32 = 114.0 / 255.0;

/// Resamples pictures into tensors; keeps weights and rows between pictures of the same size.
#[derive(Debug, Default)]
pub struct Sampler {
    geometry: Option<(Key, Geometry)>,
    rows: Rows,
    /// Two lines as bytes on their way into blocks.
    levels: blocks::Levels,
    /// Set where the scalar path is wanted although the CPU has AVX2.
    scalar: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    picture: (u32, u32),
    region: Region,
    size: (usize, usize),
}

/// Weights of one (picture, region, output size).
#[derive(Debug)]
struct Geometry {
    luma: PlaneAxes,
    chroma: PlaneAxes,
}

#[derive(Debug)]
struct PlaneAxes {
    vertical: Axis,
    horizontal: Columns,
    /// Columns of the plane that are read.
    span: Span,
}

/// The weighted rows of one output line, 16-bit, offset so that they are signed.
#[derive(Debug, Default)]
struct Rows {
    y: Vec<i16>,
    /// U and V side by side, so that one read fetches both.
    uv: Vec<i16>,
    /// U, then V, of a planar picture on their way there.
    apart: Vec<i16>,
}

impl Sampler {
    /// A sampler that never uses vector instructions; the reference of the tests and benchmarks.
    pub fn scalar() -> Self {
        Self { scalar: true, ..Self::default() }
    }

    /// Fills a planar RGB tensor of `size` (width, height) with the region, letterboxed.
    pub fn letterbox(
        &mut self,
        planes: &Planes<'_>,
        region: Region,
        size: (usize, usize),
        tensor: &mut [f32],
    ) -> Result<Letterbox> {
        let letterbox = Letterbox::new(region, size);
        let (width, height) = letterbox.inner();
        self.fill(planes, region, (width, height), size, tensor)?;
        let plane = size.0 * size.1;
        for channel in tensor[..3 * plane].chunks_exact_mut(plane) {
            for row in channel[..height * size.0].chunks_exact_mut(size.0) {
                row[width..].fill(PADDING);
            }
            channel[height * size.0..].fill(PADDING);
        }
        Ok(letterbox)
    }

    /// Fills a tensor of bytes of `size` (width, height; both even) with the region, letterboxed:
    /// `[height / 2, width / 2, 12]`, the four pixels of a 2x2 block side by side (see [`blocks`]).
    pub fn letterbox_blocks(
        &mut self,
        planes: &Planes<'_>,
        region: Region,
        size: (usize, usize),
        tensor: &mut [u8],
    ) -> Result<Letterbox> {
        let letterbox = Letterbox::new(region, size);
        let inner = letterbox.inner();
        room(tensor.len(), size)?;
        let mut lines = blocks::Lines::new(std::mem::take(&mut self.levels), size, tensor);
        let done = self.each_line(planes, region, inner, &mut lines);
        self.levels = lines.finish();
        done.map(|()| letterbox)
    }

    /// Fills a planar RGB tensor of `size` (width, height) with the region, stretched to fit.
    pub fn stretch(
        &mut self,
        planes: &Planes<'_>,
        region: Region,
        size: (usize, usize),
        tensor: &mut [f32],
    ) -> Result<()> {
        self.fill(planes, region, size, size, tensor)
    }

    fn fill(
        &mut self,
        planes: &Planes<'_>,
        region: Region,
        inner: (usize, usize),
        size: (usize, usize),
        tensor: &mut [f32],
    ) -> Result<()> {
        room(tensor.len(), size)?;
        let plane = size.0 * size.1;
        let (red, rest) = tensor.split_at_mut(plane);
        let (green, blue) = rest.split_at_mut(plane);
        self.each_line(
            planes,
            region,
            inner,
            &mut Planar { width: size.0, planes: [red, green, blue] },
        )
    }

    /// Resamples the region to `inner` (width, height), line by line.
    fn each_line(
        &mut self,
        planes: &Planes<'_>,
        region: Region,
        inner: (usize, usize),
        lines: &mut impl Lines,
    ) -> Result<()> {
        let picture = (planes.width(), planes.height());
        if !region.fits(picture.0, picture.1) {
            return Err(ModelError::Frame(format!(
                "region {}x{} at {},{} is not inside the {}x{} picture",
                region.width, region.height, region.x, region.y, picture.0, picture.1
            )));
        }
        let key = Key { picture, region, size: inner };
        let geometry = match &mut self.geometry {
            Some((known, geometry)) if *known == key => geometry,
            slot => &mut slot.insert((key, Geometry::new(planes, region, inner))).1,
        };
        self.rows.resize(geometry);
        let coefficients = Coefficients::new(planes.colour());
        let vector = !self.scalar && has_avx2();
        let mut covered: Vec<&[u8]> = Vec::new();
        for line in 0..inner.1 {
            self.rows.weigh(planes, geometry, line, &mut covered, vector);
            let mut out = lines.line(line, inner.0);
            mix(&self.rows, geometry, &coefficients, &mut out, vector);
            lines.done(line);
        }
        Ok(())
    }
}

/// Where resampled lines go.
trait Lines {
    /// Red, green and blue of a line, `width` numbers each, to be filled.
    fn line(&mut self, line: usize, width: usize) -> [&mut [f32]; 3];

    /// The line is filled.
    fn done(&mut self, _line: usize) {}
}

/// Three planes of `width` numbers a line.
struct Planar<'t> {
    width: usize,
    planes: [&'t mut [f32]; 3],
}

impl Lines for Planar<'_> {
    fn line(&mut self, line: usize, width: usize) -> [&mut [f32]; 3] {
        let at = line * self.width..line * self.width + width;
        self.planes.each_mut().map(|plane| &mut plane[at.clone()])
    }
}

/// Whether three colours of `size` (width, height) fit into so many numbers.
fn room(numbers: usize, (width, height): (usize, usize)) -> Result<()> {
    if numbers < 3 * width * height {
        return Err(ModelError::Frame(format!(
            "tensor has {numbers} numbers, 3x{height}x{width} are needed"
        )));
    }
    Ok(())
}

impl Geometry {
    fn new(planes: &Planes<'_>, region: Region, (width, height): (usize, usize)) -> Self {
        let (x, y) = (f64::from(region.x), f64::from(region.y));
        let (w, h) = (f64::from(region.width), f64::from(region.height));
        let chroma_width = (planes.width() as usize).div_ceil(2);
        let chroma_height = (planes.height() as usize).div_ceil(2);
        let luma = (planes.width() as usize, planes.height() as usize);
        Self {
            luma: PlaneAxes::new((x, w, luma.0, width), (y, h, luma.1, height), 1.0, 4),
            chroma: PlaneAxes::new(
                (x / 2.0, w / 2.0, chroma_width, width),
                (y / 2.0, h / 2.0, chroma_height, height),
                // Chroma is smooth already: two taps do until half of it would be skipped.
                2.0,
                2,
            ),
        }
    }
}

impl PlaneAxes {
    /// Each axis as (start, length, pixels of the plane, output pixels); `taps` in a group.
    fn new(
        (x, w, columns, width): (f64, f64, usize, usize),
        (y, h, rows, height): (f64, f64, usize, usize),
        area_above: f64,
        taps: usize,
    ) -> Self {
        let across = Span::new(x, w, columns);
        let down = Span::new(y, h, rows);
        Self {
            vertical: Axis::new(y, h / height as f64, height, down, area_above, 1 << 8),
            horizontal: Columns::new(
                &Axis::new(x, w / width as f64, width, across, area_above, 1 << 14),
                across.start,
                taps,
            ),
            span: across,
        }
    }
}

impl Rows {
    fn resize(&mut self, geometry: &Geometry) {
        // Columns are read in groups, so the last read may end past the last column.
        let room = |axes: &PlaneAxes| axes.span.len().max(axes.horizontal.furthest);
        self.y.resize(room(&geometry.luma), 0);
        self.uv.resize(2 * room(&geometry.chroma), 0);
        self.apart.resize(2 * geometry.chroma.span.len(), 0);
    }

    fn weigh<'a>(
        &mut self,
        planes: &Planes<'a>,
        geometry: &Geometry,
        line: usize,
        covered: &mut Vec<&'a [u8]>,
        vector: bool,
    ) {
        let span = geometry.luma.span;
        let weights = collect(planes.luma(), &geometry.luma.vertical, line, span, 1, covered);
        vertical(covered, weights, &mut self.y[..span.len()], vector);
        let span = geometry.chroma.span;
        let axis = &geometry.chroma.vertical;
        let uv = &mut self.uv[..2 * span.len()];
        match planes.chroma() {
            Chroma::Planar { u, v } => {
                let (blue, red) = self.apart.split_at_mut(span.len());
                let weights = collect(u, axis, line, span, 1, covered);
                vertical(covered, weights, blue, vector);
                let weights = collect(v, axis, line, span, 1, covered);
                vertical(covered, weights, red, vector);
                interleave(blue, red, uv, vector);
            }
            Chroma::Interleaved(plane) => {
                let weights = collect(plane, axis, line, span, 2, covered);
                vertical(covered, weights, uv, vector);
            }
        }
    }
}

/// The rows that an output line covers, cut to the columns in use, and their weights.
fn collect<'a, 'w>(
    plane: &Plane<'a>,
    axis: &'w Axis,
    line: usize,
    span: Span,
    bytes: usize,
    covered: &mut Vec<&'a [u8]>,
) -> &'w [u16] {
    let (first, weights) = axis.taps(line);
    covered.clear();
    for row in first..first + weights.len() {
        covered.push(&plane.row(row)[span.start * bytes..span.end * bytes]);
    }
    weights
}

fn vertical(rows: &[&[u8]], weights: &[u16], out: &mut [i16], vector: bool) {
    #[cfg(target_arch = "x86_64")]
    if vector {
        // SAFETY: `vector` is only set where the CPU has AVX2.
        return unsafe { avx2::vertical(rows, weights, out) };
    }
    let _ = vector;
    scalar::vertical(rows, weights, out);
}

fn interleave(u: &[i16], v: &[i16], uv: &mut [i16], vector: bool) {
    #[cfg(target_arch = "x86_64")]
    if vector {
        // SAFETY: `vector` is only set where the CPU has AVX2.
        return unsafe { avx2::interleave(u, v, uv) };
    }
    let _ = vector;
    scalar::interleave(u, v, uv);
}

fn mix(
    rows: &Rows,
    geometry: &Geometry,
    coefficients: &Coefficients,
    out: &mut [&mut [f32]; 3],
    vector: bool,
) {
    let (luma, chroma) = (&geometry.luma.horizontal, &geometry.chroma.horizontal);
    #[cfg(target_arch = "x86_64")]
    if vector {
        // SAFETY: `vector` is only set where the CPU has AVX2.
        return unsafe { avx2::mix(rows, luma, chroma, coefficients, out) };
    }
    let _ = vector;
    let width = out[0].len();
    scalar::mix(rows, luma, chroma, coefficients, out, 0..width);
}

fn has_avx2() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("avx2");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

#[cfg(test)]
mod tests;

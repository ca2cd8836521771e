//! Integer resampling weights along one axis.

/// Pixels of a plane that a region touches, `start..end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub start: usize,
    pub end: usize,
}

impl Span {
    pub fn new(start: f64, length: f64, pixels: usize) -> Self {
        let first = (start.floor() as usize).min(pixels - 1);
        let end = ((start + length).ceil() as usize).clamp(first + 1, pixels);
        Self { start: first, end }
    }

    pub const fn len(&self) -> usize {
        self.end - self.start
    }
}

/// Taps of every output pixel; the weights of one pixel sum to the same total exactly.
#[derive(Debug)]
pub(super) struct Axis {
    /// First source pixel and first weight of each output pixel.
    taps: Vec<(usize, usize)>,
    weights: Vec<u16>,
}

impl Axis {
    /// Output pixel `i` covers `start + i * step .. start + (i + 1) * step` of the plane. Steps
    /// above `area_above` average that area, others interpolate between two pixels.
    pub fn new(
        start: f64,
        step: f64,
        outputs: usize,
        span: Span,
        area_above: f64,
        total: u32,
    ) -> Self {
        let mut axis = Self { taps: Vec::with_capacity(outputs + 1), weights: Vec::new() };
        let mut shares: Vec<f64> = Vec::new();
        for i in 0..outputs {
            let from = start + i as f64 * step;
            shares.clear();
            let first = if step > area_above {
                covered(from, from + step, span, &mut shares)
            } else {
                between(from + step / 2.0, span, &mut shares)
            };
            axis.taps.push((first, axis.weights.len()));
            quantise(&shares, total, &mut axis.weights);
        }
        axis.taps.push((0, axis.weights.len()));
        axis
    }

    pub fn outputs(&self) -> usize {
        self.taps.len() - 1
    }

    /// First source pixel and the weights from there on.
    pub fn taps(&self, output: usize) -> (usize, &[u16]) {
        let (first, from) = self.taps[output];
        (first, &self.weights[from..self.taps[output + 1].1])
    }
}

/// Shares of the pixels between two positions, cut to the span.
fn covered(from: f64, to: f64, span: Span, shares: &mut Vec<f64>) -> usize {
    // Rounding errors of a whole-number step must not touch one pixel more.
    const SLACK: f64 = 1e-6;
    let from = from.max(span.start as f64);
    let to = to.min(span.end as f64);
    let first = ((from + SLACK).floor() as usize).clamp(span.start, span.end - 1);
    let last = ((to - SLACK).ceil() as usize).clamp(first + 1, span.end);
    for pixel in first..last {
        let pixel = pixel as f64;
        shares.push((to.min(pixel + 1.0) - from.max(pixel)).max(0.0));
    }
    first
}

/// Linear shares of the two pixels around a position.
fn between(centre: f64, span: Span, shares: &mut Vec<f64>) -> usize {
    let position = (centre - 0.5).clamp(span.start as f64, (span.end - 1) as f64);
    let first = position.floor() as usize;
    let share = position - first as f64;
    shares.push(1.0 - share);
    // The last pixel has no neighbour; its share is then zero.
    if share > 0.0 && first + 1 < span.end {
        shares.push(share);
    }
    first
}

/// Integers in proportion to the shares whose sum is the total exactly.
fn quantise(shares: &[f64], total: u32, weights: &mut Vec<u16>) {
    let sum: f64 = shares.iter().sum();
    let (mut running, mut given) = (0.0, 0);
    for (i, share) in shares.iter().enumerate() {
        running += share;
        let upto = if i + 1 == shares.len() {
            total
        } else {
            ((running / sum * f64::from(total)).round() as u32).min(total)
        };
        // At most 2^14: fits.
        weights.push((upto - given) as u16);
        given = upto;
    }
}

/// Horizontal weights laid out for gathers of eight bytes: four luma samples, or two of U and V.
#[derive(Debug)]
pub(super) struct Columns {
    /// First source column of each output pixel, relative to the span; padded to a multiple of
    /// eight output pixels.
    pub starts: Vec<i32>,
    /// 14-bit weights of a group's taps: `weights[group * starts.len() + output]`. Two taps are
    /// written twice, for U and for V.
    pub weights: Vec<[i16; 4]>,
    pub groups: usize,
    /// Columns that a row must have for every read to stay inside, the last group's included.
    pub furthest: usize,
}

impl Columns {
    /// With `taps` in a group, 4 or 2.
    pub fn new(axis: &Axis, origin: usize, taps: usize) -> Self {
        let outputs = axis.outputs();
        let longest = (0..outputs).map(|i| axis.taps(i).1.len()).max().unwrap_or(1);
        let groups = longest.div_ceil(taps);
        let padded = outputs.next_multiple_of(8);
        let mut starts = vec![0; padded];
        let mut weights = vec![[0; 4]; padded * groups];
        for (i, into) in starts[..outputs].iter_mut().enumerate() {
            let (first, of_output) = axis.taps(i);
            // Planes are at most 16,384 wide and weights at most 2^14: both fit.
            *into = (first - origin) as i32;
            for (group, few) in of_output.chunks(taps).enumerate() {
                for (lane, weight) in weights[group * padded + i].iter_mut().enumerate() {
                    *weight = few.get(lane % taps).map_or(0, |weight| *weight as i16);
                }
            }
        }
        let last = starts.iter().copied().max().unwrap_or(0) as usize;
        Self { starts, weights, groups, furthest: last + taps * groups }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_averages_three_pixels() {
        let axis = Axis::new(0.0, 3.0, 4, Span { start: 0, end: 12 }, 1.0, 256);
        assert_eq!(axis.taps(1), (3, &[85, 86, 85][..]));
    }

    #[test]
    fn weights_always_sum_to_the_total() {
        for (start, step, outputs) in
            [(0.0, 1.7, 9), (2.5, 0.4, 30), (0.0, 7.3, 5), (1.0, 1.0, 6), (0.5, 2.0, 7)]
        {
            let span = Span::new(start, step * outputs as f64, 64);
            let axis = Axis::new(start, step, outputs, span, 1.0, 1 << 14);
            for output in 0..outputs {
                let (first, weights) = axis.taps(output);
                let sum: u32 = weights.iter().map(|w| u32::from(*w)).sum();
                assert_eq!(sum, 1 << 14, "step {step} output {output}");
                assert!(first >= span.start && first + weights.len() <= span.end);
            }
        }
    }

    #[test]
    fn growing_interpolates_between_pixel_centres() {
        let axis = Axis::new(0.0, 0.5, 8, Span { start: 0, end: 4 }, 1.0, 256);
        assert_eq!(axis.taps(0), (0, &[256][..]));
        assert_eq!(axis.taps(1), (0, &[192, 64][..]));
        assert_eq!(axis.taps(2), (0, &[64, 192][..]));
        assert_eq!(axis.taps(7), (3, &[256][..]));
    }
}

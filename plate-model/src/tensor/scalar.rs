//! The pass without vector instructions of a particular CPU; also finishes the last pixels of the
//! AVX2 path. Loops are written so that compilers vectorise what they can.

use std::ops::Range;

use super::Rows;
use super::axis::Columns;
use super::colour::Coefficients;

/// Takes an unsigned weighted sum (weights total 256) to signed: 0 becomes -32768.
const OFFSET: u16 = 0x8000;

pub(super) fn vertical(rows: &[&[u8]], weights: &[u16], out: &mut [i16]) {
    out.fill(OFFSET.cast_signed());
    for (row, weight) in rows.iter().zip(weights) {
        for (sum, pixel) in out.iter_mut().zip(*row) {
            *sum = sum.wrapping_add(u16::from(*pixel).wrapping_mul(*weight).cast_signed());
        }
    }
}

pub(super) fn interleave(u: &[i16], v: &[i16], uv: &mut [i16]) {
    for (pair, (u, v)) in uv.chunks_exact_mut(2).zip(u.iter().zip(v)) {
        pair[0] = *u;
        pair[1] = *v;
    }
}

pub(super) fn mix(
    rows: &Rows,
    luma: &Columns,
    chroma: &Columns,
    coefficients: &Coefficients,
    out: &mut [&mut [f32]; 3],
    range: Range<usize>,
) {
    for x in range {
        let mut y = 0;
        for (samples, weights) in groups(&rows.y, luma, x, 1) {
            for (sample, weight) in samples.iter().zip(weights) {
                y += i32::from(*sample) * i32::from(*weight);
            }
        }
        let (mut u, mut v) = (0, 0);
        for (samples, weights) in groups(&rows.uv, chroma, x, 2) {
            for (pair, weight) in samples.chunks_exact(2).zip(weights) {
                u += i32::from(pair[0]) * i32::from(*weight);
                v += i32::from(pair[1]) * i32::from(*weight);
            }
        }
        let [red, green, blue] = coefficients.rgb(y, u, v);
        out[0][x] = red;
        out[1][x] = green;
        out[2][x] = blue;
    }
}

/// The samples of an output pixel, four numbers at a time, with their weights.
fn groups<'a>(
    row: &'a [i16],
    columns: &'a Columns,
    x: usize,
    samples_a_column: usize,
) -> impl Iterator<Item = (&'a [i16], &'a [i16; 4])> {
    let start = columns.starts[x] as usize * samples_a_column;
    let padded = columns.starts.len();
    row[start..]
        .chunks_exact(4)
        .zip(columns.weights[x..].iter().step_by(padded))
        .take(columns.groups)
}

//! The pass without vector instructions; also finishes the last pixels of the vector path.

use std::ops::Range;

use super::Rows;
use super::axis::Columns;
use super::colour::Coefficients;

/// Takes an unsigned weighted sum (weights total 256) to signed.
const OFFSET: u16 = 0x8000;

pub(super) fn vertical(rows: &[&[u8]], weights: &[u16], out: &mut [i16]) {
    for (x, into) in out.iter_mut().enumerate() {
        let sum = rows.iter().zip(weights).fold(0u16, |sum, (row, weight)| {
            sum.wrapping_add(u16::from(row[x]).wrapping_mul(*weight))
        });
        *into = (sum ^ OFFSET).cast_signed();
    }
}

pub(super) fn vertical_pairs(rows: &[&[u8]], weights: &[u16], u: &mut [i16], v: &mut [i16]) {
    for (x, (u, v)) in u.iter_mut().zip(v.iter_mut()).enumerate() {
        let (mut blue, mut red) = (0u16, 0u16);
        for (row, weight) in rows.iter().zip(weights) {
            blue = blue.wrapping_add(u16::from(row[2 * x]).wrapping_mul(*weight));
            red = red.wrapping_add(u16::from(row[2 * x + 1]).wrapping_mul(*weight));
        }
        *u = (blue ^ OFFSET).cast_signed();
        *v = (red ^ OFFSET).cast_signed();
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
        let y = gather(&rows.y, luma, x);
        let u = gather(&rows.u, chroma, x);
        let v = gather(&rows.v, chroma, x);
        let [red, green, blue] = coefficients.rgb(y, u, v);
        out[0][x] = red;
        out[1][x] = green;
        out[2][x] = blue;
    }
}

fn gather(row: &[i16], columns: &Columns, x: usize) -> i32 {
    let start = columns.starts[x] as usize;
    let padded = columns.starts.len();
    let mut sum = 0;
    for pair in 0..columns.pair_count {
        let weights = columns.pairs[pair * padded + x];
        let (low, high) = (weights & 0xffff, weights >> 16);
        let at = start + 2 * pair;
        sum += i32::from(row[at]) * low + i32::from(row[at + 1]) * high;
    }
    sum
}

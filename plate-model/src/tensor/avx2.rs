//! The pass with AVX2. Same integers and the same order of float operations as the scalar path.

use std::arch::x86_64::{
    __m256i, _mm_loadu_si128, _mm256_add_epi16, _mm256_add_epi32, _mm256_add_ps, _mm256_and_si256,
    _mm256_cvtepi32_ps, _mm256_cvtepu8_epi16, _mm256_i32gather_epi32, _mm256_loadu_si256,
    _mm256_madd_epi16, _mm256_max_ps, _mm256_min_ps, _mm256_mul_ps, _mm256_mullo_epi16,
    _mm256_set1_epi16, _mm256_set1_ps, _mm256_setzero_ps, _mm256_setzero_si256, _mm256_srli_epi16,
    _mm256_storeu_ps, _mm256_storeu_si256, _mm256_xor_si256,
};

use super::axis::Columns;
use super::colour::Coefficients;
use super::{Rows, scalar};

/// Rows of 16 bytes a step.
const BYTES: usize = 16;
/// Output pixels a step.
const LANES: usize = 8;

#[target_feature(enable = "avx2")]
pub(super) fn vertical(rows: &[&[u8]], weights: &[u16], out: &mut [i16]) {
    // The usual counts get a loop that the compiler can unroll.
    match rows.len() {
        1 => vertical_of::<1>(rows, weights, out),
        2 => vertical_of::<2>(rows, weights, out),
        3 => vertical_of::<3>(rows, weights, out),
        4 => vertical_of::<4>(rows, weights, out),
        _ => vertical_of::<0>(rows, weights, out),
    }
}

/// `COUNT` rows, or any number where it is 0.
#[target_feature(enable = "avx2")]
fn vertical_of<const COUNT: usize>(rows: &[&[u8]], weights: &[u16], out: &mut [i16]) {
    let count = if COUNT == 0 { rows.len() } else { COUNT };
    let (rows, weights) = (&rows[..count], &weights[..count]);
    let width = rows.iter().map(|row| row.len()).min().unwrap_or(0).min(out.len());
    let whole = width - width % BYTES;
    let offset = _mm256_set1_epi16(i16::MIN);
    for x in (0..whole).step_by(BYTES) {
        let mut sum = _mm256_setzero_si256();
        for k in 0..count {
            // SAFETY: x + 16 <= width, which no row is shorter than.
            let pixels = unsafe { _mm_loadu_si128(rows[k].as_ptr().add(x).cast()) };
            let weight = _mm256_set1_epi16(weights[k].cast_signed());
            sum = _mm256_add_epi16(sum, _mm256_mullo_epi16(_mm256_cvtepu8_epi16(pixels), weight));
        }
        // SAFETY: x + 16 <= width <= out.len().
        unsafe {
            _mm256_storeu_si256(out.as_mut_ptr().add(x).cast(), _mm256_xor_si256(sum, offset));
        }
    }
    finish(rows, |row| &row[whole..], |rest| scalar::vertical(rest, weights, &mut out[whole..]));
}

#[target_feature(enable = "avx2")]
pub(super) fn vertical_pairs(rows: &[&[u8]], weights: &[u16], u: &mut [i16], v: &mut [i16]) {
    let width = rows.iter().map(|row| row.len() / 2).min().unwrap_or(0).min(u.len()).min(v.len());
    let whole = width - width % BYTES;
    let offset = _mm256_set1_epi16(i16::MIN);
    let low_byte = _mm256_set1_epi16(0x00ff);
    for x in (0..whole).step_by(BYTES) {
        let (mut blue, mut red) = (_mm256_setzero_si256(), _mm256_setzero_si256());
        for (row, weight) in rows.iter().zip(weights) {
            // SAFETY: 2 * (x + 16) <= 2 * width, which no row is shorter than.
            let pixels: __m256i = unsafe { _mm256_loadu_si256(row.as_ptr().add(2 * x).cast()) };
            let weight = _mm256_set1_epi16(weight.cast_signed());
            let first = _mm256_and_si256(pixels, low_byte);
            let second = _mm256_srli_epi16::<8>(pixels);
            blue = _mm256_add_epi16(blue, _mm256_mullo_epi16(first, weight));
            red = _mm256_add_epi16(red, _mm256_mullo_epi16(second, weight));
        }
        // SAFETY: x + 16 <= width, which neither output is shorter than.
        unsafe {
            _mm256_storeu_si256(u.as_mut_ptr().add(x).cast(), _mm256_xor_si256(blue, offset));
            _mm256_storeu_si256(v.as_mut_ptr().add(x).cast(), _mm256_xor_si256(red, offset));
        }
    }
    finish(
        rows,
        |row| &row[2 * whole..],
        |rest| scalar::vertical_pairs(rest, weights, &mut u[whole..], &mut v[whole..]),
    );
}

/// Hands the ends of the rows to the scalar path.
fn finish<'a>(rows: &[&'a [u8]], cut: impl Fn(&'a [u8]) -> &'a [u8], then: impl FnOnce(&[&[u8]])) {
    const FEW: usize = 8;
    if rows.len() <= FEW {
        let mut rest: [&[u8]; FEW] = [&[]; FEW];
        for (into, row) in rest.iter_mut().zip(rows) {
            *into = cut(row);
        }
        then(&rest[..rows.len()]);
    } else {
        then(&rows.iter().map(|row| cut(row)).collect::<Vec<_>>());
    }
}

#[target_feature(enable = "avx2")]
pub(super) fn mix(
    rows: &Rows,
    luma: &Columns,
    chroma: &Columns,
    c: &Coefficients,
    out: &mut [&mut [f32]; 3],
) {
    let width = out[0].len().min(out[1].len()).min(out[2].len());
    let whole = width - width % LANES;
    let (zero, one) = (_mm256_setzero_ps(), _mm256_set1_ps(1.0));
    let (y_gain, y_offset) = (_mm256_set1_ps(c.y_gain), _mm256_set1_ps(c.y_offset));
    let (v_red, u_blue) = (_mm256_set1_ps(c.v_red), _mm256_set1_ps(c.u_blue));
    let (u_green, v_green) = (_mm256_set1_ps(c.u_green), _mm256_set1_ps(c.v_green));
    for x in (0..whole).step_by(LANES) {
        let [y] = gather([&rows.y], luma, x);
        let [u, v] = gather([&rows.u, &rows.v], chroma, x);
        let (u, v) = (_mm256_cvtepi32_ps(u), _mm256_cvtepi32_ps(v));
        let luma = _mm256_add_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(y), y_gain), y_offset);
        let red = _mm256_add_ps(luma, _mm256_mul_ps(v, v_red));
        let green = _mm256_add_ps(luma, _mm256_mul_ps(u, u_green));
        let green = _mm256_add_ps(green, _mm256_mul_ps(v, v_green));
        let blue = _mm256_add_ps(luma, _mm256_mul_ps(u, u_blue));
        for (plane, value) in out.iter_mut().zip([red, green, blue]) {
            let value = _mm256_min_ps(_mm256_max_ps(value, zero), one);
            // SAFETY: x + 8 <= width, which no plane is shorter than.
            unsafe { _mm256_storeu_ps(plane.as_mut_ptr().add(x), value) };
        }
    }
    scalar::mix(rows, luma, chroma, c, out, whole..width);
}

/// Weighted sums of eight output pixels from one or two rows that share their columns.
#[target_feature(enable = "avx2")]
fn gather<const N: usize>(rows: [&[i16]; N], columns: &Columns, x: usize) -> [__m256i; N] {
    let padded = columns.starts.len();
    // A gather past a row's end would read foreign memory; the last start of a row that was sized
    // for these columns never gets there.
    for row in rows {
        assert!(row.len() >= columns.furthest, "row is shorter than its columns");
    }
    assert!(x + LANES <= padded);
    let mut sums = [_mm256_setzero_si256(); N];
    for pair in 0..columns.pair_count {
        // SAFETY: x + 8 <= padded, the length of `starts` and of each pair's weights; each start
        // plus the pairs' reach is at most `furthest`, which is inside every row.
        unsafe {
            let starts = _mm256_loadu_si256(columns.starts.as_ptr().add(x).cast());
            let at = columns.pairs.as_ptr().add(pair * padded + x);
            let weights = _mm256_loadu_si256(at.cast());
            for (sum, row) in sums.iter_mut().zip(rows) {
                let from = row.as_ptr().add(2 * pair).cast::<i32>();
                let pixels = _mm256_i32gather_epi32::<2>(from, starts);
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(pixels, weights));
            }
        }
    }
    sums
}

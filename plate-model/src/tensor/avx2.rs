//! The pass with AVX2. Same integers and the same order of float operations as the scalar path.

use std::arch::x86_64::{
    __m256i, _mm_loadu_si128, _mm256_add_epi16, _mm256_add_epi32, _mm256_add_ps, _mm256_castpd_ps,
    _mm256_castps_pd, _mm256_castps_si256, _mm256_castsi256_ps, _mm256_cvtepi32_ps,
    _mm256_cvtepu8_epi16, _mm256_hadd_epi32, _mm256_i32gather_epi64, _mm256_loadu_si256,
    _mm256_madd_epi16, _mm256_max_ps, _mm256_min_ps, _mm256_mul_ps, _mm256_mullo_epi16,
    _mm256_permute2x128_si256, _mm256_permute4x64_pd, _mm256_set1_epi16, _mm256_set1_ps,
    _mm256_setr_epi8, _mm256_setzero_ps, _mm256_setzero_si256, _mm256_shuffle_epi8,
    _mm256_shuffle_ps, _mm256_storeu_ps, _mm256_storeu_si256, _mm256_unpackhi_epi16,
    _mm256_unpacklo_epi16,
};

use super::axis::Columns;
use super::colour::Coefficients;
use super::{Rows, scalar};

/// 16-bit lanes of a register.
const LANES: usize = 16;
/// Output pixels a step.
const PIXELS: usize = 8;

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
    let whole = width - width % LANES;
    for x in (0..whole).step_by(LANES) {
        let mut sum = _mm256_set1_epi16(i16::MIN);
        for k in 0..count {
            // SAFETY: x + 16 <= width, which no row is shorter than.
            let pixels = unsafe { _mm_loadu_si128(rows[k].as_ptr().add(x).cast()) };
            let weight = _mm256_set1_epi16(weights[k].cast_signed());
            sum = _mm256_add_epi16(sum, _mm256_mullo_epi16(_mm256_cvtepu8_epi16(pixels), weight));
        }
        // SAFETY: x + 16 <= width <= out.len().
        unsafe { _mm256_storeu_si256(out.as_mut_ptr().add(x).cast(), sum) };
    }
    if whole < out.len() {
        const FEW: usize = 8;
        if count <= FEW {
            let mut rest: [&[u8]; FEW] = [&[]; FEW];
            for (into, row) in rest.iter_mut().zip(rows) {
                *into = &row[whole..];
            }
            scalar::vertical(&rest[..count], weights, &mut out[whole..]);
        } else {
            let rest: Vec<&[u8]> = rows.iter().map(|row| &row[whole..]).collect();
            scalar::vertical(&rest, weights, &mut out[whole..]);
        }
    }
}

#[target_feature(enable = "avx2")]
pub(super) fn interleave(u: &[i16], v: &[i16], uv: &mut [i16]) {
    let width = u.len().min(v.len()).min(uv.len() / 2);
    let whole = width - width % LANES;
    for x in (0..whole).step_by(LANES) {
        // SAFETY: x + 16 <= width, which neither input nor half of the output is shorter than.
        unsafe {
            let blue = _mm256_loadu_si256(u.as_ptr().add(x).cast());
            let red = _mm256_loadu_si256(v.as_ptr().add(x).cast());
            let low = _mm256_unpacklo_epi16(blue, red);
            let high = _mm256_unpackhi_epi16(blue, red);
            let out = uv.as_mut_ptr().add(2 * x).cast::<__m256i>();
            _mm256_storeu_si256(out, _mm256_permute2x128_si256::<0x20>(low, high));
            _mm256_storeu_si256(out.add(1), _mm256_permute2x128_si256::<0x31>(low, high));
        }
    }
    scalar::interleave(&u[whole..width], &v[whole..width], &mut uv[2 * whole..2 * width]);
}

#[target_feature(enable = "avx2")]
pub(super) fn mix(
    rows: &Rows,
    luma: &Columns,
    chroma: &Columns,
    coefficients: &Coefficients,
    out: &mut [&mut [f32]; 3],
) {
    // Full HD to the detector's input needs one group of each: worth a loop without loops inside.
    if luma.groups == 1 && chroma.groups == 1 {
        mix_of::<true>(rows, luma, chroma, coefficients, out);
    } else {
        mix_of::<false>(rows, luma, chroma, coefficients, out);
    }
}

#[target_feature(enable = "avx2")]
fn mix_of<const ONE_GROUP: bool>(
    rows: &Rows,
    luma: &Columns,
    chroma: &Columns,
    c: &Coefficients,
    out: &mut [&mut [f32]; 3],
) {
    let width = out[0].len().min(out[1].len()).min(out[2].len());
    let whole = width - width % PIXELS;
    // Gathers below read what these say and no more; a row sized for other columns stops here.
    assert!(rows.y.len() >= luma.furthest && rows.uv.len() >= 2 * chroma.furthest);
    assert!(luma.starts.len() >= whole && chroma.starts.len() >= whole);
    let (zero, one) = (_mm256_setzero_ps(), _mm256_set1_ps(1.0));
    let (y_gain, y_offset) = (_mm256_set1_ps(c.y_gain), _mm256_set1_ps(c.y_offset));
    let (v_red, u_blue) = (_mm256_set1_ps(c.v_red), _mm256_set1_ps(c.u_blue));
    let (u_green, v_green) = (_mm256_set1_ps(c.u_green), _mm256_set1_ps(c.v_green));
    let [out_red, out_green, out_blue] = out.each_mut().map(|plane| plane.as_mut_ptr());
    for x in (0..whole).step_by(PIXELS) {
        // SAFETY: x + 8 <= the starts of both; both rows reach as far as their columns.
        let ((y0, y1), (c0, c1)) = unsafe {
            (
                luma_sums::<ONE_GROUP>(&rows.y, luma, x),
                chroma_sums::<ONE_GROUP>(&rows.uv, chroma, x),
            )
        };
        // All three come out in the order 0 1 4 5 2 3 6 7 and are put right at the end.
        let y = _mm256_cvtepi32_ps(_mm256_hadd_epi32(y0, y1));
        let (c0, c1) = (_mm256_castsi256_ps(c0), _mm256_castsi256_ps(c1));
        let u = _mm256_cvtepi32_ps(_mm256_castps_si256(_mm256_shuffle_ps::<0x88>(c0, c1)));
        let v = _mm256_cvtepi32_ps(_mm256_castps_si256(_mm256_shuffle_ps::<0xdd>(c0, c1)));
        let luma = _mm256_add_ps(_mm256_mul_ps(y, y_gain), y_offset);
        let red = _mm256_add_ps(luma, _mm256_mul_ps(v, v_red));
        let green = _mm256_add_ps(luma, _mm256_mul_ps(u, u_green));
        let green = _mm256_add_ps(green, _mm256_mul_ps(v, v_green));
        let blue = _mm256_add_ps(luma, _mm256_mul_ps(u, u_blue));
        let in_order = |value| {
            let value = _mm256_castps_pd(_mm256_min_ps(_mm256_max_ps(value, zero), one));
            _mm256_castpd_ps(_mm256_permute4x64_pd::<0b11_01_10_00>(value))
        };
        // SAFETY: x + 8 <= width, which no plane is shorter than.
        unsafe {
            _mm256_storeu_ps(out_red.add(x), in_order(red));
            _mm256_storeu_ps(out_green.add(x), in_order(green));
            _mm256_storeu_ps(out_blue.add(x), in_order(blue));
        }
    }
    scalar::mix(rows, luma, chroma, c, out, whole..width);
}

/// Two half sums for each of eight output pixels: 0 to 3, then 4 to 7.
///
/// # Safety
/// `x + 8` is at most the number of starts, and the row has `furthest` samples.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn luma_sums<const ONE_GROUP: bool>(
    row: &[i16],
    columns: &Columns,
    x: usize,
) -> (__m256i, __m256i) {
    let (mut first, mut second) = (_mm256_setzero_si256(), _mm256_setzero_si256());
    let groups = if ONE_GROUP { 1 } else { columns.groups };
    // SAFETY: as promised by the caller; a group reads four samples from its start.
    unsafe {
        let starts = columns.starts.as_ptr().add(x);
        let (low, high) = (_mm_loadu_si128(starts.cast()), _mm_loadu_si128(starts.add(4).cast()));
        for group in 0..groups {
            let from = row.as_ptr().add(4 * group).cast::<i64>();
            let (w0, w1) = weights(columns, group, x);
            let a = _mm256_i32gather_epi64::<2>(from, low);
            let b = _mm256_i32gather_epi64::<2>(from, high);
            first = _mm256_add_epi32(first, _mm256_madd_epi16(a, w0));
            second = _mm256_add_epi32(second, _mm256_madd_epi16(b, w1));
        }
    }
    (first, second)
}

/// Sums of U and V side by side for each of eight output pixels: 0 to 3, then 4 to 7.
///
/// # Safety
/// `x + 8` is at most the number of starts, and the row has `furthest` pairs.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn chroma_sums<const ONE_GROUP: bool>(
    row: &[i16],
    columns: &Columns,
    x: usize,
) -> (__m256i, __m256i) {
    // u0 v0 u1 v1 becomes u0 u1 v0 v1.
    #[rustfmt::skip]
    let by_plane = _mm256_setr_epi8(
        0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15,
        0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15,
    );
    let (mut first, mut second) = (_mm256_setzero_si256(), _mm256_setzero_si256());
    let groups = if ONE_GROUP { 1 } else { columns.groups };
    // SAFETY: as promised by the caller; a group reads two pairs from its start.
    unsafe {
        let starts = columns.starts.as_ptr().add(x);
        let (low, high) = (_mm_loadu_si128(starts.cast()), _mm_loadu_si128(starts.add(4).cast()));
        for group in 0..groups {
            let from = row.as_ptr().add(4 * group).cast::<i64>();
            let (w0, w1) = weights(columns, group, x);
            let a = _mm256_shuffle_epi8(_mm256_i32gather_epi64::<4>(from, low), by_plane);
            let b = _mm256_shuffle_epi8(_mm256_i32gather_epi64::<4>(from, high), by_plane);
            first = _mm256_add_epi32(first, _mm256_madd_epi16(a, w0));
            second = _mm256_add_epi32(second, _mm256_madd_epi16(b, w1));
        }
    }
    (first, second)
}

/// Weights of eight output pixels.
///
/// # Safety
/// `x + 8` is at most the number of starts, and the group is one of the columns'.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn weights(columns: &Columns, group: usize, x: usize) -> (__m256i, __m256i) {
    // SAFETY: each group has as many weights as there are starts.
    unsafe {
        let from = columns.weights.as_ptr().add(group * columns.starts.len() + x);
        (_mm256_loadu_si256(from.cast()), _mm256_loadu_si256(from.add(4).cast()))
    }
}

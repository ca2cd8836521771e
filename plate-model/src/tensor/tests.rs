use proptest::prelude::*;

use super::*;
use crate::frame::{ColourSpace, Frame, Layout, PixelFormat};

/// A picture of noise with odd strides, planes apart, and both colour spaces.
fn noise(format: PixelFormat, width: u32, height: u32, gap: usize, seed: u64) -> Frame {
    let mut layout = Layout::packed(format, width, height);
    let rows = [height as usize, (height as usize).div_ceil(2), (height as usize).div_ceil(2)];
    let mut at = 3;
    for (plane, rows) in rows.into_iter().enumerate().take(format.planes()) {
        layout.strides[plane] += gap;
        layout.offsets[plane] = at;
        at += layout.strides[plane] * rows + 1;
    }
    layout.colour = if seed.is_multiple_of(2) { ColourSpace::BT601 } else { ColourSpace::BT709 };
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let data = (0..at)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        })
        .collect();
    Frame::from_vec(layout, data).unwrap()
}

/// One axis by definition: shares of source pixels for one output pixel.
fn shares(
    start: f64,
    step: f64,
    i: usize,
    low: usize,
    high: usize,
    area: bool,
) -> Vec<(usize, f64)> {
    if area {
        let (from, to) = (start + i as f64 * step, start + (i + 1) as f64 * step);
        (low..high)
            .map(|p| (p, (to.min(p as f64 + 1.0) - from.max(p as f64)).max(0.0) / step))
            .filter(|(_, share)| *share > 0.0)
            .collect()
    } else {
        let centre = start + (i as f64 + 0.5) * step - 0.5;
        let centre = centre.clamp(low as f64, high as f64 - 1.0);
        let first = centre.floor() as usize;
        let part = centre - first as f64;
        vec![(first, 1.0 - part), ((first + 1).min(high - 1), part)]
    }
}

/// The pass in floating point, pixel by pixel, straight from the definition.
fn naive(planes: &Planes<'_>, region: Region, (width, height): (usize, usize)) -> Vec<f32> {
    let mut tensor = vec![0.0; 3 * width * height];
    let (kr, kb) = match planes.colour().matrix {
        crate::frame::Matrix::Bt601 => (0.299, 0.114),
        crate::frame::Matrix::Bt709 => (0.2126, 0.0722),
    };
    let plane_axis =
        |start: u32, length: u32, pixels: u32, outputs: usize, i: usize, half: bool| {
            let by = if half { 2.0 } else { 1.0 };
            let (start, length) = (f64::from(start) / by, f64::from(length) / by);
            let pixels = if half { (pixels as usize).div_ceil(2) } else { pixels as usize };
            let low = (start.floor() as usize).min(pixels - 1);
            let high = ((start + length).ceil() as usize).clamp(low + 1, pixels);
            let step = length / outputs as f64;
            let mut shares = shares(start, step, i, low, high, step > by);
            let sum: f64 = shares.iter().map(|(_, share)| share).sum();
            shares.iter_mut().for_each(|(_, share)| *share /= sum);
            shares
        };
    for oy in 0..height {
        for ox in 0..width {
            let mut value = [0.0; 3];
            for (plane, value) in value.iter_mut().enumerate() {
                let half = plane > 0;
                let down = plane_axis(region.y, region.height, planes.height(), height, oy, half);
                let across = plane_axis(region.x, region.width, planes.width(), width, ox, half);
                for (y, wy) in &down {
                    for (x, wx) in &across {
                        let pixel = if half {
                            sample_chroma(planes, *x, *y)[plane - 1]
                        } else {
                            f64::from(planes.luma().row(*y)[*x])
                        };
                        *value += wy * wx * pixel;
                    }
                }
            }
            let luma = (value[0] - 16.0) / 219.0;
            let (cb, cr) = ((value[1] - 128.0) / 224.0, (value[2] - 128.0) / 224.0);
            let red = luma + 2.0 * (1.0 - kr) * cr;
            let blue = luma + 2.0 * (1.0 - kb) * cb;
            let green = (luma - kr * red - kb * blue) / (1.0 - kr - kb);
            for (plane, value) in [red, green, blue].into_iter().enumerate() {
                tensor[plane * width * height + oy * width + ox] = value.clamp(0.0, 1.0) as f32;
            }
        }
    }
    tensor
}

fn sample_chroma(planes: &Planes<'_>, x: usize, y: usize) -> [f64; 2] {
    match planes.chroma() {
        Chroma::Planar { u, v } => [f64::from(u.row(y)[x]), f64::from(v.row(y)[x])],
        Chroma::Interleaved(uv) => [f64::from(uv.row(y)[2 * x]), f64::from(uv.row(y)[2 * x + 1])],
    }
}

fn formats() -> impl Strategy<Value = PixelFormat> {
    prop_oneof![Just(PixelFormat::I420), Just(PixelFormat::Nv12)]
}

prop_compose! {
    fn regions()(
        width in 1u32..90, height in 1u32..70, left in 0.0..1.0, top in 0.0..1.0,
        across in 0.0..1.0, down in 0.0..1.0,
    ) -> (u32, u32, Region) {
        let part = |share: f64, most: u32| (share * f64::from(most)) as u32;
        let (x, y) = (part(left, width), part(top, height));
        let region = Region {
            x,
            y,
            width: 1 + part(across, width - x),
            height: 1 + part(down, height - y),
        };
        (width, height, region)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn agrees_with_the_definition(
        format in formats(), (width, height, region) in regions(), gap in 0usize..5, seed in 0u64..9999,
        out in (1usize..50, 1usize..40),
    ) {
        let frame = noise(format, width, height, gap, seed);
        let mut tensor = vec![0.0; 3 * out.0 * out.1];
        Sampler::default().stretch(&frame.planes(), region, out, &mut tensor).unwrap();
        let expected = naive(&frame.planes(), region, out);
        for (i, (found, wanted)) in tensor.iter().zip(&expected).enumerate() {
            // 8-bit vertical weights: a few grey levels on noise.
            prop_assert!((found - wanted).abs() < 0.025, "{i}: {found} instead of {wanted}");
        }
    }

    #[test]
    fn vector_and_scalar_paths_give_the_same_numbers(
        format in formats(), (width, height, region) in regions(), gap in 0usize..5, seed in 0u64..9999,
        out in (1usize..80, 1usize..40),
    ) {
        let frame = noise(format, width, height, gap, seed);
        let mut fast = vec![0.0; 3 * out.0 * out.1];
        let mut slow = fast.clone();
        let one = Sampler::default().letterbox(&frame.planes(), region, out, &mut fast).unwrap();
        let other = Sampler::scalar().letterbox(&frame.planes(), region, out, &mut slow).unwrap();
        prop_assert_eq!(one, other);
        prop_assert_eq!(fast, slow);
    }
}

#[test]
fn full_hd_shrinks_the_same_on_both_paths() {
    for format in [PixelFormat::I420, PixelFormat::Nv12] {
        let frame = noise(format, 1920, 1080, 0, 7);
        let region = Region::whole(1920, 1080);
        let mut fast = vec![9.0; 3 * 640 * 384];
        let mut slow = fast.clone();
        let planes = frame.planes();
        Sampler::default().letterbox(&planes, region, (640, 384), &mut fast).unwrap();
        Sampler::scalar().letterbox(&planes, region, (640, 384), &mut slow).unwrap();
        assert!(fast == slow);
        assert!(fast[360 * 640..384 * 640].iter().all(|value| *value == PADDING));
    }
}

#[test]
fn reused_sampler_forgets_the_previous_picture() {
    let mut sampler = Sampler::default();
    let big = noise(PixelFormat::Nv12, 333, 222, 1, 1);
    let small = noise(PixelFormat::I420, 40, 30, 3, 2);
    let mut tensor = vec![0.0; 3 * 64 * 48];
    sampler.letterbox(&big.planes(), Region::whole(333, 222), (64, 48), &mut tensor).unwrap();
    sampler.letterbox(&small.planes(), Region::whole(40, 30), (64, 48), &mut tensor).unwrap();
    let mut fresh = vec![0.0; tensor.len()];
    let planes = small.planes();
    Sampler::default().letterbox(&planes, Region::whole(40, 30), (64, 48), &mut fresh).unwrap();
    assert_eq!(tensor, fresh);
}

#[test]
fn bad_regions_and_tensors_are_errors() {
    let frame = noise(PixelFormat::I420, 16, 16, 0, 1);
    let mut tensor = vec![0.0; 3 * 8 * 8];
    let mut sampler = Sampler::default();
    let outside = Region { x: 10, y: 0, width: 7, height: 4 };
    assert!(sampler.stretch(&frame.planes(), outside, (8, 8), &mut tensor).is_err());
    let whole = Region::whole(16, 16);
    assert!(sampler.stretch(&frame.planes(), whole, (9, 8), &mut tensor).is_err());
}

proptest! {
    /// Blocks hold what planes hold: every pixel, the padding, whatever the number of lines.
    #[test]
    fn blocks_are_the_planes_in_another_order(width in 1u32..90, height in 1u32..90, seed in 0u64..1000) {
        let frame = noise(PixelFormat::I420, width, height, 3, seed);
        let planes = frame.planes();
        let (region, size) = (Region::whole(width, height), (48, 32));
        let mut sampler = Sampler::default();
        let mut numbers = vec![0.0; 3 * size.0 * size.1];
        let mut bytes = vec![0; 3 * size.0 * size.1];
        // Twice, so that buffers of the first picture are not seen in the second.
        let other = noise(PixelFormat::I420, 40, 77, 0, seed + 1);
        sampler.letterbox_blocks(&other.planes(), Region::whole(40, 77), size, &mut bytes).unwrap();
        let one = sampler.letterbox(&planes, region, size, &mut numbers).unwrap();
        let two = sampler.letterbox_blocks(&planes, region, size, &mut bytes).unwrap();
        prop_assert_eq!(one, two);
        for colour in 0..3 {
            for y in 0..size.1 {
                for x in 0..size.0 {
                    let number = numbers[(colour * size.1 + y) * size.0 + x];
                    let block = (y / 2 * (size.0 / 2) + x / 2) * BLOCK;
                    let byte = bytes[block + y % 2 * 6 + colour * 2 + x % 2];
                    prop_assert_eq!(byte, (number * 255.0).round() as u8, "{} {} {}", colour, y, x);
                }
            }
        }
    }
}

#[test]
fn a_tensor_too_small_is_refused() {
    let frame = noise(PixelFormat::I420, 8, 8, 0, 1);
    let mut sampler = Sampler::default();
    let refused = sampler
        .letterbox_blocks(&frame.planes(), Region::whole(8, 8), (16, 16), &mut [0; 100])
        .unwrap_err();
    assert!(refused.to_string().contains("3x16x16"), "{refused}");
}

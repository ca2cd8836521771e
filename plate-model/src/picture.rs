//! Still pictures in and out of the pipeline's frames: a JPEG becomes I420 and then goes the same
//! way as a camera's frame; a frame's part becomes RGB for evidence and contact sheets.

use std::path::Path;

use image::{ImageReader, RgbImage};

use crate::error::{ModelError, Result};
use crate::frame::{Frame, Layout, Matrix, PixelFormat, Planes};
use crate::geometry::Region;
use crate::tensor::Sampler;

impl Frame {
    /// Packed RGB to an I420 frame in the usual colour space of its height.
    pub fn from_rgb(width: u32, height: u32, rgb: &[u8]) -> Result<Self> {
        let layout = Layout::packed(PixelFormat::I420, width, height);
        let pixels = width as usize * height as usize;
        let Some(bytes) = layout.bytes().filter(|_| rgb.len() == 3 * pixels) else {
            return Err(ModelError::Frame(format!(
                "{} bytes of RGB are no {width}x{height} picture",
                rgb.len()
            )));
        };
        let mut data = vec![0; bytes];
        let (luma, chroma) = data.split_at_mut(pixels);
        let (blue, red) = chroma.split_at_mut(layout.strides[1] * (height as usize).div_ceil(2));
        let (kr, kb) = match layout.colour.matrix {
            Matrix::Bt601 => (0.299, 0.114),
            Matrix::Bt709 => (0.2126, 0.0722),
        };
        let weigh = |p: &[u8]| {
            let [r, g, b] = [f32::from(p[0]), f32::from(p[1]), f32::from(p[2])];
            (kr * r + (1.0 - kr - kb) * g + kb * b, r, b)
        };
        for (into, pixel) in luma.iter_mut().zip(rgb.chunks_exact(3)) {
            *into = (16.5 + weigh(pixel).0 * 219.0 / 255.0) as u8;
        }
        let (width, height) = (width as usize, height as usize);
        for cy in 0..height.div_ceil(2) {
            for cx in 0..width.div_ceil(2) {
                // Odd sizes: the last column and row stand for the missing neighbour.
                let (mut y, mut r, mut b) = (0.0, 0.0, 0.0);
                for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                    let (px, py) = ((2 * cx + dx).min(width - 1), (2 * cy + dy).min(height - 1));
                    let at = 3 * (py * width + px);
                    let (luma, red, blue) = weigh(&rgb[at..at + 3]);
                    y += luma / 4.0;
                    r += red / 4.0;
                    b += blue / 4.0;
                }
                let sample = |difference: f32, k: f32| {
                    (128.5 + difference / (2.0 * (1.0 - k)) * 224.0 / 255.0) as u8
                };
                let at = cy * layout.strides[1] + cx;
                blue[at] = sample(b - y, kb);
                red[at] = sample(r - y, kr);
            }
        }
        Self::from_vec(layout, data)
    }

    /// Reads a JPEG or PNG.
    pub fn open(path: &Path) -> Result<Self> {
        let unreadable =
            |source: std::io::Error| ModelError::Unreadable { path: path.to_path_buf(), source };
        let picture = ImageReader::open(path)
            .and_then(ImageReader::with_guessed_format)
            .map_err(unreadable)?
            .decode()
            .map_err(|error| unreadable(std::io::Error::other(error)))?
            .into_rgb8();
        Self::from_rgb(picture.width(), picture.height(), picture.as_raw())
    }
}

/// A part of a frame as RGB at its own size.
pub fn rgb(planes: &Planes<'_>, region: Region) -> Result<RgbImage> {
    let (width, height) = (region.width as usize, region.height as usize);
    let mut tensor = vec![0.0; 3 * width * height];
    Sampler::default().stretch(planes, region, (width, height), &mut tensor)?;
    let plane = width * height;
    let pixels = (0..plane)
        .flat_map(|i| [i, plane + i, 2 * plane + i])
        .map(|i| (tensor[i] * 255.0 + 0.5) as u8)
        .collect();
    RgbImage::from_raw(region.width, region.height, pixels)
        .ok_or_else(|| ModelError::Frame("a region's pixels do not fit its size".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_survive_the_round_trip() {
        for (width, height) in [(16, 8), (7, 5), (64, 720)] {
            for colour in [[255, 255, 255], [0, 0, 0], [200, 30, 40], [20, 60, 200], [240, 200, 20]]
            {
                let pixels = (width * height) as usize;
                let frame = Frame::from_rgb(width, height, &colour.repeat(pixels)).unwrap();
                let back = rgb(&frame.planes(), Region::whole(width, height)).unwrap();
                for (found, wanted) in back.get_pixel(width / 2, height / 2).0.iter().zip(colour) {
                    assert!(found.abs_diff(wanted) <= 3, "{colour:?} became {found}");
                }
            }
        }
    }

    #[test]
    fn wrong_length_is_an_error() {
        assert!(Frame::from_rgb(4, 4, &[0; 47]).is_err());
    }
}

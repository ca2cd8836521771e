//! Decoded pictures as the decoder leaves them: I420 or NV12 planes, borrowed for one pass
//! ([`Planes`]) or kept alive cheaply while several stages look at them ([`Frame`]).

use std::fmt;
use std::sync::Arc;

use crate::error::{ModelError, Result};
use crate::geometry::{BBox, Region};

/// Where the chroma samples lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PixelFormat {
    /// Three planes: Y, U, V, chroma halved both ways.
    I420,
    /// Two planes: Y, then U and V interleaved, chroma halved both ways.
    Nv12,
}

impl PixelFormat {
    /// Number of planes in memory.
    pub const fn planes(self) -> usize {
        match self {
            Self::I420 => 3,
            Self::Nv12 => 2,
        }
    }
}

/// Which matrix made Y'CbCr out of RGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Matrix {
    Bt601,
    Bt709,
}

/// Matrix and value range of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ColourSpace {
    pub matrix: Matrix,
    /// Whether values span 0–255 (JPEG cameras) instead of 16–235.
    pub full_range: bool,
}

impl ColourSpace {
    pub const BT601: Self = Self { matrix: Matrix::Bt601, full_range: false };
    pub const BT709: Self = Self { matrix: Matrix::Bt709, full_range: false };

    /// What a stream without colour description usually means: BT.709 from 720 lines up.
    pub const fn usual(height: u32) -> Self {
        if height >= 720 { Self::BT709 } else { Self::BT601 }
    }
}

/// How a picture lies in one piece of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Layout {
    pub format: PixelFormat,
    pub width: u32,
    pub height: u32,
    /// Bytes from one row to the next, for each plane.
    pub strides: [usize; 3],
    /// First byte of each plane.
    pub offsets: [usize; 3],
    pub colour: ColourSpace,
}

impl Layout {
    /// Rows without gaps, planes one after the other, the usual colour space.
    pub const fn packed(format: PixelFormat, width: u32, height: u32) -> Self {
        let (w, h) = (width as usize, height as usize);
        let (cw, ch) = (w.div_ceil(2), h.div_ceil(2));
        let (strides, offsets) = match format {
            PixelFormat::I420 => ([w, cw, cw], [0, w * h, w * h + cw * ch]),
            PixelFormat::Nv12 => ([w, 2 * cw, 0], [0, w * h, 0]),
        };
        Self { format, width, height, strides, offsets, colour: ColourSpace::usual(height) }
    }

    /// Bytes that the picture needs at least, or none where that overflows or the size is zero.
    pub fn bytes(&self) -> Option<usize> {
        if self.width == 0 || self.height == 0 {
            return None;
        }
        let chroma_rows = (self.height as usize).div_ceil(2);
        let chroma_width = (self.width as usize).div_ceil(2);
        let mut end = 0;
        for plane in 0..self.format.planes() {
            let (rows, width) = match (plane, self.format) {
                (0, _) => (self.height as usize, self.width as usize),
                (_, PixelFormat::I420) => (chroma_rows, chroma_width),
                (_, PixelFormat::Nv12) => (chroma_rows, 2 * chroma_width),
            };
            if self.strides[plane] < width {
                return None;
            }
            let length = self.strides[plane].checked_mul(rows - 1)?.checked_add(width)?;
            end = end.max(self.offsets[plane].checked_add(length)?);
        }
        Some(end)
    }
}

/// One plane, its rows `stride` bytes apart.
#[derive(Debug, Clone, Copy)]
pub struct Plane<'a> {
    data: &'a [u8],
    stride: usize,
    /// Bytes of a row that belong to the picture.
    width: usize,
    rows: usize,
}

impl<'a> Plane<'a> {
    fn new(name: &str, data: &'a [u8], stride: usize, width: usize, rows: usize) -> Result<Self> {
        if stride < width {
            return Err(ModelError::Frame(format!(
                "plane {name} has a stride of {stride} bytes, its rows need {width}"
            )));
        }
        let needed = stride.checked_mul(rows - 1).and_then(|all| all.checked_add(width));
        match needed {
            Some(needed) if data.len() >= needed => Ok(Self { data, stride, width, rows }),
            _ => Err(ModelError::Frame(format!(
                "plane {name} has {} bytes, {rows} rows of {width} with stride {stride} need more",
                data.len()
            ))),
        }
    }

    /// The picture's bytes of row `y`.
    ///
    /// # Panics
    /// Where `y` is not below the number of rows.
    pub fn row(&self, y: usize) -> &'a [u8] {
        &self.data[y * self.stride..y * self.stride + self.width]
    }

    pub const fn rows(&self) -> usize {
        self.rows
    }
}

/// Chroma of a picture.
#[derive(Debug, Clone, Copy)]
pub enum Chroma<'a> {
    Planar { u: Plane<'a>, v: Plane<'a> },
    Interleaved(Plane<'a>),
}

impl Chroma<'_> {
    /// Cb and Cr of the sample in column `x` and row `y` of the halved planes.
    ///
    /// # Panics
    /// Where there is no such sample.
    pub fn at(&self, x: usize, y: usize) -> [u8; 2] {
        match self {
            Self::Planar { u, v } => [u.row(y)[x], v.row(y)[x]],
            Self::Interleaved(uv) => [uv.row(y)[2 * x], uv.row(y)[2 * x + 1]],
        }
    }
}

/// A picture borrowed from a decoder's buffer; lengths are checked once, here.
#[derive(Debug, Clone, Copy)]
pub struct Planes<'a> {
    width: u32,
    height: u32,
    colour: ColourSpace,
    luma: Plane<'a>,
    chroma: Chroma<'a>,
}

impl<'a> Planes<'a> {
    /// Three planes and their strides.
    pub fn i420(
        (width, height): (u32, u32),
        [y, u, v]: [&'a [u8]; 3],
        strides: [usize; 3],
        colour: ColourSpace,
    ) -> Result<Self> {
        let (w, h) = size(width, height)?;
        let (cw, ch) = (w.div_ceil(2), h.div_ceil(2));
        Ok(Self {
            width,
            height,
            colour,
            luma: Plane::new("Y", y, strides[0], w, h)?,
            chroma: Chroma::Planar {
                u: Plane::new("U", u, strides[1], cw, ch)?,
                v: Plane::new("V", v, strides[2], cw, ch)?,
            },
        })
    }

    /// Two planes and their strides.
    pub fn nv12(
        (width, height): (u32, u32),
        [y, uv]: [&'a [u8]; 2],
        strides: [usize; 2],
        colour: ColourSpace,
    ) -> Result<Self> {
        let (w, h) = size(width, height)?;
        let (cw, ch) = (w.div_ceil(2), h.div_ceil(2));
        Ok(Self {
            width,
            height,
            colour,
            luma: Plane::new("Y", y, strides[0], w, h)?,
            chroma: Chroma::Interleaved(Plane::new("UV", uv, strides[1], 2 * cw, ch)?),
        })
    }

    /// A picture in one piece of memory.
    pub fn new(layout: &Layout, data: &'a [u8]) -> Result<Self> {
        let plane = |i: usize| {
            data.get(layout.offsets[i]..).ok_or_else(|| {
                ModelError::Frame(format!(
                    "plane {i} starts at byte {}, the buffer has {}",
                    layout.offsets[i],
                    data.len()
                ))
            })
        };
        let size = (layout.width, layout.height);
        let [s0, s1, s2] = layout.strides;
        match layout.format {
            PixelFormat::I420 => {
                Self::i420(size, [plane(0)?, plane(1)?, plane(2)?], [s0, s1, s2], layout.colour)
            }
            PixelFormat::Nv12 => Self::nv12(size, [plane(0)?, plane(1)?], [s0, s1], layout.colour),
        }
    }

    /// The whole picture.
    pub fn bounds(&self) -> BBox {
        Region::whole(self.width(), self.height()).bbox()
    }

    pub const fn width(&self) -> u32 {
        self.width
    }

    pub const fn height(&self) -> u32 {
        self.height
    }

    pub const fn colour(&self) -> ColourSpace {
        self.colour
    }

    pub const fn luma(&self) -> &Plane<'a> {
        &self.luma
    }

    pub const fn chroma(&self) -> &Chroma<'a> {
        &self.chroma
    }
}

/// Widest and highest picture accepted; 16K. Guards the arithmetic behind.
const MAX_SIDE: u32 = 16_384;

fn size(width: u32, height: u32) -> Result<(usize, usize)> {
    if width == 0 || height == 0 || width > MAX_SIDE || height > MAX_SIDE {
        return Err(ModelError::Frame(format!(
            "size is {width}x{height}, each side must be 1 to {MAX_SIDE}"
        )));
    }
    Ok((width as usize, height as usize))
}

/// A picture kept alive: cloning shares the memory, which may be a decoder's mapped buffer.
#[derive(Clone)]
pub struct Frame {
    layout: Layout,
    data: Arc<dyn AsRef<[u8]> + Send + Sync>,
}

impl Frame {
    /// Takes shared memory and checks it against the layout.
    pub fn new(layout: Layout, data: Arc<dyn AsRef<[u8]> + Send + Sync>) -> Result<Self> {
        Planes::new(&layout, (*data).as_ref())?;
        Ok(Self { layout, data })
    }

    /// Takes bytes of its own.
    pub fn from_vec(layout: Layout, data: Vec<u8>) -> Result<Self> {
        Self::new(layout, Arc::new(data))
    }

    pub const fn width(&self) -> u32 {
        self.layout.width
    }

    pub const fn height(&self) -> u32 {
        self.layout.height
    }

    pub const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// All bytes, gaps included.
    pub fn bytes(&self) -> &[u8] {
        (*self.data).as_ref()
    }

    /// The planes.
    ///
    /// # Panics
    /// Where the shared memory has become shorter since [`Frame::new`]; no `AsRef` in use does.
    pub fn planes(&self) -> Planes<'_> {
        match Planes::new(&self.layout, self.bytes()) {
            Ok(planes) => planes,
            Err(error) => panic!("a frame's memory shrank: {error}"),
        }
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame").field("layout", &self.layout).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_layouts_have_the_usual_size() {
        for format in [PixelFormat::I420, PixelFormat::Nv12] {
            let layout = Layout::packed(format, 1920, 1080);
            assert_eq!(layout.bytes(), Some(1920 * 1080 * 3 / 2));
            // Odd sizes round the chroma up.
            assert_eq!(Layout::packed(format, 5, 3).bytes(), Some(15 + 2 * 3 * 2));
        }
    }

    #[test]
    fn short_buffers_and_strides_are_refused() {
        let layout = Layout::packed(PixelFormat::I420, 6, 4);
        assert!(Frame::from_vec(layout, vec![0; 36]).is_ok());
        let error = Frame::from_vec(layout, vec![0; 35]).unwrap_err();
        assert!(error.to_string().contains("plane V"), "{error}");
        let mut narrow = layout;
        narrow.strides[0] = 5;
        assert!(Frame::from_vec(narrow, vec![0; 99]).is_err());
        let mut late = layout;
        late.offsets[1] = 200;
        assert!(Frame::from_vec(late, vec![0; 99]).is_err());
        assert_eq!(narrow.bytes(), None);
    }

    #[test]
    fn zero_and_absurd_sizes_are_refused() {
        for (w, h) in [(0, 4), (4, 0), (u32::MAX, 4)] {
            assert!(Planes::nv12((w, h), [&[0; 64]; 2], [4, 4], ColourSpace::BT601).is_err());
        }
    }

    #[test]
    fn clones_share_memory() {
        let frame =
            Frame::from_vec(Layout::packed(PixelFormat::Nv12, 4, 2), (0..12).collect()).unwrap();
        let clone = frame.clone();
        assert_eq!(frame.bytes().as_ptr(), clone.bytes().as_ptr());
        assert_eq!(clone.planes().luma().row(1), [4, 5, 6, 7]);
    }
}

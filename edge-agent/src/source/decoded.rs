//! What a decoder gives as a frame that shares its memory.

use std::sync::Arc;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_video as gst_video;
use plate_model::{ColourSpace, Frame, Layout, Matrix, PixelFormat};

use crate::see::Nanos;

/// A decoded picture with its stamp.
#[derive(Debug)]
pub struct Decoded {
    pub frame: Frame,
    pub pts: Nanos,
    /// The decoder itself says that it made something up.
    pub corrupted: bool,
}

/// What is wrong with a sample.
#[derive(Debug, PartialEq, Eq)]
pub enum Wrong {
    Size { width: u32, height: u32 },
    Other(String),
}

/// The picture in `sample`.
pub fn decoded(sample: &gst::Sample) -> Result<Decoded, Wrong> {
    let wrong = |problem: &str| Wrong::Other(problem.into());
    let caps = sample.caps().ok_or_else(|| wrong("picture without a format"))?;
    let info = gst_video::VideoInfo::from_caps(caps).map_err(|e| Wrong::Other(e.to_string()))?;
    let (width, height) = (info.width(), info.height());
    if width == 0 || height == 0 {
        return Err(Wrong::Size { width, height });
    }
    let buffer = sample.buffer_owned().ok_or_else(|| wrong("empty picture"))?;
    let pts = buffer.pts().ok_or_else(|| wrong("picture without a time"))?.nseconds();
    let layout = layout(&info, &buffer).ok_or_else(|| {
        Wrong::Other(format!("decoder gives {}, expected I420 or NV12", info.format()))
    })?;
    let corrupted = buffer.flags().contains(gst::BufferFlags::CORRUPTED);
    let mapped = buffer.into_mapped_buffer_readable().map_err(|_| wrong("unreadable picture"))?;
    let frame = Frame::new(layout, Arc::new(mapped)).map_err(|e| Wrong::Other(e.to_string()))?;
    Ok(Decoded { frame, pts, corrupted })
}

/// Strides travel as metadata; without this the decoder copies every picture.
pub fn with_strides(sink: &gst::Pad) {
    sink.add_probe(gst::PadProbeType::QUERY_DOWNSTREAM, |_, info| {
        if let Some(gst::PadProbeData::Query(query)) = &mut info.data
            && let gst::QueryViewMut::Allocation(allocation) = query.view_mut()
        {
            allocation.add_allocation_meta::<gst_video::VideoMeta>(None);
        }
        gst::PadProbeReturn::Ok
    });
}

fn layout(info: &gst_video::VideoInfo, buffer: &gst::BufferRef) -> Option<Layout> {
    let format = match info.format() {
        gst_video::VideoFormat::I420 => PixelFormat::I420,
        gst_video::VideoFormat::Nv12 => PixelFormat::Nv12,
        _ => return None,
    };
    let (mut strides, mut offsets) = ([0; 3], [0; 3]);
    let meta = buffer.meta::<gst_video::VideoMeta>();
    let (from_strides, from_offsets) = match &meta {
        Some(meta) => (meta.stride(), meta.offset()),
        None => (info.stride(), info.offset()),
    };
    for plane in 0..format.planes() {
        strides[plane] = usize::try_from(*from_strides.get(plane)?).ok()?;
        offsets[plane] = *from_offsets.get(plane)?;
    }
    let mut colour = ColourSpace::usual(info.height());
    let colorimetry = info.colorimetry();
    match colorimetry.matrix() {
        gst_video::VideoColorMatrix::Bt601 => colour.matrix = Matrix::Bt601,
        gst_video::VideoColorMatrix::Bt709 => colour.matrix = Matrix::Bt709,
        _ => {}
    }
    colour.full_range = colorimetry.range() == gst_video::VideoColorRange::Range0_255;
    Some(Layout { format, width: info.width(), height: info.height(), strides, offsets, colour })
}

//! H.264: every picture that others refer to raises `frame_num` by one; a number left out is a
//! picture lost (7.4.3). Parameter sets and slice headers are read by the codec library.

use std::io::Cursor;

use cros_codecs::codec::h264::parser::{Nalu, NaluType, Parser, SliceHeader};

use super::bits::{Bits, recovery_point};
use super::sets::Sets;
use super::{Headers, Standing, Told};

#[derive(Debug, Default)]
pub struct Pictures {
    sets: Sets<Parser>,
    /// `PrevRefFrameNum`: number of the last picture that others refer to.
    last: Option<u32>,
    /// Pictures still to come until a gradual refresh is complete, and the number last counted.
    refresh: Option<(u32, u32)>,
    turn: u32,
}

/// One picture's slices, as far as they matter here.
struct Picture {
    header: SliceHeader,
    idr: bool,
    reference: bool,
    intra: bool,
    /// Whether it starts at the picture's first block.
    begun: bool,
    /// Only the last reference is kept, so nothing reaches behind an intra picture.
    single: bool,
}

impl Headers for Pictures {
    fn read(&mut self, unit: &[u8]) -> Result<Option<Told>, String> {
        let mut cursor = Cursor::new(unit);
        let mut picture: Option<Picture> = None;
        let mut point = None;
        while let Ok(nalu) = Nalu::next(&mut cursor) {
            let body = nalu.as_ref().get(1..).unwrap_or_default();
            match nalu.header.type_ {
                NaluType::Sps => {
                    self.sets.0.parse_sps(&nalu)?;
                }
                NaluType::Pps => {
                    self.sets.0.parse_pps(&nalu)?;
                }
                NaluType::Sei => {
                    point = point.or(recovery_point(body).and_then(|mut sei| sei.unsigned().ok()));
                }
                NaluType::Slice | NaluType::SliceIdr | NaluType::SliceDpa => match &mut picture {
                    Some(picture) => picture.intra &= intra(body)?,
                    None => picture = Some(self.picture(nalu)?),
                },
                _ => {}
            }
        }
        picture.map(|picture| Ok(self.tell(&picture, point))).transpose()
    }

    fn lost(&mut self) {
        self.refresh = None;
    }

    fn turn(&self) -> u64 {
        self.turn.into()
    }
}

impl Pictures {
    fn picture(&mut self, nalu: Nalu<'_>) -> Result<Picture, String> {
        let (idr, reference) = (nalu.header.idr_pic_flag, nalu.header.ref_idc != 0);
        let header = self.sets.0.parse_slice_header(nalu)?.header;
        let set = self.sets.0.get_pps(header.pic_parameter_set_id).ok_or("no parameter set")?;
        self.turn = set.sps.max_frame_num();
        Ok(Picture {
            idr,
            reference,
            intra: header.slice_type.is_i(),
            begun: header.first_mb_in_slice == 0,
            single: set.sps.max_num_ref_frames <= 1,
            header,
        })
    }

    fn tell(&mut self, picture: &Picture, point: Option<u32>) -> Told {
        let number = u32::from(picture.header.frame_num);
        let turn = self.turn.max(1);
        let after = |last: u32| (number + turn - last % turn) % turn;
        // Where the encoder may leave numbers out (temporal layers), what is missing cannot be told
        // from what was never there: such a gap counts as a loss too.
        let broken = !picture.begun || self.last.is_some_and(|last| after(last) > 1);
        let reset = picture.header.dec_ref_pic_marking.inner.iter();
        if picture.reference {
            let all_gone = |op: u8| op == 5;
            let reset = reset.map(|m| m.memory_management_control_operation).any(all_gone);
            self.last = Some(if reset { 0 } else { number });
        }
        // A picture that needs none before it; what follows it refers to none before it either,
        // says the encoder, or cannot for want of a second reference.
        let alone = picture.idr || point == Some(0) || (picture.intra && picture.single);
        let standing = if alone && picture.begun {
            self.refresh = None;
            Standing::Recovery
        } else if broken {
            self.refresh = point.map(|count| (count, number));
            Standing::Broken
        } else if self.refreshed(number, turn, point) {
            Standing::Recovery
        } else {
            Standing::Whole
        };
        Told { standing, reference: picture.reference }
    }

    /// Counts a gradual refresh down; true at the picture that completes it.
    fn refreshed(&mut self, number: u32, turn: u32, point: Option<u32>) -> bool {
        if self.refresh.is_none() {
            self.refresh = point.map(|count| (count, number));
            return false;
        }
        let Some((left, last)) = &mut self.refresh else { return false };
        *left = left.saturating_sub((number + turn - *last % turn) % turn);
        *last = number;
        if *left > 0 {
            return false;
        }
        self.refresh = None;
        true
    }
}

/// Whether a slice refers to no other picture.
fn intra(body: &[u8]) -> Result<bool, String> {
    let mut bits = Bits::new(body);
    bits.unsigned()?;
    Ok(matches!(bits.unsigned()? % 5, 2 | 4))
}

//! The front of an encoded picture (H.264 and H.265 Annex B): parameter sets, and whether decoding
//! may begin here. Open groups of pictures and gradual refreshes have no IDR pictures for hours;
//! what begins them is a recovery point, and nobody repeats the parameter sets there.

use super::continuity::recovery_point;
use super::decoder::Codec;

/// What stands before the first slice of a picture.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Front<'a> {
    /// Parameter sets in their order, without start codes.
    pub sets: Vec<&'a [u8]>,
    /// Whether they are complete: a decoder needs no earlier ones.
    pub complete: bool,
    /// Decoding may begin here; after so many pictures all is as the camera saw it.
    pub start: Option<u32>,
    /// Any decoder can begin here: the numbering of pictures begins anew, or need not.
    pub clean: bool,
}

/// Reads the front of one access unit in byte-stream form.
pub fn front(codec: Codec, unit: &[u8]) -> Front<'_> {
    let mut front = Front::default();
    let mut kinds = Vec::new();
    for nal in nals(unit) {
        let Some(&header) = nal.first() else { continue };
        let kind = match codec {
            Codec::H264 => header & 0x1f,
            Codec::H265 => header >> 1 & 0x3f,
        };
        match (codec, kind) {
            (Codec::H264, 7 | 8) | (Codec::H265, 32..=34) => {
                front.sets.push(nal);
                kinds.push(kind);
            }
            (Codec::H264, 6) => front.start = front.start.or(recovery(nal, 1, false)),
            (Codec::H265, 39) => front.start = front.start.or(recovery(nal, 2, true)),
            // The first slice: IDR, or for H.265 any picture of random access.
            (Codec::H264, 1..=5) => {
                if kind == 5 {
                    (front.start, front.clean) = (Some(0), true);
                }
                break;
            }
            (Codec::H265, 0..=31) => {
                if (16..=23).contains(&kind) {
                    (front.start, front.clean) = (Some(0), true);
                }
                break;
            }
            _ => {}
        }
    }
    let needed: &[u8] = match codec {
        Codec::H264 => &[7, 8],
        Codec::H265 => &[32, 33, 34],
    };
    front.complete = needed.iter().all(|kind| kinds.contains(kind));
    front
}

/// The NAL units of a byte stream.
fn nals(unit: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut left = after_code(unit).unwrap_or_default();
    std::iter::from_fn(move || {
        if left.is_empty() {
            return None;
        }
        let next = after_code(left).unwrap_or_default();
        let end = if next.is_empty() { left.len() } else { left.len() - next.len() - 3 };
        let mut nal = &left[..end];
        // A longer start code, or padding.
        while let Some((0, rest)) = nal.split_last() {
            nal = rest;
        }
        left = next;
        Some(nal)
    })
}

/// What follows the first start code.
fn after_code(data: &[u8]) -> Option<&[u8]> {
    let at = data.windows(3).position(|three| three == [0, 0, 1])?;
    data.get(at + 3..)
}

/// Pictures until a recovery point is reached (D.1.8, D.2.8; H.265 D.2.8), where one is told. One
/// that lies behind is reached.
fn recovery(nal: &[u8], header: usize, signed: bool) -> Option<u32> {
    let mut message = recovery_point(nal.get(header..)?)?;
    let count =
        if signed { message.signed().map(|n| n.max(0).unsigned_abs()) } else { message.unsigned() };
    count.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(nals: &[&[u8]]) -> Vec<u8> {
        nals.iter().flat_map(|nal| [&[0, 0, 0, 1], *nal].concat()).collect()
    }

    #[test]
    fn sets_and_starts_are_found() {
        let (sps, pps, idr): (&[u8], &[u8], &[u8]) = (&[0x67, 1], &[0x68, 2], &[0x65, 0x80]);
        let unit = stream(&[&[9, 0xf0], sps, pps, idr, pps]);
        let found = front(Codec::H264, &unit);
        assert_eq!(
            found,
            Front { sets: vec![sps, pps], complete: true, start: Some(0), clean: true }
        );
        // recovery_frame_cnt 5 (00110), behind another message.
        let sei: &[u8] = &[6, 5, 2, 7, 7, 6, 1, 0b0011_0100, 0x80];
        let unit = stream(&[sei, pps, &[0x41, 0x80]]);
        let found = front(Codec::H264, &unit);
        assert_eq!(found, Front { sets: vec![pps], complete: false, start: Some(5), clean: false });
        assert_eq!(front(Codec::H264, &stream(&[&[0x41, 0x80], sei])).start, None);
    }

    #[test]
    fn pictures_of_random_access_are_starts_in_h265() {
        let sets: [&[u8]; 3] = [&[0x40, 1, 1], &[0x42, 1, 1], &[0x44, 1, 1]];
        let cra: &[u8] = &[21 << 1, 1, 0x80];
        let unit = stream(&[sets[0], sets[1], sets[2], cra]);
        assert_eq!(
            front(Codec::H265, &unit),
            Front { sets: sets.to_vec(), complete: true, start: Some(0), clean: true }
        );
        // recovery_poc_cnt 2: code 3, 00100.
        let sei: &[u8] = &[39 << 1, 1, 6, 1, 0b0010_0110, 0x80];
        assert_eq!(front(Codec::H265, &stream(&[sei, &[2, 1, 0x80]])).start, Some(2));
        assert_eq!(front(Codec::H265, &stream(&[&[2, 1, 0x80]])).start, None);
    }

    #[test]
    fn any_bytes_are_survived() {
        for data in [&[][..], &[0, 0, 1], &[0, 0, 1, 6], &[0, 0, 1, 6, 0xff, 0xff], &[1, 2, 3]] {
            assert_eq!(front(Codec::H264, data).start, None);
        }
        assert_eq!(front(Codec::H264, &[0, 0, 1, 6, 6, 1, 0, 0x80]).start, None);
    }
}

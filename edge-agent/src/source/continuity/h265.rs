//! H.265: every slice names the pictures it refers to by their order (8.3.2). One of them that was
//! never decoded is a picture lost. Parameter sets are read by the codec library; the front of the
//! slice header is read here, because that library refuses the long lists of entry points which
//! cameras of 4K write behind it.

use std::collections::BTreeSet;
use std::io::Cursor;

use cros_codecs::codec::h265::parser::{Nalu, NaluHeader, NaluType, Parser, Pps, Sps};

use super::bits::{Bits, recovery_point};
use super::sets::Sets;
use super::{Headers, Standing, Told};

#[derive(Debug, Default)]
pub struct Pictures {
    sets: Sets<Parser>,
    /// Orders of the pictures that may be referred to.
    kept: BTreeSet<i64>,
    /// `prevTid0Pic`: the order that the next one's is told from.
    anchor: i64,
    /// Leading pictures of the last random access point cannot be decoded: it was the first.
    skip_leading: bool,
    /// A gradual refresh is complete from this order on.
    refresh: Option<i64>,
    started: bool,
    turn: i64,
}

/// A picture another refers to.
#[derive(Debug, Clone, Copy)]
struct Reference {
    order: i64,
    /// Only the low bits of the order are told.
    low_bits: bool,
    /// Referred to by this very picture, not only kept for later ones.
    now: bool,
}

impl Headers for Pictures {
    fn read(&mut self, unit: &[u8]) -> Result<Option<Told>, String> {
        let mut cursor = Cursor::new(unit);
        let mut told = None;
        let mut point = None;
        while let Ok(nalu) = Nalu::next(&mut cursor) {
            if nalu.header.nuh_layer_id != 0 {
                continue;
            }
            let body = nalu.as_ref().get(2..).unwrap_or_default();
            match nalu.header.type_ {
                NaluType::VpsNut => {
                    self.sets.0.parse_vps(&nalu)?;
                }
                NaluType::SpsNut => {
                    self.sets.0.parse_sps(&nalu)?;
                }
                NaluType::PpsNut => {
                    self.sets.0.parse_pps(&nalu)?;
                }
                NaluType::PrefixSeiNut => {
                    let count = recovery_point(body).and_then(|mut sei| sei.signed().ok());
                    point = point.or(count);
                }
                NaluType::EosNut | NaluType::EobNut => self.started = false,
                kind if (kind as u32) < 32 && told.is_none() => {
                    told = Some(self.picture(&nalu.header, body, point)?);
                }
                _ => {}
            }
        }
        Ok(told)
    }

    fn lost(&mut self) {
        self.refresh = None;
    }

    fn turn(&self) -> u64 {
        u64::try_from(self.turn).unwrap_or(0)
    }
}

impl Pictures {
    fn picture(
        &mut self,
        unit: &NaluHeader,
        body: &[u8],
        point: Option<i32>,
    ) -> Result<Told, String> {
        let kind = unit.type_;
        let mut bits = Bits::new(body);
        let begun = bits.bit()?;
        if kind.is_irap() {
            bits.bit()?;
        }
        let id = u8::try_from(bits.unsigned()?).map_err(|e| e.to_string())?;
        let set = self.sets.0.get_pps(id).ok_or("no parameter set")?.clone();
        let sps = &set.sps;
        let reference = !kind.is_slnr();
        if !begun {
            // Its first slice is missing; which picture it is cannot be read without.
            return Ok(Told { standing: Standing::Broken, reference });
        }
        let fresh = kind.is_irap() && (kind.is_idr() || kind.is_bla() || !self.started);
        let (low, mut references) = order_and_references(&mut bits, kind, &set, sps)?;
        self.turn = 1 << (u32::from(sps.log2_max_pic_order_cnt_lsb_minus4) + 4);
        let order = if fresh { low } else { self.whole_order(low) };
        for reference in &mut references {
            if !reference.low_bits {
                reference.order += order;
            }
        }
        let there = |reference: &Reference| {
            let same = |kept: &i64| kept.rem_euclid(self.turn) == reference.order;
            match reference.low_bits {
                true => self.kept.iter().any(same),
                false => self.kept.contains(&reference.order),
            }
        };
        let missing = references.iter().any(|reference| reference.now && !there(reference));
        self.keep(fresh, order, &references, kind, unit.nuh_temporal_id());
        if kind.is_irap() {
            self.skip_leading = fresh;
            self.started = true;
            self.refresh = None;
            return Ok(Told { standing: Standing::Recovery, reference });
        }
        if kind.is_rasl() {
            let standing = match missing || self.skip_leading {
                true => Standing::BrokenAlone,
                false => Standing::Whole,
            };
            return Ok(Told { standing, reference });
        }
        if missing {
            self.refresh = None;
        }
        if let Some(count) = point {
            self.refresh = Some(order + i64::from(count));
        }
        let refreshed = self.refresh.is_some_and(|from| order >= from);
        let standing = match (missing, refreshed) {
            (true, _) => Standing::Broken,
            (_, true) => {
                self.refresh = None;
                Standing::Recovery
            }
            _ => Standing::Whole,
        };
        Ok(Told { standing, reference })
    }

    /// 8.3.1: the high bits are those that bring the order nearest to the anchor's.
    const fn whole_order(&self, low: i64) -> i64 {
        let near = self.anchor.rem_euclid(self.turn);
        let high = self.anchor - near;
        if low < near && near - low >= self.turn / 2 {
            high + self.turn + low
        } else if low > near && low - near > self.turn / 2 {
            high - self.turn + low
        } else {
            high + low
        }
    }

    /// What may be referred to from now on: what this picture lists, and itself.
    fn keep(&mut self, fresh: bool, order: i64, listed: &[Reference], kind: NaluType, layer: u8) {
        let turn = self.turn;
        let is = |kept: &i64| {
            let one = |reference: &Reference| match reference.low_bits {
                true => kept.rem_euclid(turn) == reference.order,
                false => *kept == reference.order,
            };
            listed.iter().any(one)
        };
        self.kept.retain(|kept| !fresh && is(kept));
        self.kept.insert(order);
        if layer == 0 && !kind.is_rasl() && !kind.is_radl() && !kind.is_slnr() {
            self.anchor = order;
        }
    }
}

/// The front of the slice header (7.3.6.1) from the slice's type on: low bits of the picture's
/// order, and its references, as distances where they are not low bits.
fn order_and_references(
    bits: &mut Bits,
    kind: NaluType,
    pps: &Pps,
    sps: &Sps,
) -> Result<(i64, Vec<Reference>), String> {
    bits.number(u32::from(pps.num_extra_slice_header_bits))?;
    bits.unsigned()?;
    if pps.output_flag_present_flag {
        bits.bit()?;
    }
    if sps.separate_colour_plane_flag {
        bits.number(2)?;
    }
    if kind.is_idr() {
        return Ok((0, Vec::new()));
    }
    let width = u32::from(sps.log2_max_pic_order_cnt_lsb_minus4) + 4;
    let order = i64::from(bits.number(width)?);
    let sets = &sps.short_term_ref_pic_set;
    let mut references = if bits.bit()? {
        let count = u32::from(sps.num_short_term_ref_pic_sets);
        let chosen = if count > 1 { bits.number(count.next_power_of_two().ilog2())? } else { 0 };
        listed(sets.get(chosen as usize).ok_or("no such set of references")?)
    } else {
        own_set(bits, sps)?
    };
    if sps.long_term_ref_pics_present_flag {
        references.extend(long_term(bits, sps, order, width)?);
    }
    Ok((order, references))
}

type Set = cros_codecs::codec::h265::parser::ShortTermRefPicSet;

fn listed(set: &Set) -> Vec<Reference> {
    let before = usize::from(set.num_negative_pics);
    let after = usize::from(set.num_positive_pics);
    let earlier = set.delta_poc_s0.iter().zip(&set.used_by_curr_pic_s0).take(before);
    let later = set.delta_poc_s1.iter().zip(&set.used_by_curr_pic_s1).take(after);
    let near = |(&distance, &now): (&i32, &bool)| Reference {
        order: distance.into(),
        low_bits: false,
        now,
    };
    earlier.chain(later).map(near).collect()
}

/// A set written into the slice itself (7.3.7), alone or told from one of the sequence's.
fn own_set(bits: &mut Bits, sps: &Sps) -> Result<Vec<Reference>, String> {
    const MOST: u32 = 16;
    let index = usize::from(sps.num_short_term_ref_pic_sets);
    if index > 0 && bits.bit()? {
        let back = bits.unsigned()? as usize + 1;
        let negative = bits.bit()?;
        let size = i64::from(bits.unsigned()?) + 1;
        let shift = if negative { -size } else { size };
        let from = index.checked_sub(back).ok_or("no such set of references")?;
        let source = listed(sps.short_term_ref_pic_set.get(from).ok_or("no such set")?);
        let distances = source.iter().map(|r| r.order).chain([0]);
        let mut references = Vec::new();
        // 7-61, 7-62: every picture of the other set and the other picture itself, shifted.
        for distance in distances {
            let now = bits.bit()?;
            let kept = now || bits.bit()?;
            let order = distance + shift;
            if kept && order != 0 {
                references.push(Reference { order, low_bits: false, now });
            }
        }
        return Ok(references);
    }
    let (before, after) = (bits.unsigned()?, bits.unsigned()?);
    if before > MOST || after > MOST {
        return Err("too many references".into());
    }
    let mut references = Vec::new();
    for (count, sign) in [(before, -1), (after, 1)] {
        let mut distance = 0;
        for _ in 0..count {
            distance += i64::from(bits.unsigned()?) + 1;
            references.push(Reference {
                order: sign * distance,
                low_bits: false,
                now: bits.bit()?,
            });
        }
    }
    Ok(references)
}

fn long_term(bits: &mut Bits, sps: &Sps, order: i64, width: u32) -> Result<Vec<Reference>, String> {
    const MOST: u32 = 32;
    let known = u32::from(sps.num_long_term_ref_pics_sps);
    let chosen = if known > 0 { bits.unsigned()? } else { 0 };
    let written = bits.unsigned()?;
    if chosen > MOST || written > MOST {
        return Err("too many references".into());
    }
    let mut references = Vec::new();
    let mut cycles = 0;
    for i in 0..chosen + written {
        let (low, now) = if i < chosen {
            let index = if known > 1 { bits.number(known.next_power_of_two().ilog2())? } else { 0 };
            let index = index as usize;
            let low = sps.lt_ref_pic_poc_lsb_sps.get(index).ok_or("no such reference")?;
            let now = sps.used_by_curr_pic_lt_sps_flag.get(index).ok_or("no such reference")?;
            (i64::from(*low), *now)
        } else {
            (i64::from(bits.number(width)?), bits.bit()?)
        };
        let whole = bits.bit()?;
        if i == 0 || i == chosen {
            cycles = 0;
        }
        if whole {
            cycles += i64::from(bits.unsigned()?);
        }
        let reference = match whole {
            // As a distance: 8-5.
            true => Reference { order: low - cycles * (1 << width) - order, low_bits: false, now },
            false => Reference { order: low, low_bits: true, now },
        };
        references.push(reference);
    }
    Ok(references)
}

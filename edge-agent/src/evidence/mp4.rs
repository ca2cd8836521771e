//! Finishing an MP4: movie header to the front, so that a browser plays while it loads, the wall
//! clock of the box out of it, so that the same pictures give the same bytes, and into it how the
//! pictures are turned when shown.

use crate::boxes::{Atom, BoxError, Turn, atoms, matrix_at, read_u32};

/// Boxes that only hold boxes, on the way to those changed here.
const CONTAINERS: [&[u8; 4]; 5] = [b"moov", b"trak", b"mdia", b"minf", b"stbl"];

/// Moves `moov` in front of `mdat`, replaces every creation and modification time by `unix_seconds`
/// and writes `turn` into the track.
pub fn finish(file: &[u8], unix_seconds: i64, turn: Turn) -> Result<Vec<u8>, BoxError> {
    let atoms = atoms(file, 0, file.len())?;
    let find = |kind: &[u8; 4]| {
        atoms
            .iter()
            .find(|atom| &atom.kind == kind)
            .copied()
            .ok_or(BoxError { at: file.len(), problem: "ftyp, moov or mdat is missing" })
    };
    let (ftyp, moov, mdat) = (find(b"ftyp")?, find(b"moov")?, find(b"mdat")?);
    let mut header = file[moov.start..moov.end].to_vec();
    // Everything between ftyp and moov moves back by moov's length, and the samples with it.
    let shift = if moov.start > mdat.start { header.len() as u64 } else { 0 };
    let end = header.len();
    let new = New { shift, time: mac_time(unix_seconds), turn };
    rewrite(&mut header, 0, end, &new)?;

    let mut out = Vec::with_capacity(file.len());
    out.extend_from_slice(&file[ftyp.start..ftyp.end]);
    out.extend_from_slice(&header);
    for atom in atoms {
        if atom.start != ftyp.start && atom.start != moov.start {
            out.extend_from_slice(&file[atom.start..atom.end]);
        }
    }
    Ok(out)
}

/// Seconds since 1904, as ISO 14496-12 counts.
fn mac_time(unix_seconds: i64) -> u64 {
    u64::try_from(unix_seconds.saturating_add(2_082_844_800)).unwrap_or(0)
}

/// What is written anew.
struct New {
    shift: u64,
    time: u64,
    turn: Turn,
}

fn rewrite(header: &mut [u8], from: usize, to: usize, new: &New) -> Result<(), BoxError> {
    for atom in atoms(header, from, to)? {
        match &atom.kind {
            kind if CONTAINERS.contains(&kind) => rewrite(header, atom.body, atom.end, new)?,
            b"mvhd" | b"mdhd" => set_times(header, &atom, new.time)?,
            b"tkhd" => {
                set_times(header, &atom, new.time)?;
                set_turn(header, &atom, new.turn)?;
            }
            b"stco" | b"co64" => shift_offsets(header, &atom, new.shift)?,
            _ => {}
        }
    }
    Ok(())
}

fn set_turn(header: &mut [u8], atom: &Atom, turn: Turn) -> Result<(), BoxError> {
    if turn == Turn::NONE {
        return Ok(());
    }
    let short = BoxError { at: atom.start, problem: "header box is too short" };
    let at = matrix_at(header, atom).ok_or(short.clone())?;
    // Width and height follow the matrix, in 16.16.
    let size = |at| read_u32(header, at).map(|size| (size >> 16) as i32);
    let (width, height) = size(at + 36).zip(size(at + 40)).ok_or(short)?;
    header[at..at + 36].copy_from_slice(&turn.matrix(width, height));
    Ok(())
}

fn set_times(header: &mut [u8], atom: &Atom, time: u64) -> Result<(), BoxError> {
    let short = BoxError { at: atom.start, problem: "header box is too short" };
    let body = header.get_mut(atom.body..atom.end).ok_or(short.clone())?;
    match body.first() {
        Some(0) => {
            // 32 bits last until 2040.
            let time = u32::try_from(time).unwrap_or(u32::MAX).to_be_bytes();
            let [first, second] = [4..8, 8..12];
            body.get_mut(first).ok_or(short.clone())?.copy_from_slice(&time);
            body.get_mut(second).ok_or(short)?.copy_from_slice(&time);
        }
        _ => {
            let [first, second] = [4..12, 12..20];
            body.get_mut(first).ok_or(short.clone())?.copy_from_slice(&time.to_be_bytes());
            body.get_mut(second).ok_or(short)?.copy_from_slice(&time.to_be_bytes());
        }
    }
    Ok(())
}

fn shift_offsets(header: &mut [u8], atom: &Atom, shift: u64) -> Result<(), BoxError> {
    let fail = |problem| BoxError { at: atom.start, problem };
    let count = read_u32(header, atom.body + 4).ok_or(fail("chunk table is too short"))? as usize;
    let table = header.get_mut(atom.body + 8..atom.end).ok_or(fail("chunk table is too short"))?;
    let width = if &atom.kind == b"stco" { 4 } else { 8 };
    if table.len() < count.saturating_mul(width) {
        return Err(fail("chunk table is too short"));
    }
    for entry in table.chunks_exact_mut(width).take(count) {
        let old = entry.iter().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
        let new = old + shift;
        if width == 4 && new > u64::from(u32::MAX) {
            return Err(fail("chunk offset does not fit 32 bits"));
        }
        entry.copy_from_slice(&new.to_be_bytes()[8 - width..]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn atom(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let mut out = (body.len() as u32 + 8).to_be_bytes().to_vec();
        out.extend_from_slice(kind);
        out.extend_from_slice(body);
        out
    }

    /// A minimal file: one sample `SAMPLE` in mdat, moov last.
    fn sample_file() -> Vec<u8> {
        let mut file = atom(b"ftyp", b"isom");
        let sample_at = file.len() as u32 + 8;
        file.extend(atom(b"mdat", b"SAMPLE"));
        let mut stco = vec![0, 0, 0, 0, 0, 0, 0, 1];
        stco.extend(sample_at.to_be_bytes());
        let stbl = atom(b"stbl", &atom(b"stco", &stco));
        let minf = atom(b"minf", &stbl);
        let mdia = atom(b"mdia", &[atom(b"mdhd", &[0; 24]), minf].concat());
        let moov = atom(b"moov", &[atom(b"mvhd", &[0; 32]), atom(b"trak", &mdia)].concat());
        file.extend(moov);
        file
    }

    #[test]
    fn samples_are_found_where_the_moved_header_says() {
        let done = finish(&sample_file(), 0, Turn::NONE).unwrap();
        let top = atoms(&done, 0, done.len()).unwrap();
        let kinds: Vec<_> = top.iter().map(|atom| &atom.kind).collect();
        assert_eq!(kinds, [b"ftyp", b"moov", b"mdat"]);
        let at = done.windows(4).position(|word| word == b"stco").unwrap();
        let offset = read_u32(&done, at + 12).unwrap() as usize;
        assert_eq!(&done[offset..offset + 6], b"SAMPLE");
        assert_eq!(done.len(), sample_file().len());
        let mvhd = done.windows(4).position(|word| word == b"mvhd").unwrap();
        assert_eq!(read_u32(&done, mvhd + 8), Some(2_082_844_800));
        assert_eq!(finish(&done, 0, Turn::NONE).unwrap(), done, "a finished file stays as it is");
    }

    #[test]
    fn cut_files_are_refused_without_a_panic() {
        let file = sample_file();
        for end in 0..file.len() {
            assert!(finish(&file[..end], 0, Turn::NONE).is_err(), "{end}");
        }
        let mut wild = file.clone();
        let at = wild.windows(4).position(|word| word == b"stco").unwrap();
        wild[at + 8..at + 12].copy_from_slice(&u32::MAX.to_be_bytes());
        assert_eq!(finish(&wild, 0, Turn::NONE).unwrap_err().problem, "chunk table is too short");
    }
}

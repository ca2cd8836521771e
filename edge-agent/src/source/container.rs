//! What a recording says of itself before it is played: whether it is there in full, and how its
//! pictures are to be turned. A player passes over all this without a word; here a file that was cut
//! off, or that cannot be judged as it would be shown, is named.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::SourceError;
use crate::boxes::{self, Atom, Turn};

/// Most of a header that is read: the index of a recording of days.
const HEADER: u64 = 256 << 20;
/// Matroska says what its tracks are at the front.
const FRONT: usize = 1 << 20;

/// A recording that may be played.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Container {
    /// Bytes there and bytes promised, where they differ.
    pub cut: Option<(u64, u64)>,
    pub turn: Turn,
}

/// Reads what the container of `path` says.
pub fn inspect(path: &Path) -> Result<Container, SourceError> {
    let wrong =
        |problem: &str| SourceError::File { path: path.into(), problem: problem.to_owned() };
    let read = |e: std::io::Error| wrong(&e.to_string());
    if !path.is_file() {
        return Err(wrong("no such file"));
    }
    let mut file = File::open(path).map_err(read)?;
    let length = file.metadata().map_err(read)?.len();
    if length == 0 {
        return Err(wrong("is empty"));
    }
    let mut front = Vec::new();
    file.by_ref().take(FRONT as u64).read_to_end(&mut front).map_err(read)?;
    let mut turn = Turn::NONE;
    let promised = match front.as_slice() {
        [_, _, _, _, b'f', b't', b'y', b'p', ..]
        | [_, _, _, _, b'm', b'o', b'o', b'v' | b'f', ..]
        | [_, _, _, _, b'm', b'd', b'a', b't', ..]
        | [_, _, _, _, b's', b't', b'y', b'p', ..] => {
            let (promised, shown) = movie(&mut file, length).map_err(|problem| wrong(&problem))?;
            turn = shown;
            promised
        }
        [0x1a, 0x45, 0xdf, 0xa3, ..] => matroska(&front).map_err(wrong)?,
        [b'R', b'I', b'F', b'F', a, b, c, d, ..] => {
            Some(u64::from(u32::from_le_bytes([*a, *b, *c, *d])) + 8)
        }
        [0, 0, 1, unit, ..] | [0, 0, 0, 1, unit, ..] if unit & 0x80 == 0 => {
            return Err(wrong(&raw(*unit)));
        }
        _ => None,
    };
    let cut = promised.filter(|promised| *promised > length).map(|promised| (length, promised));
    Ok(Container { cut, turn })
}

/// Words for a stream without a container. The first unit of H.265 is a parameter set or a
/// delimiter (32 to 39), which H.264 has no such types for.
fn raw(unit: u8) -> String {
    let codec = if (32..40).contains(&(unit >> 1)) { "H.265" } else { "H.264" };
    let end = if codec == "H.265" { "h265" } else { "h264" };
    format!(
        "is a raw {codec} stream without times: nobody could say when anything happened. Put it \
         into a container with its true rate, e.g. `ffmpeg -framerate 25 -i x.{end} -c copy x.mp4`"
    )
}

/// Bytes that the boxes of an MP4 or QuickTime file promise, and how its video is turned.
fn movie(file: &mut File, length: u64) -> Result<(Option<u64>, Turn), String> {
    let (mut at, mut index) = (0, None);
    while at < length {
        let mut head = [0; 16];
        file.seek(SeekFrom::Start(at)).map_err(|e| e.to_string())?;
        let got = read_up_to(file, &mut head).map_err(|e| e.to_string())?;
        let size = boxes::read_u32(&head[..got], 0).map(u64::from);
        let kind = head[..got].get(4..8);
        let (Some(size), Some(kind)) = (size, kind) else { break };
        let (header, size) = match size {
            0 => (8, length - at),
            1 => {
                let low = head.get(8..16).and_then(|long| long.try_into().ok());
                (16, low.map_or(0, u64::from_be_bytes))
            }
            size => (8, size),
        };
        if size < header {
            return Err(format!("is no whole MP4: box at byte {at} says {size} bytes"));
        }
        let end = at.saturating_add(size);
        if kind == b"moov" && end <= length {
            index = Some((at, size.min(HEADER)));
        }
        if kind == b"moof" {
            index.get_or_insert((at, 0));
        }
        at = end;
    }
    let Some((start, size)) = index else {
        return Err(
            "has no index (moov): the recording was cut off, or never finished. Export it \
                    again from the recorder"
                .into(),
        );
    };
    let mut moov = vec![0; usize::try_from(size).unwrap_or(0)];
    file.seek(SeekFrom::Start(start)).map_err(|e| e.to_string())?;
    let got = read_up_to(file, &mut moov).map_err(|e| e.to_string())?;
    let turn = turned(&moov[..got]).map_err(|e| format!("cannot be judged: {e}"))?;
    Ok(((at > length).then_some(at), turn))
}

fn read_up_to(file: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match file.read(&mut buffer[got..])? {
            0 => break,
            more => got += more,
        }
    }
    Ok(got)
}

/// How the video is turned when shown; what is no quarter turn is refused.
fn turned(moov: &[u8]) -> Result<Turn, boxes::BoxError> {
    let children = |atom: &Atom| boxes::atoms(moov, atom.body, atom.end);
    let mut turn = None;
    for movie in boxes::atoms(moov, 0, moov.len())? {
        for atom in children(&movie)? {
            match &atom.kind {
                b"mvhd" if boxes::turn_of(moov, &atom)? != Turn::NONE => {
                    let problem = "turns the movie as a whole";
                    return Err(boxes::BoxError { at: atom.start, problem });
                }
                b"trak" if turn.is_none() && is_video(moov, &atom)? => {
                    let parts = children(&atom)?;
                    for edits in parts.iter().filter(|part| part.kind == *b"edts") {
                        for list in children(edits)? {
                            unedited(moov, &list)?;
                        }
                    }
                    let header = parts.iter().find(|part| part.kind == *b"tkhd");
                    turn = header.map(|header| boxes::turn_of(moov, header)).transpose()?;
                }
                _ => {}
            }
        }
    }
    Ok(turn.unwrap_or_default())
}

/// Refuses an edit list (8.6.6) that does more than begin late or cut the front away: its pieces are
/// no one sequence, and GStreamer passes over all but the first.
fn unedited(moov: &[u8], list: &Atom) -> Result<(), boxes::BoxError> {
    let fail = |problem| boxes::BoxError { at: list.start, problem };
    let short = fail("edit list is too short");
    if &list.kind != b"elst" {
        return Ok(());
    }
    let number = |at: usize| boxes::read_u32(&moov[..list.end], at).ok_or(short.clone());
    let wide = number(list.body)? >> 24 != 0;
    let count = number(list.body + 4)? as usize;
    let size = if wide { 20 } else { 12 };
    let mut pieces = 0;
    for entry in (0..count).map(|index| list.body + 8 + index * size) {
        let media = if wide { entry + 8 } else { entry + 4 };
        if number(media)? == u32::MAX && (!wide || number(media + 4)? == u32::MAX) {
            continue;
        }
        pieces += 1;
        if number(entry + size - 4)? != 1 << 16 {
            return Err(fail("is played at other speed than recorded: export it as recorded"));
        }
    }
    if pieces > 1 {
        return Err(fail("is put together of pieces (edit list): export it without cuts"));
    }
    Ok(())
}

/// Whether a track holds H.264 or H.265.
fn is_video(moov: &[u8], track: &Atom) -> Result<bool, boxes::BoxError> {
    let mut atom = *track;
    for kind in [b"mdia", b"minf", b"stbl", b"stsd"] {
        let children = boxes::atoms(moov, atom.body, atom.end)?;
        let Some(child) = children.into_iter().find(|child| child.kind == *kind) else {
            return Ok(false);
        };
        atom = child;
    }
    // Version and flags, a count, then the first entry's length and kind.
    let entry = moov.get(atom.body + 12..atom.body + 16).filter(|_| atom.body + 16 <= atom.end);
    let known: [&[u8]; 4] = [b"avc1", b"avc3", b"hvc1", b"hev1"];
    Ok(entry.is_some_and(|entry| known.contains(&entry)))
}

const SEGMENT: u32 = 0x1853_8067;
const TRACKS: u32 = 0x1654_AE6B;
const TRACK: u32 = 0xAE;
const VIDEO: u32 = 0xE0;
const PROJECTION: u32 = 0x7670;
/// Yaw, pitch, roll.
const POSES: [u32; 3] = [0x7673, 0x7674, 0x7675];

/// Bytes that a Matroska file promises; none where it was written live.
fn matroska(front: &[u8]) -> Result<Option<u64>, &'static str> {
    let mut promised = None;
    let mut at = 0;
    // The header, then the segment.
    while let Some(element) = element(front, at) {
        if element.id == SEGMENT {
            promised = element.size.map(|size| element.body as u64 + size);
            if posed(front, &element) {
                return Err(
                    "is marked as turned (Matroska projection), which is not applied: put \
                            it into MP4, e.g. `ffmpeg -i x.mkv -c copy x.mp4`",
                );
            }
            break;
        }
        let Some(end) = element.end() else { break };
        at = end;
    }
    Ok(promised)
}

struct Element {
    id: u32,
    body: usize,
    /// Absent where it is not known.
    size: Option<u64>,
}

impl Element {
    fn end(&self) -> Option<usize> {
        self.body.checked_add(usize::try_from(self.size?).ok()?)
    }
}

/// The EBML element (RFC 8794) at byte `at`.
fn element(data: &[u8], at: usize) -> Option<Element> {
    let first = *data.get(at)?;
    let length = first.leading_zeros() as usize + 1;
    let id = data.get(at..at + length).filter(|_| length <= 4)?;
    let id = id.iter().fold(0, |id, byte| id << 8 | u32::from(*byte));
    let at = at + length;
    let first = *data.get(at)?;
    let length = first.leading_zeros() as usize + 1;
    let bytes = data.get(at..at + length).filter(|_| length <= 8)?;
    let size = bytes.iter().fold(0, |size, byte| size << 8 | u64::from(*byte));
    let mask = (1u64 << (7 * length)) - 1;
    let size = Some(size & mask).filter(|size| *size != mask);
    Some(Element { id, body: at + length, size })
}

/// Whether a video track below `parent` is shown at an angle.
fn posed(data: &[u8], parent: &Element) -> bool {
    let limit = parent.end().unwrap_or(data.len()).min(data.len());
    let mut at = parent.body;
    while at < limit
        && let Some(child) = element(data, at)
    {
        let end = child.end().unwrap_or(limit);
        let turned = match child.id {
            TRACKS | TRACK | VIDEO | PROJECTION => posed(data, &child),
            id if POSES.contains(&id) => {
                // A float of either length is zero where all but its sign is.
                let value = data.get(child.body..end.min(data.len())).unwrap_or_default();
                value
                    .iter()
                    .enumerate()
                    .any(|(i, byte)| byte & if i == 0 { 0x7f } else { 0xff } != 0)
            }
            _ => false,
        };
        if turned {
            return true;
        }
        if end <= at {
            return false;
        }
        at = end;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(name: &str, content: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        inspect(&path).map_or_else(|e| e.to_string(), |container| format!("{container:?}"))
    }

    #[test]
    fn what_is_no_recording_is_named() {
        assert!(refused("x.mp4", b"").contains("is empty"));
        assert!(inspect(Path::new("/nowhere/x.mp4")).unwrap_err().to_string().contains("no such"));
        let h264 = refused("x.h264", &[0, 0, 0, 1, 0x67, 0x42, 0, 0x1f]);
        assert!(h264.contains("raw H.264 stream") && h264.contains("-i x.h264 -c copy"), "{h264}");
        let h265 = refused("x.265", &[0, 0, 0, 1, 0x40, 1, 0x0c]);
        assert!(h265.contains("raw H.265 stream"), "{h265}");
        // MPEG program streams begin alike.
        assert_eq!(
            refused("x.mpg", &[0, 0, 1, 0xba, 0x44]),
            "Container { cut: None, turn: Turn { quarters: 0, mirrored: false } }"
        );
    }

    fn ebml(id: &[u8], body: &[u8]) -> Vec<u8> {
        let size = (body.len() as u64 | 1 << 56).to_be_bytes();
        [id, &size, body].concat()
    }

    fn mkv(roll: f64) -> Vec<u8> {
        let pose = ebml(&[0x76, 0x75], &roll.to_be_bytes());
        let video = ebml(&[0xe0], &ebml(&[0x76, 0x70], &pose));
        let tracks = ebml(&[0x16, 0x54, 0xae, 0x6b], &ebml(&[0xae], &video));
        let header = ebml(&[0x1a, 0x45, 0xdf, 0xa3], b"x");
        [header, ebml(&[0x18, 0x53, 0x80, 0x67], &[ebml(&[0xec], b"void"), tracks].concat())]
            .concat()
    }

    #[test]
    fn a_turned_matroska_is_refused_and_a_cut_one_noticed() {
        assert!(refused("x.mkv", &mkv(90.0)).contains("marked as turned"));
        assert!(refused("x.mkv", &mkv(-0.5)).contains("marked as turned"));
        let whole = mkv(0.0);
        assert_eq!(
            refused("x.mkv", &whole),
            "Container { cut: None, turn: Turn { quarters: 0, mirrored: false } }"
        );
        let cut = refused("x.mkv", &whole[..whole.len() - 3]);
        let (there, all) = (whole.len() - 3, whole.len());
        assert_eq!(
            cut,
            format!("Container {{ cut: Some(({there}, {all})), turn: {:?} }}", Turn::NONE)
        );
    }

    #[test]
    fn every_cut_of_a_file_is_survived() {
        let file = mkv(0.0);
        for end in 1..file.len() {
            refused("x.mkv", &file[..end]);
        }
        let head: Vec<u8> = [&[0, 0, 0, 8][..], b"ftyp", &[0, 0, 0, 100], b"moov"].concat();
        for end in 9..head.len() {
            assert!(refused("x.mp4", &head[..end]).contains("no index"), "{end}");
        }
        let wild = [&[0, 0, 0, 8][..], b"ftyp", &[0, 0, 0, 3], b"free"].concat();
        assert!(refused("x.mp4", &wild).contains("box at byte 8"));
    }
}

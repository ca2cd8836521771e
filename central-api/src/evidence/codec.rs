//! How a clip is coded, by the words of RFC 6381, so that a browser can say at once whether it
//! plays it.

/// Boxes on the way to the sample description (ISO 14496-12).
const WAY: [&[u8; 4]; 6] = [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"];
/// Bytes of a visual sample entry before its boxes.
const VISUAL_ENTRY: usize = 78;

/// The `codecs` parameter of an MP4's first picture track, e.g. `avc1.640028` or
/// `hvc1.1.6.L93.B0`; only the kind where its configuration cannot be read.
pub fn of_mp4(file: &[u8]) -> Option<String> {
    descend(file, &WAY)
}

/// Whether a codec of these words is H.265.
pub fn is_h265(codec: &str) -> bool {
    codec.starts_with("hvc1") || codec.starts_with("hev1")
}

fn descend(file: &[u8], way: &[&[u8; 4]]) -> Option<String> {
    let Some((kind, rest)) = way.split_first() else {
        // Version, flags and the number of entries come first.
        let (kind, body) = boxes(file.get(8..)?).next()?;
        return Some(describe(kind, body.get(VISUAL_ENTRY..).unwrap_or_default()));
    };
    boxes(file)
        .filter(|(found, _)| found == *kind)
        .filter(|(found, body)| found != b"mdia" || is_picture(body))
        .find_map(|(_, body)| descend(body, rest))
}

/// Whether a track's handler is that of pictures.
fn is_picture(media: &[u8]) -> bool {
    boxes(media).any(|(kind, body)| &kind == b"hdlr" && body.get(8..12) == Some(b"vide"))
}

fn describe(kind: [u8; 4], configuration: &[u8]) -> String {
    let name = String::from_utf8_lossy(&kind).trim().to_owned();
    let find = |wanted: &[u8; 4]| boxes(configuration).find(|(kind, _)| kind == wanted);
    let words = match &kind {
        b"avc1" | b"avc3" => find(b"avcC").and_then(|(_, body)| {
            let [profile, compatible, level] = *body.get(1..4)?.first_chunk()?;
            Some(format!("{profile:02X}{compatible:02X}{level:02X}"))
        }),
        b"hvc1" | b"hev1" => find(b"hvcC").and_then(|(_, body)| hevc(body)),
        _ => None,
    };
    words.map_or(name.clone(), |words| format!("{name}.{words}"))
}

/// ISO 14496-15 annex E.
fn hevc(body: &[u8]) -> Option<String> {
    let [first, compatible @ ..] = *body.get(1..6)?.first_chunk::<5>()?;
    let constraints = body.get(6..12)?;
    let level = body.get(12)?;
    let space = ["", "A", "B", "C"][usize::from(first >> 6)];
    let tier = if first & 0x20 == 0 { 'L' } else { 'H' };
    let compatible = u32::from_be_bytes(compatible).reverse_bits();
    let mut words = format!("{space}{}.{compatible:X}.{tier}{level}", first & 0x1f);
    let kept = constraints.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    for byte in constraints.iter().take(kept) {
        words.push_str(&format!(".{byte:X}"));
    }
    Some(words)
}

/// The boxes of a body, up to the first that is broken.
fn boxes(mut body: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let (head, rest) = body.split_first_chunk::<8>()?;
        let [a, b, c, d, kind @ ..] = *head;
        let (start, size) = match u32::from_be_bytes([a, b, c, d]) {
            0 => (8, body.len()),
            1 => (16, usize::try_from(u64::from_be_bytes(*rest.first_chunk()?)).ok()?),
            size => (8, usize::try_from(size).ok()?),
        };
        let found = body.get(start..size)?;
        body = &body[size..];
        Some((kind, found))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clips_say_how_they_are_coded() {
        let h264 = include_bytes!("../../tests/assets/clip.mp4");
        let codec = of_mp4(h264).unwrap();
        assert!(codec.starts_with("avc1.") && codec.len() == 11 && !is_h265(&codec), "{codec}");
        let h265 = include_bytes!("../../tests/assets/clip-h265.mp4");
        let codec = of_mp4(h265).unwrap();
        assert!(codec.starts_with("hvc1.1.6.L") && is_h265(&codec), "{codec}");
    }

    #[test]
    fn what_is_no_clip_says_nothing() {
        let whole = include_bytes!("../../tests/assets/clip.mp4");
        for cut in 0..whole.len().min(2000) {
            // Any answer but a panic; nothing before the description has come.
            let _ = of_mp4(&whole[..cut]);
        }
        assert_eq!(of_mp4(b""), None);
        assert_eq!(of_mp4(&[0, 0, 0, 4, b'm', b'o', b'o', b'v']), None);
        assert_eq!(of_mp4(&[0xff; 64]), None);
    }
}

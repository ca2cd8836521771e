//! The box structure of MP4 and QuickTime files (ISO 14496-12): what the clip's writer and the
//! recording's reader both take apart.

/// Why bytes are not the boxes expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("MP4 box structure at byte {at}: {problem}")]
pub struct BoxError {
    pub at: usize,
    pub problem: &'static str,
}

/// One box: where it lies and where its body starts.
#[derive(Debug, Clone, Copy)]
pub struct Atom {
    pub kind: [u8; 4],
    pub start: usize,
    pub body: usize,
    pub end: usize,
}

/// The boxes between two bytes.
pub fn atoms(data: &[u8], from: usize, to: usize) -> Result<Vec<Atom>, BoxError> {
    let mut atoms = Vec::new();
    let mut at = from;
    while at < to {
        let fail = |problem| BoxError { at, problem };
        let size = read_u32(data, at).ok_or(fail("box header is cut"))?;
        let kind: [u8; 4] = data
            .get(at + 4..at + 8)
            .and_then(|kind| kind.try_into().ok())
            .ok_or(fail("box header is cut"))?;
        let (body, size) = match size {
            // To the end of the file.
            0 => (at + 8, to - at),
            1 => {
                let high = read_u32(data, at + 8).ok_or(fail("box header is cut"))?;
                let low = read_u32(data, at + 12).ok_or(fail("box header is cut"))?;
                let size = u64::from(high) << 32 | u64::from(low);
                (at + 16, usize::try_from(size).map_err(|_| fail("box is too large"))?)
            }
            size => (at + 8, size as usize),
        };
        let end = at.checked_add(size).filter(|end| *end <= to && *end >= body);
        let end = end.ok_or(fail("box reaches beyond its parent"))?;
        atoms.push(Atom { kind, start: at, body, end });
        at = end;
    }
    Ok(atoms)
}

pub fn read_u32(data: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(data.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

/// How pictures are to be turned when shown: the upper left of the transformation matrix of a track
/// (8.3.2), in whole quarter turns, mirrored or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Turn {
    /// Quarter turns clockwise, after mirroring.
    pub quarters: u8,
    /// Left and right are exchanged first.
    pub mirrored: bool,
}

const ONE: i32 = 1 << 16;

impl Turn {
    pub const NONE: Self = Self { quarters: 0, mirrored: false };

    /// `a b c d` of the matrix.
    fn rows(self) -> [i32; 4] {
        let [a, b, c, d] = match self.quarters {
            0 => [ONE, 0, 0, ONE],
            1 => [0, ONE, -ONE, 0],
            2 => [-ONE, 0, 0, -ONE],
            _ => [0, -ONE, ONE, 0],
        };
        if self.mirrored { [-a, -b, c, d] } else { [a, b, c, d] }
    }

    /// Of the nine numbers of a matrix; none where it is anything but quarter turns.
    fn from_matrix(m: [i32; 9]) -> Option<Self> {
        let all = (0..8).map(|n| Self { quarters: n % 4, mirrored: n > 3 });
        (m[2] == 0 && m[5] == 0)
            .then(|| all.into_iter().find(|turn| turn.rows() == [m[0], m[1], m[3], m[4]]))?
    }

    /// The matrix of a track header whose coded pictures have this size; what is turned out of the
    /// frame is moved back into it.
    pub fn matrix(self, width: i32, height: i32) -> [u8; 36] {
        let [a, b, c, d] = self.rows();
        let back = |x: i32, y: i32| {
            let from = |k: i32, size: i32| if k < 0 { size.wrapping_mul(ONE) } else { 0 };
            from(x, width).wrapping_add(from(y, height))
        };
        let numbers = [a, b, 0, c, d, 0, back(a, c), back(b, d), 1 << 30];
        let mut bytes = [0; 36];
        for (place, number) in bytes.chunks_exact_mut(4).zip(numbers) {
            place.copy_from_slice(&number.to_be_bytes());
        }
        bytes
    }
}

/// Where the matrix of a header box (`mvhd`, `tkhd`) begins.
pub fn matrix_at(data: &[u8], atom: &Atom) -> Option<usize> {
    let long = *data.get(atom.body)? != 0;
    // Version and flags, three or four times and lengths, then what differs.
    let at = match (&atom.kind, long) {
        (b"mvhd", false) => 36,
        (b"mvhd", true) => 48,
        (b"tkhd", false) => 40,
        (b"tkhd", true) => 52,
        _ => return None,
    };
    (atom.body + at + 36 <= atom.end).then_some(atom.body + at)
}

/// How a header box turns its pictures; an error where it does anything else with them.
pub fn turn_of(data: &[u8], atom: &Atom) -> Result<Turn, BoxError> {
    let fail = |problem| BoxError { at: atom.start, problem };
    let at = matrix_at(data, atom).ok_or(fail("header box is too short"))?;
    let mut matrix = [0; 9];
    for (index, number) in matrix.iter_mut().enumerate() {
        *number = read_u32(data, at + 4 * index).ok_or(fail("header box is too short"))? as i32;
    }
    Turn::from_matrix(matrix).ok_or(fail("turns its pictures by other than quarter turns"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_quarter_turn_is_written_as_it_is_read() {
        for turn in (0..8).map(|n| Turn { quarters: n % 4, mirrored: n > 3 }) {
            let mut track = vec![0; 8 + 40];
            track.extend(turn.matrix(640, 360));
            track.extend([0; 8]);
            let atom = Atom { kind: *b"tkhd", start: 0, body: 8, end: track.len() };
            assert_eq!(turn_of(&track, &atom), Ok(turn), "{turn:?}");
            // Shown, the picture lies at the origin: its corners have no negative place.
            let number = |i: usize| read_u32(&track, 48 + 4 * i).unwrap() as i32 / ONE;
            for (x, y) in [(0, 0), (640, 0), (0, 360), (640, 360)] {
                assert!(number(0) * x + number(3) * y + number(6) >= 0, "{turn:?}");
                assert!(number(1) * x + number(4) * y + number(7) >= 0, "{turn:?}");
            }
            track[48 + 3] = 1;
            assert!(turn_of(&track, &atom).is_err(), "{turn:?}: a little more than that");
        }
    }
}

//! Bits of a NAL unit's payload (H.264 and H.265 9.1, 9.2): emulation prevention taken out,
//! fixed-length and Exp-Golomb numbers, and the recovery point of a supplemental message.

/// Reads bits from the front; running out is an error.
#[derive(Debug)]
pub struct Bits {
    data: Vec<u8>,
    at: usize,
}

const SHORT: &str = "unit ends within its header";

impl Bits {
    /// `payload` is what follows the NAL unit's header. Headers are short: the first part is enough.
    pub fn new(payload: &[u8]) -> Self {
        const ENOUGH: usize = 512;
        Self { data: unescaped(&payload[..payload.len().min(ENOUGH)]), at: 0 }
    }

    pub fn bit(&mut self) -> Result<bool, String> {
        let byte = *self.data.get(self.at / 8).ok_or(SHORT)?;
        let bit = byte >> (7 - self.at % 8) & 1 == 1;
        self.at += 1;
        Ok(bit)
    }

    /// A number of `count` bits, at most 32.
    pub fn number(&mut self, count: u32) -> Result<u32, String> {
        (0..count).try_fold(0u32, |value, _| Ok(value << 1 | u32::from(self.bit()?)))
    }

    /// `ue(v)`.
    pub fn unsigned(&mut self) -> Result<u32, String> {
        let mut zeros = 0;
        while !self.bit()? {
            zeros += 1;
            if zeros > 31 {
                return Err("number too long".into());
            }
        }
        Ok((1u32 << zeros) - 1 + self.number(zeros)?)
    }

    /// `se(v)`.
    pub fn signed(&mut self) -> Result<i32, String> {
        let code = self.unsigned()?;
        let half = i32::try_from(code.div_ceil(2)).map_err(|e| e.to_string())?;
        Ok(if code % 2 == 1 { half } else { -half })
    }
}

/// A payload without emulation prevention.
fn unescaped(payload: &[u8]) -> Vec<u8> {
    let mut data = Vec::with_capacity(payload.len());
    let mut zeros = 0;
    for &byte in payload {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        data.push(byte);
    }
    data
}

/// The body of the recovery point message (payload type 6) among the messages of an SEI unit.
pub fn recovery_point(payload: &[u8]) -> Option<Bits> {
    const RECOVERY_POINT: usize = 6;
    let data = unescaped(payload);
    let mut rest = data.as_slice();
    // The last byte holds the closing bit alone.
    while rest.len() > 2 {
        let kind = long(&mut rest)?;
        let size = long(&mut rest)?;
        if kind == RECOVERY_POINT {
            return Some(Bits { data: rest.get(..size)?.to_vec(), at: 0 });
        }
        rest = rest.get(size..)?;
    }
    None
}

/// A number written as bytes of 255 and a last one.
fn long(rest: &mut &[u8]) -> Option<usize> {
    let mut value = 0;
    loop {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        value += usize::from(byte);
        if byte != 255 {
            return Some(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_of_the_standard() {
        // 1 | 010 | 011 | 00100 | 00101: codes 0 to 4.
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        let codes: Vec<u32> = (0..5).map(|_| bits.unsigned().unwrap()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4]);
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        let signed: Vec<i32> = (0..5).map(|_| bits.signed().unwrap()).collect();
        assert_eq!(signed, [0, 1, -1, 2, -2]);
        assert!(Bits::new(&[0, 0]).unsigned().is_err());
    }

    #[test]
    fn emulation_prevention_is_no_content() {
        let mut bits = Bits::new(&[0, 0, 3, 1]);
        assert_eq!(bits.number(24).unwrap(), 1);
    }

    #[test]
    fn a_recovery_point_is_found_behind_other_messages() {
        // Type 5 of 3 bytes, then type 6 of one byte: recovery_frame_cnt 2 (011), 1, 0, 00.
        let sei = [5, 3, 9, 9, 9, 6, 1, 0b0111_0000, 0x80];
        assert_eq!(recovery_point(&sei).unwrap().unsigned().unwrap(), 2);
        assert!(recovery_point(&[5, 3, 9, 9, 9, 0x80]).is_none());
        assert!(recovery_point(&[6, 200, 1]).is_none(), "longer than the unit");
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(data in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut bits = Bits::new(&data);
            while bits.unsigned().is_ok() {}
            let _ = recovery_point(&data);
        }
    }
}

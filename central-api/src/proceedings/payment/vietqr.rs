//! The text of a VietQR code (EMVCo merchant-presented, NAPAS 247): fields of two digits of name, two of
//! length, and the value; a checksum over all of it.

use crc::{CRC_16_IBM_3740, Crc};

use super::MOST;
use crate::config::Treasury;

/// CRC-16/CCITT-FALSE, under its other name.
const CHECKSUM: Crc<u16> = Crc::<u16>::new(&CRC_16_IBM_3740);

const NAPAS: &str = "A000000727";
const TO_ACCOUNT: &str = "QRIBFTTA";
const VND: &str = "704";

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QrError {
    #[error("no treasury account is configured: see [treasury]")]
    NoTreasury,
    #[error("a code asks for 1 to {MOST} VND")]
    Amount,
    /// A purpose beyond this is cut by banks anyway.
    #[error("the purpose must have 1 to 25 letters, digits and blanks without marks")]
    Purpose,
}

/// The text of the code that pays `amount` to the treasury with `purpose`, once.
pub fn payload(treasury: &Treasury, amount: i64, purpose: &str) -> Result<String, QrError> {
    if !treasury.is_set() {
        return Err(QrError::NoTreasury);
    }
    if !(1..=MOST).contains(&amount) {
        return Err(QrError::Amount);
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b' ';
    if !(1..=25).contains(&purpose.len()) || !purpose.bytes().all(plain) {
        return Err(QrError::Purpose);
    }
    let account = field("00", &treasury.bank) + &field("01", &treasury.account);
    let to = field("00", NAPAS) + &field("01", &account) + &field("02", TO_ACCOUNT);
    let mut text = field("00", "01")
        // Dynamic: it names an amount.
        + &field("01", "12")
        + &field("38", &to)
        + &field("53", VND)
        + &field("54", &amount.to_string())
        + &field("58", "VN")
        + &field("62", &field("08", purpose))
        + "6304";
    let checksum = CHECKSUM.checksum(text.as_bytes());
    text.push_str(&format!("{checksum:04X}"));
    Ok(text)
}

/// Values are checked to be ASCII of less than a hundred characters, here and in the configuration.
fn field(name: &str, value: &str) -> String {
    format!("{name}{:02}{value}", value.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn treasury(bank: &str, account: &str) -> Treasury {
        Treasury {
            bank: bank.into(),
            account: account.into(),
            name: "KHO BAC NHA NUOC".into(),
            notification_key_file: String::new(),
        }
    }

    /// Name, value and rest of the first field.
    fn split(text: &str) -> (&str, &str, &str) {
        let length: usize = text[2..4].parse().unwrap();
        (&text[..2], &text[4..4 + length], &text[4 + length..])
    }

    fn value<'a>(mut text: &'a str, wanted: &str) -> &'a str {
        loop {
            let (name, value, rest) = split(text);
            if name == wanted {
                return value;
            }
            text = rest;
        }
    }

    #[test]
    fn the_published_code_comes_out() {
        let text = payload(&treasury("970436", "1017595600"), 5_000_000, "QD123456").unwrap();
        assert_eq!(
            text,
            "00020101021238540010A00000072701240006970436011010175956000208QRIBFTTA5303704540750000\
             005802VN62120808QD1234566304203B"
        );
    }

    #[test]
    fn what_no_code_can_say_is_refused() {
        let good = treasury("970436", "1017595600");
        assert_eq!(payload(&treasury("", ""), 1, "XP"), Err(QrError::NoTreasury));
        for amount in [0, -5, MOST + 1, i64::MIN] {
            assert_eq!(payload(&good, amount, "XP"), Err(QrError::Amount));
        }
        for purpose in ["", "phạt", "A&B", "XXXXXXXXXXXXXXXXXXXXXXXXXX", "6304\n"] {
            assert_eq!(payload(&good, 1, purpose), Err(QrError::Purpose), "{purpose}");
        }
    }

    proptest! {
        #[test]
        fn a_reader_gets_back_what_was_asked_for(
            bank in "[0-9]{6}", account in "[0-9A-Z]{6,19}", amount in 1..=MOST,
            purpose in "[0-9A-Z]{1,25}",
        ) {
            let text = payload(&treasury(&bank, &account), amount, &purpose).unwrap();
            let (body, checksum) = text.split_at(text.len() - 4);
            // Bit by bit, as the standard describes it.
            let mut crc = 0xffff_u16;
            for byte in body.bytes() {
                crc ^= u16::from(byte) << 8;
                for _ in 0..8 {
                    crc = if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 };
                }
            }
            prop_assert_eq!(checksum, format!("{crc:04X}"));
            let to = value(&text, "38");
            prop_assert_eq!(value(value(to, "01"), "00"), &bank);
            prop_assert_eq!(value(value(to, "01"), "01"), &account);
            prop_assert_eq!(value(&text, "54"), amount.to_string());
            prop_assert_eq!(value(value(&text, "62"), "08"), &purpose);
            // The image's own limit.
            prop_assert!(qrcode::QrCode::new(text.as_bytes()).is_ok());
        }
    }
}

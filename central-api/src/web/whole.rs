//! Whole numbers as JSON and queries write them. JSON Schema calls `2.0` an integer, and so do many
//! programs that send one.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserializer;
use serde::de::{Error, Visitor};

/// Reads a whole number that fits `T`.
pub fn whole<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<i64>,
{
    deserializer.deserialize_any(Whole(PhantomData))
}

struct Whole<T>(PhantomData<T>);

impl<T: TryFrom<i64>> Visitor<'_> for Whole<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number in its documented range")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        T::try_from(number).map_err(|_| E::custom(format!("{number} is out of range")))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        self.visit_i64(i64::try_from(number).unwrap_or(i64::MAX))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        // Beyond 2^53 neighbours are more than one apart: such a number was not meant as written.
        if number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0 {
            self.visit_i64(number as i64)
        } else {
            Err(E::custom(format!("{number} is no whole number")))
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        let number = text.parse().map_err(|_| E::custom("is no whole number"))?;
        self.visit_i64(number)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Row(#[serde(deserialize_with = "super::whole")] u8);

    #[test]
    fn a_whole_number_is_one_however_it_is_written() {
        for (text, number) in [("2", 2), ("2.0", 2), ("2e0", 2), ("255", 255)] {
            assert_eq!(serde_json::from_str::<Row>(text).unwrap(), Row(number), "{text}");
        }
        for text in ["2.5", "256", "-1", "1e300", "null", "true", "\"x\""] {
            assert!(serde_json::from_str::<Row>(text).is_err(), "{text}");
        }
    }
}

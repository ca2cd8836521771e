//! Which of a model's two sets of weights to run.

use std::str::FromStr;

/// Number format of the networks' layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// Int8 where this processor multiplies it fast and exactly, float elsewhere.
    #[default]
    Auto,
    Float,
    Int8,
}

/// Words of the command line and the configuration.
pub const PRECISIONS: [(&str, Precision); 3] =
    [("auto", Precision::Auto), ("float", Precision::Float), ("int8", Precision::Int8)];

impl FromStr for Precision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = PRECISIONS.iter().find(|(word, _)| *word == text);
        known.map(|&(_, precision)| precision).ok_or_else(|| {
            format!("{text:?} is none of {}", PRECISIONS.map(|(word, _)| word).join(", "))
        })
    }
}

impl Precision {
    /// Float or int8: what `Auto` means on this processor.
    ///
    /// Without the dot-product instructions int8 is hardly faster, and on older x86-64 its sums of
    /// two products saturate: answers would change with the processor.
    pub fn resolved(self) -> Self {
        match self {
            Self::Auto if multiplies_int8() => Self::Int8,
            Self::Auto => Self::Float,
            chosen => chosen,
        }
    }
}

fn multiplies_int8() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        std::arch::is_x86_feature_detected!("avx512vnni")
            || std::arch::is_x86_feature_detected!("avxvnni")
    }
    #[cfg(target_arch = "aarch64")]
    {
        std::arch::is_aarch64_feature_detected!("dotprod")
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_and_others_refused_by_name() {
        assert_eq!("int8".parse(), Ok(Precision::Int8));
        let refused = "fp16".parse::<Precision>().unwrap_err();
        assert!(refused.contains("fp16") && refused.contains("float"), "{refused}");
    }

    #[test]
    fn a_choice_stands_and_auto_becomes_one() {
        assert_eq!(Precision::Float.resolved(), Precision::Float);
        assert_eq!(Precision::Int8.resolved(), Precision::Int8);
        assert_ne!(Precision::Auto.resolved(), Precision::Auto);
    }
}

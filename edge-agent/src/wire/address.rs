//! Where a lamp's wire ends: an input of a cabinet's line protocol, or of the camera itself.

use std::str::FromStr;

/// The longest name of an input.
const MAX_NAME: usize = 64;

/// `tcp://HOST:PORT/INPUT` or `onvif:input/TOKEN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wire {
    Tcp {
        /// Host and port.
        place: String,
        input: String,
    },
    /// A digital input of the camera itself.
    Onvif { input: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    #[error("must be tcp://HOST:PORT/INPUT or onvif:input/TOKEN")]
    Form,
    #[error(
        "names an input of more than 64 characters, or of others than letters, digits, . _ - : /"
    )]
    Input,
}

impl FromStr for Wire {
    type Err = WireError;

    fn from_str(text: &str) -> Result<Self, WireError> {
        let (tcp, rest) = match (text.strip_prefix("tcp://"), text.strip_prefix("onvif:input/")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return Err(WireError::Form),
        };
        let (place, input) =
            if tcp { rest.split_once('/').ok_or(WireError::Form)? } else { ("", rest) };
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-:/".contains(&b);
        if input.is_empty() || input.len() > MAX_NAME || !input.bytes().all(plain) {
            return Err(WireError::Input);
        }
        let input = input.to_owned();
        if !tcp {
            return Ok(Self::Onvif { input });
        }
        let (host, port) = place.rsplit_once(':').ok_or(WireError::Form)?;
        let named = !host.is_empty() && !host.contains(['@', ' ']);
        if !named || !port.parse::<u16>().is_ok_and(|port| port > 0) {
            return Err(WireError::Form);
        }
        Ok(Self::Tcp { place: place.to_owned(), input })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wires_are_read_and_wrong_ones_told() {
        let tcp = |place: &str, input: &str| Wire::Tcp { place: place.into(), input: input.into() };
        assert_eq!("tcp://10.0.0.5:4001/red1".parse(), Ok(tcp("10.0.0.5:4001", "red1")));
        assert_eq!("tcp://[::1]:4001/a".parse(), Ok(tcp("[::1]:4001", "a")));
        assert_eq!("onvif:input/1".parse(), Ok(Wire::Onvif { input: "1".into() }));
        for (text, error) in [
            ("", WireError::Form),
            ("udp://h:1/x", WireError::Form),
            ("tcp://h/x", WireError::Form),
            ("tcp://h:0/x", WireError::Form),
            ("tcp://:1/x", WireError::Form),
            ("tcp://u:p@h:1/x", WireError::Form),
            ("tcp://h:1/", WireError::Input),
            ("onvif:input/a b", WireError::Input),
        ] {
            assert_eq!(text.parse::<Wire>(), Err(error), "{text}");
        }
    }
}

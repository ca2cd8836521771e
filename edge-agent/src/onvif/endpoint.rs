//! Where a camera's ONVIF services are. What a camera says of its addresses is believed up to the
//! host: that stays the one it was asked at. So a camera behind a router, or with a new address it
//! has not noticed, is reached all the same, and no answer can send a login to another machine.

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;

use super::OnvifError;
use crate::source::Address;

/// Path of the device service, by the standard.
const DEVICE_SERVICE: &str = "/onvif/device_service";

/// The address of one service. Holds no login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

/// What is wrong with an address, and what would be right; never quotes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    #[error("must be the camera's ONVIF address: http://HOST/onvif/device_service")]
    Form,
    #[error("holds a login: put user:password into a file and name it with `credentials`")]
    Login,
}

impl Endpoint {
    /// Reads a device service's address; without a path it is that of the standard.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        // The parser would quietly drop or encode these.
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(EndpointError::Form);
        }
        let mut url = Url::parse(text).map_err(|_| EndpointError::Form)?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return Err(EndpointError::Form);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::Login);
        }
        url.set_fragment(None);
        if url.path() == "/" && url.query().is_none() {
            url.set_path(DEVICE_SERVICE);
        }
        Ok(Self(url))
    }

    pub(super) fn url(&self) -> Url {
        self.0.clone()
    }

    /// Without the brackets of IPv6.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default().trim_matches(['[', ']'])
    }

    /// What is asked of the host, as HTTP digest signs it.
    pub(super) fn target(&self) -> String {
        let query = self.0.query().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{}{query}", self.0.path())
    }

    /// Another service of this camera, at the address it tells.
    pub(super) fn service(&self, told: &str) -> Option<Self> {
        let told = Self::parse(told.trim()).ok()?;
        // Never by a way less safe than the one that was configured.
        if told.host() == self.host() && told.0.scheme() == self.0.scheme() {
            return Some(told);
        }
        let mut url = self.0.clone();
        url.set_path(told.0.path());
        url.set_query(told.0.query());
        Some(Self(url))
    }

    /// The same at another host.
    pub(super) fn at_host(&self, host: IpAddr) -> Option<Self> {
        let mut url = self.0.clone();
        url.set_ip_host(host).ok()?;
        Some(Self(url))
    }

    /// A stream of this camera, at the address it tells, without a login that may stand before the
    /// host there.
    pub(super) fn stream(&self, told: &str, profile: &str) -> Result<Address, OnvifError> {
        let problem = |problem| OnvifError::Stream {
            address: self.to_string(),
            profile: profile.to_owned(),
            problem,
        };
        Ok(Address::parse(told.trim()).map_err(problem)?.at_host(self.host()))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.0.clone();
        shown.set_query(None);
        f.write_str(shown.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_wrong_ones_told() {
        for (text, shown) in [
            ("http://192.0.2.10", "http://192.0.2.10/onvif/device_service"),
            ("http://192.0.2.10:8899/", "http://192.0.2.10:8899/onvif/device_service"),
            ("https://[2001:db8::1]/x?y#z", "https://[2001:db8::1]/x"),
        ] {
            assert_eq!(Endpoint::parse(text).unwrap().to_string(), shown);
        }
        for text in ["rtsp://h/s", "192.0.2.10", "http://", "http://h /x", "ftp://h", ""] {
            assert_eq!(Endpoint::parse(text), Err(EndpointError::Form), "{text}");
        }
        assert_eq!(Endpoint::parse("http://admin:geheim@h/x"), Err(EndpointError::Login));
    }

    #[test]
    fn the_host_stays_the_one_that_was_asked() {
        let device = Endpoint::parse("http://203.0.113.7:8080/onvif/device_service").unwrap();
        let service = |told| device.service(told).map(|service| service.to_string());
        assert_eq!(
            service("http://203.0.113.7:8081/onvif/media").as_deref(),
            Some("http://203.0.113.7:8081/onvif/media")
        );
        // Its own network's address, or another machine's: both are asked for here.
        assert_eq!(
            service("http://192.168.1.64/onvif/media").as_deref(),
            Some("http://203.0.113.7:8080/onvif/media")
        );
        assert_eq!(service("file:///etc/passwd"), None);
        let stream = device.stream("rtsp://admin:geheim@192.168.1.64:8554/ch1?x=1", "p").unwrap();
        assert_eq!(stream.location(), "rtsp://203.0.113.7:8554/ch1?x=1");
        assert!(stream.login().is_none());
        let error = device.stream("http://h/x", "p").unwrap_err();
        assert!(error.to_string().contains("profile \"p\" must be rtsp://"), "{error}");
    }
}

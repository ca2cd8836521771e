//! Asking other servers: within bounds of size, following no redirect, and with words for what went wrong
//! that do not repeat the address, which may hold a password.

use std::error::Error as _;

use reqwest::{Client, ClientBuilder, Response};

/// A client to be set up further.
pub fn client() -> ClientBuilder {
    // A second call changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("central-api/", env!("CARGO_PKG_VERSION")))
}

/// The body of an answer of at most so many bytes.
pub async fn body(mut response: Response, most: usize) -> Result<Vec<u8>, String> {
    let mut answer = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| words(&error))? {
        if answer.len() + chunk.len() > most {
            return Err(format!("answered more than {most} bytes"));
        }
        answer.extend_from_slice(&chunk);
    }
    Ok(answer)
}

/// The innermost cause, which says what happened; without the address.
pub fn words(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "does not answer in time".into();
    }
    let mut words = "cannot be reached".to_owned();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words = inner.to_string();
        cause = inner.source();
    }
    words
}

//! The loop of one camera.

#[cfg(test)]
pub(crate) mod sample;

//! The codec library's parser of parameter sets, as a stream's thread carries it.

/// A parser `P` of H.264 or H.265.
#[derive(Default)]
pub struct Sets<P>(pub P);

// SAFETY: the parsers keep parameter sets in `Rc`s that are never handed on here: what is borrowed
// from one lives within one call of `read`. So they all move to another thread together.
unsafe impl Send for Sets<cros_codecs::codec::h264::parser::Parser> {}
// SAFETY: the same.
unsafe impl Send for Sets<cros_codecs::codec::h265::parser::Parser> {}

impl<P> std::fmt::Debug for Sets<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sets")
    }
}

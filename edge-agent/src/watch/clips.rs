//! Where a camera's loop takes its clips from, how much of an act one shows, and what stream must be kept
//! for that.

use crate::accusation::{Clip, Span};
use crate::config::Camera;
use crate::evidence::clip::MAX_PICTURES;
use crate::see::{Nanos, seconds};

/// Shown after the vehicle was past the line.
pub(super) const CLIP_AFTER: Nanos = seconds(2.0);
/// Shown before it crossed.
pub(super) const CLIP_BEFORE: Nanos = seconds(3.0);
/// The longest clip: of an act that lasts longer, its end.
pub(super) const LONGEST_CLIP: Nanos = seconds(160.0);
/// Encoded stream that must be kept for `camera`: the longest way from an act's first moment to a
/// decision, and what a clip shows around it.
pub fn keep(camera: &Camera) -> Nanos {
    let longest = camera.site.rules.iter().map(|rule| rule.longest()).max().unwrap_or(0);
    longest.min(LONGEST_CLIP) + seconds(10.0)
}

/// Room for one clip of the largest size while its end is still to come.
pub const KEEP_BYTES: usize = 2 * MAX_PICTURES;

/// Where the clip comes from.
pub trait Clips {
    /// The encoded stream that shows `span`.
    fn clip(&self, span: &Span) -> Option<Clip>;

    /// No clip will be asked for that begins before `from`.
    fn need(&self, _from: Nanos) {}

    /// Whether that is another stream than the one looked at: then pictures and plates are taken from
    /// the clip.
    fn is_pair(&self) -> bool {
        false
    }
}

impl Clips for crate::source::Source {
    fn clip(&self, span: &Span) -> Option<Clip> {
        crate::source::Source::clip(self, span)
    }

    fn need(&self, from: Nanos) {
        crate::source::Source::need(self, from);
    }

    fn is_pair(&self) -> bool {
        crate::source::Source::is_pair(self)
    }
}

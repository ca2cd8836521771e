//! Which part of the stream a clip is cut from. Wanted is everything around the act; what there must
//! be are its moments, each decodable. Where the whole is larger than a file of evidence may be, the
//! clip is shortened at the front, at the end, and last in the middle of a long stand, by whole
//! groups of pictures, until it fits.

use std::ops::Range;

use crate::accusation::{AccessUnit, Span};
use crate::see::Nanos;

/// Units from one place where decoding may begin to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub units: Range<usize>,
    /// From this time on a clip that begins here shows what the camera saw.
    pub whole_from: Nanos,
}

/// The ranges of units to take, in order; each begins a group. `units` gives those of a range.
pub fn choose<'a, I: Iterator<Item = &'a AccessUnit>>(
    groups: &[Group],
    units: impl Fn(Range<usize>) -> I,
    span: &Span,
    limit: usize,
) -> Option<Vec<Range<usize>>> {
    // What was shown before the act must be there: elsewhere a part would pass for the whole.
    if groups.first()?.whole_from > span.moments[0] {
        return None;
    }
    // The last group that is whole at `t`; where the stream began later, its first.
    let of = |t: Nanos| groups.iter().rposition(|group| group.whole_from <= t).unwrap_or(0);
    // Units stand in decoding order: what the last one shown refers to comes along.
    let until = |group: &Group, t: Nanos| {
        let shown = units(group.units.clone()).enumerate().filter(|(_, unit)| unit.pts_ns <= t);
        group.units.start..group.units.start + shown.last().map_or(0, |(index, _)| index + 1)
    };
    let bytes = |range: &Range<usize>| units(range.clone()).map(|u| u.data.len()).sum::<usize>();
    let last_moment = *span.moments.last()?;
    let mut parts: Vec<Range<usize>> =
        groups.get(of(span.from)..)?.iter().map(|group| until(group, span.to)).collect();
    let first = of(span.from);
    let total = |parts: &[Range<usize>]| parts.iter().map(&bytes).sum::<usize>();
    let needed: Vec<usize> = span.moments.iter().map(|&t| of(t)).collect();
    let is_needed = |index: usize| needed.contains(&(first + index));
    let mut left = total(&parts);
    // The front, group by group.
    for (index, part) in parts.iter_mut().enumerate() {
        if left <= limit || is_needed(index) {
            break;
        }
        left -= bytes(&std::mem::take(part));
    }
    // The end: groups after the last moment, then what follows it in its own.
    for index in (0..parts.len()).rev() {
        if left <= limit {
            break;
        }
        let shorter = match first + index > of(last_moment) {
            true => 0..0,
            false => until(&groups[first + index], last_moment),
        };
        let before = bytes(&parts[index]);
        if first + index >= of(last_moment) {
            left = left - before + bytes(&shorter);
            parts[index] = shorter;
        } else {
            break;
        }
    }
    // The middle, what is farthest from any moment first.
    let mut middle: Vec<usize> = (0..parts.len()).filter(|&i| !is_needed(i)).collect();
    let distance = |index: &usize| {
        let at = groups[first + index].whole_from;
        span.moments.iter().map(|moment| moment.abs_diff(at)).min().unwrap_or(0)
    };
    middle.sort_by_key(|index| std::cmp::Reverse(distance(index)));
    for index in middle {
        if left <= limit {
            break;
        }
        left -= bytes(&std::mem::take(&mut parts[index]));
    }
    parts.retain(|part| !part.is_empty());
    (left <= limit).then_some(parts)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use time::OffsetDateTime;

    use super::*;
    use crate::see::SECOND;

    const FPS: u64 = 10;

    /// A stream of ten pictures a second of one byte each, a group every `group` pictures.
    fn cut(pictures: u64, group: u64, span: &Span, limit: usize) -> Option<Vec<(u64, u64)>> {
        let units: Vec<AccessUnit> = (0..pictures)
            .map(|i| AccessUnit {
                pts_ns: i * SECOND / FPS,
                dts_ns: None,
                key: i % group == 0,
                whole: true,
                data: Bytes::from_static(&[0]),
                captured_at: OffsetDateTime::UNIX_EPOCH,
            })
            .collect();
        let groups: Vec<Group> = (0..pictures.div_ceil(group))
            .map(|i| Group {
                units: (i * group) as usize..((i + 1) * group).min(pictures) as usize,
                whole_from: i * group * SECOND / FPS,
            })
            .collect();
        let parts = choose(&groups, |range| units[range].iter(), span, limit)?;
        assert!(parts.iter().map(ExactSizeIterator::len).sum::<usize>() <= limit);
        Some(parts.into_iter().map(|part| (part.start as u64, part.end as u64 - 1)).collect())
    }

    /// Seconds.
    fn span(from: f64, moments: [f64; 3], to: f64) -> Span {
        let nanos = |s: f64| (s * 1e9).round() as u64;
        Span { from: nanos(from), moments: moments.map(nanos).into(), to: nanos(to) }
    }

    #[test]
    fn a_clip_that_fits_is_whole() {
        let found = cut(200, 25, &span(6.0, [8.0, 9.0, 10.0], 12.0), 1000).unwrap();
        assert_eq!((found[0].0, found.last().unwrap().1), (50, 120), "{found:?}");
        assert!(found.windows(2).all(|pair| pair[1].0 == pair[0].1 + 1), "no gap: {found:?}");
    }

    #[test]
    fn a_large_one_loses_its_front_then_its_end() {
        let wanted = span(2.0, [8.0, 9.0, 10.0], 14.0);
        // From 8.0 s on, whose group begins at 7.5 s.
        let found = cut(200, 25, &wanted, 70).unwrap();
        assert_eq!((found[0].0, found.last().unwrap().1), (75, 140));
        let found = cut(200, 25, &wanted, 40).unwrap();
        assert_eq!((found[0].0, found.last().unwrap().1), (75, 100));
        assert_eq!(cut(200, 25, &wanted, 20), None, "not even the moments");
    }

    #[test]
    fn of_a_long_stand_the_middle_is_left_out() {
        let found = cut(400, 10, &span(1.0, [3.0, 4.0, 33.5], 35.0), 60).unwrap();
        let covers = |t: u64| found.iter().any(|(from, to)| (*from..=*to).contains(&t));
        assert!(covers(30) && covers(40) && covers(335), "{found:?}");
        assert!(!covers(180), "{found:?}");
        assert!(found.iter().all(|(from, _)| from % 10 == 0), "each part decodes: {found:?}");
    }

    #[test]
    fn one_endless_group_cannot_be_shortened_at_its_front() {
        let wanted = span(20.0, [22.0, 23.0, 24.0], 26.0);
        assert_eq!(cut(400, 4000, &wanted, 250), Some(vec![(0, 240)]));
        assert_eq!(cut(400, 4000, &wanted, 240), None);
    }
}

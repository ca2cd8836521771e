//! Where a picture lies against a remembered one: both are compared block by block, each block for
//! its pattern alone (zero-mean normalised cross-correlation, as in any textbook of image
//! registration), so that light and shadow over the whole street do not count and a lorry in front
//! of some blocks cannot outvote the others.

use super::sketch::{COLUMNS, ROWS};

/// A block's cells.
const BLOCK: [usize; 2] = [20, 14];
const ACROSS: usize = (COLUMNS - 2 * FAR) / BLOCK[0];
const DOWN: usize = (ROWS - 2 * FAR) / BLOCK[1];
/// Farthest shift that is looked for, in cells: a sixteenth of the picture's width.
pub const FAR: usize = 10;
const SIDE: usize = 2 * FAR + 1;
/// A pattern has this much contrast (standard deviation of luma).
const PATTERN: f32 = 4.0;
/// Shifts this near belong to the same peak.
const PEAK: isize = 3;

/// The patterns of a remembered picture.
#[derive(Debug, Clone)]
pub struct Patterns {
    /// Of each block with a pattern: where it begins, and its cells about their mean, of length 1.
    blocks: Vec<([usize; 2], Vec<f32>)>,
}

/// How a picture fits a remembered one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// By how much it is shifted, in cells, right and down.
    pub shift: [f32; 2],
    /// Mean correlation of the blocks there, 0 to 1.
    pub like: f32,
    /// By how much that is above the best elsewhere.
    pub clear: f32,
    /// By how much that is above the correlation without a shift.
    pub gain: f32,
}

impl Patterns {
    pub fn of(cells: &[f32]) -> Self {
        let mut blocks = Vec::new();
        for at in
            (0..ACROSS * DOWN).map(|i| [FAR + i % ACROSS * BLOCK[0], FAR + i / ACROSS * BLOCK[1]])
        {
            let mut block: Vec<f32> = rows(cells, at).flatten().copied().collect();
            let mean = block.iter().sum::<f32>() / block.len() as f32;
            block.iter_mut().for_each(|cell| *cell -= mean);
            let length = block.iter().map(|cell| cell * cell).sum::<f32>().sqrt();
            if length >= PATTERN * (block.len() as f32).sqrt() {
                block.iter_mut().for_each(|cell| *cell /= length);
                blocks.push((at, block));
            }
        }
        Self { blocks }
    }

    /// Blocks that have a pattern.
    pub const fn count(&self) -> usize {
        self.blocks.len()
    }

    /// Looks for these patterns in `cells`, up to [`FAR`] from where they were.
    pub fn fit(&self, cells: &[f32]) -> Fit {
        let mut map = [[0.0f32; SIDE]; SIDE];
        for (y, row) in map.iter_mut().enumerate() {
            for (x, like) in row.iter_mut().enumerate() {
                let sum: f32 = self
                    .blocks
                    .iter()
                    .map(|([left, top], block)| {
                        correlation(block, cells, [left + x - FAR, top + y - FAR]).max(0.0)
                    })
                    .sum();
                *like = sum / self.blocks.len().max(1) as f32;
            }
        }
        peak(&map)
    }
}

fn rows(cells: &[f32], [left, top]: [usize; 2]) -> impl Iterator<Item = &[f32]> {
    (top..top + BLOCK[1]).map(move |y| &cells[y * COLUMNS + left..y * COLUMNS + left + BLOCK[0]])
}

/// Of a pattern (mean 0, length 1) and the cells at `at`.
fn correlation(pattern: &[f32], cells: &[f32], at: [usize; 2]) -> f32 {
    let (mut dot, mut sum, mut squares) = (0.0f32, 0.0f32, 0.0f32);
    for (pattern, row) in pattern.chunks_exact(BLOCK[0]).zip(rows(cells, at)) {
        for (p, c) in pattern.iter().zip(row) {
            dot += p * c;
            sum += c;
            squares += c * c;
        }
    }
    let spread = squares - sum * sum / pattern.len() as f32;
    if spread < pattern.len() as f32 { 0.0 } else { dot / spread.sqrt() }
}

fn peak(map: &[[f32; SIDE]; SIDE]) -> Fit {
    let all = || (0..SIDE * SIDE).map(|i| (i % SIDE, i / SIDE));
    let value = |(x, y): (usize, usize)| map[y][x];
    let best = all().max_by(|a, b| value(*a).total_cmp(&value(*b))).unwrap_or((FAR, FAR));
    let away = |(x, y): &(usize, usize)| {
        x.abs_diff(best.0) as isize > PEAK || y.abs_diff(best.1) as isize > PEAK
    };
    let elsewhere = all().filter(away).map(value).fold(0.0, f32::max);
    // The peak of the parabola through three neighbours.
    let between = |before: Option<f32>, after: Option<f32>| match (before, after) {
        (Some(a), Some(c)) if a + c < 2.0 * value(best) => {
            (0.5 * (a - c) / (a + c - 2.0 * value(best))).clamp(-0.5, 0.5)
        }
        _ => 0.0,
    };
    let (x, y) = best;
    let column = |x: Option<usize>| x.and_then(|x| map[y].get(x).copied());
    let row = |y: Option<usize>| y.and_then(|y| map.get(y).map(|row| row[x]));
    let shift = [
        x as f32 - FAR as f32 + between(column(x.checked_sub(1)), column(Some(x + 1))),
        y as f32 - FAR as f32 + between(row(y.checked_sub(1)), row(Some(y + 1))),
    ];
    let like = value(best);
    Fit { shift, like, clear: like - elsewhere, gain: like - map[FAR][FAR] }
}

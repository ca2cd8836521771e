//! The detector's input: bytes, the four pixels of a 2x2 block side by side, so that its first
//! convolution reads twelve neighbours at once.
//!
//! A block is `[upper red 2, upper green 2, upper blue 2, lower red 2, lower green 2, lower blue 2]`,
//! as `train/vehicles/packed.py` has it: pairs of pixels stay pairs.

use super::{Lines as _, PADDING};

/// Bytes of a block.
pub const BLOCK: usize = 12;

/// Buffers of one line as numbers and of two lines as pairs of bytes.
#[derive(Debug, Default)]
pub(super) struct Levels {
    numbers: [Vec<f32>; 3],
    /// Red, green, blue of the upper line, then of the lower one.
    pairs: [Vec<[u8; 2]>; 6],
}

/// Gathers lines into blocks.
pub(super) struct Lines<'t> {
    levels: Levels,
    /// Lines of the tensor.
    height: usize,
    /// Lines that are there so far.
    filled: usize,
    /// A line of blocks.
    stride: usize,
    tensor: &'t mut [u8],
}

impl<'t> Lines<'t> {
    /// For a tensor of `size` (width, height), both even.
    pub fn new(mut levels: Levels, (width, height): (usize, usize), tensor: &'t mut [u8]) -> Self {
        for numbers in &mut levels.numbers {
            numbers.clear();
            numbers.resize(width, PADDING);
        }
        for pairs in &mut levels.pairs {
            pairs.resize(width / 2, [0; 2]);
        }
        Self { levels, height, filled: 0, stride: width / 2 * BLOCK, tensor }
    }

    /// Fills what no line came for with the padding; returns the buffers.
    pub fn finish(mut self) -> Levels {
        if self.filled < self.height {
            for numbers in &mut self.levels.numbers {
                numbers.fill(PADDING);
            }
            // At most two lines are made, all others are the second of them again.
            let padding = self.filled.next_multiple_of(2);
            for line in self.filled..self.height.min(padding + 2) {
                self.done(line);
            }
            let (first, second) = (padding / 2 * self.stride, (padding / 2 + 1) * self.stride);
            let end = self.height / 2 * self.stride;
            if second < end {
                let (known, rest) = self.tensor[first..end].split_at_mut(self.stride);
                rest.chunks_exact_mut(self.stride).for_each(|line| line.copy_from_slice(known));
            }
        }
        self.levels
    }
}

impl super::Lines for Lines<'_> {
    fn line(&mut self, _line: usize, width: usize) -> [&mut [f32]; 3] {
        self.levels.numbers.each_mut().map(|numbers| &mut numbers[..width])
    }

    fn done(&mut self, line: usize) {
        let lower = line % 2;
        for (numbers, pairs) in self.levels.numbers.iter().zip(&mut self.levels.pairs[3 * lower..])
        {
            for (two, pair) in numbers.chunks_exact(2).zip(pairs) {
                *pair = [level(two[0]), level(two[1])];
            }
        }
        self.filled = line + 1;
        if lower == 1 {
            let at = line / 2 * self.stride;
            let [ur, ug, ub, lr, lg, lb] = &self.levels.pairs;
            let blocks = self.tensor[at..at + self.stride].as_chunks_mut::<BLOCK>().0;
            for (x, block) in blocks.iter_mut().enumerate() {
                for (into, pairs) in
                    block.as_chunks_mut::<2>().0.iter_mut().zip([ur, ug, ub, lr, lg, lb])
                {
                    *into = pairs[x];
                }
            }
        }
    }
}

/// 0 to 1 as a byte, to the nearest; a picture that was bytes comes back as it was.
fn level(number: f32) -> u8 {
    (number * 255.0 + 0.5) as u8
}

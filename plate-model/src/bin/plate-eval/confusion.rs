//! Which characters are taken for which: texts aligned with the fewest changes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

/// Stands for a character that was left out or added.
const NONE: char = '-';

/// One kind of mistake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Confusion {
    /// `-` where nothing was printed.
    pub printed: char,
    /// `-` where nothing was read.
    pub read: char,
    pub count: usize,
    /// How often the character was printed.
    pub of: usize,
}

/// Counts of every pair, the right ones too.
#[derive(Debug, Default)]
pub struct Confusions(BTreeMap<(char, char), usize>);

impl Confusions {
    pub fn add(&mut self, printed: &str, read: &str) {
        for pair in aligned(printed, read) {
            *self.0.entry(pair).or_default() += 1;
        }
    }

    /// Mistakes, the most frequent first.
    pub fn mistakes(&self) -> Vec<Confusion> {
        let wrong = self.0.iter().filter(|((printed, read), _)| printed != read);
        let mut mistakes: Vec<Confusion> = wrong
            .map(|(&(printed, read), &count)| Confusion {
                printed,
                read,
                count,
                of: self.printed(printed),
            })
            .collect();
        // Stable: equals stay in alphabetical order.
        mistakes.sort_by_key(|mistake| std::cmp::Reverse(mistake.count));
        mistakes
    }

    fn printed(&self, character: char) -> usize {
        self.0.iter().filter(|((printed, _), _)| *printed == character).map(|(_, n)| n).sum()
    }

    /// A line for each character printed, a column for each read.
    pub fn write(&self, path: &Path) -> Result<()> {
        let signs: Vec<char> = ('0'..='9').chain('A'..='Z').chain([NONE]).collect();
        let mut text = String::from("printed");
        for read in &signs {
            text.extend([',', *read]);
        }
        for printed in &signs {
            text.extend(['\n', *printed]);
            for read in &signs {
                let count = self.0.get(&(*printed, *read)).copied().unwrap_or(0);
                text.push_str(&format!(",{count}"));
            }
        }
        text.push('\n');
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Pairs of characters of the alignment with the fewest exchanges, omissions and additions
/// (Levenshtein); of equal ones that with the most exchanges.
fn aligned(printed: &str, read: &str) -> Vec<(char, char)> {
    let (a, b): (Vec<char>, Vec<char>) = (printed.chars().collect(), read.chars().collect());
    let mut cost = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            cost[i][j] = match (i, j) {
                (0, n) | (n, 0) => n,
                _ => (cost[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]))
                    .min(cost[i - 1][j] + 1)
                    .min(cost[i][j - 1] + 1),
            };
        }
    }
    let (mut i, mut j) = (a.len(), b.len());
    let mut pairs = Vec::new();
    while i > 0 || j > 0 {
        let exchanged =
            i > 0 && j > 0 && cost[i][j] == cost[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
        if exchanged {
            (i, j) = (i - 1, j - 1);
            pairs.push((a[i], b[j]));
        } else if i > 0 && cost[i][j] == cost[i - 1][j] + 1 {
            i -= 1;
            pairs.push((a[i], NONE));
        } else {
            j -= 1;
            pairs.push((NONE, b[j]));
        }
    }
    pairs.reverse();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_character_does_not_shift_the_rest() {
        let pairs = aligned("29B112345", "29812345");
        let wrong: Vec<_> = pairs.into_iter().filter(|(a, b)| a != b).collect();
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        assert!(wrong.contains(&('B', '8')) || wrong.contains(&('B', NONE)), "{wrong:?}");
        assert_eq!(aligned("", "7"), [(NONE, '7')]);
    }

    #[test]
    fn the_most_frequent_comes_first() {
        let mut confusions = Confusions::default();
        confusions.add("51F00000", "51F00000");
        confusions.add("51F00000", "5IF00008");
        confusions.add("51F00000", "5IF00000");
        let mistakes = confusions.mistakes();
        assert_eq!(mistakes[0], Confusion { printed: '1', read: 'I', count: 2, of: 3 });
        assert_eq!(mistakes[1], Confusion { printed: '0', read: '8', count: 1, of: 15 });
    }
}

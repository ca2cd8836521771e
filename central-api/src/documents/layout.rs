//! Breaking text into lines: words measured in their style, greedy filling, justified or not.
//! Pure; drawing is the page's work.

use super::fonts::{Fonts, Style};

/// A stretch of text in one style.
#[derive(Debug, Clone)]
pub struct Run {
    pub style: Style,
    pub text: String,
}

pub fn plain(text: impl Into<String>) -> Run {
    Run { style: Style::Regular, text: text.into() }
}

pub fn bold(text: impl Into<String>) -> Run {
    Run { style: Style::Bold, text: text.into() }
}

pub fn italic(text: impl Into<String>) -> Run {
    Run { style: Style::Italic, text: text.into() }
}

/// What is drawn in one go: a word, or its part in one style.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    pub style: Style,
    pub text: String,
    /// From the line's left edge.
    pub x: f32,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub pieces: Vec<Piece>,
    pub width: f32,
}

/// A word: parts that stick together, each with its width.
struct Word {
    parts: Vec<(Style, String, f32)>,
    width: f32,
    /// Width of the space before it.
    space: f32,
}

/// How lines fill their width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    Ragged,
    /// Every line but the last reaches the right edge.
    Justified,
}

/// Breaks `runs` into lines of at most `width`, the first one indented.
pub fn lines(
    fonts: &Fonts,
    runs: &[Run],
    size: f32,
    width: f32,
    indent: f32,
    fill: Fill,
) -> Vec<Line> {
    let mut lines: Vec<Vec<Word>> = vec![Vec::new()];
    let mut used = indent;
    for word in words(fonts, runs, size, width) {
        let line = lines.last_mut().filter(|line| !line.is_empty());
        let space = if line.is_some() { word.space } else { 0.0 };
        if line.is_some() && used + space + word.width > width {
            lines.push(Vec::new());
            used = word.width;
        } else {
            used += space + word.width;
        }
        if let Some(line) = lines.last_mut() {
            line.push(word);
        }
    }
    let last = lines.len() - 1;
    lines
        .into_iter()
        .enumerate()
        .map(|(index, line)| {
            let start = if index == 0 { indent } else { 0.0 };
            let stretch = fill == Fill::Justified && index != last;
            place(line, start, stretch.then_some(width))
        })
        .collect()
}

/// A space may grow by this many of its widths.
const MOST_STRETCH: f32 = 3.0;

/// Gives every word its x; with `width`, spreads the rest over the spaces.
fn place(words: Vec<Word>, start: f32, width: Option<f32>) -> Line {
    let natural: f32 = words.iter().map(|word| word.width).sum::<f32>()
        + words.iter().skip(1).map(|word| word.space).sum::<f32>();
    let gaps = words.len().saturating_sub(1);
    let extra = match width {
        Some(width) if gaps > 0 => (width - start - natural) / gaps as f32,
        _ => 0.0,
    };
    // Before a word that cannot be broken the rest may be wide: holes are worse than a ragged edge.
    let widest = words.iter().map(|word| word.space).fold(0.0, f32::max) * MOST_STRETCH;
    let extra = if extra > widest { 0.0 } else { extra };
    let mut x = start;
    let mut pieces: Vec<Piece> = Vec::new();
    for (index, word) in words.into_iter().enumerate() {
        if index > 0 {
            x += word.space + extra;
        }
        for (part, (style, text, width)) in word.parts.into_iter().enumerate() {
            // Unstretched neighbours of one style are drawn together, which keeps the text whole
            // for whoever copies it.
            match pieces.last_mut().filter(|last| last.style == style) {
                Some(last) if part > 0 => last.text.push_str(&text),
                Some(last) if extra == 0.0 => {
                    last.text.push(' ');
                    last.text.push_str(&text);
                }
                _ => pieces.push(Piece { style, text, x }),
            }
            x += width;
        }
    }
    Line { pieces, width: x - start }
}

/// Splits at white space; a word may run over several styles. A word longer than the line is cut.
fn words(fonts: &Fonts, runs: &[Run], size: f32, width: f32) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut open = false;
    for run in runs {
        let space = fonts.width(run.style, size, " ");
        for (index, chunk) in run.text.split(' ').enumerate() {
            if index > 0 {
                open = false;
            }
            for chunk in cut(fonts, run.style, size, width, chunk) {
                let part_width = fonts.width(run.style, size, &chunk);
                let part = (run.style, chunk, part_width);
                match words.last_mut() {
                    Some(word) if open && word.width + part_width <= width => {
                        word.parts.push(part);
                        word.width += part_width;
                    }
                    _ => words.push(Word { parts: vec![part], width: part_width, space }),
                }
                open = true;
            }
        }
    }
    words
}

fn cut(fonts: &Fonts, style: Style, size: f32, width: f32, chunk: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    for c in chunk.chars() {
        part.push(c);
        if fonts.width(style, size, &part) > width && part.chars().count() > 1 {
            part.pop();
            parts.push(std::mem::replace(&mut part, c.to_string()));
        }
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: f32 = 200.0;

    fn text_of(lines: &[Line]) -> String {
        let words = |line: &Line| {
            line.pieces.iter().map(|piece| piece.text.as_str()).collect::<Vec<_>>().join(" ")
        };
        lines.iter().map(words).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn no_line_is_too_wide_and_no_word_is_lost() {
        let fonts = Fonts::load().unwrap();
        let text = "Không chấp hành hiệu lệnh của đèn tín hiệu giao thông tại nút giao đường Mẫu";
        for fill in [Fill::Ragged, Fill::Justified] {
            let lines = lines(&fonts, &[plain(text)], 13.0, WIDTH, 30.0, fill);
            assert!(lines.len() > 2);
            assert_eq!(text_of(&lines), text);
            for line in &lines {
                assert!(line.width <= WIDTH + 0.01, "{line:?}");
            }
            assert_eq!(lines[0].pieces[0].x, 30.0);
        }
    }

    #[test]
    fn justified_lines_reach_the_edge() {
        let fonts = Fonts::load().unwrap();
        // Short words: no gap would have to stretch far.
        let text = "một hai ba bốn năm sáu bảy tám chín mười mười một mười hai mười ba";
        let lines = lines(&fonts, &[plain(text)], 13.0, WIDTH, 0.0, Fill::Justified);
        let (last, full) = lines.split_last().unwrap();
        for line in full {
            assert!((line.width - WIDTH).abs() < 0.1, "{line:?}");
        }
        assert!(last.width < WIDTH);
    }

    #[test]
    fn punctuation_sticks_to_a_word_of_another_style() {
        let fonts = Fonts::load().unwrap();
        let runs = [plain("Biển số: "), bold("29-AA 123.45"), plain("; màu trắng")];
        let lines = lines(&fonts, &runs, 13.0, 400.0, 0.0, Fill::Ragged);
        let pieces: Vec<_> = lines[0].pieces.iter().map(|piece| piece.text.as_str()).collect();
        assert_eq!(pieces, ["Biển số:", "29-AA 123.45", "; màu trắng"]);
    }

    #[test]
    fn a_word_in_two_runs_of_one_style_stays_one_word() {
        let fonts = Fonts::load().unwrap();
        let lines =
            lines(&fonts, &[plain("mã 01934b1e"), plain(".")], 13.0, 400.0, 0.0, Fill::Ragged);
        assert_eq!(text_of(&lines), "mã 01934b1e.");
    }

    #[test]
    fn a_word_longer_than_the_line_is_cut() {
        let fonts = Fonts::load().unwrap();
        let lines = lines(&fonts, &[plain("x".repeat(200))], 13.0, WIDTH, 0.0, Fill::Ragged);
        assert!(lines.len() > 3);
        assert!(lines.iter().all(|line| line.width <= WIDTH));
    }
}

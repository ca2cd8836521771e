//! A small grey picture of what the camera shows, and how much of it is sharp.

use plate_model::Planes;

/// Cells of a sketch, whatever the picture's size.
pub const COLUMNS: usize = 160;
pub const ROWS: usize = 90;
/// So many samples of luma across and down are averaged into a cell.
const SAMPLES: usize = 4;
/// Edges are looked for in so many rows.
const EDGE_ROWS: usize = 135;
/// Half of the width over which an edge rises, as a part of the picture's: 4 px of 1920.
const REACH: usize = 480;
/// Luma by which an edge rises; noise does not.
const EDGE: u8 = 40;
/// Luma from which a cell is burnt out.
const BURNT: f32 = 240.0;

#[derive(Debug, Clone)]
pub struct Sketch {
    /// Mean luma, row by row.
    pub cells: Vec<f32>,
    /// Edges that rise by half within a quarter of their width, in a thousand samples.
    pub sharp: f32,
}

impl Sketch {
    /// None of a picture with fewer pixels than cells.
    pub fn of(planes: &Planes<'_>) -> Option<Self> {
        let luma = planes.luma();
        let (width, height) = (planes.width() as usize, luma.rows());
        if width < COLUMNS || height < ROWS {
            return None;
        }
        let mut cells = Vec::with_capacity(COLUMNS * ROWS);
        for row in 0..ROWS {
            let (top, high) = (row * height / ROWS, height / ROWS);
            let lines: [&[u8]; SAMPLES] =
                std::array::from_fn(|i| luma.row(top + i * high / SAMPLES));
            for column in 0..COLUMNS {
                let (left, wide) = (column * width / COLUMNS, width / COLUMNS);
                let sum: u32 = lines
                    .iter()
                    .map(|line| {
                        let at = |i: usize| u32::from(line[left + i * wide / SAMPLES]);
                        (0..SAMPLES).map(at).sum::<u32>()
                    })
                    .sum();
                cells.push(sum as f32 / (SAMPLES * SAMPLES) as f32);
            }
        }
        let reach = (width / REACH).max(2);
        let near = (reach / 4).max(1);
        let (mut sharp, mut samples) = (0u32, 0u32);
        for y in (0..height).step_by((height / EDGE_ROWS).max(1)) {
            let line = &luma.row(y)[..width];
            for x in reach..width - reach {
                let whole = line[x + reach].abs_diff(line[x - reach]);
                let half = line[x + near].abs_diff(line[x - near]);
                sharp += u32::from(whole >= EDGE && 2 * u32::from(half) >= u32::from(whole));
                samples += 1;
            }
        }
        Some(Self { cells, sharp: 1000.0 * sharp as f32 / samples.max(1) as f32 })
    }

    /// Standard deviation of the cells' luma.
    pub fn contrast(&self) -> f32 {
        let n = self.cells.len() as f32;
        let mean = self.cells.iter().sum::<f32>() / n;
        (self.cells.iter().map(|cell| (cell - mean).powi(2)).sum::<f32>() / n).sqrt()
    }

    /// Share of the cells that are burnt out.
    pub fn burnt(&self) -> f32 {
        let burnt = self.cells.iter().filter(|cell| **cell >= BURNT).count();
        burnt as f32 / self.cells.len() as f32
    }
}

//! What shines in and around a lamp's region of one picture, each light by its own evidence: a spot
//! brighter than the ring around it, with the light's hue in it or about it. The core of a lamp
//! that is too bright for the sensor is white; its rim and glow are not. The sun on a visor is
//! bright without a hue, a sign behind the head has a hue without a spot, and the glow that one
//! light throws over the next is no spot there.

use plate_model::{Matrix, Planes};

use crate::config::{self, LampLayout};

/// Something that shines.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spot {
    /// Place along the head, counted in lights from its drawn beginning: 0.5 is the first's middle.
    pub along: f32,
    /// Place across it, in widths: 0.5 is the drawn middle.
    pub across: f32,
    /// By how much it outshines its surroundings, 0 to 1, linear.
    pub strength: f32,
    /// Green over red where it is reddest: some 0.3 for a red light, 0.7 for an amber one. None
    /// where too little of it has a hue.
    pub tone: Option<f32>,
}

/// The spots of a picture, strongest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Glow {
    /// Of a red or amber hue.
    pub warm: Vec<Spot>,
    pub green: Vec<Spot>,
}

/// Looked at around the region: along in lights, across in widths.
const MARGIN: [f32; 2] = [0.8, 0.5];
/// Spots are looked for so far outside the region, in lights or widths: far enough that what shines
/// beyond the head is seen to do so.
const OUTSIDE: f32 = 0.7;
const BESIDE: f32 = 0.05;
/// Half the side of a light's disc and of the ring around it, as shares of a light's room.
const DISC: f32 = 0.36;
const RING: f32 = 0.72;
/// Samples that a light's room has at least, where the picture has them.
const SAMPLES: f32 = 6.0;
/// Share of coloured samples in and around a spot that leaves no doubt of its hue.
const COLOURED: f32 = 0.2;
/// Weaker ones are noise.
const WEAKEST: f32 = 0.004;
/// Spots are this far from each other, in lights or widths.
const APART: f32 = 0.4;
/// Most spots of a hue.
const MOST: usize = 8;

/// Every spot in and around a lamp's region.
pub fn spots(planes: &Planes<'_>, lamp: &config::Lamp) -> Glow {
    let Some(field) = Field::of(planes, lamp) else { return Glow::default() };
    Glow { warm: field.spots(Hue::Warm), green: field.spots(Hue::Green) }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hue {
    Warm,
    Green,
}

/// One sample of the picture.
#[derive(Debug, Clone, Copy, Default)]
struct Sample {
    /// Coded values, 0 to 255.
    red: f32,
    green: f32,
    /// Linear luma, 0 to 1.
    luma: f32,
    /// Cr and Cb beside grey.
    warmth: f32,
    blueness: f32,
}

/// The part of a picture around a region, upright: lights follow each other downwards.
struct Field {
    columns: usize,
    rows: usize,
    samples: Vec<Sample>,
    /// The region in samples: x, y, width, height.
    region: [f32; 4],
    /// Length of one light along the head, in samples.
    light: f32,
    /// Warmth of the surroundings: street lamps tint everything.
    ambient: f32,
}

impl Field {
    fn of(planes: &Planes<'_>, lamp: &config::Lamp) -> Option<Self> {
        let upright = lamp.layout == LampLayout::Vertical;
        let turn = |[a, b]: [f32; 2]| if upright { [a, b] } else { [b, a] };
        let size = [planes.width() as f32, planes.height() as f32];
        let [x, y, w, h] = lamp.region;
        let [rx, ry] = turn([x * size[0], y * size[1]]);
        let [rw, rh] = turn([w * size[0], h * size[1]]);
        let [across, along] = turn(size);
        let light = rh / lamp.lights.len().max(1) as f32;
        let step = (light.min(rw) / SAMPLES).floor().max(1.0);
        let from = |start: f32, margin: f32| (start - margin).floor().max(0.0);
        let (left, top) = (from(rx, MARGIN[1] * rw + 2.0), from(ry, MARGIN[0] * light + 1.0));
        let right = (rx + rw + MARGIN[1] * rw + 2.0).min(across);
        let bottom = (ry + rh + MARGIN[0] * light + 1.0).min(along);
        let count = |from: f32, to: f32| ((to - from) / step).floor().max(0.0) as usize;
        let (columns, rows) = (count(left, right), count(top, bottom));
        if columns < 3 || rows < 3 {
            return None;
        }
        let colours = Colours::of(planes);
        let mut samples = Vec::with_capacity(columns * rows);
        let middle = (step / 2.0).floor();
        for row in 0..rows {
            for column in 0..columns {
                let place = [left + column as f32 * step, top + row as f32 * step];
                let [px, py] = turn(place.map(|v| v + middle));
                samples.push(colours.at(planes, px as usize, py as usize, step > 1.0));
            }
        }
        let region = [(rx - left) / step, (ry - top) / step, rw / step, rh / step];
        let mut field = Self { columns, rows, samples, region, light: light / step, ambient: 0.0 };
        field.ambient = field.edge_warmth();
        Some(field)
    }

    /// The median warmth along the field's edge, within what street lamps do.
    fn edge_warmth(&self) -> f32 {
        let last = (self.rows - 1) * self.columns;
        let mut edge: Vec<f32> = (0..self.columns)
            .flat_map(|x| [x, last + x])
            .chain((0..self.rows).flat_map(|y| [y * self.columns, (y + 1) * self.columns - 1]))
            .map(|i| self.samples[i].warmth)
            .collect();
        let middle = edge.len() / 2;
        let (_, median, _) = edge.select_nth_unstable_by(middle, f32::total_cmp);
        0.7 * median.clamp(-12.0, 20.0)
    }

    /// How far a sample has the hue, 0 to 1.
    fn coloured(&self, sample: &Sample, hue: Hue) -> f32 {
        let warmth = sample.warmth - self.ambient;
        let side = match hue {
            // A bright amber is yellow: hardly on the red side, but far from blue.
            Hue::Warm => warmth.max((warmth + 8.0).min(-0.5 * sample.blueness)),
            Hue::Green => -warmth,
        };
        ((side - 8.0) / 40.0).clamp(0.0, 1.0)
    }

    /// The spots of a hue, strongest first.
    fn spots(&self, hue: Hue) -> Vec<Spot> {
        let brightness = |s: &Sample| {
            let channel = if hue == Hue::Warm { s.red } else { s.green };
            0.5 * (linear(channel) + s.luma)
        };
        let hued = self.sums(|s| self.coloured(s, hue));
        if hued.sums.last().is_none_or(|sum| *sum <= 0.0) {
            return Vec::new();
        }
        let bright = self.sums(brightness);
        let shining = self.sums(|s| self.coloured(s, hue) * brightness(s));
        let size = self.light.min(self.region[2]);
        // A square of whole samples about one of them.
        let disc = (DISC * size - 0.5).max(1.0);
        let ring = (RING * size - 0.5).max(disc.round() + 1.0);
        let [x, y, w, h] = self.region;
        let rows = self.span(y - OUTSIDE * self.light, y + h + OUTSIDE * self.light, self.rows);
        let columns = self.span(x - BESIDE * w, x + w + BESIDE * w, self.columns);
        let mut strength = vec![0.0f32; self.columns * self.rows];
        for row in rows {
            for column in columns.clone() {
                let (colour, k) = hued.square(column, row, 1.25 * disc);
                if colour <= 0.0 {
                    continue;
                }
                let beside = |sums: &Sums| {
                    let (inner, n) = sums.square(column, row, disc);
                    let (outer, m) = sums.square(column, row, ring);
                    inner / n - (outer - inner) / (m - n).max(1.0)
                };
                // A white core stands out by its light, a hue before a bright sky by its own.
                let sure = (colour / k / COLOURED).min(1.0);
                let most = (beside(&bright) * sure).max(beside(&shining));
                strength[row * self.columns + column] = most.max(0.0);
            }
        }
        // Peaks, strongest first; what lies beside a stronger one belongs to it.
        let mut peaks: Vec<(f32, [f32; 2])> = Vec::new();
        for row in 0..self.rows {
            for column in 0..self.columns {
                let value = strength[row * self.columns + column];
                if value >= WEAKEST && self.peak(&strength, column, row) {
                    peaks.push((value, [column as f32 + 0.5, row as f32 + 0.5]));
                }
            }
        }
        peaks.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut spots: Vec<Spot> = Vec::new();
        for (value, at) in peaks {
            let middle = self.middle(&strength, at, 1.3 * (disc + 0.5));
            let (across, along) = ((middle[0] - x) / w, (middle[1] - y) / self.light);
            let same = |spot: &Spot| {
                (spot.along - along).abs() < APART && (spot.across - across).abs() < APART
            };
            if spots.iter().any(same) {
                continue;
            }
            let tone = if hue == Hue::Warm { self.tone(middle, 1.25 * disc + 0.5) } else { None };
            spots.push(Spot { along, across, strength: value, tone });
            if spots.len() == MOST {
                break;
            }
        }
        spots
    }

    /// Whether no neighbour is stronger.
    fn peak(&self, strength: &[f32], column: usize, row: usize) -> bool {
        let value = strength[row * self.columns + column];
        let rows = row.saturating_sub(1)..(row + 2).min(self.rows);
        rows.into_iter().all(|row| {
            let columns = column.saturating_sub(1)..(column + 2).min(self.columns);
            strength[row * self.columns..][columns].iter().all(|other| *other <= value)
        })
    }

    /// Indices between two places, inside the field.
    fn span(&self, from: f32, to: f32, count: usize) -> std::ops::Range<usize> {
        let from = (from.max(0.0) as usize).min(count);
        from..(to.max(0.0).ceil() as usize).clamp(from, count)
    }

    /// The middle of a spot around its peak, finer than samples.
    fn middle(&self, strength: &[f32], at: [f32; 2], reach: f32) -> [f32; 2] {
        let (mut sum, mut middle) = (0.0, [0.0; 2]);
        for row in self.span(at[1] - reach, at[1] + reach, self.rows) {
            for column in self.span(at[0] - reach, at[0] + reach, self.columns) {
                let weight = strength[row * self.columns + column].powi(3);
                sum += weight;
                middle[0] += weight * (column as f32 + 0.5);
                middle[1] += weight * (row as f32 + 0.5);
            }
        }
        if sum > 0.0 { middle.map(|v| v / sum) } else { at }
    }

    /// Green over red of the reddest fifth of what is bright and warm around a spot.
    fn tone(&self, at: [f32; 2], reach: f32) -> Option<f32> {
        let mut tones = Vec::new();
        for row in self.span(at[1] - reach, at[1] + reach, self.rows) {
            for column in self.span(at[0] - reach, at[0] + reach, self.columns) {
                let sample = &self.samples[row * self.columns + column];
                if sample.red > 90.0 && self.coloured(sample, Hue::Warm) > 0.35 {
                    tones.push((sample.green + 1.0) / (sample.red + 1.0));
                }
            }
        }
        if tones.len() < 3 {
            return None;
        }
        let fifth = tones.len() / 5;
        Some(*tones.select_nth_unstable_by(fifth, f32::total_cmp).1)
    }

    fn sums(&self, value: impl Fn(&Sample) -> f32) -> Sums {
        let stride = self.columns + 1;
        let mut sums = vec![0.0f32; stride * (self.rows + 1)];
        for row in 0..self.rows {
            let mut line = 0.0;
            for column in 0..self.columns {
                line += value(&self.samples[row * self.columns + column]);
                let i = (row + 1) * stride + column + 1;
                sums[i] = sums[i - stride] + line;
            }
        }
        Sums { columns: self.columns, rows: self.rows, sums }
    }
}

/// Sums over rectangles of a field.
struct Sums {
    columns: usize,
    rows: usize,
    sums: Vec<f32>,
}

impl Sums {
    /// Sum over the square of half side `half` about a sample's middle, and its count of samples.
    fn square(&self, column: usize, row: usize, half: f32) -> (f32, f32) {
        let reach = half.round() as usize;
        let (x1, x2) = (column.saturating_sub(reach), (column + reach + 1).min(self.columns));
        let (y1, y2) = (row.saturating_sub(reach), (row + reach + 1).min(self.rows));
        let stride = self.columns + 1;
        let sum =
            self.sums[y2 * stride + x2] - self.sums[y1 * stride + x2] - self.sums[y2 * stride + x1]
                + self.sums[y1 * stride + x1];
        (sum, ((x2 - x1) * (y2 - y1)).max(1) as f32)
    }
}

/// How a picture's bytes become colours.
struct Colours {
    floor: f32,
    scale: f32,
    /// Red of Cr, green of Cr and Cb.
    red: f32,
    green: [f32; 2],
}

impl Colours {
    fn of(planes: &Planes<'_>) -> Self {
        let space = planes.colour();
        let (floor, scale, chroma) =
            if space.full_range { (0.0, 1.0, 1.0) } else { (16.0, 1.164, 1.138) };
        let (red, green) = match space.matrix {
            Matrix::Bt601 => (1.402, [0.714, 0.344]),
            Matrix::Bt709 => (1.575, [0.468, 0.187]),
        };
        Self { floor, scale, red: red * chroma, green: green.map(|v| v * chroma) }
    }

    fn at(&self, planes: &Planes<'_>, x: usize, y: usize, coarse: bool) -> Sample {
        let luma = planes.luma();
        let (width, rows) = (planes.width() as usize, luma.rows());
        let (x, y) = (x.min(width - 1), y.min(rows - 1));
        let code = if coarse {
            // Between samples noise is averaged a little.
            let (right, below) = ((x + 1).min(width - 1), (y + 1).min(rows - 1));
            let (upper, lower) = (luma.row(y), luma.row(below));
            let sum = [upper[x], upper[right], lower[x], lower[right]].map(f32::from);
            sum.iter().sum::<f32>() / 4.0
        } else {
            f32::from(luma.row(y)[x])
        };
        let [blue, red] = planes.chroma().at(x / 2, y / 2).map(|v| f32::from(v) - 128.0);
        let grey = self.scale * (code - self.floor);
        let coded = |v: f32| v.clamp(0.0, 255.0);
        Sample {
            red: coded(grey + self.red * red),
            green: coded(grey - self.green[0] * red - self.green[1] * blue),
            luma: linear(coded(grey)),
            warmth: red,
            blueness: blue,
        }
    }
}

/// Light of a coded value, 0 to 1; the usual tone curve, nearly.
fn linear(code: f32) -> f32 {
    let v = code / 255.0;
    v * v * (0.9 + 0.1 * v)
}

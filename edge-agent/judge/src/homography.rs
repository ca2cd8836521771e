//! From the picture to the road's plane: a homography through surveyed points, by least squares
//! (direct linear transformation, both sides normalised), with what it tells of itself: how far the
//! survey's own points miss. In f64, without anything that differs between machines.

use settings::shapes::Point;

/// Unknowns of a homography: its ninth number is 1.
const UNKNOWN: usize = 8;
/// Pivots that differ by more than this leave the plane undetermined.
const SINGULAR: f64 = 1e-7;
/// Points whose spread across is less than this share of their spread along lie on one line.
const FLAT: f64 = 0.02;

/// Nothing that lies as near to the horizon is a place on the road.
const HORIZON: f64 = 1e-9;

/// A surveyed point: where it is in the picture (0 to 1) and on the road, metres.
pub type Surveyed = (Point, [f64; 2]);

/// The plane of the road as a picture shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Homography {
    /// Rows of the matrix that maps the picture to metres.
    rows: [[f64; 3]; 3],
    /// How far the survey's points miss, metres: root mean square for each coordinate left over.
    /// None where four points leave nothing over.
    pub residual: Option<f64>,
}

impl Homography {
    /// Through four or more points; else what is wrong with them, reading on after their name.
    pub fn through(survey: &[Surveyed]) -> Result<Self, String> {
        if survey.len() < 4 {
            return Err(format!("has {} points: a plane needs four or more", survey.len()));
        }
        let picture: Vec<[f64; 2]> = survey.iter().map(|(at, _)| at.map(f64::from)).collect();
        let road: Vec<[f64; 2]> = survey.iter().map(|(_, metres)| *metres).collect();
        if flat(&picture) {
            return Err("lies on one line in the picture: spread its points over the road".into());
        }
        if flat(&road) {
            return Err("lies on one line on the road: its metres need width and length".into());
        }
        let (from, to) = (Scale::of(&picture), Scale::of(&road));
        let pairs = || picture.iter().zip(&road).map(|(p, q)| (from.apply(*p), to.apply(*q)));
        let solved = solve(pairs()).ok_or(
            "does not determine a plane: three of four points lie on one line, or two are the same",
        )?;
        let [a, b, c, d, e, f, g, h] = solved;
        let rows = to.undo(from.after([[a, b, c], [d, e, f], [g, h, 1.0]]));
        let found = Self { rows, residual: None };
        // The middle of the points has weight 1; the horizon 0.
        if picture.iter().any(|p| found.weight(*p) <= HORIZON) {
            return Err(
                "puts the horizon through its own points: the order of two is mixed up".into()
            );
        }
        let misses: Vec<f64> = picture.iter().zip(&road).map(|(p, q)| found.miss(*p, *q)).collect();
        let span = to.spread * 2.0;
        let worst = (0..misses.len()).max_by(|a, b| misses[*a].total_cmp(&misses[*b])).unwrap_or(0);
        if misses[worst] > (0.03 * span).max(0.3) {
            return Err(format!(
                "does not fit itself: point {} is {:.1} m off the plane through all; measure it again",
                worst + 1,
                misses[worst]
            ));
        }
        let over = (2 * survey.len()).saturating_sub(UNKNOWN);
        let sum: f64 = misses.iter().map(|miss| miss * miss).sum();
        Ok(Self { residual: (over > 0).then(|| (sum / over as f64).sqrt()), ..found })
    }

    /// Where a place of the picture, 0 to 1, lies on the road, metres; none at or above the horizon.
    pub fn metres(&self, [x, y]: [f64; 2]) -> Option<[f64; 2]> {
        let [rx, ry, _] = &self.rows;
        let weight = self.weight([x, y]);
        let place = [dot(rx, [x, y]) / weight, dot(ry, [x, y]) / weight];
        (weight > HORIZON && place.iter().all(|part| part.is_finite())).then_some(place)
    }

    /// Where a place on the road, metres, is in the picture: [`Homography::metres`] undone. None where
    /// the picture shows it at or above the horizon.
    pub fn picture(&self, [x, y]: [f64; 2]) -> Option<[f64; 2]> {
        let [[a, b, c], [d, e, f], [g, h, i]] = self.rows;
        // The adjugate: its factor falls out.
        let back = [
            [e * i - f * h, c * h - b * i, b * f - c * e],
            [f * g - d * i, a * i - c * g, c * d - a * f],
            [d * h - e * g, b * g - a * h, a * e - b * d],
        ];
        let weight = dot(&back[2], [x, y]);
        let place = [dot(&back[0], [x, y]) / weight, dot(&back[1], [x, y]) / weight];
        let seen = place.iter().all(|part| part.is_finite()) && self.weight(place) > HORIZON;
        seen.then_some(place)
    }

    fn weight(&self, p: [f64; 2]) -> f64 {
        dot(&self.rows[2], p)
    }

    fn miss(&self, p: [f64; 2], [x, y]: [f64; 2]) -> f64 {
        self.metres(p).map_or(f64::MAX, |[px, py]| libm::hypot(px - x, py - y))
    }
}

fn dot(row: &[f64; 3], [x, y]: [f64; 2]) -> f64 {
    row[0] * x + row[1] * y + row[2]
}

/// Moves points around 0 and to a mean distance of about 1 (Hartley): without it pixels and metres
/// spoil each other's digits.
#[derive(Debug, Clone, Copy)]
struct Scale {
    centre: [f64; 2],
    spread: f64,
}

impl Scale {
    fn of(points: &[[f64; 2]]) -> Self {
        let count = points.len().max(1) as f64;
        let centre = [0, 1].map(|axis| points.iter().map(|p| p[axis]).sum::<f64>() / count);
        let far = |p: &[f64; 2]| libm::hypot(p[0] - centre[0], p[1] - centre[1]);
        Self { centre, spread: points.iter().map(far).sum::<f64>() / count }
    }

    fn apply(&self, p: [f64; 2]) -> [f64; 2] {
        [0, 1].map(|axis| (p[axis] - self.centre[axis]) / self.spread)
    }

    /// `rows`, of what was scaled before.
    fn after(&self, rows: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
        let [cx, cy] = self.centre;
        rows.map(|[a, b, c]| {
            let (a, b) = (a / self.spread, b / self.spread);
            [a, b, c - a * cx - b * cy]
        })
    }

    /// `rows`, their result brought back from this scale.
    fn undo(&self, [rx, ry, rw]: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
        let back =
            |row: [f64; 3], centre: f64| [0, 1, 2].map(|i| self.spread * row[i] + centre * rw[i]);
        [back(rx, self.centre[0]), back(ry, self.centre[1]), rw]
    }
}

/// Whether points lie about on one line: the smaller of the two spreads is next to nothing.
fn flat(points: &[[f64; 2]]) -> bool {
    let Scale { centre, .. } = Scale::of(points);
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for [x, y] in points {
        let (dx, dy) = (x - centre[0], y - centre[1]);
        xx += dx * dx;
        xy += dx * dy;
        yy += dy * dy;
    }
    let root = libm::hypot(xx - yy, 2.0 * xy);
    let (large, small) = (xx + yy + root, (xx + yy - root).max(0.0));
    large <= 0.0 || (small / large).sqrt() < FLAT
}

/// The eight numbers that fit best, by the normal equations; none where they are not determined.
fn solve(pairs: impl Iterator<Item = ([f64; 2], [f64; 2])>) -> Option<[f64; UNKNOWN]> {
    let mut equations = [[0.0f64; UNKNOWN + 1]; UNKNOWN];
    for ([x, y], [u, v]) in pairs {
        let rows = [
            [x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y, u],
            [0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y, v],
        ];
        for row in rows {
            for (i, equation) in equations.iter_mut().enumerate() {
                for (sum, part) in equation.iter_mut().zip(row) {
                    *sum += row[i] * part;
                }
            }
        }
    }
    eliminate(equations)
}

/// Gauss, with the largest pivot first.
fn eliminate(mut rows: [[f64; UNKNOWN + 1]; UNKNOWN]) -> Option<[f64; UNKNOWN]> {
    let mut largest = 0.0f64;
    for i in 0..UNKNOWN {
        let pivot = (i..UNKNOWN).max_by(|a, b| rows[*a][i].abs().total_cmp(&rows[*b][i].abs()))?;
        rows.swap(i, pivot);
        let head = rows[i];
        largest = largest.max(head[i].abs());
        if head[i].abs().is_nan() || head[i].abs() <= SINGULAR * largest {
            return None;
        }
        for row in rows.iter_mut().skip(i + 1) {
            let factor = row[i] / head[i];
            for (part, above) in row.iter_mut().zip(head).skip(i) {
                *part -= factor * above;
            }
        }
    }
    let mut found = [0.0; UNKNOWN];
    for i in (0..UNKNOWN).rev() {
        let known: f64 = (i + 1..UNKNOWN).map(|j| rows[i][j] * found[j]).sum();
        found[i] = (rows[i][UNKNOWN] - known) / rows[i][i];
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Road points through a plain perspective: y metres ahead of a camera 6 m up.
    fn seen([x, y]: [f64; 2]) -> Point {
        [(0.5 + 0.9 * x / (y + 1.0)) as f32, (0.1 + 4.5 / (y + 1.0)) as f32]
    }

    fn survey(road: &[[f64; 2]]) -> Vec<Surveyed> {
        road.iter().map(|metres| (seen(*metres), *metres)).collect()
    }

    const ROAD: [[f64; 2]; 6] =
        [[-4.0, 10.0], [4.0, 10.0], [4.0, 40.0], [-4.0, 40.0], [0.0, 20.0], [2.0, 30.0]];

    #[test]
    fn places_come_back_in_metres() {
        for points in [&ROAD[..4], &ROAD] {
            let found = Homography::through(&survey(points)).unwrap();
            for metres in [[1.0, 15.0], [-3.0, 35.0], [0.0, 25.0]] {
                let [x, y] = found.metres(seen(metres).map(f64::from)).unwrap();
                assert!(libm::hypot(x - metres[0], y - metres[1]) < 0.01, "{metres:?}: {x} {y}");
                let [px, py] = found.picture([x, y]).unwrap();
                let [sx, sy] = seen(metres).map(f64::from);
                assert!(libm::hypot(px - sx, py - sy) < 1e-6, "{metres:?}: {px} {py}");
            }
            assert!(found.residual.unwrap_or(0.0) < 0.01);
            assert_eq!(found.metres([0.5, 0.05]), None, "above the horizon");
        }
    }

    #[test]
    fn the_residual_tells_how_well_it_was_surveyed() {
        let mut points = survey(&ROAD);
        for (i, (_, metres)) in points.iter_mut().enumerate() {
            metres[1] += if i % 2 == 0 { 0.2 } else { -0.2 };
        }
        let residual = Homography::through(&points).unwrap().residual.unwrap();
        assert!((0.1..0.5).contains(&residual), "{residual}");
    }

    #[test]
    fn bad_surveys_are_refused_by_name() {
        let line = [[0.0, 10.0], [0.0, 20.0], [0.0, 30.0], [0.0, 40.0]];
        let corner = [[-4.0, 10.0], [0.0, 10.0], [4.0, 10.0], [0.0, 40.0]];
        let mut crossed = survey(&ROAD[..4]);
        crossed.swap(2, 3);
        let (a, b) = (crossed[2].1, crossed[3].1);
        crossed[2].1 = b;
        crossed[3].1 = a;
        let mut mistyped = survey(&ROAD);
        mistyped[2].1[1] = 14.0;
        let mut same_place = survey(&ROAD[..4]);
        same_place.iter_mut().for_each(|(_, metres)| metres[0] = 0.0);
        let twice = survey(&[ROAD[0], ROAD[1], ROAD[2], ROAD[2]]);
        for (points, wanted) in [
            (survey(&ROAD[..3]), "four or more"),
            (survey(&line), "one line in the picture"),
            (survey(&corner), "does not determine a plane"),
            (twice, "does not determine a plane"),
            (crossed, "mixed up"),
            (mistyped, "point 3 is"),
            (same_place, "one line on the road"),
        ] {
            let problem = Homography::through(&points).unwrap_err();
            assert!(problem.contains(wanted), "{problem}");
        }
    }
}

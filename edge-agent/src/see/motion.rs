//! Constant-velocity Kalman filter of a box: foot point, width and height, each its own small
//! filter. Noise scales with the box, so near and far vehicles are treated alike, and time steps
//! may vary: frames are dropped when the box is busy.

use plate_model::BBox;

/// One quantity and its rate.
#[derive(Debug, Clone, Copy)]
struct Axis {
    value: f32,
    rate: f32,
    /// Covariance: value, value–rate, rate.
    p: [f32; 3],
}

impl Axis {
    fn new(value: f32, deviation: f32, rate_deviation: f32) -> Self {
        Self { value, rate: 0.0, p: [deviation * deviation, 0.0, rate_deviation * rate_deviation] }
    }

    fn predict(&mut self, dt: f32, acceleration: f32) {
        self.value += self.rate * dt;
        let [a, b, c] = self.p;
        let q = acceleration * acceleration;
        self.p = [
            a + 2.0 * dt * b + dt * dt * c + q * dt.powi(4) / 4.0,
            b + dt * c + q * dt.powi(3) / 2.0,
            c + q * dt * dt,
        ];
    }

    fn correct(&mut self, measured: f32, deviation: f32) {
        let [a, b, c] = self.p;
        let s = a + deviation * deviation;
        let (k, l) = (a / s, b / s);
        let residual = measured - self.value;
        self.value += k * residual;
        self.rate += l * residual;
        self.p = [(1.0 - k) * a, (1.0 - k) * b, c - l * b];
    }
}

/// Motion of one vehicle in the picture.
#[derive(Debug, Clone)]
pub struct Motion {
    x: Axis,
    y: Axis,
    w: Axis,
    h: Axis,
}

impl Motion {
    pub fn new(bbox: &BBox) -> Self {
        let [x, y] = bbox.foot();
        let size = size(bbox);
        Self {
            x: Axis::new(x, 0.05 * size, 3.0 * size),
            y: Axis::new(y, 0.05 * size, 3.0 * size),
            w: Axis::new(bbox.width(), 0.05 * size, 0.5 * size),
            h: Axis::new(bbox.height(), 0.05 * size, 0.5 * size),
        }
    }

    /// Moves on by `dt` seconds.
    pub fn predict(&mut self, dt: f32) {
        let size = (self.w.value.max(1.0) * self.h.value.max(1.0)).sqrt();
        self.approach(dt, size);
        self.recede(dt, size);
        self.x.predict(dt, 2.0 * size);
        self.y.predict(dt, 2.0 * size);
        self.w.predict(dt, 0.5 * size);
        self.h.predict(dt, 0.5 * size);
    }

    /// What comes fast towards the camera gathers speed in the picture: with size and place both
    /// as 1 / distance, acceleration is 2 · velocity · growth, growth being the rate of the size as
    /// a share of it.
    fn approach(&mut self, dt: f32, size: f32) {
        if self.y.rate <= size {
            return;
        }
        let growth = (self.h.rate / self.h.value.max(1.0)).clamp(0.0, 3.0);
        for axis in [&mut self.x, &mut self.y, &mut self.w, &mut self.h] {
            let more = 2.0 * growth * axis.rate * dt;
            axis.value += more * dt / 2.0;
            axis.rate += more;
        }
    }

    /// What drives away fast loses speed in the picture by the same law; that far it is solved exactly,
    /// for a linear step would turn it round. To the side it goes on as it did: most of that is its own
    /// way across the road, which fades with distance only, and who swerves is lost over less.
    fn recede(&mut self, dt: f32, size: f32) {
        if self.y.rate >= -size {
            return;
        }
        let shrinks = (-self.h.rate / self.h.value.max(1.0)).clamp(0.0, 3.0);
        let farther = 1.0 / (1.0 + shrinks * dt);
        for axis in [&mut self.y, &mut self.w, &mut self.h] {
            let before = axis.rate;
            axis.rate *= farther * farther;
            axis.value += (before * farther - axis.rate) * dt;
        }
    }

    /// Takes in a measured box.
    pub fn correct(&mut self, bbox: &BBox) {
        let [x, y] = bbox.foot();
        let size = size(bbox);
        self.x.correct(x, 0.05 * size);
        self.y.correct(y, 0.05 * size);
        self.w.correct(bbox.width(), 0.08 * size);
        self.h.correct(bbox.height(), 0.08 * size);
    }

    /// The expected box.
    pub fn bbox(&self) -> BBox {
        let (w, h) = (self.w.value.max(2.0), self.h.value.max(2.0));
        let (x, y) = (self.x.value, self.y.value);
        BBox { x1: x - w / 2.0, y1: y - h, x2: x + w / 2.0, y2: y }
    }

    /// Velocity of the foot point, pixels a second.
    pub const fn velocity(&self) -> [f32; 2] {
        [self.x.rate, self.y.rate]
    }
}

fn size(bbox: &BBox) -> f32 {
    (bbox.width().max(1.0) * bbox.height().max(1.0)).sqrt()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_comes_nearer_at_speed_is_foreseen() {
        // 25 m/s towards the camera from 80 m, ten pictures a second.
        let at = |t: f32| {
            let scale = 1200.0 / (80.0 - 25.0 * t);
            let (x, y) = (640.0 + 2.0 * scale, 100.0 + 6.0 * scale);
            BBox::new(x - scale, y - 1.5 * scale, x + scale, y)
        };
        let mut motion = Motion::new(&at(0.0));
        for i in 1..27 {
            let real = at(i as f32 / 10.0);
            motion.predict(0.1);
            let off = (motion.bbox().foot()[1] - real.y2).abs() / real.height();
            assert!(off < 0.2, "picture {i}: off by {off:.2} of its height");
            motion.correct(&real);
        }
    }

    #[test]
    fn what_drives_away_at_speed_is_foreseen() {
        for (fps, speed) in [(10.0, 20.0), (10.0, 26.0), (25.0, 30.0)] {
            let at = |i: u32| {
                let metres = 7.0 + speed * i as f32 / fps;
                let (x, y, high) =
                    (640.0 + 300.0 / metres, 200.0 + 5900.0 / metres, 2100.0 / metres);
                BBox::new(x - 0.2 * high, y - high, x + 0.2 * high, y)
            };
            let mut motion = Motion::new(&at(0));
            for i in 1..30 {
                let real = at(i);
                motion.predict(1.0 / fps);
                let off = (motion.bbox().foot()[1] - real.y2).abs() / real.height();
                // The first pictures tell its speed.
                assert!(
                    i < 4 || off < 0.2,
                    "{speed} m/s, picture {i}: off by {off:.2} of its height"
                );
                motion.correct(&real);
            }
            // Out of sight it goes on as one that drives away, and never comes back.
            let gone = motion.bbox();
            motion.predict(0.5);
            assert!(motion.bbox().foot()[1] < gone.foot()[1] && motion.velocity()[1] < 0.0);
        }
    }

    proptest! {
        #[test]
        fn a_steady_vehicle_is_foreseen(vx in -300.0f32..300.0, vy in -300.0f32..300.0, fps in 5.0f32..25.0) {
            let at = |t: f32| {
                let (x, y) = (500.0 + vx * t, 500.0 + vy * t);
                BBox { x1: x - 30.0, y1: y - 90.0, x2: x + 30.0, y2: y }
            };
            let mut motion = Motion::new(&at(0.0));
            for i in 1..20 {
                motion.predict(1.0 / fps);
                if i == 19 {
                    let [x, y] = motion.bbox().foot();
                    let [tx, ty] = at(i as f32 / fps).foot();
                    prop_assert!((x - tx).abs() < 3.0 && (y - ty).abs() < 3.0, "{x} {tx} {y} {ty}");
                }
                motion.correct(&at(i as f32 / fps));
            }
            prop_assert!((motion.velocity()[0] - vx).abs() < 15.0);
        }
    }
}

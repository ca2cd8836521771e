//! Numbers that look random, the same on every run.

use contract::geometry::BBox;

/// splitmix64.
#[derive(Debug, Clone)]
pub struct Luck(pub u64);

impl Luck {
    pub fn uniform(&mut self, from: f64, to: f64) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let unit = ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64;
        from + unit * (to - from)
    }

    /// About normal, mean 0 and deviation 1.
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform(0.0, 1.0)).sum::<f64>() - 6.0
    }

    /// A box whose sides tremble by a share of its height.
    pub fn tremble(&mut self, bbox: BBox, share: f32) -> BBox {
        if share == 0.0 {
            return bbox;
        }
        let by = share * bbox.height();
        let mut moved = |side: f32| side + by * self.normal() as f32;
        BBox::new(moved(bbox.x1), moved(bbox.y1), moved(bbox.x2), moved(bbox.y2))
    }
}

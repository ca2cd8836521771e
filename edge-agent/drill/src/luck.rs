//! Numbers that look random, the same on every run (splitmix64).

#[derive(Debug, Clone)]
pub struct Luck(pub u64);

impl Luck {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn between(&mut self, from: f32, to: f32) -> f32 {
        from + self.unit() as f32 * (to - from)
    }

    pub fn chance(&mut self, share: f32) -> bool {
        self.unit() < f64::from(share)
    }

    pub fn pick<T: Copy>(&mut self, some: &[T]) -> T {
        some[((self.unit() * some.len() as f64) as usize).min(some.len() - 1)]
    }

    /// About normal, mean 0 and deviation 1.
    pub fn normal(&mut self) -> f32 {
        ((0..12).map(|_| self.unit()).sum::<f64>() - 6.0) as f32
    }
}

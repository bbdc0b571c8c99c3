//! Fingerprints of texts: 128 bits of XXH3. Equal texts are equal, and different ones differ unless somebody who may write
//! posts anyway makes an effort. Nothing else is promised, least of all secrecy; tokens have their own (`token`).

use xxhash_rust::xxh3::{Xxh3Default, xxh3_128};

#[derive(Clone, Default)]
pub struct Hasher(Xxh3Default);

impl Hasher {
    /// Adds one field; its length goes in too, so that `ab`+`c` and `a`+`bc` differ.
    #[must_use]
    pub fn field(mut self, bytes: &[u8]) -> Self {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    #[must_use]
    pub fn number(self, number: u128) -> Self {
        self.field(&number.to_le_bytes())
    }

    #[must_use]
    pub fn finish(self) -> u128 {
        self.0.digest128()
    }
}

#[must_use]
pub fn of(bytes: &[u8]) -> u128 {
    xxh3_128(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_do_not_run_into_each_other() {
        let two = |a: &[u8], b: &[u8]| Hasher::default().field(a).field(b).finish();
        assert_ne!(two(b"ab", b"c"), two(b"a", b"bc"));
        // The store keeps them: they must not change from one version to the next.
        assert_eq!(of(b""), 0x99aa_06d3_0147_98d8_6001_c324_468d_497f);
    }
}

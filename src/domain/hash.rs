//! Fingerprints of texts: 128 bits of XXH3. Equal texts are equal, and different ones differ unless somebody who may write
//! posts anyway makes an effort. Nothing else is promised, least of all secrecy; tokens have their own (`token`).

use xxhash_rust::xxh3::xxh3_128;

/// Most of what is hashed is a few short fields, thousands of times for every save: put in a row and hashed at once they
/// give the same as one by one, and sooner.
#[derive(Clone)]
pub struct Hasher(Vec<u8>);

impl Default for Hasher {
    fn default() -> Self {
        const FEW_FIELDS: usize = 256;
        Self(Vec::with_capacity(FEW_FIELDS))
    }
}

impl Hasher {
    /// Adds one field; its length goes in too, so that `ab`+`c` and `a`+`bc` differ.
    #[must_use]
    pub fn field(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    #[must_use]
    pub fn number(self, number: u128) -> Self {
        self.field(&number.to_le_bytes())
    }

    #[must_use]
    pub fn finish(self) -> u128 {
        xxh3_128(&self.0)
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
        let mut bit_by_bit = xxhash_rust::xxh3::Xxh3Default::new();
        for field in [&b"ab"[..], &[b'x'; 1_000]] {
            bit_by_bit.update(&(field.len() as u64).to_le_bytes());
            bit_by_bit.update(field);
        }
        assert_eq!(Hasher::default().field(b"ab").field(&[b'x'; 1_000]).finish(), bit_by_bit.digest128());
    }
}

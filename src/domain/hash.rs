//! Fingerprints of texts: the first 128 bits of SHA-256. Equal texts are equal, different ones differ; nothing else is
//! promised, least of all secrecy.

use aws_lc_rs::digest::{Context, SHA256};

#[derive(Clone)]
pub struct Hasher(Context);

impl Default for Hasher {
    fn default() -> Self {
        Self(Context::new(&SHA256))
    }
}

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
        first_half(self.0.finish().as_ref())
    }
}

#[must_use]
pub fn of(bytes: &[u8]) -> u128 {
    first_half(aws_lc_rs::digest::digest(&SHA256, bytes).as_ref())
}

fn first_half(digest: &[u8]) -> u128 {
    digest.iter().take(16).fold(0, |sum, byte| (sum << 8) | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_do_not_run_into_each_other() {
        let two = |a: &[u8], b: &[u8]| Hasher::default().field(a).field(b).finish();
        assert_ne!(two(b"ab", b"c"), two(b"a", b"bc"));
        assert_eq!(of(b""), 0xe3b0_c442_98fc_1c14_9afb_f4c8_996f_b924);
    }
}

//! A document's forms in memory: as it is, and compressed, each made once when a reader has asked for it and kept for as
//! long as the bytes stay the same. Knows how much memory there is for all of them together; does not know when they are
//! made (`packer`), nor who gets which (`documents`).

use std::io::{self, Write as _};
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use axum::body::Bytes;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use super::encoding::Encoding;

/// Feeds are compressed to a part of themselves: a fifth.
const USUALLY: usize = 5;

/// The memory that forms may take together.
#[derive(Debug)]
pub struct Room {
    most: usize,
    used: AtomicUsize,
}

impl Room {
    #[must_use]
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, used: AtomicUsize::new(0) })
    }

    #[must_use]
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Whether something of this size may find room once it is compressed. Asked before the work is done.
    #[must_use]
    pub fn may_hold(&self, size: usize) -> bool {
        self.used() + size / USUALLY <= self.most
    }

    fn lease(self: &Arc<Self>, size: usize) -> Option<Lease> {
        let more = |used: usize| used.checked_add(size).filter(|sum| *sum <= self.most);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Lease { room: Arc::clone(self), size })
    }
}

/// Given back when the form is dropped.
#[derive(Debug)]
struct Lease {
    room: Arc<Room>,
    size: usize,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.room.used.fetch_sub(self.size, Ordering::Relaxed);
    }
}

#[derive(Debug)]
struct Form {
    bytes: Bytes,
    _lease: Lease,
}

/// Encodings as bits.
#[derive(Debug, Default)]
struct Marks(AtomicU8);

impl Marks {
    fn has(&self, encoding: Encoding) -> bool {
        self.0.load(Ordering::Relaxed) & 1 << encoding as u8 != 0
    }

    /// Whether it was not there before. Asked first, so that a mark that stands costs no other core anything.
    fn set(&self, encoding: Encoding) -> bool {
        let bit = 1 << encoding as u8;
        !self.has(encoding) && self.0.fetch_or(bit, Ordering::Relaxed) & bit == 0
    }
}

#[derive(Debug, Default)]
pub struct Forms {
    made: [OnceLock<Form>; 4],
    wanted: Marks,
    /// It does not get smaller by this one.
    futile: Marks,
}

impl Forms {
    #[must_use]
    pub fn get(&self, encoding: Encoding) -> Option<Bytes> {
        self.made[encoding as usize].get().map(|form| form.bytes.clone())
    }

    /// The bytes themselves, from whichever form there is.
    #[must_use]
    pub fn plain(&self) -> Option<Bytes> {
        let unpacked = |encoding| Some(Bytes::from(unpacked(encoding, &self.get(encoding)?).ok()?));
        self.get(Encoding::Identity).or_else(|| Encoding::ALL.into_iter().find_map(unpacked))
    }

    #[must_use]
    pub fn is_futile(&self, encoding: Encoding) -> bool {
        self.futile.has(encoding)
    }

    /// Whether nobody has asked for this one before.
    pub fn want(&self, encoding: Encoding) -> bool {
        self.wanted.set(encoding)
    }

    /// New bytes are wanted in the forms in which the old ones were.
    pub fn want_as(&self, before: &Self) {
        self.wanted.0.fetch_or(before.wanted.0.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// What somebody asked for and is not here yet.
    pub fn missing(&self) -> impl Iterator<Item = Encoding> {
        let is_missing = |encoding: &Encoding| {
            self.wanted.has(*encoding) && !self.futile.has(*encoding) && self.made[*encoding as usize].get().is_none()
        };
        Encoding::ALL.into_iter().rev().filter(is_missing)
    }

    /// Makes one, if it is worth its room. Whether there was room.
    pub fn make(&self, encoding: Encoding, plain: &Bytes, room: &Arc<Room>) -> bool {
        let bytes = match encoding {
            Encoding::Identity => plain.clone(),
            _ => match compressed(encoding, plain, Effort::Best) {
                Ok(bytes) if bytes.len() < plain.len() => bytes.into_boxed_slice().into(),
                _ => {
                    self.futile.set(encoding);
                    return true;
                }
            },
        };
        let Some(lease) = room.lease(bytes.len()) else { return false };
        let _ = self.made[encoding as usize].set(Form { bytes, _lease: lease });
        true
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// While a reader waits.
    Quick,
    /// Once, for all who come after.
    Best,
}

/// Above this the best brotli has takes longer than readers gain.
const SMALL: usize = 64 * 1024;

pub fn compressed(encoding: Encoding, plain: &[u8], effort: Effort) -> io::Result<Vec<u8>> {
    let quick = effort == Effort::Quick;
    match encoding {
        Encoding::Identity => Ok(plain.to_vec()),
        Encoding::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), if quick { Compression::fast() } else { Compression::best() });
            encoder.write_all(plain)?;
            encoder.finish()
        }
        Encoding::Brotli => {
            let best = if plain.len() <= SMALL { 11 } else { 9 };
            let parameters = brotli::enc::BrotliEncoderParams {
                quality: if quick { 3 } else { best },
                // A window as large as the text, and no larger: its tables are.
                lgwin: i32::try_from(plain.len().max(1).ilog2() + 1).unwrap_or(22).clamp(16, 22),
                size_hint: plain.len(),
                ..Default::default()
            };
            let mut out = Vec::new();
            brotli::BrotliCompress(&mut &*plain, &mut out, &parameters)?;
            Ok(out)
        }
        Encoding::Zstd => zstd::bulk::compress(plain, if quick { 1 } else { 19 }),
    }
}

fn unpacked(encoding: Encoding, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    match encoding {
        Encoding::Identity => out.extend_from_slice(bytes),
        Encoding::Gzip => io::copy(&mut GzDecoder::new(bytes), &mut out).map(drop)?,
        Encoding::Brotli => brotli::BrotliDecompress(&mut &*bytes, &mut out)?,
        Encoding::Zstd => zstd::stream::copy_decode(bytes, &mut out)?,
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_take_room_and_give_it_back() {
        let text = Bytes::from("a post ".repeat(1000));
        let room = Room::new(10_000);
        let forms = Forms::default();
        for encoding in Encoding::ALL {
            assert!(forms.want(encoding) && !forms.want(encoding));
            assert!(forms.make(encoding, &text, &room), "{encoding:?}");
        }
        let sizes: usize = Encoding::ALL.iter().map(|e| forms.get(*e).unwrap().len()).sum();
        assert_eq!((room.used(), forms.missing().count()), (sizes, 0));
        let second = Forms::default();
        second.want_as(&forms);
        assert_eq!(second.missing().count(), 4);
        assert!(!second.make(Encoding::Identity, &text, &room), "there is room for one of this size");
        assert_eq!(second.get(Encoding::Identity), None);
        drop(forms);
        assert_eq!(room.used(), 0);
        assert!(second.make(Encoding::Identity, &text, &room));
    }

    #[test]
    fn what_does_not_get_smaller_is_kept_as_it_is() {
        let (room, forms) = (Room::new(1000), Forms::default());
        forms.want(Encoding::Gzip);
        assert!(forms.make(Encoding::Gzip, &Bytes::from_static(b"{}"), &room));
        assert!(forms.is_futile(Encoding::Gzip) && forms.missing().next().is_none());
        assert_eq!(room.used(), 0);
    }

    #[test]
    fn the_bytes_are_found_again_in_whichever_form_there_is() {
        let (text, room) = (Bytes::from("a post ".repeat(1000)), Room::new(1 << 20));
        assert_eq!(Forms::default().plain(), None);
        for encoding in Encoding::ALL {
            let forms = Forms::default();
            assert!(forms.make(encoding, &text, &room));
            assert_eq!(forms.plain().as_ref(), Some(&text), "{encoding:?}");
        }
    }

    #[test]
    fn every_effort_makes_the_same_text_smaller() {
        let text = "a post and another post. ".repeat(5000);
        for encoding in [Encoding::Gzip, Encoding::Brotli, Encoding::Zstd] {
            for effort in [Effort::Quick, Effort::Best] {
                let made = compressed(encoding, text.as_bytes(), effort).unwrap();
                assert!(made.len() < text.len() / 20, "{encoding:?} {effort:?}: {}", made.len());
                assert_eq!(made, compressed(encoding, text.as_bytes(), effort).unwrap());
            }
        }
    }
}

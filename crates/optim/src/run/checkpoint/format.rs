//! The bytes of a checkpoint.
//!
//! `secantCP`, the version of the format (4 bytes), the length of the body (8 bytes), its hash (XXH3, 16 bytes), all little-endian; then the
//! body: the fingerprint and the lengths of the layers by `postcard`, and the layers one after the other. The layers are the books of the
//! loops around the innermost run, outermost first, and last that run's solver and state.

use super::fingerprint::Fingerprint;
use crate::error::Damage;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_128;

const MAGIC: [u8; 8] = *b"secantCP";
/// Of the format: it changes with anything that is stored.
pub const VERSION: u32 = 2;
/// Bytes before the body.
pub const HEADER: usize = 8 + 4 + 8 + 16;

#[derive(Debug, Serialize, Deserialize)]
struct Head {
    fingerprint: Fingerprint,
    lengths: Vec<u64>,
}

/// A checkpoint that was read and found whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    pub(super) fingerprint: Fingerprint,
    /// Outermost first.
    pub(super) layers: Vec<Vec<u8>>,
}

/// The bytes of a file.
pub(super) fn seal(fingerprint: &Fingerprint, layers: &[&[u8]]) -> postcard::Result<Vec<u8>> {
    let lengths = layers.iter().map(|layer| layer.len() as u64).collect();
    let head = Head { fingerprint: fingerprint.clone(), lengths };
    let mut bytes = postcard::to_extend(&head, vec![0; HEADER])?;
    bytes.reserve_exact(layers.iter().map(|layer| layer.len()).sum());
    for layer in layers {
        bytes.extend_from_slice(layer);
    }
    let (header, body) = bytes.split_at_mut(HEADER);
    let (magic, rest) = header.split_at_mut(8);
    let (version, rest) = rest.split_at_mut(4);
    let (length, hash) = rest.split_at_mut(8);
    magic.copy_from_slice(&MAGIC);
    version.copy_from_slice(&VERSION.to_le_bytes());
    length.copy_from_slice(&(body.len() as u64).to_le_bytes());
    hash.copy_from_slice(&XxHash3_128::oneshot(body).to_le_bytes());
    Ok(bytes)
}

/// The next `N` bytes.
fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*first)
}

impl Contents {
    /// Reads the bytes of a file. What they claim is checked before anything of its size is allocated.
    ///
    /// # Errors
    /// [`Damage`]: bytes that are no checkpoint, of another version of the format, cut off, changed.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Damage> {
        let (mut rest, found) = (bytes, bytes.len() as u64);
        if take(&mut rest) != Some(MAGIC) {
            return Err(Damage::Foreign);
        }
        let short = Damage::Length { expected: HEADER as u64, found };
        let version = u32::from_le_bytes(take(&mut rest).ok_or_else(|| short.clone())?);
        if version != VERSION {
            return Err(Damage::Version { found: version, known: VERSION });
        }
        let length = u64::from_le_bytes(take(&mut rest).ok_or_else(|| short.clone())?);
        let hash = u128::from_le_bytes(take(&mut rest).ok_or(short)?);
        if rest.len() as u64 != length {
            let expected = length.saturating_add(HEADER as u64);
            return Err(Damage::Length { expected, found });
        }
        if XxHash3_128::oneshot(rest) != hash {
            return Err(Damage::Checksum);
        }
        Self::from_body(rest)
    }

    fn from_body(body: &[u8]) -> Result<Self, Damage> {
        let undecoded = |error: postcard::Error| Damage::Contents(error.to_string());
        let (head, mut rest) = postcard::take_from_bytes::<Head>(body).map_err(undecoded)?;
        let total = head.lengths.iter().try_fold(0_u64, |sum, length| sum.checked_add(*length));
        if total != Some(rest.len() as u64) {
            return Err(Damage::Contents("its layers have other lengths".to_owned()));
        }
        let mut layers = Vec::new();
        for length in head.lengths {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            let split = rest.split_at_checked(length);
            let (layer, after) =
                split.ok_or_else(|| Damage::Contents("a layer is cut off".into()))?;
            layers.push(layer.to_vec());
            rest = after;
        }
        Ok(Self { fingerprint: head.fingerprint, layers })
    }

    /// What the run is of.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }
}

/// A value from all of `bytes`, or why there is none.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    match decode_first(bytes)? {
        (value, []) => Ok(value),
        (_, rest) => Err(format!("has {} bytes too many", rest.len())),
    }
}

/// A value from the first of `bytes`, and what follows.
pub(super) fn decode_first<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, &[u8]), String> {
    postcard::take_from_bytes(bytes).map_err(|error| format!("cannot be decoded: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed() -> (Fingerprint, Vec<u8>) {
        let fingerprint = Fingerprint::new().with("the data", &[1.5, f64::NAN]).with("n", &3);
        let bytes = seal(&fingerprint, &[b"outer", b"", b"the innermost run"]).unwrap();
        (fingerprint, bytes)
    }

    #[test]
    fn what_was_sealed_is_read() {
        let (fingerprint, bytes) = sealed();
        let read = Contents::from_bytes(&bytes).unwrap();
        assert_eq!(read.fingerprint, fingerprint);
        assert_eq!(read.layers, [&b"outer"[..], b"", b"the innermost run"]);
    }

    #[test]
    fn a_file_cut_off_anywhere_or_longer_is_refused() {
        let (_, mut bytes) = sealed();
        for end in 0..bytes.len() {
            assert!(Contents::from_bytes(&bytes[..end]).is_err(), "{end} bytes");
        }
        bytes.push(0);
        let longer = Damage::Length { expected: bytes.len() as u64 - 1, found: bytes.len() as u64 };
        assert_eq!(Contents::from_bytes(&bytes), Err(longer));
    }

    #[test]
    fn any_changed_bit_is_refused() {
        let (_, mut bytes) = sealed();
        for bit in 0..8 * bytes.len() {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(Contents::from_bytes(&bytes).is_err(), "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn a_body_with_the_right_checksum_and_wrong_lengths_is_refused() {
        let (_, bytes) = sealed();
        let body = &bytes[HEADER..];
        for byte in 0..body.len() - 22 {
            for change in [1, 0x7f, 0x80, 0xff] {
                let mut body = body.to_vec();
                body[byte] ^= change;
                // Names and hashes may change; lengths may not, and nothing may panic.
                if let Ok(read) = Contents::from_body(&body) {
                    assert_eq!(read.layers.iter().map(Vec::len).sum::<usize>(), 22);
                }
            }
        }
    }

    #[test]
    fn other_files_are_named_for_what_they_are() {
        assert_eq!(Contents::from_bytes(b"PK\x03\x04 and so on"), Err(Damage::Foreign));
        let (_, mut bytes) = sealed();
        bytes[8] = 9;
        assert_eq!(Contents::from_bytes(&bytes), Err(Damage::Version { found: 9, known: VERSION }));
    }
}

//! A backup under a passphrase.
//!
//! Owner of the sealed form: argon2id makes a key of the passphrase, and the text is
//! sealed piece by piece with ChaCha20-Poly1305 in the STREAM construction
//! (Hoang, Reyhanitabar, Rogaway, Vizár: "Online Authenticated-Encryption and its
//! Nonce-Reuse Misuse-Resistance", 2015), so that pieces can be neither moved, left
//! out nor cut off. It must never give a byte that was not checked.

use argon2::{Algorithm, Argon2, Params, Version};
use data_encoding::BASE64_NOPAD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::digest::{SHA256, digest};
use std::io::{self, Read, Write};

/// What a sealed backup begins with, and which form of it this is.
pub(super) const MAGIC: &str = "iothome-sealed-backup 1 ";
/// Plain bytes of a piece; the last one may be shorter.
const PIECE: usize = 64 * 1024;
const TAG: usize = 16;
const SALT: usize = 16;
/// Room for the first line: the magic word, salt and check in BASE64.
const HEAD_MAX: usize = 256;
/// Twice what signing in costs, since a backup can be attacked for years at leisure; it still
/// fits beside a hub on a machine with 512 MB.
const MEMORY_KIB: u32 = 38_912;
const PASSES: u32 = 4;
/// Fewer are guessed, whatever a guess costs.
pub(super) const SHORTEST: usize = 10;

/// The keys that a passphrase and a salt make.
struct Keys {
    seal: LessSafeKey,
    check: [u8; 16],
}

fn keys(passphrase: &str, salt: &[u8]) -> io::Result<Keys> {
    let mut bytes = [0; 64];
    Params::new(MEMORY_KIB, PASSES, 1, Some(bytes.len()))
        .and_then(|params| {
            let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            argon2.hash_password_into(passphrase.as_bytes(), salt, &mut bytes)
        })
        .map_err(|e| io::Error::other(format!("no key can be made: {e}")))?;
    let (seal, check) = bytes.split_at(32);
    let seal = UnboundKey::new(&CHACHA20_POLY1305, seal).map_err(|_| broken())?;
    let whole = digest(&SHA256, check);
    let mut check = [0; 16];
    check.copy_from_slice(&whole.as_ref()[..16]);
    Ok(Keys {
        seal: LessSafeKey::new(seal),
        check,
    })
}

fn broken() -> io::Error {
    io::Error::other("sealing failed")
}

fn damaged() -> io::Error {
    let told = "the sealed backup was changed, damaged or cut off";
    io::Error::new(io::ErrorKind::InvalidData, told)
}

/// Every piece has its own number, and the last one is marked.
fn nonce(piece: u64, is_last: bool) -> Nonce {
    let mut bytes = [0; 12];
    bytes[3..11].copy_from_slice(&piece.to_be_bytes());
    bytes[11] = u8::from(is_last);
    Nonce::assume_unique_for_key(bytes)
}

/// Seals what is written to it.
pub(super) struct Sealer<W: Write> {
    to: W,
    key: LessSafeKey,
    head: String,
    piece: u64,
    waiting: Vec<u8>,
}

impl<W: Write> Sealer<W> {
    /// Begins a sealed backup; `salt` is random.
    pub(super) fn begin(mut to: W, passphrase: &str, salt: [u8; SALT]) -> io::Result<Self> {
        let keys = keys(passphrase, &salt)?;
        let (salt, check) = (BASE64_NOPAD.encode(&salt), BASE64_NOPAD.encode(&keys.check));
        let head = format!("{MAGIC}{salt} {check}\n");
        to.write_all(head.as_bytes())?;
        Ok(Self {
            to,
            key: keys.seal,
            head,
            piece: 0,
            waiting: Vec::with_capacity(PIECE + TAG),
        })
    }

    /// Writes the last piece: without it, what was written cannot be opened.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.put(true)?;
        Ok(self.to)
    }

    fn put(&mut self, is_last: bool) -> io::Result<()> {
        let (nonce, head) = (nonce(self.piece, is_last), Aad::from(self.head.as_bytes()));
        let sealed = self
            .key
            .seal_in_place_append_tag(nonce, head, &mut self.waiting);
        sealed.map_err(|_| broken())?;
        self.to.write_all(&self.waiting)?;
        self.waiting.clear();
        self.piece += 1;
        Ok(())
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full piece waits until it is known that it is not the last.
        if self.waiting.len() == PIECE {
            self.put(false)?;
        }
        let taken = bytes.len().min(PIECE - self.waiting.len());
        self.waiting.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Opens what a [`Sealer`] sealed.
pub(super) struct Opener<R: Read> {
    from: R,
    key: LessSafeKey,
    head: String,
    piece: u64,
    /// What follows the present piece, read ahead: only so is the last one known.
    ahead: Vec<u8>,
    open: Vec<u8>,
    given: usize,
    is_done: bool,
}

impl<R: Read> Opener<R> {
    /// Reads the first line and makes the key.
    pub(super) fn begin(mut from: R, passphrase: &str) -> io::Result<Self> {
        let head = first_line(&mut from)?;
        let mut words = head
            .trim_end()
            .strip_prefix(MAGIC)
            .unwrap_or_default()
            .split(' ');
        let mut bytes = || BASE64_NOPAD.decode(words.next()?.as_bytes()).ok();
        let (Some(salt), Some(check)) = (bytes(), bytes()) else {
            return Err(damaged());
        };
        if salt.len() != SALT {
            return Err(damaged());
        }
        let keys = keys(passphrase, &salt)?;
        if keys.check.as_slice() != check.as_slice() {
            let told = "the passphrase is not the one that the backup was sealed with";
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, told));
        }
        let ahead = piece_of(&mut from)?;
        Ok(Self {
            from,
            key: keys.seal,
            head,
            piece: 0,
            ahead,
            open: Vec::new(),
            given: 0,
            is_done: false,
        })
    }

    fn next(&mut self) -> io::Result<()> {
        let next = match self.ahead.len() {
            full if full == PIECE + TAG => piece_of(&mut self.from)?,
            _ => Vec::new(),
        };
        self.is_done = next.is_empty();
        let mut sealed = std::mem::replace(&mut self.ahead, next);
        let (nonce, head) = (
            nonce(self.piece, self.is_done),
            Aad::from(self.head.as_bytes()),
        );
        let opened = self.key.open_in_place(nonce, head, &mut sealed);
        let length = opened.map_err(|_| damaged())?.len();
        sealed.truncate(length);
        (self.open, self.given) = (sealed, 0);
        self.piece += 1;
        Ok(())
    }
}

impl<R: Read> Read for Opener<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.given == self.open.len() && !self.is_done {
            self.next()?;
        }
        let given = into.len().min(self.open.len() - self.given);
        into[..given].copy_from_slice(&self.open[self.given..self.given + given]);
        self.given += given;
        Ok(given)
    }
}

fn first_line(from: &mut impl Read) -> io::Result<String> {
    let mut line = Vec::new();
    while line.last() != Some(&b'\n') {
        let mut byte = [0];
        if from.read(&mut byte)? == 0 || line.len() >= HEAD_MAX {
            return Err(damaged());
        }
        line.push(byte[0]);
    }
    String::from_utf8(line).map_err(|_| damaged())
}

/// A whole sealed piece, or what is left.
fn piece_of(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let most = u64::try_from(PIECE + TAG).unwrap_or(u64::MAX);
    let mut piece = Vec::with_capacity(PIECE + TAG);
    from.by_ref().take(most).read_to_end(&mut piece)?;
    Ok(piece)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at once")]
    use super::*;

    fn sealed(text: &[u8]) -> Vec<u8> {
        let mut sealer = Sealer::begin(Vec::new(), "correct horse", [7; SALT]).unwrap();
        sealer.write_all(text).unwrap();
        sealer.finish().unwrap()
    }

    fn opened(sealed: &[u8], passphrase: &str) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        Opener::begin(sealed, passphrase)?.read_to_end(&mut text)?;
        Ok(text)
    }

    #[test]
    fn what_was_sealed_opens_whatever_its_length() {
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE] {
            let text: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            assert_eq!(opened(&sealed(&text), "correct horse").unwrap(), text);
        }
    }

    #[test]
    fn another_passphrase_is_told_from_damage() {
        let sealed = sealed(b"house");
        let error = opened(&sealed, "wrong horse").unwrap_err();
        assert!(error.to_string().contains("passphrase"), "{error}");
    }

    #[test]
    fn a_change_anywhere_a_cut_and_a_swap_are_noticed() {
        let whole = sealed(&vec![5; 2 * PIECE + 9]);
        let head = whole.iter().position(|b| *b == b'\n').unwrap() + 1;
        for at in [MAGIC.len() - 2, head, head + PIECE + TAG, whole.len() - 1] {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert!(opened(&changed, "correct horse").is_err(), "at {at}");
        }
        for length in [
            head,
            head + PIECE + TAG,
            head + 2 * (PIECE + TAG),
            whole.len() - 1,
        ] {
            assert!(opened(&whole[..length], "correct horse").is_err());
        }
        let mut longer = whole.clone();
        longer.push(0);
        assert!(opened(&longer, "correct horse").is_err());
        let mut swapped = whole.clone();
        let (one, other) = swapped[head..].split_at_mut(PIECE + TAG);
        one.swap_with_slice(&mut other[..PIECE + TAG]);
        assert!(opened(&swapped, "correct horse").is_err());
    }
}

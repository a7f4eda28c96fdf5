//! The form of a backup: lines of JSON, compressed, perhaps sealed, with a checksum.
//!
//! Owner of that form. First what it is, then the tables row by row, then files in
//! pieces, at the end how much there was and the SHA-256 of all before. It must never
//! hold more than a line in memory, nor trust one that the checksum does not cover.

use super::seal::{MAGIC, Opener, SHORTEST, Sealer};
use crate::error::StartError;
use crate::secrets;
use data_encoding::{BASE64, HEXLOWER};
use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use iothome_store::BackupLine;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::io::{self, BufRead, BufReader, Read, Write};

/// The form that this program writes, and the newest it reads.
const FORM: u32 = 1;
/// The largest rows are announcements of some hundred kilobytes; twenty times that is damage.
const LINE_MAX: u64 = 16 * 1024 * 1024;
/// Bytes of a file in one line.
pub(super) const FILE_PIECE: usize = 256 * 1024;
/// Half the time of the default for a few per cent more; small machines have slow cores.
const COMPRESSION: u32 = 4;

/// The first line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Head {
    /// The form.
    pub(super) iothome_backup: u32,
    /// The program that made it.
    pub(super) version: String,
    /// When, in RFC 3339.
    pub(super) made_at: String,
    /// The migrations that its database had.
    pub(super) schema: Vec<String>,
}

/// How much there was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) rows: u64,
    pub(super) files: u64,
}

/// A line between the first and the last.
pub(super) enum Line {
    /// Of the database.
    Database(BackupLine),
    /// A piece of a file; the first piece of each is at 0.
    File {
        name: String,
        at: u64,
        bytes: Vec<u8>,
    },
}

/// Where the lines go.
enum To<W: Write> {
    Plain(W),
    Sealed(Box<Sealer<W>>),
}

impl<W: Write> Write for To<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(to) => to.write(bytes),
            Self::Sealed(to) => to.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(to) => to.flush(),
            Self::Sealed(to) => to.flush(),
        }
    }
}

/// Writes a backup.
pub(super) struct Writer<W: Write> {
    to: GzEncoder<To<W>>,
    sum: Sha256,
    count: Count,
}

impl<W: Write> Writer<W> {
    /// Writes the first line.
    pub(super) fn begin(
        to: W,
        passphrase: Option<&str>,
        schema: Vec<String>,
    ) -> Result<Self, StartError> {
        let to = match passphrase {
            None => To::Plain(to),
            Some(passphrase) => {
                let salt = secrets::random()?;
                let sealer = Sealer::begin(to, passphrase, salt).map_err(|e| unwritten(&e))?;
                To::Sealed(Box::new(sealer))
            }
        };
        let mut this = Self {
            to: GzEncoder::new(to, Compression::new(COMPRESSION)),
            sum: Sha256::new(),
            count: Count::default(),
        };
        let head = json!(Head {
            iothome_backup: FORM,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            made_at: now(),
            schema,
        });
        this.put(&head).map_err(|e| unwritten(&e))?;
        Ok(this)
    }

    /// Writes a line of the database.
    pub(super) fn database(&mut self, line: &BackupLine) -> io::Result<()> {
        match line {
            BackupLine::Table { name, columns } => {
                self.put(&json!({"table": name, "columns": columns}))
            }
            BackupLine::Row(values) => {
                self.count.rows += 1;
                self.put(values)
            }
        }
    }

    /// Writes a file in pieces.
    pub(super) fn file(&mut self, name: &str, from: &mut impl Read) -> io::Result<()> {
        self.count.files += 1;
        let mut at = 0;
        loop {
            let mut piece = Vec::with_capacity(FILE_PIECE);
            let most = u64::try_from(FILE_PIECE).unwrap_or(u64::MAX);
            from.take(most).read_to_end(&mut piece)?;
            // An empty file is told too.
            if piece.is_empty() && at > 0 {
                return Ok(());
            }
            let is_last = piece.len() < FILE_PIECE;
            self.put(&json!({"file": name, "at": at, "base64": BASE64.encode(&piece)}))?;
            if is_last {
                return Ok(());
            }
            at += u64::try_from(piece.len()).unwrap_or(0);
        }
    }

    /// Writes the last line; gives back where it went.
    pub(super) fn finish(mut self) -> io::Result<(W, Count)> {
        let sum = HEXLOWER.encode(&self.sum.clone().finalize());
        let Count { rows, files } = self.count;
        self.put(&json!({"end": {"rows": rows, "files": files, "sha256": sum}}))?;
        let to = match self.to.finish()? {
            To::Plain(to) => to,
            To::Sealed(sealer) => sealer.finish()?,
        };
        Ok((to, self.count))
    }

    fn put(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.sum.update(&text);
        self.to.write_all(&text)
    }
}

/// Reads a backup.
pub(super) struct Reader {
    lines: BufReader<GzDecoder<Box<dyn BufRead>>>,
    sum: Sha256,
    count: Count,
    pub(super) head: Head,
}

impl Reader {
    /// Reads the first line.
    pub(super) fn begin(
        from: impl Read + 'static,
        passphrase: Option<&str>,
    ) -> Result<Self, StartError> {
        let mut from = BufReader::new(from);
        let beginning = from.fill_buf().map_err(|e| unread(&e))?;
        let from: Box<dyn BufRead> = if beginning.starts_with(&MAGIC.as_bytes()[..8]) {
            let Some(passphrase) = passphrase else {
                return Err(other(
                    "the backup is sealed: give its passphrase with --passphrase-file or IOTHOME_BACKUP_PASSPHRASE",
                ));
            };
            let opener = Opener::begin(from, passphrase).map_err(|e| other(e.to_string()))?;
            Box::new(BufReader::new(opener))
        } else if beginning.starts_with(&[0x1f, 0x8b]) {
            Box::new(from)
        } else {
            return Err(other("this file is no backup of IoT Home"));
        };
        let mut this = Self {
            lines: BufReader::new(GzDecoder::new(from)),
            sum: Sha256::new(),
            count: Count::default(),
            head: Head {
                iothome_backup: 0,
                version: String::new(),
                made_at: String::new(),
                schema: Vec::new(),
            },
        };
        let line = this.line()?;
        let form = serde_json::from_slice::<Value>(&line).unwrap_or_default();
        match form["iothome_backup"].as_u64() {
            Some(form) if form > u64::from(FORM) => Err(other(format!(
                "the backup has form {form}, and this program reads up to {FORM}: install the version of IoT Home that made it ({})",
                this_version(&line)
            ))),
            Some(_) => {
                this.head = serde_json::from_slice(&line).map_err(|_| spoilt())?;
                this.sum.update(&line);
                Ok(this)
            }
            None => Err(other("this file is no backup of IoT Home")),
        }
    }

    /// The next line; `None` after the last one, if all of it was right.
    pub(super) fn next(&mut self) -> Result<Option<Line>, StartError> {
        let line = self.line()?;
        if line.first() == Some(&b'[') {
            self.sum.update(&line);
            self.count.rows += 1;
            let values = serde_json::from_slice(&line).map_err(|_| spoilt())?;
            return Ok(Some(Line::Database(BackupLine::Row(values))));
        }
        let told: Told = serde_json::from_slice(&line).map_err(|_| spoilt())?;
        Ok(Some(match told {
            Told::End { end } => return self.end(&end).map(|()| None),
            Told::Table { table, columns } => {
                self.sum.update(&line);
                Line::Database(BackupLine::Table {
                    name: table,
                    columns,
                })
            }
            Told::File { file, at, base64 } => {
                self.sum.update(&line);
                self.count.files += u64::from(at == 0);
                let bytes = BASE64.decode(base64.as_bytes()).map_err(|_| spoilt())?;
                Line::File {
                    name: file,
                    at,
                    bytes,
                }
            }
        }))
    }

    /// How much there was so far.
    pub(super) fn count(&self) -> Count {
        self.count
    }

    fn end(&mut self, end: &End) -> Result<(), StartError> {
        let sum = HEXLOWER.encode(&self.sum.clone().finalize());
        let counted = Count {
            rows: end.rows,
            files: end.files,
        };
        if sum != end.sha256 || counted != self.count {
            return Err(spoilt());
        }
        // Reading on to the end also checks what compressing and sealing say of the whole.
        let mut rest = [0];
        let after = self.lines.read(&mut rest).map_err(|e| unread(&e))?;
        let from = self.lines.get_mut().get_mut();
        let trailing = from.fill_buf().map_err(|e| unread(&e))?;
        if after > 0 || !trailing.is_empty() {
            return Err(spoilt());
        }
        Ok(())
    }

    fn line(&mut self) -> Result<Vec<u8>, StartError> {
        let mut line = Vec::new();
        let mut bounded = (&mut self.lines).take(LINE_MAX);
        bounded
            .read_until(b'\n', &mut line)
            .map_err(|e| unread(&e))?;
        if line.pop() == Some(b'\n') {
            line.push(b'\n');
            return Ok(line);
        }
        Err(spoilt())
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Told {
    Table {
        table: String,
        columns: Vec<String>,
    },
    File {
        file: String,
        at: u64,
        base64: String,
    },
    End {
        end: End,
    },
}

#[derive(Deserialize)]
struct End {
    rows: u64,
    files: u64,
    sha256: String,
}

/// A passphrase that will do.
pub(super) fn check_passphrase(passphrase: &str) -> Result<(), StartError> {
    if passphrase.chars().count() < SHORTEST {
        return Err(other(format!(
            "the passphrase has fewer than {SHORTEST} characters, which are guessed too easily"
        )));
    }
    Ok(())
}

/// What a first line says of the program that wrote it, if it can be read.
fn this_version(line: &[u8]) -> String {
    let head = serde_json::from_slice::<Value>(line).unwrap_or_default();
    head["version"].as_str().unwrap_or("unknown").to_owned()
}

fn now() -> String {
    jiff::Timestamp::now().strftime("%FT%TZ").to_string()
}

fn other(text: impl Into<String>) -> StartError {
    StartError::Other(text.into())
}

pub(super) fn unwritten(error: &io::Error) -> StartError {
    other(format!("the backup could not be written: {error}"))
}

fn unread(error: &io::Error) -> StartError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => spoilt(),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => other(format!(
            "the backup cannot be used: {error}; nothing was changed"
        )),
        _ => other(format!("the backup could not be read: {error}")),
    }
}

fn spoilt() -> StartError {
    other("the backup was changed, damaged or cut off: take another one; nothing was changed")
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;

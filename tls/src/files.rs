//! Private files: written whole or not at all, and readable by their owner only.
//!
//! Owner of file modes. It must never repair a mode that is too open: a key that
//! others could read may have been read, and only a person can judge that.

use crate::TlsError;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

const PRIVATE_DIR: u32 = 0o700;
const PRIVATE_FILE: u32 = 0o600;

/// Makes the folder with mode 0700, or checks that the one there is no more open than that.
pub fn private_dir(dir: &Path) -> Result<(), TlsError> {
    match fs::metadata(dir) {
        Ok(found) => refuse_open(dir, &found, PRIVATE_DIR),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => fs::DirBuilder::new()
            .recursive(true)
            .mode(PRIVATE_DIR)
            .create(dir)
            .map_err(|e| TlsError::write(dir, e)),
        Err(error) => Err(TlsError::read(dir, error)),
    }
}

fn refuse_open(path: &Path, found: &fs::Metadata, wanted: u32) -> Result<(), TlsError> {
    let mode = found.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(TlsError::Open {
        path: path.to_owned(),
        mode,
        wanted,
    })
}

/// Reads a file that must not be open to others.
pub(crate) fn read_private(path: &Path) -> Result<String, TlsError> {
    let found = fs::metadata(path).map_err(|e| TlsError::read(path, e))?;
    refuse_open(path, &found, PRIVATE_FILE)?;
    read(path)
}

pub(crate) fn read(path: &Path) -> Result<String, TlsError> {
    fs::read_to_string(path).map_err(|e| TlsError::read(path, e))
}

/// Writes the file with mode 0600 so that a power cut leaves the old or the new one, never half.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<(), TlsError> {
    let fail = |e| TlsError::write(path, e);
    let draft = path.with_extension("new");
    match fs::remove_file(&draft) {
        Ok(()) => {}
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        Err(e) => return Err(fail(e)),
    }
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(PRIVATE_FILE)
        .open(&draft)
        .map_err(fail)?;
    file.write_all(text.as_bytes()).map_err(fail)?;
    file.sync_all().map_err(fail)?;
    fs::rename(&draft, path).map_err(fail)?;
    let dir = path.parent().unwrap_or(Path::new("."));
    fs::File::open(dir).and_then(|d| d.sync_all()).map_err(fail)
}

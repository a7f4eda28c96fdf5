//! `iothome backup` and `iothome restore`: a house in one file.
//!
//! Owner of the two commands. A backup is taken while the hub runs and changes
//! nothing; a restore checks all of the file first, and until its end the old house
//! stands whole.

mod form;
mod keys;
mod restore;
mod seal;

pub(crate) use keys::unfinished;
pub(crate) use restore::restore;

use crate::cli::{BackupArguments, Passphrase};
use crate::error::StartError;
use crate::secrets;
use crate::settings::Settings;
use form::{Count, Writer, check_passphrase, unwritten};
use iothome_store::{DatabaseUrl, DumpedHouse};
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Standard output as a file name.
const STDOUT: &str = "-";
/// A passphrase is a line, not a film.
const PASSPHRASE_MAX: usize = 1_024;

/// Takes a backup; says how large it is, unless it went to standard output.
pub(crate) async fn backup(
    settings: &Settings,
    arguments: &BackupArguments,
) -> Result<String, StartError> {
    let passphrase = passphrase(settings, &arguments.passphrase)?;
    let url = DatabaseUrl::parse(settings.database_url.expose())?;
    let dumped = DumpedHouse::open(&url).await?;
    if arguments.to.as_os_str() == STDOUT {
        let to = std::io::stdout();
        if to.is_terminal() {
            return Err(StartError::Other(
                "a backup is not for reading: send standard output to a file or a program".into(),
            ));
        }
        let to = BufWriter::new(to.lock());
        let (mut to, _) = write(settings, dumped, to, passphrase.as_deref()).await?;
        to.flush().map_err(|e| unwritten(&e))?;
        return Ok(String::new());
    }
    let draft = Draft::beside(&arguments.to)?;
    let to = BufWriter::new(draft.create()?);
    let (to, count) = write(settings, dumped, to, passphrase.as_deref()).await?;
    let file = to.into_inner().map_err(|e| unwritten(e.error()))?;
    let bytes = draft.put_in_place(&file)?;
    let sealed = if passphrase.is_some() {
        "sealed with the passphrase"
    } else {
        "not sealed: it holds keys, keep it where nobody else reads it"
    };
    let Count { rows, files } = count;
    Ok(format!(
        "{} holds the house: {rows} rows and {files} files in {bytes} bytes, {sealed}.",
        arguments.to.display()
    ))
}

async fn write<W: Write>(
    settings: &Settings,
    dumped: DumpedHouse,
    to: W,
    passphrase: Option<&str>,
) -> Result<(W, Count), StartError> {
    let mut writer = Writer::begin(to, passphrase, dumped.schema().to_vec())?;
    dumped.tell(|line| writer.database(&line)).await?;
    for (name, path) in keys::there(&settings.data_dir)? {
        let mut file = File::open(&path).map_err(|e| keys::failed(&path, &e))?;
        writer
            .file(&name, &mut file)
            .map_err(|e| keys::failed(&path, &e))?;
    }
    writer.finish().map_err(|e| unwritten(&e))
}

/// The passphrase of the command line's file, else of the settings.
fn passphrase(settings: &Settings, given: &Passphrase) -> Result<Option<String>, StartError> {
    let text = match &given.passphrase_file {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|e| keys::failed(path, &e))?;
            Some(text.trim_end_matches(['\r', '\n']).to_owned())
        }
        None => settings
            .backup_passphrase
            .as_ref()
            .map(|p| p.expose().to_owned()),
    };
    if let Some(text) = &text {
        check_passphrase(text)?;
        if text.len() > PASSPHRASE_MAX {
            return Err(StartError::Other(format!(
                "the passphrase is longer than {PASSPHRASE_MAX} bytes"
            )));
        }
    }
    Ok(text)
}

/// A file that is not there until it is whole.
struct Draft {
    target: PathBuf,
    path: PathBuf,
}

impl Draft {
    fn beside(target: &Path) -> Result<Self, StartError> {
        let Some(name) = target.file_name() else {
            return Err(StartError::Other(format!(
                "{} names no file",
                target.display()
            )));
        };
        let token = secrets::token()?;
        let mut draft = std::ffi::OsString::from(".");
        draft.push(name);
        // Two backups at once must not write into each other's file.
        draft.push(format!(".{}.part", &token[..8]));
        Ok(Self {
            target: target.to_owned(),
            path: target.with_file_name(draft),
        })
    }

    fn create(&self) -> Result<File, StartError> {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.path)
            .map_err(|e| keys::failed(&self.path, &e))
    }

    /// Gives the file its name; tells its size.
    fn put_in_place(&self, file: &File) -> Result<u64, StartError> {
        let place = || {
            file.sync_all()?;
            std::fs::rename(&self.path, &self.target)?;
            let folder = match self.target.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder,
                _ => Path::new("."),
            };
            File::open(folder)?.sync_all()?;
            Ok(file.metadata()?.len())
        };
        place().map_err(|e| keys::failed(&self.target, &e))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Gone already if all went well.
        let _ = std::fs::remove_file(&self.path);
    }
}

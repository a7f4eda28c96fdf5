//! `iothome restore`: checks first, changes last.
//!
//! Owner of that order: read the whole file once without touching anything, then fill
//! the database within a transaction and set the files ready beside their places, then
//! make all of it so.

use super::form::{Line, Reader};
use super::keys::{Stage, failed};
use super::passphrase;
use crate::cli::RestoreArguments;
use crate::data_dir::DataDir;
use crate::error::StartError;
use crate::secrets;
use crate::settings::{Mode, Settings};
use iothome_store::{DatabaseUrl, Restoring};
use std::cell::{Cell, RefCell};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Standard input as a file name.
const STDIN: &str = "-";

/// Puts the house of a backup in place of what is there; says what was restored.
pub(crate) async fn restore(
    settings: &Settings,
    arguments: &RestoreArguments,
) -> Result<String, StartError> {
    let passphrase = passphrase(settings, &arguments.passphrase)?;
    let fresh = Fresh::note(settings)?;
    let told = checked(settings, arguments, passphrase.as_deref()).await;
    if told.is_err() {
        fresh.clean();
    }
    told
}

async fn checked(
    settings: &Settings,
    arguments: &RestoreArguments,
    passphrase: Option<&str>,
) -> Result<String, StartError> {
    let spool = if arguments.file.as_os_str() == STDIN {
        Some(Spool::of_stdin(settings)?)
    } else {
        None
    };
    let path = spool.as_ref().map_or(&arguments.file, |spool| &spool.0);
    let open = || {
        let file = File::open(path).map_err(|e| failed(path, &e))?;
        Reader::begin(file, passphrase)
    };
    // All of it once, before anything is touched.
    let mut reader = open()?;
    while reader.next()?.is_some() {}
    fill(settings, arguments.force, open()?).await
}

/// What came by standard input, in a file of the data folder: it is read twice.
struct Spool(PathBuf);

impl Spool {
    fn of_stdin(settings: &Settings) -> Result<Self, StartError> {
        let data = DataDir::for_restore(&settings.data_dir, Mode::Serve)?;
        let token = secrets::token()?;
        let spool = Self(data.path().join(format!(".restore-{}", &token[..8])));
        let copy = || {
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&spool.0)?;
            std::io::copy(&mut std::io::stdin().lock(), &mut file)
        };
        copy().map_err(|e| failed(&spool.0, &e))?;
        Ok(spool)
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        // What stays is told by the size of the folder, and does no harm.
        let _ = std::fs::remove_file(&self.0);
    }
}

async fn fill(settings: &Settings, force: bool, mut reader: Reader) -> Result<String, StartError> {
    let data = DataDir::for_restore(&settings.data_dir, Mode::Serve)?;
    let url = DatabaseUrl::parse(settings.database_url.expose())?;
    let mut restoring = Restoring::begin(&url, &reader.head.schema, force).await?;
    let mut stage = Stage::begin(data.path())?;
    while let Some(line) = reader.next()? {
        match line {
            Line::Database(line) => restoring.take(line).await?,
            Line::File { name, at, bytes } => stage.add(&name, at, &bytes)?,
        }
    }
    if let Some(path) = stage.in_the_way()?.filter(|_| !force) {
        return Err(StartError::Other(format!(
            "{} is there, and a restore replaces it: give --force if that is what you want, or another folder with IOTHOME_DATA_DIR; nothing was changed",
            path.display()
        )));
    }
    let (stage, is_marked) = (RefCell::new(stage), Cell::new(false));
    let finished = restoring
        .finish(|| {
            stage.borrow_mut().mark()?;
            is_marked.set(true);
            Ok::<(), StartError>(())
        })
        .await;
    let mut stage = stage.into_inner();
    if let Err(error) = finished {
        if is_marked.get() {
            return Err(StartError::Other(format!(
                "the restore was not finished: {error}; run it again with --force, until then no hub starts on this house"
            )));
        }
        stage.take_back();
        return Err(error);
    }
    let files = stage.finish()?;
    let (rows, head) = (reader.count().rows, &reader.head);
    Ok(format!(
        "The house of {} is restored: {rows} rows and {files} files, made by version {}. Everybody signs in again.",
        head.made_at, head.version
    ))
}

/// What was not there before: it goes again if nothing comes of the restore.
struct Fresh(Vec<PathBuf>);

impl Fresh {
    fn note(settings: &Settings) -> Result<Self, StartError> {
        let mut paths = vec![settings.data_dir.clone()];
        if let DatabaseUrl::Sqlite { house, history } =
            DatabaseUrl::parse(settings.database_url.expose())?
        {
            let with = |path: &Path, ending: &str| {
                let mut name = path.to_owned().into_os_string();
                name.push(ending);
                PathBuf::from(name)
            };
            for file in [&house, &history] {
                paths.extend(["", "-wal", "-shm"].map(|ending| with(file, ending)));
            }
            paths.push(with(&house, ".lock"));
        }
        paths.retain(|path| !path.exists());
        Ok(Self(paths))
    }

    fn clean(&self) {
        for path in self.0.iter().rev() {
            // A folder goes only if it is empty. What stays does no harm.
            let _ = std::fs::remove_file(path).or_else(|_| std::fs::remove_dir(path));
        }
    }
}

//! The files of the data folder that a new machine needs: certificates, keys, and what
//! the embedded broker keeps for devices.
//!
//! Owner of which files these are and of putting them in place. It must never write
//! outside the folders it names, nor leave a key readable for others.

use crate::error::StartError;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Folders whose files are in a backup, and the endings of these files. Messages that wait
/// for a device (`sessions.json`) are not: a command of last week must not come today.
const FOLDERS: [(&str, &[&str]); 2] = [("tls", &["pem", "key"]), ("broker", &["jsonl"])];
/// Files come in here, and go to their places when all is there.
const STAGE: &str = ".restore-files";
/// The same folder once the database is about to change: while it is there, the restore is
/// not finished, and no hub may start.
const UNDER_WAY: &str = "restore-under-way";
/// More than any house has; a backup that names more is none of ours.
const FILES_MAX: usize = 64;

/// The files there are, under the names that a backup has for them.
pub(super) fn there(data: &Path) -> Result<Vec<(String, PathBuf)>, StartError> {
    let mut files = Vec::new();
    for (folder, endings) in FOLDERS {
        let path = data.join(folder);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(failed(&path, &error)),
        };
        for entry in entries {
            let entry = entry.map_err(|e| failed(&path, &e))?;
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| is_ours(name, endings)) else {
                continue;
            };
            files.push((format!("{folder}/{name}"), entry.path()));
        }
    }
    files.sort();
    Ok(files)
}

/// A plain name with one of the endings.
fn is_ours(name: &str, endings: &[&str]) -> bool {
    let Some((stem, ending)) = name.rsplit_once('.') else {
        return false;
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !stem.is_empty() && stem.chars().all(plain) && endings.contains(&ending)
}

/// Whether a restore into this folder was cut short.
pub(crate) fn unfinished(data: &Path) -> bool {
    data.join(UNDER_WAY).exists()
}

/// Files of a backup on their way into the data folder. Dropped before the database changed,
/// nothing of it is left.
pub(super) struct Stage {
    data: PathBuf,
    names: Vec<String>,
    is_under_way: bool,
}

impl Stage {
    /// Makes the data folder if it is not there, and an empty folder in it.
    pub(super) fn begin(data: &Path) -> Result<Self, StartError> {
        let this = Self {
            data: data.to_owned(),
            names: Vec::new(),
            is_under_way: false,
        };
        remove(&data.join(STAGE))?;
        iothome_tls::private_dir(&data.join(STAGE))?;
        Ok(this)
    }

    /// Adds a piece of a file.
    pub(super) fn add(&mut self, name: &str, at: u64, bytes: &[u8]) -> Result<(), StartError> {
        let refuse = || StartError::Other(format!("the backup names a wrong file: {name:?}"));
        let (folder, file) = name.split_once('/').ok_or_else(refuse)?;
        let known = FOLDERS.iter().find(|(known, _)| *known == folder);
        let (_, endings) = known.ok_or_else(refuse)?;
        if !is_ours(file, endings) || self.names.len() >= FILES_MAX {
            return Err(refuse());
        }
        let folder = self.data.join(STAGE).join(folder);
        let path = folder.join(file);
        let write = || {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&folder)?;
            let mut file = OpenOptions::new()
                .append(true)
                .create(true)
                .mode(0o600)
                .open(&path)?;
            if file.metadata()?.len() != at {
                return Err(io::Error::other("its pieces are not in order"));
            }
            file.write_all(bytes)?;
            file.sync_all()
        };
        write().map_err(|e| failed(&path, &e))?;
        if at == 0 {
            self.names.push(name.to_owned());
        }
        Ok(())
    }

    /// Names of files that are there and would be lost.
    pub(super) fn in_the_way(&self) -> Result<Option<PathBuf>, StartError> {
        for (name, path) in there(&self.data)? {
            let staged = self.data.join(STAGE).join(&name);
            if fs::read(&path).ok() != fs::read(&staged).ok() {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    /// From here on the restore is under way: a hub does not start until it is finished.
    pub(super) fn mark(&mut self) -> Result<(), StartError> {
        let (stage, mark) = (self.data.join(STAGE), self.data.join(UNDER_WAY));
        remove(&mark)?;
        let rename = || {
            fs::File::open(&stage)?.sync_all()?;
            fs::rename(&stage, &mark)?;
            fs::File::open(&self.data)?.sync_all()
        };
        rename().map_err(|e| failed(&mark, &e))?;
        self.is_under_way = true;
        Ok(())
    }

    /// Nothing was changed after all.
    pub(super) fn take_back(&mut self) {
        // A mark that stays is told at the next start, with what to do.
        let _ = fs::remove_dir_all(self.data.join(UNDER_WAY));
        self.is_under_way = false;
    }

    /// Puts the files in their places: whole folders, so that nothing of the old house is left.
    pub(super) fn finish(mut self) -> Result<usize, StartError> {
        let mark = self.data.join(UNDER_WAY);
        let has_keys = self.names.iter().any(|name| name.starts_with("tls/"));
        for (folder, _) in FOLDERS {
            let (from, to) = (mark.join(folder), self.data.join(folder));
            // A house without keys of its own in the backup keeps those that are there.
            if folder == "tls" && !has_keys {
                continue;
            }
            remove(&to)?;
            match fs::rename(&from, &to) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed(&to, &error)),
            }
        }
        let synced = fs::File::open(&self.data).and_then(|folder| folder.sync_all());
        synced.map_err(|e| failed(&self.data, &e))?;
        remove(&mark)?;
        self.is_under_way = false;
        Ok(self.names.len())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if !self.is_under_way {
            let _ = fs::remove_dir_all(self.data.join(STAGE));
        }
    }
}

fn remove(folder: &Path) -> Result<(), StartError> {
    match fs::remove_dir_all(folder) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(folder, &error)),
    }
}

pub(super) fn failed(path: &Path, error: &io::Error) -> StartError {
    StartError::Other(format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at once")]
    use super::*;

    fn names(data: &Path) -> Vec<String> {
        there(data)
            .unwrap()
            .into_iter()
            .map(|(name, _)| name)
            .collect()
    }

    #[test]
    fn only_our_own_files_are_taken() {
        let data = tempfile::tempdir().unwrap();
        for folder in ["tls", "broker"] {
            fs::create_dir(data.path().join(folder)).unwrap();
        }
        for file in [
            "tls/ca.key",
            "tls/ca.new",
            "tls/.hidden.key",
            "broker/retained.jsonl",
            "broker/sessions.json",
            "house.db",
        ] {
            fs::write(data.path().join(file), "x").unwrap();
        }
        assert_eq!(names(data.path()), ["broker/retained.jsonl", "tls/ca.key"]);
    }

    #[test]
    fn a_backup_cannot_write_where_it_likes() {
        let data = tempfile::tempdir().unwrap();
        let mut stage = Stage::begin(data.path()).unwrap();
        for name in [
            "../evil.key",
            "tls/../evil.key",
            "tls/a/b.key",
            "tls/.key",
            "tls/ca.sh",
            "/etc/x.key",
            "house.key",
        ] {
            assert!(stage.add(name, 0, b"x").is_err(), "{name}");
        }
        stage.add("tls/ca.key", 0, b"x").unwrap();
        assert!(stage.add("tls/ca.key", 7, b"y").is_err());
    }

    #[test]
    fn files_replace_the_old_ones_whole_and_are_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let data = tempfile::tempdir().unwrap();
        let old = data.path().join("tls");
        fs::create_dir(&old).unwrap();
        fs::write(old.join("broker-next.key"), "old").unwrap();
        let mut stage = Stage::begin(data.path()).unwrap();
        stage.add("tls/ca.key", 0, b"ne").unwrap();
        stage.add("tls/ca.key", 2, b"w").unwrap();
        assert!(stage.in_the_way().unwrap().is_some());
        stage.mark().unwrap();
        assert!(unfinished(data.path()));
        assert_eq!(stage.finish().unwrap(), 1);
        assert!(!unfinished(data.path()));
        assert_eq!(names(data.path()), ["tls/ca.key"]);
        let key = old.join("ca.key");
        assert_eq!(fs::read(&key).unwrap(), b"new");
        assert_eq!(
            fs::metadata(&key).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(
            fs::metadata(&old).unwrap().permissions().mode() & 0o777,
            0o700
        );
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_was_not_finished_leaves_nothing() {
        let data = tempfile::tempdir().unwrap();
        let mut stage = Stage::begin(data.path()).unwrap();
        stage.add("tls/ca.key", 0, b"new").unwrap();
        drop(stage);
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0);
    }
}

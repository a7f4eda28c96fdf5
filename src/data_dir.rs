//! The folder that holds the home: database, certificates, the broker's files.
//!
//! Owner of its mode and of the mark that keeps the demo and a real home apart.

use crate::error::StartError;
use crate::settings::Mode;
use std::path::{Path, PathBuf};

/// Lies in a folder that the demo made.
const DEMO_MARK: &str = "this-is-a-demo";

/// The folder, made and checked.
#[derive(Clone, Debug)]
pub(crate) struct DataDir(PathBuf);

impl DataDir {
    /// Makes the folder if it is not there, and refuses one of the other mode.
    pub(crate) fn open(path: &Path, mode: Mode) -> Result<Self, StartError> {
        if crate::backup::unfinished(path) {
            return Err(StartError::UnfinishedRestore {
                path: path.to_owned(),
            });
        }
        Self::for_restore(path, mode)
    }

    /// The same for a restore, which may follow one that was cut short.
    pub(crate) fn for_restore(path: &Path, mode: Mode) -> Result<Self, StartError> {
        let is_new = !path.exists();
        iothome_tls::private_dir(path)?;
        let mark = path.join(DEMO_MARK);
        match (mode, mark.exists()) {
            (Mode::Serve, true) => Err(StartError::DemoFolder {
                path: path.to_owned(),
            }),
            (Mode::Demo, false) if !is_new && holds_something(path) => {
                Err(StartError::NoDemoFolder {
                    path: path.to_owned(),
                })
            }
            (Mode::Demo, false) => {
                std::fs::write(&mark, "").map_err(|source| StartError::Folder {
                    path: path.to_owned(),
                    source,
                })?;
                Ok(Self(path.to_owned()))
            }
            _ => Ok(Self(path.to_owned())),
        }
    }

    /// Opens it for a command that changes nothing of the home's nature: any folder will do.
    pub(crate) fn visit(path: &Path) -> Result<Self, StartError> {
        iothome_tls::private_dir(path)?;
        Ok(Self(path.to_owned()))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn tls(&self) -> PathBuf {
        self.0.join("tls")
    }

    /// The key under which passwords of broker users are kept.
    pub(crate) fn seal(&self) -> PathBuf {
        // With the other keys, which a backup holds.
        self.tls().join("accounts.key")
    }

    #[cfg(feature = "embedded")]
    pub(crate) fn broker(&self) -> PathBuf {
        self.0.join("broker")
    }
}

fn holds_something(path: &Path) -> bool {
    std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at once")]
    use super::*;

    #[test]
    fn the_demo_and_a_real_home_never_share_a_folder() {
        let dir = tempfile::tempdir().unwrap();
        let (demo, home) = (dir.path().join("demo"), dir.path().join("home"));
        DataDir::open(&demo, Mode::Demo).unwrap();
        DataDir::open(&demo, Mode::Demo).unwrap();
        assert!(DataDir::open(&demo, Mode::Serve).is_err());
        let opened = DataDir::open(&home, Mode::Serve).unwrap();
        std::fs::write(opened.path().join("house.db"), "").unwrap();
        DataDir::open(&home, Mode::Serve).unwrap();
        assert!(DataDir::open(&home, Mode::Demo).is_err());
    }
}

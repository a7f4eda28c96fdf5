//! The data folder: modes, an owner, room on the disk, a restore that was cut short.
//!
//! Owner of these lines of the report.

use super::Report;
use crate::backup;
use crate::settings::Settings;
use iothome_store::DatabaseUrl;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Less than this and the next burst of history may fill it.
const LITTLE_BYTES: u64 = 500 * 1024 * 1024;
/// SQLite cannot even write its log with less.
const NONE_BYTES: u64 = 50 * 1024 * 1024;
/// Files that others must not read are in these.
const PRIVATE: [&str; 3] = ["", "tls", "broker"];
/// A folder of ours has some twenty files; one with more is told of its first ones.
const FILES_MAX: usize = 1_000;

pub(super) fn look(report: &mut Report, settings: &Settings) {
    let data = &settings.data_dir;
    if !data.exists() {
        let what = format!("{} is not there yet", data.display());
        report.warn(
            "folder",
            what,
            "it is made at the first start; if there was one, check IOTHOME_DATA_DIR",
        );
        return;
    }
    if backup::unfinished(data) {
        let what = format!("a restore into {} was cut short", data.display());
        report.fault("folder", what, "run `iothome restore` again with --force");
    }
    let wide = too_wide(data);
    for (path, mode) in &wide {
        let what = format!("{} is open to others (mode {mode:o})", path.display());
        let todo = format!(
            "chmod go= {}; keys that others could read may have been read: judge whether to make new ones",
            path.display()
        );
        report.fault("folder", what, todo);
    }
    for path in foreign(data) {
        let what = format!("{} belongs to another user", path.display());
        let todo = format!(
            "run this as the user of the hub, or chown {}",
            path.display()
        );
        report.warn("folder", what, todo);
    }
    if wide.is_empty() {
        let what = format!("{} and the keys in it are private", data.display());
        report.ok("folder", what);
    }
    let mut places = vec![data.clone()];
    if let Ok(DatabaseUrl::Sqlite { house, .. }) =
        DatabaseUrl::parse(settings.database_url.expose())
        && let Some(folder) = house.parent()
        && folder != data
    {
        places.push(folder.to_owned());
    }
    for place in places {
        disk(report, &place);
    }
}

/// The folders and files that are ours.
fn ours(data: &Path) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for folder in PRIVATE {
        let folder = if folder.is_empty() {
            data.to_owned()
        } else {
            data.join(folder)
        };
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        paths.push(folder);
        let files = entries.flatten().take(FILES_MAX).map(|entry| entry.path());
        paths.extend(files.filter(|path| path.is_file()));
    }
    paths
}

/// What others may read or write, and how.
fn too_wide(data: &Path) -> Vec<(PathBuf, u32)> {
    let paths = ours(data).into_iter();
    let wide = paths.filter_map(|path| {
        // What is below a private folder is out of reach, but keys are looked at all the same.
        let is_secret = path == data || path.ends_with("tls") || is_secret(&path);
        let mode = fs::metadata(&path).ok()?.permissions().mode() & 0o777;
        (is_secret && mode & 0o077 != 0).then_some((path, mode))
    });
    wide.collect()
}

/// Keys, databases and what the broker keeps; a certificate may be read by anybody.
fn is_secret(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    [".key", ".db", ".db-wal", ".db-shm", ".jsonl"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

/// What belongs to somebody else.
fn foreign(data: &Path) -> Vec<PathBuf> {
    let Ok(own) = fs::metadata("/proc/self").map(|meta| meta.uid()) else {
        return Vec::new();
    };
    let mut paths = ours(data);
    paths.retain(|path| fs::metadata(path).is_ok_and(|meta| meta.uid() != own));
    paths
}

fn disk(report: &mut Report, place: &Path) {
    let Ok(stat) = rustix::fs::statvfs(place) else {
        let what = format!("{} does not tell how much room there is", place.display());
        report.warn("disk", what, "look at the disk: `df -h`");
        return;
    };
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let what = format!(
        "{} MB are free for {}",
        free / (1024 * 1024),
        place.display()
    );
    let todo =
        "make room: old backups, logs; or move the house to a larger disk (docs/operations.md)";
    if free < NONE_BYTES {
        report.fault("disk", what, todo);
    } else if free < LITTLE_BYTES {
        report.warn("disk", what, todo);
    } else {
        report.ok("disk", what);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at once")]
    use super::*;

    #[test]
    fn a_key_that_others_may_read_is_found_and_a_certificate_is_not_minded() {
        let data = tempfile::tempdir().unwrap();
        let set = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        let tls = data.path().join("tls");
        fs::create_dir(&tls).unwrap();
        set(&tls, 0o700);
        set(data.path(), 0o700);
        for (name, mode) in [("ca.key", 0o600), ("ca.pem", 0o644)] {
            fs::write(tls.join(name), "x").unwrap();
            set(&tls.join(name), mode);
        }
        assert_eq!(too_wide(data.path()), []);
        set(&tls.join("ca.key"), 0o640);
        assert_eq!(too_wide(data.path()), [(tls.join("ca.key"), 0o640)]);
        set(&tls.join("ca.key"), 0o600);
        set(&tls, 0o755);
        assert_eq!(too_wide(data.path()), [(tls, 0o755)]);
    }
}

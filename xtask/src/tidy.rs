//! `cargo xtask tidy`: the layout that no compiler checks.
//!
//! Owner of the dependency directions and of the length limits. It must never
//! change a file.

use crate::command::{cargo, root, say};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A file says one thing; past this many lines it says two.
const FILE_LINES_MAX: usize = 500;

/// Which of our crates a crate may use. Nothing else may.
const MAY_USE: [(&str, &[&str]); 10] = [
    ("iothome-engine", &[]),
    ("iothome-tls", &[]),
    ("iothome-store", &["iothome-engine"]),
    ("iothome-broker", &["iothome-engine"]),
    ("iothome-views", &["iothome-engine"]),
    ("iothome-simulator", &["iothome-tls"]),
    (
        "iothome-actors",
        &["iothome-engine", "iothome-store", "iothome-tls"],
    ),
    (
        "iothome-http",
        &[
            "iothome-engine",
            "iothome-store",
            "iothome-actors",
            "iothome-views",
        ],
    ),
    (
        "iothome",
        &[
            "iothome-engine",
            "iothome-store",
            "iothome-tls",
            "iothome-broker",
            "iothome-simulator",
            "iothome-actors",
            "iothome-http",
        ],
    ),
    ("xtask", &[]),
];

/// Crates that the pure core may use: none of them does I/O by itself or logs.
const ENGINE_MAY_USE: [&str; 15] = [
    "chrono",
    "data-encoding",
    "jiff",
    "minijinja",
    "minijinja-contrib",
    "regex-lite",
    "saffron",
    "serde",
    "serde_json",
    "sha2",
    "slug",
    "solar-positioning",
    "subtle",
    "thiserror",
    "uuid",
];

/// Checks the tree and says every fault at once.
pub(crate) fn run() -> Result<(), String> {
    let mut faults = source_faults(&root());
    faults.extend(dependency_faults(&metadata()?));
    if faults.is_empty() {
        say("== layout: tidy");
        return Ok(());
    }
    Err(format!(
        "the layout has {} faults:\n  {}",
        faults.len(),
        faults.join("\n  ")
    ))
}

/// Faults of the source files: too long, or without a header.
fn source_faults(root: &Path) -> Vec<String> {
    let mut files = Vec::new();
    collect(root, &mut files);
    files.sort();
    files
        .iter()
        .filter_map(|path| Some((path, std::fs::read_to_string(path).ok()?)))
        .flat_map(|(path, text)| {
            let shown = path
                .strip_prefix(root)
                .unwrap_or(path)
                .display()
                .to_string();
            file_faults(&shown, &text)
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() {
            if name != "target" && name != ".git" {
                collect(&path, files);
            }
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}

fn file_faults(shown: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let lines = text.lines().count();
    if lines > FILE_LINES_MAX {
        faults.push(format!(
            "{shown}: {lines} lines; a file stops at {FILE_LINES_MAX}"
        ));
    }
    if !text.starts_with("//!") {
        faults.push(format!(
            "{shown}: does not open with `//!`: say its role and what it must never do"
        ));
    }
    faults
}

/// Names of the direct dependencies of each of our crates (development ones left out).
type Dependencies = BTreeMap<String, BTreeSet<String>>;

fn metadata() -> Result<Dependencies, String> {
    let output = cargo()
        .args(["metadata", "--format-version", "1", "--no-deps", "--locked"])
        .output()
        .map_err(|e| format!("cargo metadata: {e}"))?;
    let json: serde_json::Value =
        serde_json::from_slice(&output.stdout).map_err(|e| format!("cargo metadata: {e}"))?;
    let packages = json["packages"]
        .as_array()
        .ok_or("cargo metadata names no package")?;
    Ok(packages
        .iter()
        .map(|package| (text(&package["name"]), direct(package)))
        .collect())
}

fn direct(package: &serde_json::Value) -> BTreeSet<String> {
    let all = package["dependencies"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    all.iter()
        .filter(|d| d["kind"] != "dev")
        .map(|d| text(&d["name"]))
        .collect()
}

fn text(json: &serde_json::Value) -> String {
    json.as_str().unwrap_or_default().to_owned()
}

fn dependency_faults(found: &Dependencies) -> Vec<String> {
    let known: BTreeMap<&str, &[&str]> = MAY_USE.into_iter().collect();
    let mut faults = Vec::new();
    for (package, uses) in found {
        let Some(allowed) = known.get(package.as_str()) else {
            faults.push(format!(
                "{package}: not in the table of rooms (xtask/src/tidy.rs)"
            ));
            continue;
        };
        for used in uses.iter().filter(|used| found.contains_key(*used)) {
            if !allowed.contains(&used.as_str()) {
                faults.push(format!("{package} must not depend on {used}"));
            }
        }
    }
    let engine = found.get("iothome-engine").cloned().unwrap_or_default();
    let strangers = engine
        .iter()
        .filter(|used| !ENGINE_MAY_USE.contains(&used.as_str()));
    faults.extend(strangers.map(|used| format!("the pure engine must not depend on {used}")));
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(edges: &[(&str, &[&str])]) -> Dependencies {
        edges
            .iter()
            .map(|(name, uses)| {
                (
                    (*name).to_owned(),
                    uses.iter().map(|u| (*u).to_owned()).collect(),
                )
            })
            .collect()
    }

    #[test]
    fn the_tree_is_tidy() {
        assert_eq!(source_faults(&root()), Vec::<String>::new());
        assert_eq!(
            dependency_faults(&metadata().expect("cargo metadata")),
            Vec::<String>::new()
        );
    }

    #[test]
    fn an_arrow_against_the_direction_is_a_fault() {
        let faults = dependency_faults(&tree(&[
            ("iothome-engine", &[]),
            ("iothome-views", &["iothome-engine", "iothome-actors"]),
            ("iothome-actors", &["iothome-engine"]),
        ]));
        assert_eq!(faults, ["iothome-views must not depend on iothome-actors"]);
    }

    #[test]
    fn the_engine_takes_no_crate_that_does_io() {
        let faults =
            dependency_faults(&tree(&[("iothome-engine", &["serde", "tokio", "tracing"])]));
        assert_eq!(faults.len(), 2);
    }

    #[test]
    fn a_long_file_and_one_without_a_header_are_faults() {
        assert_eq!(
            file_faults("a.rs", "//! Role.\nfn a() {}\n"),
            Vec::<String>::new()
        );
        assert_eq!(file_faults("b.rs", &"x\n".repeat(501)).len(), 2);
    }
}

//! What `docker-compose.yml` says of one service, as far as the stage needs it.
//!
//! Owner of reading that file: its own plain form, not YAML at large. What it cannot find is
//! a failure, never a default.

use std::path::{Path, PathBuf};

/// The folder that Docker would be given.
pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A volume and the folder that it is mounted on.
pub(super) struct Mount {
    pub(super) volume: String,
    pub(super) target: PathBuf,
    pub(super) read_only: bool,
}

/// One service.
pub(super) struct Service {
    name: String,
    lines: Vec<String>,
}

/// All of the file.
fn text() -> String {
    std::fs::read_to_string(root().join("docker-compose.yml")).expect("docker-compose.yml")
}

/// The subnet that the file gives the network `edge`.
pub(super) fn edge_subnet() -> String {
    let text = text();
    let line = text
        .lines()
        .find_map(|l| l.trim().strip_prefix("- subnet: "));
    line.expect("the edge network has a subnet").to_owned()
}

impl Service {
    /// The service of that name.
    pub(super) fn of(name: &str) -> Self {
        let text = text();
        let services = text.lines().skip_while(|line| *line != "services:");
        let body = services.skip_while(|line| *line != format!("  {name}:"));
        let lines: Vec<String> = body
            .skip(1)
            .take_while(|line| line.is_empty() || line.starts_with("    "))
            .map(str::to_owned)
            .collect();
        assert!(
            !lines.is_empty(),
            "docker-compose.yml has no service {name}"
        );
        Self {
            name: name.to_owned(),
            lines,
        }
    }

    /// The value of `key: value`.
    fn value(&self, key: &str) -> Option<&str> {
        let start = format!("    {key}:");
        let line = self.lines.iter().find_map(|l| l.strip_prefix(&start))?;
        Some(line.trim())
    }

    /// What stands below `key:`, without the comments.
    fn below(&self, key: &str) -> Vec<&str> {
        let start = format!("    {key}:");
        let lines = self.lines.iter().skip_while(|line| **line != start);
        lines
            .skip(1)
            .take_while(|line| line.starts_with("      "))
            .map(|line| line.trim())
            .filter(|line| !line.starts_with('#'))
            .collect()
    }

    /// A list that is written as `[a, b]`.
    fn list(&self, key: &str) -> Vec<String> {
        let value = self.value(key).unwrap_or_default();
        let inner = value.trim_start_matches('[').trim_end_matches(']');
        let words = inner.split(',').map(|word| word.trim().trim_matches('"'));
        words.filter(|w| !w.is_empty()).map(str::to_owned).collect()
    }

    /// The networks it is in.
    pub(super) fn networks(&self) -> Vec<String> {
        self.list("networks")
    }

    /// What it is told to run, if not what its image says.
    pub(super) fn command(&self) -> Vec<String> {
        self.list("command")
    }

    /// The variables that it is given.
    pub(super) fn environment(&self) -> Vec<(String, String)> {
        let pairs = self.below("environment");
        let pairs = pairs.into_iter().filter_map(|line| line.split_once(':'));
        pairs
            .map(|(key, value)| (key.to_owned(), value.trim().trim_matches('"').to_owned()))
            .collect()
    }

    /// How it is asked whether it is well.
    pub(super) fn health_check(&self) -> Vec<String> {
        let lines = self.below("healthcheck");
        let test = lines.iter().find_map(|line| line.strip_prefix("test: "));
        let words: Vec<String> = test
            .and_then(|list| serde_json::from_str(list).ok())
            .unwrap_or_else(|| panic!("{} has no health check", self.name));
        assert_eq!(words[0], "CMD");
        words[1..].to_vec()
    }

    /// The volumes it mounts.
    pub(super) fn mounts(&self) -> Vec<Mount> {
        let lines = self.below("volumes");
        assert!(!lines.is_empty(), "{} has no volumes", self.name);
        lines.iter().map(|line| mount(line)).collect()
    }

    /// Its Dockerfile and the folder that it copies from.
    pub(super) fn build(&self) -> (PathBuf, PathBuf) {
        if let Some(folder) = self.value("build").filter(|folder| !folder.is_empty()) {
            let folder = root().join(folder);
            return (folder.join("Dockerfile"), folder);
        }
        let lines = self.below("build");
        let file = lines.iter().find_map(|l| l.strip_prefix("dockerfile: "));
        let file = file.unwrap_or_else(|| panic!("{} is built from nothing", self.name));
        (root().join(file), root().to_owned())
    }
}

fn mount(line: &str) -> Mount {
    let parts: Vec<&str> = line.trim_start_matches("- ").split(':').collect();
    let [volume, target, rest @ ..] = parts.as_slice() else {
        panic!("no volume: {line}");
    };
    Mount {
        volume: (*volume).to_owned(),
        target: target.into(),
        read_only: rest == ["ro"],
    }
}

#[test]
fn the_compose_file_is_read_as_it_is_written() {
    let hub = Service::of("hub");
    assert_eq!(hub.networks(), ["edge", "devices", "data"]);
    let mounts = hub.mounts();
    let secrets = mounts.iter().find(|m| m.volume == "hub-secrets");
    assert!(secrets.is_some_and(|m| m.read_only && m.target == Path::new("/secrets")));
    assert!(hub.build().0.ends_with("deploy/hub/Dockerfile"));
    assert!(
        Service::of("nginx")
            .build()
            .0
            .ends_with("deploy/nginx/Dockerfile")
    );
    assert_eq!(Service::of("init").command()[0], "deploy-init");
}

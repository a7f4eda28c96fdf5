//! An image without Docker: what a Dockerfile of `deploy/` says, done above this machine.
//!
//! Owner of reading Dockerfiles. `FROM debian…` is this machine's own file system, which
//! stays as it is below an overlay; packages are the machine's, everything else of `RUN` and
//! `COPY` is done as written. `FROM scratch` is a folder that `deploy/hub/gather.sh` fills.

use super::apart::run;
use super::compose::{self, Service};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Shows the machine at `$1/root`, with changes kept beside; devices are the machine's.
const OVERLAY: &str = "set -e; mkdir -p $1/upper $1/work $1/root; \
    mount -t overlay overlay -o lowerdir=/,upperdir=$1/upper,workdir=$1/work $1/root; \
    mount --bind /dev $1/root/dev; mount -t tmpfs tmpfs $1/root/tmp";

/// A root folder and what its last instructions say.
pub(super) struct Image {
    pub(super) root: PathBuf,
    pub(super) environment: Vec<(String, String)>,
    /// `uid:gid`.
    pub(super) user: String,
    pub(super) program: Vec<String>,
    scratch: bool,
}

impl Image {
    /// Makes the image of a service in a folder of that name.
    pub(super) fn build(name: &str, folder: &Path) -> Arc<Self> {
        let folder = &folder.join("images").join(name);
        let (file, context) = Service::of(name).build();
        let text =
            std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let mut image = Self {
            root: folder.join("root"),
            environment: vec![("PATH".into(), "/usr/sbin:/usr/bin:/sbin:/bin".into())],
            user: String::new(),
            program: Vec::new(),
            scratch: false,
        };
        for (word, rest) in last_stage(&text) {
            match word.as_str() {
                "FROM" => image.begin(&rest, folder),
                "RUN" => image.run(&rest),
                "COPY" => image.copy(&rest, &context),
                "ENV" => image.set(&rest),
                "USER" => image.user = rest,
                "ENTRYPOINT" => image.program = words(&rest),
                "CMD" | "STOPSIGNAL" | "WORKDIR" | "ARG" | "LABEL" => {}
                other => panic!("{}: {other} is not known here", file.display()),
            }
        }
        assert!(image.user.contains(':') && !image.user.starts_with('0'));
        for folder in ["proc", "dev", "tmp"] {
            std::fs::create_dir_all(image.root.join(folder)).expect("a folder of the image");
        }
        // Docker writes these into every container.
        image.write("/etc/resolv.conf", "nameserver 127.0.0.11\n");
        image.write("/etc/hosts", "127.0.0.1 localhost\n");
        Arc::new(image)
    }

    fn begin(&mut self, from: &str, folder: &Path) {
        std::fs::create_dir_all(folder).expect("a folder for the image");
        self.scratch = from == "scratch";
        if self.scratch {
            std::fs::create_dir_all(&self.root).expect("an empty image");
        } else {
            let folder = folder.to_str().expect("a plain path");
            run("sh", &["-c", OVERLAY, "sh", folder]);
        }
    }

    /// Everything but what apt does: the machine has those packages.
    fn run(&self, commands: &str) {
        let commands = commands.split("&&").map(str::trim);
        let is_apt = |c: &&str| c.starts_with("apt-get") || c.starts_with("rm -rf /var/lib/apt");
        let commands: Vec<&str> = commands.filter(|c| !is_apt(c)).collect();
        let root = self.root.to_str().expect("a plain path");
        run("chroot", &[root, "sh", "-ec", &commands.join(" && ")]);
    }

    fn copy(&self, what: &str, context: &Path) {
        if what.starts_with("--from=") {
            let gather = compose::root().join("deploy/hub/gather.sh");
            let gather = gather.to_str().expect("a plain path");
            let root = self.root.to_str().expect("a plain path");
            run("sh", &[gather, env!("CARGO_BIN_EXE_iothome"), root]);
            return;
        }
        let mut names: Vec<&str> = what.split_whitespace().collect();
        let target = names.pop().expect("COPY names a target");
        let inside = self.root.join(target.trim_start_matches('/'));
        for name in names {
            let source = context.join(name);
            // A folder's content goes into the target, and so does a file if it ends in a slash.
            let source = if name.ends_with('/') {
                source.join(".")
            } else {
                source
            };
            let parent = if target.ends_with('/') {
                inside.as_path()
            } else {
                inside.parent().expect("not the root")
            };
            std::fs::create_dir_all(parent).expect("a folder of the image");
            let (source, inside) = (source.to_str(), inside.to_str());
            run(
                "cp",
                &["-r", source.expect("plain"), inside.expect("plain")],
            );
        }
    }

    fn set(&mut self, pairs: &str) {
        for pair in pairs.split_whitespace() {
            let (name, value) = pair.split_once('=').expect("ENV has name=value");
            let before = self.environment.iter().position(|(known, _)| known == name);
            let mut value = value.to_owned();
            if let Some(before) = before {
                let (_, old) = self.environment.remove(before);
                value = value.replace(&format!("${name}"), &old);
            }
            self.environment.push((name.to_owned(), value));
        }
    }

    fn write(&self, path: &str, text: &str) {
        let file = self.root.join(path.trim_start_matches('/'));
        std::fs::create_dir_all(file.parent().expect("not the root")).expect("a folder");
        // It may be a link to somewhere outside.
        let _ = std::fs::remove_file(&file);
        std::fs::write(file, text).expect("a file of the image");
    }
}

/// The instructions of the last stage, comments left out and continued lines joined.
fn last_stage(text: &str) -> Vec<(String, String)> {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    let text = lines.collect::<Vec<_>>().join("\n").replace("\\\n", " ");
    let all: Vec<(String, String)> = text
        .lines()
        .filter_map(|line| line.trim().split_once(' '))
        .map(|(word, rest)| (word.to_owned(), rest.trim().to_owned()))
        .collect();
    let last = all.iter().rposition(|(word, _)| word == "FROM");
    all[last.expect("a Dockerfile begins with FROM")..].to_vec()
}

/// `["a", "b"]` as words.
fn words(list: &str) -> Vec<String> {
    serde_json::from_str(list).unwrap_or_else(|e| panic!("{list}: {e}"))
}

#[test]
fn a_dockerfile_is_read_from_its_last_from_on() {
    let text = "FROM a AS b\nRUN x\n# why\nFROM scratch\nENV A=1 \\\n    B=2\nCMD [\"serve\"]\n";
    let read = last_stage(text);
    let words: Vec<&str> = read.iter().map(|(word, _)| word.as_str()).collect();
    assert_eq!(words, ["FROM", "ENV", "CMD"]);
    assert_eq!(
        read[1].1.split_whitespace().collect::<Vec<_>>(),
        ["A=1", "B=2"]
    );
}

//! A service that runs as its container would: its image read-only, its volumes, its user.
//!
//! Owner of its processes. They are in a process namespace of their own, so that the death
//! of the first is the death of all, as it is in a container.

use super::apart::run;
use super::compose::Service;
use super::image::Image;
use super::stage::role;
use std::fs::File;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

/// `$1` is the image, `$2` its user, then `volume target ro|rw` up to `--`, then the program.
const CONTAIN: &str = r#"set -e
root=$1; user=$2; shift 2
mount --rbind "$root" "$root"
mount -o remount,bind,ro "$root"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777,size=64m tmpfs "$root/dev/shm"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
while [ "$1" != -- ]; do
    mount --bind "$1" "$root$2"
    [ "$3" = rw ] || mount -o remount,bind,ro "$root$2"
    shift 3
done
shift
exec setpriv --no-new-privs --inh-caps=-all chroot --userspec="$user" --groups= "$root" "$@"
"#;

/// A service with its image and volumes, running or not.
pub(super) struct Contained {
    name: &'static str,
    image: Arc<Image>,
    mounts: Vec<[String; 3]>,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    log: PathBuf,
    child: Option<Child>,
}

impl Contained {
    /// Makes its volumes in `folder`; `more` variables are what a household sets.
    pub(super) fn new(
        name: &'static str,
        image: &Arc<Image>,
        folder: &Path,
        more: &[(&str, &str)],
    ) -> Self {
        let service = Service::of(role(name));
        let mut environment = image.environment.clone();
        environment.extend(service.environment());
        let more = more.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        environment.extend(more);
        let mut mounts = Vec::new();
        for mount in service.mounts() {
            let inside = image
                .root
                .join(mount.target.strip_prefix("/").expect("absolute"));
            let volume = folder.join("volumes").join(&mount.volume);
            make_volume(&volume, &inside);
            let mode = if mount.read_only { "ro" } else { "rw" };
            let [volume, target] = [&volume, &mount.target].map(|path| path.display().to_string());
            mounts.push([volume, target, mode.to_owned()]);
        }
        Self {
            name,
            image: Arc::clone(image),
            mounts,
            arguments: service.command(),
            environment,
            log: folder.join(format!("{name}.log")),
            child: None,
        }
    }

    fn command(&self) -> Command {
        let networks = Service::of(role(self.name)).networks();
        let mut command = if networks.is_empty() {
            let mut apart = Command::new("unshare");
            apart.arg("--net");
            apart
        } else {
            let mut inside = Command::new("ip");
            inside.args(["netns", "exec", self.name, "unshare"]);
            inside
        };
        command
            .args([
                "--mount",
                "--pid",
                "--fork",
                "--kill-child",
                "sh",
                "-c",
                CONTAIN,
                "sh",
            ])
            .args([self.image.root.as_os_str(), self.image.user.as_ref()])
            .args(self.mounts.iter().flatten())
            .arg("--")
            .args(&self.image.program)
            .args(&self.arguments)
            .env_clear()
            .envs(self.environment.iter().map(|(k, v)| (k, v)));
        command
    }

    /// Runs it to its end, which has to be a good one.
    pub(super) fn run_once(&self) -> String {
        let output = self.command().output().expect("unshare starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (said, complained) = (text(&output.stdout), text(&output.stderr));
        assert!(
            output.status.success(),
            "{}: {said} {complained}",
            self.name
        );
        said
    }

    /// Starts it; what it says goes into its log.
    pub(super) fn start(&mut self) {
        assert!(self.child.is_none(), "{} runs already", self.name);
        let log = File::options().create(true).append(true).open(&self.log);
        let log = log.expect("a log file");
        let errors = log.try_clone().expect("a log file");
        let child = self.command().stdout(log).stderr(errors).spawn();
        self.child = Some(child.expect("unshare starts"));
    }

    /// `kill -9` of its first process, and so of all.
    pub(super) fn kill(&mut self) {
        let first = self.first_process();
        let Some(mut child) = self.child.take() else {
            return;
        };
        if let Some(first) = first {
            run("kill", &["-9", &first]);
        }
        child.wait().expect("its end is known");
    }

    /// The number of its first process, seen from here.
    fn first_process(&self) -> Option<String> {
        let outer = self.child.as_ref()?.id();
        let list = format!("/proc/{outer}/task/{outer}/children");
        let first = std::fs::read_to_string(list).ok()?;
        first.split_whitespace().next().map(str::to_owned)
    }

    /// What its health check says, asked as Docker asks it.
    pub(super) fn is_healthy(&self) -> bool {
        let Some(first) = self.first_process() else {
            return false;
        };
        let (user, group) = self.image.user.split_once(':').expect("uid:gid");
        let status = Command::new("nsenter")
            .args([
                "--target", &first, "--mount", "--net", "--pid", "--root", "--wd",
            ])
            .args(["--setuid", user, "--setgid", group])
            .args(Service::of(role(self.name)).health_check())
            .env_clear()
            .envs(self.environment.iter().map(|(k, v)| (k, v)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        status.expect("nsenter starts").success()
    }

    /// What it is called.
    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    /// Whether it runs.
    pub(super) fn is_alive(&mut self) -> bool {
        let child = self.child.as_mut();
        child.is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// What it said so far.
    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Contained {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let log = self.log();
            let tail = log.lines().rev().take(25).collect::<Vec<_>>();
            let tail: Vec<&str> = tail.into_iter().rev().collect();
            crate::support::tell(&format!("--- {}\n{}", self.name, tail.join("\n")));
        }
    }
}

/// A new volume takes owner and mode of the folder that it is mounted on.
fn make_volume(volume: &Path, inside: &Path) {
    let like = std::fs::metadata(inside)
        .unwrap_or_else(|e| panic!("the image has no {}: {e}", inside.display()));
    if volume.exists() {
        let there = std::fs::metadata(volume).expect("a volume");
        let same = |m: &std::fs::Metadata| (m.uid(), m.gid(), m.mode());
        assert_eq!(
            same(&there),
            same(&like),
            "images agree on {}",
            volume.display()
        );
        return;
    }
    std::fs::create_dir_all(volume).expect("a volume");
    chown(volume, Some(like.uid()), Some(like.gid())).expect("root may give it away");
    let mode = std::fs::Permissions::from_mode(like.mode());
    std::fs::set_permissions(volume, mode).expect("root may close it");
}

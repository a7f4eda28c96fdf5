//! The Docker engine, and Docker Compose with the project's own files.
//!
//! Owner of the engine's life: one that runs already is used and left alone, one that was
//! started here is stopped here. It must never touch another project's containers.

use super::BALENA_ID;
use super::shell::{answer, everything, patiently, succeeds};
use crate::command::{root, say, step};
use crate::packages;
use std::cell::RefCell;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

/// What is needed besides what the tests need.
const PROGRAMS: [(&str, &str); 6] = [
    ("docker", "docker.io"),
    ("dockerd", "docker.io"),
    ("docker-compose", "docker-compose"),
    ("debootstrap", "debootstrap"),
    ("iptables", "iptables"),
    ("curl", "curl"),
];
/// The name that Compose puts before everything of ours.
pub(super) const PROJECT: &str = "iothome-compose-test";
/// Containers wait at most 120 s for their files; a slow machine needs some more.
const HEALTHY_WITHIN_S: u64 = 300;

/// A Docker engine.
pub(super) struct Engine {
    host: Option<String>,
    own: RefCell<Option<Child>>,
}

impl Engine {
    /// The one that runs, else one of our own, whose data stays in `folder` for the next time.
    pub(super) fn find_or_start(folder: &Path) -> Result<Self, String> {
        packages::install_all(&PROGRAMS)?;
        let running = Self {
            host: None,
            own: RefCell::new(None),
        };
        if succeeds(running.docker().arg("info")) {
            say("== a Docker engine is running");
            return Ok(running);
        }
        let engine = Self::start(folder)?;
        say("== started a Docker engine");
        Ok(engine)
    }

    fn start(folder: &Path) -> Result<Self, String> {
        let socket = format!("unix://{}", folder.join("docker.sock").display());
        let log = File::create(folder.join("dockerd.log")).map_err(|e| format!("log: {e}"))?;
        let error_log = log.try_clone().map_err(|e| format!("log: {e}"))?;
        let mut dockerd = Command::new("dockerd");
        dockerd
            .args(["--host", &socket])
            .arg("--data-root")
            .arg(folder.join("docker"))
            .arg("--exec-root")
            .arg(folder.join("docker-exec"))
            .arg("--pidfile")
            .arg(folder.join("dockerd.pid"))
            .stdout(log)
            .stderr(error_log);
        if !overlay_works(folder) {
            // Inside a container there is no overlay on an overlay. Slow, but it works.
            dockerd.args(["--storage-driver", "vfs"]);
        }
        let child = dockerd
            .spawn()
            .map_err(|e| format!("dockerd cannot start: {e}"))?;
        let engine = Self {
            host: Some(socket),
            own: RefCell::new(Some(child)),
        };
        patiently("dockerd answers (see dockerd.log)", 60, || {
            succeeds(engine.docker().arg("info")).then_some(())
        })?;
        Ok(engine)
    }

    /// `docker`, at this engine.
    pub(super) fn docker(&self) -> Command {
        self.at(Command::new("docker"))
    }

    fn at(&self, mut command: Command) -> Command {
        command.current_dir(root());
        if let Some(host) = &self.host {
            command.env("DOCKER_HOST", host);
        }
        command
    }

    /// Leaves the engine running after us.
    pub(super) fn forget(&self) {
        if let Some(host) = &self.host {
            say(&format!("   its engine: DOCKER_HOST={host}"));
        }
        drop(self.own.take());
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(mut child) = self.own.take() {
            // Asked, not killed: it stops its containers and gives back its mounts.
            let _ = Command::new("kill").arg(child.id().to_string()).status();
            let _ = child.wait();
        }
    }
}

fn overlay_works(folder: &Path) -> bool {
    let at = folder.join("overlay");
    let made = ["lower", "upper", "work", "merged"]
        .iter()
        .all(|part| fs::create_dir_all(at.join(part)).is_ok());
    let part = |name: &str| at.join(name).display().to_string();
    let options = format!(
        "lowerdir={},upperdir={},workdir={}",
        part("lower"),
        part("upper"),
        part("work")
    );
    let merged = part("merged");
    let mounted = made
        && succeeds(
            Command::new("mount").args(["-t", "overlay", "overlay", "-o", &options, &merged]),
        );
    if mounted {
        let _ = Command::new("umount").arg(&merged).status();
    }
    let _ = fs::remove_dir_all(at);
    mounted
}

/// The services of `docker-compose.yml`, as Compose runs them.
pub(super) struct Stack<'a> {
    pub(super) engine: &'a Engine,
    pub(super) folder: PathBuf,
    profile: String,
}

impl<'a> Stack<'a> {
    /// Of the project's own files and one that only says how this test differs.
    pub(super) fn new(engine: &'a Engine, folder: &Path, profile: &str) -> Result<Self, String> {
        let stack = Self {
            engine,
            folder: folder.to_owned(),
            profile: profile.to_owned(),
        };
        stack.configure("")?;
        Ok(stack)
    }

    /// Writes what differs from what is given away: how quickly the hub is built, that it
    /// seems to be on balena, and more names for its certificate.
    pub(super) fn configure(&self, names: &str) -> Result<(), String> {
        let file = self.folder.join("test.yml");
        let text = format!(
            "version: \"2.4\"\nservices:\n  init:\n    build: {{args: {{PROFILE: \"{profile}\"}}}}\n  \
             hub:\n    build: {{args: {{PROFILE: \"{profile}\"}}}}\n    environment: \
             {{BALENA_DEVICE_UUID: \"{BALENA_ID}\", IOTHOME_NAMES: \"{names}\"}}\n",
            profile = self.profile
        );
        fs::write(&file, text).map_err(|e| format!("{}: {e}", file.display()))
    }

    /// `docker-compose` with the project's files.
    pub(super) fn command(&self) -> Command {
        let mut command = self.engine.at(Command::new("docker-compose"));
        command
            .args(["--project-name", PROJECT, "--project-directory", "."])
            .args(["-f", "docker-compose.yml"])
            .args(["-f", "docker-compose.override.yml", "-f"])
            .arg(self.folder.join("test.yml"));
        command
    }

    /// `docker-compose` with these arguments.
    pub(super) fn compose(&self, title: &str, arguments: &[&str]) -> Result<(), String> {
        step(title, self.command().args(arguments))
    }

    pub(super) fn build(&self) -> Result<(), String> {
        self.compose("the images", &["build"])
    }

    pub(super) fn up(&self) -> Result<(), String> {
        self.compose("docker-compose up -d", &["up", "-d"])
    }

    pub(super) fn down(&self) -> Result<(), String> {
        let arguments = ["down", "--volumes", "--remove-orphans"];
        self.compose("nothing of it is there", &arguments)
    }

    /// The container of a service.
    pub(super) fn container(&self, service: &str) -> Result<String, String> {
        let id = answer(self.command().args(["ps", "-q", service]))?;
        if id.is_empty() {
            return Err(format!("{service} has no container"));
        }
        Ok(id)
    }

    /// One thing that the engine knows of a service's container.
    pub(super) fn inspect(&self, service: &str, format: &str) -> Result<String, String> {
        let id = self.container(service)?;
        let mut docker = self.engine.docker();
        answer(docker.args(["inspect", "--format", format, &id]))
    }

    pub(super) fn wait_for_health(&self, services: &[&str]) -> Result<(), String> {
        say(&format!("== waiting for health: {}", services.join(", ")));
        for service in services {
            let what = format!("{service} is healthy");
            patiently(&what, HEALTHY_WITHIN_S, || {
                let state = self.inspect(service, "{{.State.Health.Status}}");
                (state.as_deref() == Ok("healthy")).then_some(())
            })?;
        }
        Ok(())
    }

    /// When each container started.
    pub(super) fn started_at(&self, services: &[&str]) -> Result<Vec<String>, String> {
        let started = |service: &&str| self.inspect(service, "{{.State.StartedAt}}");
        services.iter().map(started).collect()
    }

    /// Waits for the end of `init`; what it said last.
    pub(super) fn wait_for_init(&self) -> Result<String, String> {
        patiently("init ends with 0", 60, || {
            let state = self.inspect("init", "{{.State.Status}} {{.State.ExitCode}}");
            (state.as_deref() == Ok("exited 0")).then_some(())
        })?;
        let said = self.logs("init")?;
        Ok(said.lines().last().unwrap_or_default().to_owned())
    }

    pub(super) fn logs(&self, service: &str) -> Result<String, String> {
        let id = self.container(service)?;
        everything(self.engine.docker().args(["logs", &id]))
    }

    /// The code that the hub printed.
    pub(super) fn set_up_code(&self) -> Result<String, String> {
        let said = self.logs("hub")?;
        let is_code = |word: &&str| {
            let groups: Vec<usize> = word.split('-').map(str::len).collect();
            groups == [5, 5, 4, 4, 4, 4]
        };
        let code = said.split_whitespace().find(is_code);
        code.map(str::to_owned)
            .ok_or_else(|| format!("no set-up code in what the hub said: {said}"))
    }

    /// What every service said, for whoever looks for the reason of a failure.
    pub(super) fn show_logs(&self) {
        let arguments = ["logs", "--no-color", "--tail", "60"];
        let logs = everything(self.command().args(arguments));
        say(&logs.unwrap_or_else(|e| e));
    }

    /// What each service takes, beside its limit.
    pub(super) fn say_memory(&self, services: &[&str]) -> Result<(), String> {
        for service in services {
            let id = self.container(service)?;
            let mut docker = self.engine.docker();
            let format = "{{.MemUsage}}";
            let usage = answer(docker.args(["stats", "--no-stream", "--format", format, &id]))?;
            say(&format!("   memory of {service}: {usage}"));
        }
        Ok(())
    }
}

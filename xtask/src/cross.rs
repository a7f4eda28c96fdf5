//! `cargo xtask cross`: the program for every architecture that images are made for.
//!
//! Owner of cross building with Debian's own compilers, and of trying out what came of it
//! under emulation. It must never call a target built that was not.

use crate::command::{cargo, root, say, step};
use crate::packages;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// One architecture.
struct Target {
    /// As Docker calls it.
    platform: &'static str,
    triple: &'static str,
    /// What Debian's cross tools and libraries are called by.
    debian: &'static str,
    package: &'static str,
    emulator: &'static str,
    /// `e_machine` of its programs (ELF, "Machine").
    machine: u16,
}

const TARGETS: [Target; 3] = [
    Target {
        platform: "linux/arm64",
        triple: "aarch64-unknown-linux-gnu",
        debian: "aarch64-linux-gnu",
        package: "gcc-aarch64-linux-gnu",
        emulator: "qemu-aarch64",
        machine: 183,
    },
    Target {
        platform: "linux/arm/v7",
        triple: "armv7-unknown-linux-gnueabihf",
        debian: "arm-linux-gnueabihf",
        package: "gcc-arm-linux-gnueabihf",
        emulator: "qemu-arm",
        machine: 40,
    },
    // The Pi Zero and the first Pi: Debian's libraries for them are soft-float.
    Target {
        platform: "linux/arm/v6",
        triple: "arm-unknown-linux-gnueabi",
        debian: "arm-linux-gnueabi",
        package: "gcc-arm-linux-gnueabi",
        emulator: "qemu-arm",
        machine: 40,
    },
];

/// Builds for all of them, tries each out, and prints a line each.
pub(crate) fn run() -> Result<(), String> {
    let compilers = TARGETS.each_ref().map(Target::gcc);
    let mut needed = vec![("/usr/bin/qemu-arm", "qemu-user")];
    needed.extend(
        compilers
            .iter()
            .zip(&TARGETS)
            .map(|(gcc, t)| (gcc.as_str(), t.package)),
    );
    packages::install_all(&needed)?;
    let mut lines = Vec::new();
    for target in &TARGETS {
        lines.push(target.prove()?);
    }
    say("| platform | target | standard library | program | under emulation |");
    say("|---|---|---|---|---|");
    for line in lines {
        say(&line);
    }
    Ok(())
}

impl Target {
    fn gcc(&self) -> String {
        format!("{}-gcc", self.debian)
    }

    fn prove(&self) -> Result<String, String> {
        let library = self.standard_library()?;
        let program = self.build(library)?;
        self.check(&program)?;
        let size =
            std::fs::metadata(&program).map_err(|e| format!("{}: {e}", program.display()))?;
        self.try_out(&program)?;
        let (platform, triple) = (self.platform, self.triple);
        let mib = size.len() / 1_048_576;
        let library = library.words();
        Ok(format!(
            "| {platform} | `{triple}` | {library} | {mib} MiB, not optimised | starts |"
        ))
    }

    /// The one that rustup brings, else its sources.
    fn standard_library(&self) -> Result<Library, String> {
        let rustup = |arguments: &[&str]| {
            let status = Command::new("rustup")
                .args(arguments)
                .current_dir(root())
                .status();
            status.is_ok_and(|status| status.success())
        };
        if rustup(&["target", "add", self.triple]) {
            return Ok(Library::Fetched);
        }
        say(&format!(
            "{}: no standard library to be had; its sources then",
            self.triple
        ));
        if rustup(&["component", "add", "rust-src"]) {
            return Ok(Library::Built);
        }
        let triple = self.triple;
        Err(format!(
            "{triple}: neither a standard library nor its sources can be fetched"
        ))
    }

    fn build(&self, library: Library) -> Result<PathBuf, String> {
        let folder = root().join("target/cross");
        let linker = self.triple.to_uppercase().replace('-', "_");
        let mut command = cargo();
        command
            .args([
                "build",
                "--locked",
                "--no-default-features",
                "--package",
                "iothome",
            ])
            .args(["--target", self.triple])
            .env("CARGO_TARGET_DIR", &folder)
            // A try, not a release: without what only makes it slower to build.
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_INCREMENTAL", "0")
            .env(format!("CARGO_TARGET_{linker}_LINKER"), self.gcc())
            .env(format!("CC_{}", self.triple.replace('-', "_")), self.gcc());
        if library == Library::Built {
            // The compiler of a release takes this switch only so.
            command
                .arg("-Zbuild-std=std,panic_unwind")
                .env("RUSTC_BOOTSTRAP", "1");
        }
        step(&format!("build for {}", self.platform), &mut command)?;
        Ok(folder.join(self.triple).join("debug/iothome"))
    }

    /// Whether it is a program of that architecture (ELF header, bytes 18 and 19).
    fn check(&self, program: &Path) -> Result<(), String> {
        let failed = |e: std::io::Error| format!("{}: {e}", program.display());
        let mut header = [0; 20];
        let mut file = std::fs::File::open(program).map_err(failed)?;
        file.read_exact(&mut header).map_err(failed)?;
        let machine = u16::from_le_bytes([header[18], header[19]]);
        if header.starts_with(b"\x7fELF") && machine == self.machine {
            return Ok(());
        }
        Err(format!(
            "{}: machine {machine} is another one",
            program.display()
        ))
    }

    /// Starts it on an empty folder: it makes keys (ring) and a database (SQLite) and tells.
    fn try_out(&self, program: &Path) -> Result<(), String> {
        let folder = root()
            .join("target/cross")
            .join(format!("{}-home", self.debian));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let mut child = Command::new(self.emulator)
            .args(["-L", &format!("/usr/{}", self.debian)])
            .arg(program)
            .args(["serve", "--banner", "json", "--http-listen", "127.0.0.1:0"])
            .args([
                "--https-listen",
                "off",
                "--mqtt-url",
                "mqtts://u:p@127.0.0.1:9",
            ])
            .arg("--data-dir")
            .arg(folder.join("data"))
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("{}: {e}", self.emulator))?;
        let told = first_line(&mut child);
        let _ = child.kill();
        let _ = child.wait();
        if told.contains("\"setup_code\":\"") {
            return Ok(());
        }
        Err(format!(
            "{} does not start under {}: {told}",
            program.display(),
            self.emulator
        ))
    }
}

/// Where a target's standard library comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Library {
    Fetched,
    Built,
}

impl Library {
    const fn words(self) -> &'static str {
        match self {
            Self::Fetched => "fetched",
            Self::Built => "built from its sources",
        }
    }
}

/// The first line that it says; nothing if it ends before. A hub that does not start ends.
fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    if let Some(output) = child.stdout.take() {
        // A line that cannot be read is none.
        let _ = BufReader::new(output).read_line(&mut line);
    }
    line
}

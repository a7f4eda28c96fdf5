//! A real Mosquitto with TLS and a password file.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// The broker's program; it comes with the Debian package `mosquitto`.
const MOSQUITTO: &str = "/usr/sbin/mosquitto";

/// A running Mosquitto; it is killed when dropped.
pub(crate) struct Mosquitto {
    child: Option<Child>,
    folder: TempDir,
    pub(crate) port: u16,
    pub(crate) sha256: String,
}

impl Mosquitto {
    /// Starts one with these users; topics are open to each of them.
    pub(crate) fn start(users: &[(&str, &str)]) -> Self {
        let folder = super::hub::folder();
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let (certificate, sha256) = certificate(folder.path(), &names);
        let port = super::free_port();
        let passwords = folder.path().join("passwords");
        std::fs::write(&passwords, "").expect("a password file");
        for (user, password) in users {
            run(Command::new("/usr/bin/mosquitto_passwd")
                .arg("-b")
                .arg(&passwords)
                .args([user, password]));
        }
        let text = format!(
            "user root\nper_listener_settings false\nlistener {port} 127.0.0.1\nset_tcp_nodelay true\n\
             allow_anonymous false\npassword_file {}\ncertfile {}\nkeyfile {}\npersistence true\n\
             persistence_location {}/\n",
            passwords.display(),
            certificate.0,
            certificate.1,
            folder.path().display(),
        );
        std::fs::write(folder.path().join("mosquitto.conf"), text).expect("a configuration file");
        let mut broker = Self {
            child: None,
            folder,
            port,
            sha256,
        };
        broker.restart();
        broker
    }

    /// Starts it (again) on the same port and waits until it listens.
    pub(crate) fn restart(&mut self) {
        self.kill();
        let child = Command::new(MOSQUITTO)
            .arg("-c")
            .arg(self.folder.path().join("mosquitto.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("{MOSQUITTO}: {e}; install the package `mosquitto`"));
        self.child = Some(child);
        for _ in 0..500 {
            if std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("mosquitto does not listen on port {}", self.port);
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// The CA that signed its certificate, for `mosquitto_pub --cafile`.
    pub(crate) fn ca(&self) -> std::path::PathBuf {
        self.folder.path().join("tls/ca.pem")
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Certificate and key of a broker, and its SHA-256 fingerprint.
fn certificate(folder: &Path, names: &[String]) -> ((String, String), String) {
    let now = std::time::SystemTime::now();
    let authority =
        iothome_tls::Authority::open_or_create(&folder.join("tls"), names, now).expect("a CA");
    let identity = authority.broker().expect("a certificate of the broker");
    let paths = (
        identity.chain_pem.display().to_string(),
        identity.key_pem.display().to_string(),
    );
    (paths, identity.fingerprints.sha256.to_string())
}

fn run(command: &mut Command) {
    let status = command
        .status()
        .unwrap_or_else(|e| panic!("{command:?}: {e}; install `mosquitto`"));
    assert!(status.success(), "{command:?}: {status}");
}

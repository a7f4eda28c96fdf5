//! A real Mosquitto with TLS: with a password file, or as the deployment has it, its accounts
//! in the dynamic-security plugin.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// The broker's program; it comes with the Debian package `mosquitto`.
const MOSQUITTO: &str = "/usr/sbin/mosquitto";

/// The plugin; its folder is the architecture's.
const PLUGIN: &str = "mosquitto_dynamic_security.so";

/// The hub's account that `iothome deploy-init` makes.
const HUB: &str = "iothome-hub";

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

    /// Starts one as the deployment does: its own configuration file with another port and other
    /// folders, and the first accounts that `iothome deploy-init` made.
    pub(crate) async fn managed() -> Self {
        let folder = super::hub::folder();
        for volume in [
            "hub-secrets",
            "nginx-tls",
            "mosquitto-secrets",
            "postgres-secrets",
        ] {
            std::fs::create_dir(folder.path().join(volume)).expect("a folder");
        }
        let at = |name: &str| folder.path().join(name).display().to_string();
        let made = super::hub::run(folder.path(), &["deploy-init", "--into", &at("")]).await;
        assert!(made.status.success(), "{}", super::hub::stderr(&made));
        let certificate = std::fs::read_to_string(at("mosquitto-secrets/broker.pem"));
        let prints = iothome_tls::fingerprints_of_pem(&certificate.expect("a certificate"));
        let port = super::free_port();
        let text = include_str!("../../../deploy/mosquitto/mosquitto.conf")
            .replace("/usr/lib/mosquitto_dynamic_security.so", &plugin())
            .replace("/secrets/", &at("mosquitto-secrets/"))
            .replace("/data/", &at(""))
            .replace("listener 8883", &format!("listener {port} 127.0.0.1"));
        let text = format!("user root\n{text}");
        std::fs::write(at("mosquitto.conf"), text).expect("a configuration file");
        let broker = Self {
            child: None,
            folder,
            port,
            sha256: prints.expect("fingerprints").sha256.to_string(),
        };
        broker.forget_accounts();
        broker
    }

    /// The accounts are as they were at the very first start: the hub's alone.
    pub(crate) fn forget_accounts(&self) {
        let at = |name: &str| self.folder.path().join(name);
        let first = at("mosquitto-secrets/dynamic-security.json");
        std::fs::copy(first, at("dynamic-security.json")).expect("copied");
    }

    /// Everybody may do everything where no list says anything; before the next start.
    pub(crate) fn open_to_all(&self) {
        let file = self.folder.path().join("dynamic-security.json");
        let text = std::fs::read_to_string(&file).expect("accounts");
        let mut accounts: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        for door in ["publishClientSend", "publishClientReceive", "subscribe"] {
            accounts["defaultACLAccess"][door] = true.into();
        }
        std::fs::write(&file, accounts.to_string()).expect("written");
    }

    /// Where the hub finds it, with the hub's account.
    pub(crate) fn url(&self) -> String {
        let password = self.hub_password();
        format!("mqtts://{HUB}:{password}@127.0.0.1:{}", self.port)
    }

    fn hub_password(&self) -> String {
        let file = self.folder.path().join("mosquitto-secrets/hub_password");
        std::fs::read_to_string(file).expect("a password")
    }

    /// Manages accounts by hand, with the hub's rights; answers what was told.
    pub(crate) fn dynsec(&self, arguments: &[&str]) -> String {
        let output = self
            .as_hub("/usr/bin/mosquitto_ctrl")
            .arg("dynsec")
            .args(arguments)
            .output()
            .unwrap_or_else(|e| panic!("mosquitto_ctrl: {e}; install `mosquitto`"));
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let problems = String::from_utf8_lossy(&output.stderr).into_owned();
        let log = || std::fs::read_to_string(self.folder.path().join("mosquitto.log"));
        assert!(
            output.status.success() && !problems.contains("Error"),
            "{arguments:?}: {told}{problems}{:?}",
            log()
        );
        told
    }

    /// Publishes with the hub's rights.
    pub(crate) fn publish(&self, topic: &str, payload: &str) {
        let mut command = self.as_hub("/usr/bin/mosquitto_pub");
        run(command.args(["-q", "1", "-t", topic, "-m", payload]));
    }

    fn as_hub(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string()])
            .args(["-u", HUB, "-P", &self.hub_password(), "--cafile"])
            .arg(self.folder.path().join("hub-data/tls/ca.pem"));
        command
    }

    /// Starts it (again) on the same port and waits until it listens.
    pub(crate) fn restart(&mut self) {
        self.kill();
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("mosquitto.log"))
            .expect("a log file");
        let child = Command::new(MOSQUITTO)
            .arg("-c")
            .arg(self.folder.path().join("mosquitto.conf"))
            .stdout(Stdio::null())
            .stderr(log)
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

/// Where the plugin lies on this machine.
fn plugin() -> String {
    let mut folders = std::fs::read_dir("/usr/lib").expect("/usr/lib").flatten();
    let found = folders.find_map(|folder| {
        let path = folder.path().join(PLUGIN);
        path.exists().then_some(path)
    });
    let found = found.unwrap_or_else(|| panic!("no {PLUGIN}; install the package `mosquitto`"));
    found.display().to_string()
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

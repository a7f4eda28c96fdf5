//! Throw-away databases for tests.
//!
//! Owner of one PostgreSQL server a test process and of one database a test. It
//! must never reach a database that it did not make, and never end up in the
//! program (feature `testing`).

use crate::{DatabaseUrl, Store};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The name of the server's one role, which has no password: only this user
/// (and root) can enter the folder of its socket.
const ROLE: &str = "iothome";
/// How long a server may take to start on a busy machine.
const START: Duration = Duration::from_secs(60);

/// A PostgreSQL server of this process, in a temporary folder, on a Unix socket.
pub struct PgServer {
    folder: PathBuf,
    programs: PathBuf,
    /// Ends the server and removes the folder when its input closes, which the
    /// kernel does however this process ends.
    _guard: Child,
    databases: AtomicU32,
}

/// An empty folder that is removed when this is dropped.
pub struct Folder(PathBuf);

/// A store in its own database, which goes away with this.
pub struct TestStore {
    /// The store.
    pub store: Store,
    /// Where it is.
    pub url: DatabaseUrl,
    _folder: Option<Folder>,
}

impl std::ops::Deref for TestStore {
    type Target = Store;
    fn deref(&self) -> &Store {
        &self.store
    }
}

impl TestStore {
    /// A store in two files of an own folder.
    ///
    /// # Panics
    /// If it cannot be made.
    pub async fn sqlite() -> Self {
        let folder = Folder::new("sqlite");
        let url = DatabaseUrl::sqlite(&folder.path().join("house.db")).expect("a file name");
        Self::open(url, Some(folder)).await
    }

    /// A store in an own database of this process's server.
    ///
    /// # Panics
    /// If it cannot be made.
    pub async fn postgres() -> Self {
        let url = DatabaseUrl::Postgres(PgServer::shared().new_database());
        Self::open(url, None).await
    }

    async fn open(url: DatabaseUrl, folder: Option<Folder>) -> Self {
        let store = Store::open(&url).await.expect("a fresh database opens");
        Self {
            store,
            url,
            _folder: folder,
        }
    }
}

/// Runs a test on SQLite, then on PostgreSQL, each time on an empty store.
///
/// # Panics
/// If the test does; the output says on which.
pub async fn on_both(test: impl AsyncFn(TestStore)) {
    say("on SQLite");
    test(TestStore::sqlite().await).await;
    say("on PostgreSQL");
    test(TestStore::postgres().await).await;
}

/// Shown by the test harness when the test fails.
#[expect(clippy::print_stdout, reason = "the harness captures a test's output")]
fn say(text: &str) {
    println!("{text}");
}

static FOLDERS: AtomicU32 = AtomicU32::new(0);

impl Folder {
    /// A new folder for this user alone.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn new(what: &str) -> Self {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("iothome-{what}-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        // Left by an earlier process with our number that was killed.
        let _ = fs::remove_dir_all(&path);
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .expect("the temporary folder can be written");
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

static SERVER: OnceLock<PgServer> = OnceLock::new();

impl PgServer {
    /// The server of this process, started at the first call and stopped when the process ends.
    ///
    /// # Panics
    /// If PostgreSQL is not installed or does not start.
    pub fn shared() -> &'static Self {
        SERVER.get_or_init(Self::start)
    }

    fn start() -> Self {
        let programs = programs();
        let folder = Folder::new("pg");
        let path = folder.path().to_owned();
        // From here on the guard removes it.
        std::mem::forget(folder);
        let owner = owner();
        if let Some((uid, gid)) = owner {
            std::os::unix::fs::chown(&path, Some(uid), Some(gid)).expect("root may give a folder");
        }
        let data = path.join("data");
        run(as_owner(owner, &programs.join("initdb"))
            .arg("--pgdata")
            .arg(&data)
            .args([
                "--no-sync",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C",
                "--username",
                ROLE,
            ]));
        write_configuration(&data, &path);
        let log = fs::File::create(path.join("log")).expect("the folder can be written");
        let mut server = as_owner(owner, &programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file can be shared"))
            .stderr(log)
            .spawn()
            .expect("postgres starts");
        let guard = guard(server.id(), &path);
        let this = Self {
            folder: path,
            programs,
            _guard: guard,
            databases: AtomicU32::new(0),
        };
        this.wait(&mut server);
        this
    }

    fn wait(&self, server: &mut Child) {
        let begun = Instant::now();
        while !self.answers() {
            let ended = server.try_wait().expect("a child can be asked");
            if ended.is_some() || begun.elapsed() > START {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                panic!("PostgreSQL did not start:\n{log}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn answers(&self) -> bool {
        Command::new(self.programs.join("pg_isready"))
            .args(["--quiet", "--dbname=postgres", "--username", ROLE, "--host"])
            .arg(&self.folder)
            .status()
            .is_ok_and(|status| status.success())
    }

    /// Makes an empty database; gives its address.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn new_database(&self) -> String {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        format!(
            "postgres://{ROLE}@localhost/{name}?host={}",
            self.folder.display()
        )
    }

    /// Runs SQL text on a database of this server from outside; gives what `psql` prints.
    ///
    /// # Panics
    /// If the database refuses.
    pub fn sql(&self, database: &str, text: &str) -> String {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
            .args(["--set=ON_ERROR_STOP=1", "--username", ROLE, "--host"])
            .arg(&self.folder)
            .args(["--dbname", database, "--command", text]);
        run(&mut psql)
    }

    /// Cuts every connection to the database behind this address.
    ///
    /// # Panics
    /// If the database refuses.
    pub fn cut_connections(&self, url: &str) -> String {
        let database = database_of(url);
        self.sql(
            "postgres",
            &format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = '{database}' AND pid <> pg_backend_pid()"
            ),
        )
    }
}

/// The database's name in an address that `new_database` gave.
pub fn database_of(url: &str) -> &str {
    let path = url.rsplit('@').next().unwrap_or(url);
    let path = path.split_once('/').map_or(path, |(_, rest)| rest);
    path.split('?').next().unwrap_or(path)
}

fn write_configuration(data: &Path, socket: &Path) {
    let mut file = fs::OpenOptions::new()
        .append(true)
        .open(data.join("postgresql.conf"))
        .expect("initdb wrote it");
    // Safe from power cuts it need not be: it dies with the test.
    let text = format!(
        "\nlisten_addresses = ''\nunix_socket_directories = '{}'\nfsync = off\n\
         full_page_writes = off\nmax_connections = 300\nshared_buffers = 32MB\n\
         autovacuum = off\nlog_min_messages = warning\n",
        socket.display()
    );
    file.write_all(text.as_bytes()).expect("it can be written");
}

/// A shell that waits until this process is gone, then ends the server.
fn guard(server: u32, folder: &Path) -> Child {
    Command::new("sh")
        .arg("-c")
        .arg(format!(
            // Not ended by Ctrl-C, which reaches the whole group. The dead server
            // may stay a zombie where nobody reaps, so the wait has an end.
            "trap '' INT TERM HUP; cat >/dev/null; kill -QUIT {server}; \
             for i in $(seq 50); do kill -0 {server} 2>/dev/null || break; sleep 0.1; done; \
             rm -rf \"$1\""
        ))
        .arg("guard")
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("sh is everywhere")
}

/// Where `initdb` and `postgres` are.
fn programs() -> PathBuf {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let debian = debian.flatten().map(|entry| entry.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = debian.collect();
    // The newest version first; versions before 10 are long gone.
    places.sort();
    places.reverse();
    places.extend(std::env::split_paths(&path));
    places
        .into_iter()
        .find(|place| place.join("initdb").is_file() && place.join("postgres").is_file())
        .expect("PostgreSQL is needed for this test: apt-get install postgresql")
}

/// PostgreSQL refuses to run as root: then it runs as its package's own user.
fn owner() -> Option<(u32, u32)> {
    let root = fs::metadata("/proc/self").expect("/proc is mounted").uid() == 0;
    if !root {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").expect("every system has users");
    let line = users
        .lines()
        .find(|line| line.starts_with("postgres:"))
        .expect("the user postgres comes with the package: apt-get install postgresql");
    let mut numbers = line.split(':').skip(2).map_while(|n| n.parse().ok());
    Some((
        numbers.next().expect("a user has a number"),
        numbers.next().expect("a user has a group"),
    ))
}

fn as_owner(owner: Option<(u32, u32)>, program: &Path) -> Command {
    use std::os::unix::process::CommandExt as _;
    let mut command = Command::new(program);
    if let Some((uid, gid)) = owner {
        command.uid(uid).gid(gid);
    }
    // The folder of the test may be closed to that user.
    command.current_dir("/");
    command
}

/// Runs a program to its end; gives what it printed.
fn run(command: &mut Command) -> String {
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

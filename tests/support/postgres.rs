//! A PostgreSQL server on loopback, started for one test and ended with it.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The user that Debian's package makes; PostgreSQL refuses to be root.
const USER: &str = "postgres";
/// How long the server may take to come up.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A running server.
pub(crate) struct Postgres {
    /// The process.
    child: Option<Child>,
    /// Its data, socket and log.
    folder: TempDir,
    /// The folder of its programs.
    programs: PathBuf,
    /// Its port.
    port: u16,
    /// Whether it waits for the disk, as it does where nobody says otherwise.
    is_synced: bool,
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.signal_all("CONT");
        self.kill();
    }
}

/// Finds the folder of PostgreSQL's programs: of the newest version, as Debian lays them out, or on the path.
fn programs() -> Option<PathBuf> {
    let entries: Vec<fs::DirEntry> =
        fs::read_dir("/usr/lib/postgresql").map(|entries| entries.flatten().collect()).unwrap_or_default();
    let version = |name: &std::ffi::OsStr| name.to_str().and_then(|name| name.parse::<f64>().ok()).unwrap_or_default();
    let mut versions: Vec<_> = entries.iter().map(|entry| (version(&entry.file_name()), entry.path())).collect();
    versions.sort_by(|one, other| other.0.total_cmp(&one.0));
    let mut folders: Vec<PathBuf> = versions.into_iter().map(|(_, path)| path.join("bin")).collect();
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    folders.into_iter().find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
}

/// Reads a number of a user.
fn id(kind: &str, arguments: &[&str]) -> u32 {
    let output = Command::new("id").arg(kind).args(arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().parse().unwrap()
}

/// Makes a command that runs as a user whom PostgreSQL accepts, and ends when this process does.
fn command(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "QUIT"]);
    if id("-u", &[]) == 0 {
        let (user, group) = (id("-u", &[USER]).to_string(), id("-g", &[USER]).to_string());
        command.args(["--reuid", &user, "--regid", &group, "--clear-groups"]);
    }
    command.arg("--").arg(program).env_remove("LC_ALL").env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
    command
}

impl Postgres {
    /// Starts a server without databases; `None` where PostgreSQL is not installed. Only one that `is_synced` waits for
    /// the disk, and is as slow as in service.
    ///
    /// # Panics
    /// Where it is not installed although `ZONEPROOF_POSTGRES=required` says that it must be, and where it does not start.
    pub(crate) fn start(is_synced: bool) -> Option<Self> {
        let Some(programs) = programs() else {
            let is_required = std::env::var("ZONEPROOF_POSTGRES").is_ok_and(|value| value == "required");
            assert!(!is_required, "PostgreSQL is not installed");
            return None;
        };
        let folder = TempDir::new().unwrap();
        if id("-u", &[]) == 0 {
            chown(folder.path(), Some(id("-u", &[USER])), Some(id("-g", &[USER]))).unwrap();
        }
        let init = command(&programs.join("initdb"))
            .args(["--auth", "trust", "--username", USER, "--encoding", "UTF8", "--no-sync", "--pgdata"])
            .arg(folder.path().join("data"))
            .output()
            .unwrap();
        assert!(init.status.success(), "initdb: {}", String::from_utf8_lossy(&init.stderr));
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let mut server = Self { child: None, folder, programs, port, is_synced };
        server.run();
        Some(server)
    }

    /// Runs the server over its data, and waits until it answers.
    pub(crate) fn run(&mut self) {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        let child = command(&self.programs.join("postgres"))
            .arg("-D")
            .arg(self.folder.path().join("data"))
            .arg("-k")
            .arg(self.folder.path())
            .args(["-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "shared_buffers=128MB"])
            .args(["-c", "max_wal_size=1GB", "-c", &format!("fsync={}", if self.is_synced { "on" } else { "off" })])
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
        let begin = Instant::now();
        while !self.is_ready() {
            assert!(begin.elapsed() < START_LIMIT, "PostgreSQL did not start: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends the server as a power cut would; its data stay.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // The signal QUIT ends all its processes at once; KILL would leave some behind.
            let _ = Command::new("kill").args(["-QUIT", &child.id().to_string()]).status();
            let _ = child.wait();
        }
    }

    /// Sends a signal to the server and to each process that it has for a connection: STOP freezes them, CONT wakes them.
    pub(crate) fn signal_all(&self, name: &str) {
        let Some(server) = &self.child else { return };
        let is_child = |status: &str| status.lines().any(|line| line == format!("PPid:\t{}", server.id()));
        let processes = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
            let id = entry.file_name().to_str()?.parse::<u32>().ok()?;
            is_child(&fs::read_to_string(entry.path().join("status")).ok()?).then_some(id)
        });
        for id in [server.id()].into_iter().chain(processes) {
            let _ = Command::new("kill").args([&format!("-{name}"), &id.to_string()]).stderr(Stdio::null()).status();
        }
    }

    /// Says whether the server answers.
    fn is_ready(&self) -> bool {
        let status = Command::new(self.programs.join("pg_isready"))
            .args(["-q", "-h", "127.0.0.1", "-U", USER, "-d", USER, "-p", &self.port.to_string()])
            .status();
        status.is_ok_and(|status| status.success())
    }

    /// Returns what the server printed.
    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Makes an empty database and returns its address.
    pub(crate) fn database(&self, name: &str) -> String {
        let output = Command::new(self.programs.join("createdb"))
            .args(["-h", "127.0.0.1", "-U", USER, "-p", &self.port.to_string(), name])
            .output()
            .unwrap();
        assert!(output.status.success(), "createdb: {}", String::from_utf8_lossy(&output.stderr));
        format!("postgres://{USER}@127.0.0.1:{}/{name}", self.port)
    }
}

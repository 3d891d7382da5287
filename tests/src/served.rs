//! A coordinator in a separate process and folder, for benchmarks.

#![expect(clippy::disallowed_methods, reason = "it starts programs, and takes their time")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use heeler_proto::v1::operator_client::OperatorClient;
use tonic::transport::{Channel, Endpoint};

use crate::CLUSTER;

/// `heeler serve`, and further commands for it.
pub struct Served {
    heeler: PathBuf,
    folder: tempfile::TempDir,
    process: Option<Child>,
}

impl Served {
    /// Runs `heeler init`. Agents use that port on loopback, enrolment the next one.
    #[must_use]
    pub fn new(heeler: &Path, port: u16) -> Self {
        let served = Self {
            heeler: std::fs::canonicalize(heeler).unwrap(),
            folder: tempfile::tempdir().unwrap(),
            process: None,
        };
        let address = format!("127.0.0.1:{port}");
        let words = ["init", "--cluster", CLUSTER, "--operator", "me", "--address", &address];
        let made = served.command(&words).stdout(Stdio::null()).status().unwrap();
        assert!(made.success());
        served
    }

    /// `heeler` with these arguments.
    #[must_use]
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.heeler);
        let home = self.folder.path().join("home");
        std::fs::create_dir_all(&home).unwrap();
        command
            .args(words)
            .current_dir(&home)
            .env("HOME", &home)
            .env("USER", "me");
        command.env("HEELER_STATE", self.state()).env("HEELER_CONFIG", &home);
        command.stderr(Stdio::null()).stdin(Stdio::null());
        command
    }

    /// The coordinator's state folder.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// Certificate of the cluster's authority, PEM.
    #[must_use]
    pub fn ca(&self) -> String {
        std::fs::read_to_string(self.state().join("ca/certificate.pem")).unwrap()
    }

    /// Starts `heeler serve`.
    pub fn start(&mut self) {
        let serve = self
            .command(&["serve", "--listen", "127.0.0.1"])
            .stdout(Stdio::null())
            .spawn();
        self.process = Some(serve.unwrap());
    }

    /// Starts `heeler serve` with at most `files` open files.
    pub fn start_within(&mut self, files: u32) {
        let serve = self.command(&["serve", "--listen", "127.0.0.1"]);
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit -n {files} && exec \"$0\" \"$@\"")]);
        shell.arg(serve.get_program()).args(serve.get_args());
        for (name, value) in serve.get_envs() {
            shell.env(name, value.unwrap());
        }
        shell.current_dir(serve.get_current_dir().unwrap());
        let quiet = shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.process = Some(quiet.spawn().unwrap());
    }

    /// Runs a command; returns its duration and output.
    #[must_use]
    pub fn once(&self, words: &[&str]) -> (Duration, String) {
        let began = Instant::now();
        let said = self.command(words).output().unwrap();
        (began.elapsed(), String::from_utf8_lossy(&said.stdout).into_owned())
    }

    /// Stops the coordinator as SIGKILL does.
    pub fn kill(&mut self) {
        let mut process = self.process.take().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
    }

    /// Process id of the coordinator.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.as_ref().unwrap().id()
    }

    /// Connects as an operator, as soon as the coordinator answers.
    pub async fn operator(&self) -> OperatorClient<Channel> {
        let endpoint = Endpoint::from_shared(format!("unix://{}", self.state().join("heeler.sock").display())).unwrap();
        loop {
            match endpoint.connect().await {
                Ok(channel) => return OperatorClient::new(channel),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    /// Runs a command five times; returns the median duration, and its output.
    #[must_use]
    pub fn took(&self, words: &[&str]) -> (Duration, String) {
        let mut tries: Vec<_> = (0..5)
            .map(|_| {
                let began = Instant::now();
                let said = self.command(words).output().unwrap();
                (began.elapsed(), String::from_utf8_lossy(&said.stdout).into_owned())
            })
            .collect();
        tries.sort_unstable();
        tries.swap_remove(2)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if self.process.is_some() {
            self.kill();
        }
    }
}

/// A field of /proc/PID/status or /proc/PID/io (proc(5)) without its unit; kB become bytes.
#[must_use]
pub fn of_process(id: u32, file: &str, field: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{id}/{file}")).unwrap();
    let mut words = text
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))
        .unwrap()
        .split_whitespace();
    let value: u64 = words.next().unwrap().parse().unwrap();
    value * if words.next() == Some("kB") { 1024 } else { 1 }
}

/// Prints figures with their limits.
#[derive(Debug, Default)]
pub struct Figures {
    missed: bool,
}

impl Figures {
    /// Prints a figure on stdout.
    pub fn line(&mut self, what: &str, found: f64, most: f64, unit: &str) {
        let kept = found <= most;
        self.missed |= !kept;
        let word = if kept { "ok" } else { "MISSED" };
        println!("{word:<7} {what:<62} {found:>8.2} {unit} (at most {most})");
    }

    /// Exit code: 1 when a limit was missed.
    #[must_use]
    pub fn exit(&self) -> std::process::ExitCode {
        u8::from(self.missed).into()
    }
}

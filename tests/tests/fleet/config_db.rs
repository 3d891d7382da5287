//! Proxmox's database is copied while SQLite writes to it: between any two parts that are read.

use std::io::{self, Read as _};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use heeler_host::config_db::{self, Steady};
use heeler_host::sim::Machine;
use heeler_host::{Command, File, Job, JobState, Output, RunError, System, UnitAction, UnitError, UnitState};
use rusqlite::Connection;
use tokio::sync::Mutex;

/// What pmxcfs may do in between, and a number that makes the same choices in each run.
struct Writer {
    connection: Connection,
    random: u64,
    /// How often something was done since the last pause.
    disturbed: u32,
}

impl Writer {
    fn open(path: &Path) -> Connection {
        let connection = Connection::open(path).unwrap();
        connection.pragma_update(None, "journal_mode", "wal").unwrap();
        connection
    }

    fn does(&self, statements: &[&str]) {
        for statement in statements {
            self.connection.execute_batch(statement).unwrap();
        }
    }

    fn disturbs(&mut self) {
        const WRITE: &str = "UPDATE t SET n = n + 1, x = randomblob(400)";
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let statements: &[&str] = match self.random % 24 {
            0 => &[WRITE],
            1 | 2 => &["PRAGMA wal_checkpoint(PASSIVE)"],
            3 => &["PRAGMA wal_checkpoint(PASSIVE)", WRITE],
            4 => &["PRAGMA wal_checkpoint(RESTART)", WRITE],
            5 => &["PRAGMA wal_checkpoint(TRUNCATE)"],
            6 => &[WRITE, "PRAGMA wal_checkpoint(TRUNCATE)"],
            _ => return,
        };
        self.disturbed += 1;
        self.does(statements);
    }

    fn number(&self) -> i64 {
        let number = self.connection.query_row("SELECT max(n) FROM t", [], |row| row.get(0));
        number.unwrap()
    }
}

/// Reads a real file in two parts.
struct Busy {
    machine: Machine,
    writer: Mutex<Writer>,
}

#[async_trait]
impl System for Busy {
    async fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut file = std::fs::File::open(path)?;
        let half = file.metadata()?.len() / 2;
        let mut bytes = Vec::new();
        io::Read::by_ref(&mut file).take(half).read_to_end(&mut bytes)?;
        self.writer.lock().await.disturbs();
        file.read_to_end(&mut bytes)?;
        self.writer.lock().await.disturbs();
        Ok(bytes)
    }
    async fn sleep(&self, _: Duration) {
        self.writer.lock().await.disturbed = 0;
    }
    async fn run(&self, command: &Command) -> Result<Output, RunError> {
        self.machine.run(command).await
    }
    async fn mode(&self, path: &Path) -> io::Result<u32> {
        self.machine.mode(path).await
    }
    async fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        self.machine.resolve(path).await
    }
    async fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.machine.list(path).await
    }
    async fn write(&self, file: &File) -> io::Result<()> {
        self.machine.write(file).await
    }
    async fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.machine.append(path, bytes).await
    }
    async fn truncate(&self, path: &Path, length: u64) -> io::Result<()> {
        self.machine.truncate(path, length).await
    }
    async fn set_parameter(&self, path: &Path, value: &str) -> io::Result<()> {
        self.machine.set_parameter(path, value).await
    }
    async fn remove(&self, path: &Path) -> io::Result<()> {
        self.machine.remove(path).await
    }
    async fn read_device(&self, device: &Path, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        self.machine.read_device(device, offset, length).await
    }
    async fn first_data(&self, device: &Path, places: &[(u64, u64)]) -> io::Result<Option<u64>> {
        self.machine.first_data(device, places).await
    }
    async fn unit_state(&self, unit: &str) -> Result<UnitState, UnitError> {
        self.machine.unit_state(unit).await
    }
    async fn unit(&self, unit: &str, action: UnitAction) -> Result<(), UnitError> {
        self.machine.unit(unit, action).await
    }
    async fn start_job(&self, job: &Job) -> Result<(), UnitError> {
        self.machine.start_job(job).await
    }
    async fn forget_job(&self, unit: &str) -> Result<(), UnitError> {
        self.machine.forget_job(unit).await
    }
    async fn job_state(&self, unit: &str) -> Result<JobState, UnitError> {
        self.machine.job_state(unit).await
    }
    async fn address_taken(&self, interface: &str, address: Ipv4Addr) -> io::Result<Option<String>> {
        self.machine.address_taken(interface, address).await
    }
    async fn reboot(&self, trial: bool) -> Result<(), UnitError> {
        self.machine.reboot(trial).await
    }
    fn now_ms(&self) -> u64 {
        self.machine.now_ms()
    }
}

/// Opens the copy as a person who restores it; returns the number that all its rows have.
fn restored(folder: &Path, copy: Steady) -> i64 {
    let database = folder.join("config.db");
    std::fs::write(&database, copy.database).unwrap();
    std::fs::write(folder.join("config.db-wal"), copy.log.unwrap_or_default()).unwrap();
    let connection = Writer::open(&database);
    let check = connection.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0));
    let both = connection.query_row("SELECT min(n), max(n) FROM t", [], |row| Ok((row.get(0)?, row.get(1)?)));
    let (least, most): (i64, i64) = both.unwrap();
    assert_eq!((check.unwrap().as_str(), least), ("ok", most), "one moment's state");
    most
}

#[tokio::test]
async fn a_database_is_copied_whole_while_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (database, log) = (folder.path().join("config.db"), folder.path().join("config.db-wal"));
    let writer = Writer {
        connection: Writer::open(&database),
        random: 0x9e37_79b9_7f4a_7c15,
        disturbed: 0,
    };
    writer.does(&[
        "CREATE TABLE t (n INTEGER, x BLOB)",
        "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 60) \
         INSERT INTO t SELECT 0, randomblob(400) FROM r",
    ]);
    let busy = Busy {
        machine: Machine::builder("a").build(),
        writer: Mutex::new(writer),
    };
    let (mut copies, mut disturbed) = (0, 0);
    for _ in 0..400 {
        let before = {
            let mut writer = busy.writer.lock().await;
            writer.disturbed = 0;
            writer.number()
        };
        let Ok(copy) = config_db::steady(&busy, &database, &log).await else {
            continue;
        };
        let (after, while_read) = {
            let writer = busy.writer.lock().await;
            (writer.number(), writer.disturbed)
        };
        let inside = tempfile::tempdir().unwrap();
        let number = restored(inside.path(), copy.unwrap());
        assert!((before..=after).contains(&number), "{before} {number} {after}");
        copies += 1;
        disturbed += u32::from(while_read > 0);
    }
    assert!(copies > 300 && disturbed > 20, "{copies} {disturbed}");
}

use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;

use async_trait::async_trait;

use crate::{
    Command, File, Folder, FolderAction, Job, JobState, Output, Piped, RunError, UnitAction, UnitError, UnitState,
};

/// A look that [`System::in_time`] runs.
pub type Look<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// The only access to a machine: all facts about a node and all changes to it go through it. The simulated machine can
/// lose power between any two calls. Its error: the operating system's error of a file; `NotFound` when it does not
/// exist. Programs and units have their own errors.
#[async_trait]
pub trait System: Send + Sync {
    /// Runs a program to its end. An exit code other than 0 is not an error.
    async fn run(&self, command: &Command) -> Result<Output, RunError>;

    /// Runs a program that keeps printing, and calls `line` with each line, cut to 1 KiB. Returns its exit code when
    /// it ends; there is no time limit. It is killed when the future is dropped. By default it never prints anything.
    async fn follow(&self, _command: &Command, _line: &(dyn for<'l> Fn(&'l str) + Sync)) -> Result<i32, RunError> {
        std::future::pending().await
    }

    /// Runs two programs at the same time, with the output of `from` as the input of `into`, whose [`Command::stdin`] is
    /// not used. Both are killed when one reaches its time limit, and when the future is dropped. An exit code other
    /// than 0 is not an error: see [`Piped::ok`]. By default it starts neither.
    async fn pipe(&self, from: &Command, into: &Command) -> Result<Piped, RunError> {
        Err(RunError::Start {
            command: format!("{from} | {into}"),
            source: io::ErrorKind::Unsupported.into(),
        })
    }

    /// Reads a whole file.
    async fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// Permission bits of a file.
    async fn mode(&self, path: &Path) -> io::Result<u32>;

    /// The absolute path that a symbolic link leads to, all links resolved.
    async fn resolve(&self, path: &Path) -> io::Result<PathBuf>;

    /// The names in a folder, sorted.
    async fn list(&self, path: &Path) -> io::Result<Vec<String>>;

    /// Writes a file atomically: to a temporary file, which is synced and renamed; then syncs the folder. Creates the
    /// folder when it is missing.
    async fn write(&self, file: &File) -> io::Result<()>;

    /// Appends to a file and syncs its data. Creates it with mode 0600 when it is missing.
    async fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Shortens a file to `length` bytes and syncs it.
    async fn truncate(&self, path: &Path, length: u64) -> io::Result<()>;

    /// Writes a parameter of the running kernel below `/sys` or `/proc/sys`, where files cannot be replaced by a
    /// rename.
    async fn set_parameter(&self, path: &Path, value: &str) -> io::Result<()>;

    /// Removes a file; succeeds when it does not exist.
    async fn remove(&self, path: &Path) -> io::Result<()>;

    /// Does `action` with the file `name` (empty for [`FolderAction::List`]) in a folder, which is created with mode 0700 when
    /// it is missing. A link or another mount on the way below the mountpoint is an error, and nothing is done.
    async fn within(&self, folder: &Folder, name: &str, action: FolderAction) -> io::Result<Vec<String>> {
        let _ = (folder, name, action);
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Reads `length` bytes of a block device from `offset`, fewer at its end. Opens it for reading only.
    async fn read_device(&self, device: &Path, offset: u64, length: usize) -> io::Result<Vec<u8>>;

    /// The offset of the first byte that is not zero in these places of a block device; None when all are zero. The
    /// places are pairs (from, to) in bytes within the device, multiples of 512, and are read in this order, past the
    /// page cache.
    async fn first_data(&self, device: &Path, places: &[(u64, u64)]) -> io::Result<Option<u64>>;

    /// The state of a unit.
    async fn unit_state(&self, unit: &str) -> Result<UnitState, UnitError>;

    /// Acts on a unit and waits for the result of systemd's job.
    async fn unit(&self, unit: &str, action: UnitAction) -> Result<(), UnitError>;

    /// Starts a transient unit, unless one of that name runs.
    async fn start_job(&self, job: &Job) -> Result<(), UnitError>;

    /// Makes systemd forget a transient unit that has ended, and its result.
    async fn forget_job(&self, unit: &str) -> Result<(), UnitError>;

    /// The state of a transient unit.
    async fn job_state(&self, unit: &str) -> Result<JobState, UnitError>;

    /// The hardware address of the machine that has `address` on the network of the card `interface`, which must be
    /// up; None when nobody answers. Takes about two seconds and does not claim the address.
    async fn address_taken(&self, interface: &str, address: Ipv4Addr) -> io::Result<Option<String>>;

    /// Requests a reboot from logind; returns before it happens. With `trial`, the firmware of a Raspberry Pi then reads
    /// tryboot.txt instead of config.txt, once.
    async fn reboot(&self, trial: bool) -> Result<(), UnitError>;

    /// Unix milliseconds by the machine's clock, which may be wrong: a Raspberry Pi may have no battery for it.
    fn now_ms(&self) -> u64;

    /// Runs a look at `item` for at most `time`, then drops it. By default it runs to its end.
    async fn in_time(&self, _item: &str, _time: Duration, look: Look<'_>) {
        look.await;
    }

    /// Whether a long look found everything in order when what it depends on had this fingerprint, since the agent
    /// started. By default it remembers nothing.
    fn found_in_order(&self, _fingerprint: [u8; 32]) -> bool {
        false
    }

    /// Remembers that, until the next call or the agent's end. It changes nothing on the machine.
    fn remember_in_order(&self, _fingerprint: [u8; 32]) {}

    /// Waits for `time`; a simulated machine advances its clock instead.
    async fn sleep(&self, time: Duration);
}

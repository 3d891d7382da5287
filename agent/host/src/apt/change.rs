//! What apt would do to install packages, and how much room that takes.

use crate::ask::ask;
use crate::{Command, RunError, System};

/// More changes than this are not understood: a whole Debian has some 3000 packages.
const MOST_CHANGES: usize = 5000;

/// A package that is installed, upgraded or removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its name, with the architecture when that is a foreign one: `libc6:armhf`.
    pub name: String,
    /// The version that is there; None when it is not installed.
    pub from: Option<String>,
    /// The version that comes; None when it is removed.
    pub to: Option<String>,
}

/// Why apt would not do it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What apt says.
    pub complaint: String,
    /// Packages that a person holds (`apt-mark hold`), and that would change.
    pub held: Vec<String>,
    /// Packages that would get a lower version.
    pub downgraded: Vec<String>,
}

/// What an installation begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Each package is installed, or not there.
    Whole,
    /// An earlier run was interrupted: what is there in part is fetched again, and missing dependencies are added.
    Interrupted,
}

impl Start {
    /// The arguments that decide what is chosen. Recommended packages are left out: a recommendation of Proxmox's brings
    /// its own ZFS, whose module no node could build.
    const fn choice(self) -> &'static [&'static str] {
        match self {
            Self::Whole => &["--no-install-recommends", "install"],
            Self::Interrupted => &["--no-install-recommends", "--fix-broken", "--reinstall", "install"],
        }
    }
}

/// `apt-get install` of these packages, only simulated.
pub fn simulate_command(names: &[&str], start: Start) -> Command {
    let command = Command::look("apt-get").args(["-s", "-y", "-q"]);
    command.args(start.choice().iter().copied()).args(names.iter().copied())
}

/// What apt would do to install these packages, or why it would not. Fails when apt-get cannot run, or prints a line that
/// cannot be read.
pub async fn simulate(
    host: &dyn System,
    names: &[&str],
    start: Start,
) -> Result<Result<Vec<Change>, Refusal>, RunError> {
    let command = simulate_command(names, start);
    let output = host.run(&command).await?;
    if !output.ok() {
        return Ok(Err(Refusal {
            complaint: output.complaint(),
            held: section(&output.stdout, "The following held packages will be changed:"),
            downgraded: section(&output.stdout, "The following packages will be DOWNGRADED:"),
        }));
    }
    let lines = output.stdout.lines();
    let about = lines.filter(|line| line.starts_with("Inst ") || line.starts_with("Remv "));
    let unread = |what: &str| RunError::unreadable(&command, format!("the line {what:?}"));
    let all: Vec<Change> = about
        .map(|line| change(line).ok_or_else(|| unread(line)))
        .collect::<Result<_, _>>()?;
    match all.len() <= MOST_CHANGES {
        true => Ok(Ok(all)),
        false => Err(RunError::unreadable(&command, format!("{} changes", all.len()))),
    }
}

/// The names in the indented lines below a heading.
fn section(printed: &str, heading: &str) -> Vec<String> {
    let below = printed.lines().skip_while(|line| *line != heading).skip(1);
    let names = below.take_while(|line| line.starts_with("  "));
    names.flat_map(str::split_whitespace).map(str::to_owned).collect()
}

/// `Inst NAME [OLD] (NEW ORIGIN [ARCHITECTURE]) …` or `Remv NAME [OLD] …`.
fn change(line: &str) -> Option<Change> {
    let (kind, rest) = line.split_once(' ')?;
    let mut words = rest.split(' ');
    let name = words.next().filter(|name| is_name(name))?.to_owned();
    let mut next = words.next();
    let from = next.and_then(|word| word.strip_prefix('[')?.strip_suffix(']'));
    if from.is_some() {
        next = words.next();
    }
    let from = match from {
        Some(version) => Some(is_version(version).then(|| version.to_owned())?),
        None => None,
    };
    let to = match kind {
        "Inst" => Some(
            next?
                .strip_prefix('(')
                .filter(|version| is_version(version))?
                .to_owned(),
        ),
        _ => None,
    };
    (from.is_some() || to.is_some()).then_some(Change { name, from, to })
}

/// A name (Debian Policy, 5.6.7), perhaps with an architecture. apt-get would read a sign at its end as an order.
fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.:".contains(&byte);
    let first = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    first && text.len() <= 128 && text.bytes().all(plain)
}

/// A version (deb-version(7)).
fn is_version(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.:~".contains(&byte);
    (1..=128).contains(&text.len()) && text.bytes().all(plain)
}

/// The room that an installation takes, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Room {
    /// Of the packages to fetch.
    pub fetched: u64,
    /// Of their files, without those that go.
    pub installed: u64,
}

/// `apt-get install` of these packages, which prints what it would fetch and what room it needs, and ends.
pub fn room_command(names: &[&str], start: Start) -> Command {
    let command = Command::look("apt-get").args(["-y", "-q", "--print-uris", "-o", "Debug::NoLocking=true"]);
    command.args(start.choice().iter().copied()).args(names.iter().copied())
}

/// The room that the installation of these packages takes. Fails when apt-get fails, or says nothing of room.
pub async fn room(host: &dyn System, names: &[&str], start: Start) -> Result<Room, RunError> {
    let command = room_command(names, start);
    let output = ask(host, &command).await?;
    let read = || -> Option<Room> {
        let sizes = output.stdout.lines().filter(|line| line.starts_with('\''));
        let sizes = sizes.map(|line| line.rsplit(' ').nth(1)?.parse::<u64>().ok());
        let fetched = sizes.sum::<Option<u64>>()?;
        let mut lines = output.stdout.lines();
        let after = lines.find_map(|line| line.strip_prefix("After this operation, "))?;
        let installed = match after.ends_with("freed.") {
            true => 0,
            false => bytes(after)?,
        };
        Some(Room { fetched, installed })
    };
    read().ok_or_else(|| RunError::unreadable(&command, "no size in it"))
}

/// `2048 kB of additional…`: apt counts in thousands.
fn bytes(text: &str) -> Option<u64> {
    let mut words = text.split(' ');
    let number: f64 = words.next()?.replace(',', "").parse().ok()?;
    let unit = match words.next()? {
        "B" => 1.0,
        "kB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "TB" => 1e12,
        _ => return None,
    };
    // Not negative: it was digits.
    Some((number * unit) as u64)
}

/// Nobody is asked anything, and no service is restarted by needrestart: Proxmox's cluster would lose a node.
const QUIET: [(&str, &str); 4] = [
    ("DEBIAN_FRONTEND", "noninteractive"),
    ("NEEDRESTART_MODE", "l"),
    ("APT_LISTCHANGES_FRONTEND", "none"),
    ("UCF_FORCE_CONFFOLD", "1"),
];

/// Exactly these changes: a version that is no longer there fails the whole, and nothing else is removed;
/// what else its list of packages would bring is in the list already. It waits 10
/// minutes for dpkg's lock, keeps conffiles as they are, and prints its progress as lines that [`progress`] reads.
pub fn install_command(changes: &[Change], start: Start) -> Command {
    let options = [
        "DPkg::Lock::Timeout=600",
        "Dpkg::Use-Pty=0",
        "Dpkg::Options::=--force-confdef",
        "Dpkg::Options::=--force-confold",
        "Acquire::Retries=3",
        "APT::Status-Fd=1",
    ];
    let options = options.into_iter().flat_map(|option| ["-o", option]);
    let stays = changes.iter().all(|change| change.to.is_some());
    let named = changes.iter().map(|change| match &change.to {
        Some(version) => format!("{}={version}", change.name),
        None => format!("{}-", change.name),
    });
    let command = Command::change("apt-get").args(["-y", "-q"]).args(options);
    command
        .args(stays.then_some("--no-remove"))
        .args(start.choice().iter().copied())
        .args(named)
        .environment(&QUIET)
        // Several hundred packages on a slow card, and ZFS is compiled.
        .timeout(std::time::Duration::from_secs(3 * 3600))
}

/// What apt does now and how much of it is done, in percent, from a line of its status (`APT::Status-Fd`); None for any
/// other line.
pub fn progress(line: &str) -> Option<(String, u8)> {
    let (fetches, mut rest) = match line.strip_prefix("dlstatus:") {
        Some(rest) => (true, rest),
        None => (false, line.strip_prefix("pmstatus:")?),
    };
    // A name may have an architecture: `libc6:armhf`.
    let (percent, text) = loop {
        let (word, after) = rest.split_once(':')?;
        match word.parse::<f64>() {
            Ok(percent) if word.contains('.') => break (percent, after.trim()),
            _ => rest = after,
        }
    };
    // Fetching comes first; it is shown as the first half.
    let percent = (percent.clamp(0.0, 100.0) / 2.0) as u8 + if fetches { 0 } else { 50 };
    Some((text.chars().take(200).collect(), percent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_simulation_are_read() {
        let read = |line: &str| {
            let change = change(line)?;
            Some((
                change.name,
                change.from.unwrap_or_default(),
                change.to.unwrap_or_default(),
            ))
        };
        let of = |name: &str, from: &str, to: &str| Some((name.to_owned(), from.to_owned(), to.to_owned()));
        let lines = [
            ("Inst corosync (3.1.9 localhost [all])", of("corosync", "", "3.1.9")),
            (
                "Inst zfsutils-linux [2.3.9] (2.4.4 localhost [all]) []",
                of("zfsutils-linux", "2.3.9", "2.4.4"),
            ),
            ("Remv libzfs6linux [2.3.9] []", of("libzfs6linux", "2.3.9", "")),
            (
                "Inst libc6:armhf (1:2-3~x+y A:1, B:2 [armhf])",
                of("libc6:armhf", "", "1:2-3~x+y"),
            ),
            ("Inst -o (1 x [all])", None),
            ("Inst a (1;x y [all])", None),
            ("Remv a", None),
            ("Inst a", None),
        ];
        for (line, expected) in lines {
            assert_eq!(read(line), expected, "{line}");
        }
    }

    #[test]
    fn progress_is_read_from_the_status_alone() {
        let text = "pmstatus:libc6:amd64:45.4545:Unpacking: so";
        assert_eq!(progress(text), Some(("Unpacking: so".to_owned(), 72)));
        let text = "pmstatus:libzfs7linux:45.4545:Unpacking libzfs7linux (amd64)";
        assert_eq!(progress(text), Some(("Unpacking libzfs7linux (amd64)".to_owned(), 72)));
        let text = "dlstatus:2:50.0076:Retrieving file 2 of 2";
        assert_eq!(progress(text), Some(("Retrieving file 2 of 2".to_owned(), 25)));
        assert_eq!(progress("Setting up corosync (3.1.9) ..."), None);
        assert_eq!(progress("pmerror:breaks:60.0000:it failed"), None);
    }

    #[test]
    fn room_is_counted_in_thousands() {
        assert_eq!(bytes("2048 kB of additional disk space will be used."), Some(2_048_000));
        assert_eq!(bytes("1,2 GB of"), Some(12_000_000_000));
        assert_eq!(bytes("5 furlongs"), None);
    }
}

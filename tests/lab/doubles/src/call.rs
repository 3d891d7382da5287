//! One call of a double: the machine that it acts on, and what it prints.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::{env, fs};

use serde_json::Value;

/// Why a call ends with an error: what the real program prints on stderr, and its exit code.
#[derive(Debug)]
pub struct Fault {
    /// The exit code, 1 to 255.
    pub code: u8,
    /// Text for stderr; a line end is added.
    pub text: String,
}

impl Fault {
    pub fn new(code: u8, text: impl Into<String>) -> Self {
        Self {
            code,
            text: text.into(),
        }
    }

    /// The usual end of a Perl program: 255, with this text.
    pub fn died(text: impl Into<String>) -> Self {
        Self::new(255, text)
    }

    /// An exit code without a text.
    pub fn silent(code: u8) -> Self {
        Self::new(code, "")
    }

    /// Puts what was attempted before the text.
    pub fn while_doing(mut self, attempted: &str) -> Self {
        self.text.insert_str(0, &format!("{attempted} failed: "));
        self
    }
}

/// The machine and the streams of one call.
pub struct Call {
    root: PathBuf,
    /// Name of this node.
    pub node: String,
    /// Collected stdout.
    pub out: String,
    /// Collected stderr.
    pub err: String,
    /// Stderr that is no error of a task.
    pub late: String,
    /// Whether root runs the double.
    pub is_root: bool,
    /// Bytes of `out` that are printed already.
    printed: usize,
}

impl Call {
    /// Tests set `HEELER_DOUBLES_ROOT` to a folder that stands for `/`, and `HEELER_DOUBLES_USER` to the number of a user,
    /// 0 if it is not set.
    pub fn from_environment() -> Self {
        let root = env::var_os("HEELER_DOUBLES_ROOT").map_or_else(|| PathBuf::from("/"), PathBuf::from);
        let user = match env::var("HEELER_DOUBLES_USER").ok().and_then(|user| user.parse().ok()) {
            None if root == Path::new("/") => fs::metadata("/proc/self").map_or(0, |process| process.uid()),
            given => given.unwrap_or(0),
        };
        Self::new(root, user == 0)
    }

    fn new(root: PathBuf, is_root: bool) -> Self {
        let node = fs::read_to_string(root.join("etc/hostname")).unwrap_or_default();
        Self {
            node: node.trim().split('.').next().unwrap_or_default().to_owned(),
            root,
            out: String::new(),
            err: String::new(),
            late: String::new(),
            is_root,
            printed: 0,
        }
    }

    /// A call on another machine.
    pub fn with_root(&self, root: PathBuf) -> Self {
        Self::new(root, self.is_root)
    }

    /// The place of an absolute path on this machine.
    pub fn place(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// Whether a folder stands for `/`.
    pub fn has_other_root(&self) -> bool {
        self.root != Path::new("/")
    }

    /// This node's address as /etc/hosts has it.
    pub fn address(&self) -> Option<String> {
        let hosts = self.read("/etc/hosts")?;
        hosts.lines().map(str::split_whitespace).find_map(|mut words| {
            let address = words.next()?;
            words.any(|name| name == self.node).then(|| address.to_owned())
        })
    }

    pub fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.place(path)).ok()
    }

    /// What Perl's `die` exits with where the program looked for the realms before: the error number that is left over.
    pub fn left_over(&self) -> u8 {
        if self.place("/etc/pve/domains.cfg").exists() {
            255
        } else {
            2
        }
    }

    /// Fails when pmxcfs is down, or answers root alone: its own files are in `/etc/pve` as long as it is mounted.
    pub fn reach_pmxcfs(&mut self) -> Result<(), Fault> {
        let is_up = self.place("/etc/pve/.version").exists() && self.switch("pmxcfs-down").is_none();
        let (error, code) = match (is_up, self.is_root) {
            (true, true) => ("", 0),
            (_, false) => ("Unknown error -1", 255),
            (false, true) => ("Connection refused", 111),
        };
        // Only the first call after pmxcfs went down waits.
        let known = self.place("/run/pve-doubles-down");
        if is_up {
            let _ = fs::remove_file(known);
        } else if !known.exists() {
            let _ = fs::create_dir_all(self.place("/run")).and_then(|()| fs::write(known, ""));
            self.wait(10);
        }
        if code == 0 {
            return Ok(());
        }
        for attempt in 1..=3 {
            self.err += &format!("ipcc_send_rec[{attempt}] failed: {error}\n");
        }
        Err(Fault::new(code, format!("Unable to load access control list: {error}")))
    }

    /// Prints what was collected so far, before a wait that may be long.
    pub fn flush(&mut self) {
        use std::io::Write;
        let _ = std::io::stdout().write_all(self.out.get(self.printed..).unwrap_or_default().as_bytes());
        let _ = std::io::stdout().flush();
        self.printed = self.out.len();
    }

    /// Seconds since 1970.
    #[expect(
        clippy::disallowed_methods,
        reason = "tasks have the time of the machine in their names"
    )]
    pub fn now(&self) -> u64 {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.map_or(0, |now| now.as_secs())
    }

    /// What pmxcfs knows of the cluster; null on a node that stands alone.
    pub fn members(&self) -> Value {
        let members = self.read("/etc/pve/.members").unwrap_or_default();
        serde_json::from_str(&members).unwrap_or_default()
    }

    pub fn fail(&mut self, fault: &Fault) -> u8 {
        if !fault.text.is_empty() {
            self.err += &format!("{}\n", fault.text);
        }
        fault.code
    }
}

//! The installed packages: dpkg's database, and the files as each package has them.

use std::collections::{BTreeMap, BTreeSet};

use super::machine::Machine;
use super::state::State;
use crate::initramfs;

/// All packages, by name.
#[derive(Debug, Clone, Default)]
pub(super) struct Packages {
    pub(super) all: BTreeMap<&'static str, Package>,
    /// Whether dpkg was killed: what it did is not in its database yet.
    pub(super) interrupted: bool,
    /// Whether no mirror has any of them.
    pub(super) gone: bool,
    /// Packages whose script fails.
    pub(super) failing: BTreeSet<String>,
    /// Packages that a person holds.
    pub(super) held: BTreeSet<String>,
    /// Packages of which the first removes the second.
    pub(super) conflicts: Vec<(String, String)>,
}

#[derive(Debug, Clone)]
pub(super) struct Package {
    pub(super) version: &'static str,
    /// dpkg's words for what is wanted, and for how far it is.
    pub(super) want: &'static str,
    pub(super) state: &'static str,
    pub(super) broken: bool,
    pub(super) files: Vec<Packaged>,
}

impl Package {
    /// Installed, without files.
    pub(super) const fn new(version: &'static str) -> Self {
        Self {
            version,
            want: "install",
            state: "installed",
            broken: false,
            files: Vec::new(),
        }
    }
}

/// A file of a package. The package's script reads its first conffile, when that is there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packaged {
    pub(super) path: &'static str,
    pub(super) conffile: bool,
    pub(super) bytes: &'static [u8],
}

const fn conffile(path: &'static str, text: &'static str) -> Packaged {
    Packaged {
        path,
        conffile: true,
        bytes: text.as_bytes(),
    }
}

const fn program(path: &'static str, bytes: &'static [u8]) -> Packaged {
    Packaged {
        path,
        conffile: false,
        bytes,
    }
}

const INITRAMFS_TOOLS: [Packaged; 3] = [
    conffile(initramfs::CONF, initramfs::PACKAGED),
    conffile("/etc/initramfs-tools/initramfs.conf", "MODULES=most\n"),
    program("/usr/sbin/update-initramfs", b"#!/bin/sh\n"),
];
const CRON: [Packaged; 4] = [
    conffile("/etc/default/cron", "# EXTRA_OPTS=\"\"\n"),
    conffile("/etc/crontab", "SHELL=/bin/sh\n"),
    program("/usr/sbin/cron", b"\x7fELF\x02\x01\x01\0"),
    program("/usr/share/doc/cron/copyright", b"Copyright\n"),
];

impl State {
    /// The packages of a freshly flashed system, with their files.
    pub(super) fn install_packages(&mut self) {
        let package = |version, files: &[Packaged]| Package {
            files: files.to_vec(),
            ..Package::new(version)
        };
        self.os.packages = Packages::default();
        let all = &mut self.os.packages.all;
        all.insert("cron", package("3.0pl1-197", &CRON));
        all.insert("initramfs-tools", package("0.148.3+rpt2", &INITRAMFS_TOOLS));
        for file in CRON.iter().chain(&INITRAMFS_TOOLS) {
            self.os.files.put(file.path, file.bytes);
        }
        self.write_status();
    }

    /// Writes dpkg's database, as dpkg does at its end.
    pub(super) fn write_status(&mut self) {
        let stanza = |(name, package): (&&str, &Package)| {
            let flag = if package.broken { "reinstreq" } else { "ok" };
            let (want, state, version) = (package.want, package.state, package.version);
            format!("Package: {name}\nStatus: {want} {flag} {state}\nVersion: {version}\n\n")
        };
        let text: String = self.os.packages.all.iter().map(stanza).collect();
        self.os.files.put(crate::dpkg::STATUS, text);
    }
}

impl Machine {
    /// Leaves a package as an interrupted dpkg does: `half-installed`, `unpacked` or `half-configured`.
    ///
    /// # Panics
    /// When there is no such package.
    pub fn interrupt_package(&self, name: &str, state: &'static str) {
        let mut machine = self.lock();
        #[expect(clippy::expect_used, reason = "a test names a package that is there")]
        let package = machine.os.packages.all.get_mut(name).expect("an installed package");
        (package.state, package.broken) = (state, state == "half-installed");
        machine.os.packages.interrupted |= state == "half-installed";
        machine.write_status();
    }

    /// Leaves a package as an interrupted removal does.
    ///
    /// # Panics
    /// When there is no such package.
    pub fn interrupt_removal(&self, name: &str) {
        self.interrupt_package(name, "half-installed");
        if let Some(package) = self.lock().os.packages.all.get_mut(name) {
            package.want = "deinstall";
        }
    }

    /// Installs a package without files, or another version of it.
    pub fn put_package(&self, name: &'static str, version: &'static str) {
        let mut machine = self.lock();
        let package = Package::new(version);
        machine.os.packages.all.insert(name, package);
        machine.write_status();
    }

    /// The version and dpkg's word for the state of a package; None when dpkg does not know it.
    pub fn package(&self, name: &str) -> Option<(&'static str, &'static str)> {
        let machine = self.lock();
        let package = machine.os.packages.all.get(name)?;
        Some((package.version, package.state))
    }

    /// Sets whether the script of a package fails, each time that it is configured.
    pub fn set_script_fails(&self, name: &str, does: bool) {
        let failing = &mut self.lock().os.packages.failing;
        match does {
            true => failing.insert(name.to_owned()),
            false => failing.remove(name),
        };
    }

    /// `apt-mark hold NAME`, or `unhold`.
    pub fn hold_package(&self, name: &str, is: bool) {
        let held = &mut self.lock().os.packages.held;
        match is {
            true => held.insert(name.to_owned()),
            false => held.remove(name),
        };
    }

    /// The package `new` removes `old` from now on.
    pub fn set_conflict(&self, new: &str, old: &str) {
        let conflict = (new.to_owned(), old.to_owned());
        self.lock().os.packages.conflicts.push(conflict);
    }

    /// Sets the version of ZFS's module for a release of the kernel; None: it has none.
    pub fn put_module(&self, release: &str, version: Option<&'static str>) {
        self.lock().os.modules.insert(release.to_owned(), version);
    }

    /// Sets the free room of the root file system, in bytes.
    pub fn set_card_free(&self, bytes: u64) {
        self.lock().os.free_bytes = bytes;
    }

    /// Sets which program holds dpkg's lock.
    pub fn lock_dpkg(&self, program: Option<&str>) {
        self.lock().kernel.locks_dpkg = program.map(str::to_owned);
    }

    /// Sets whether apt finds no mirror that has a package.
    pub fn set_mirrors_gone(&self, are: bool) {
        self.lock().os.packages.gone = are;
    }
}

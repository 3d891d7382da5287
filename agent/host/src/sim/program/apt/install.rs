//! `apt-get install`, of versions that the pins choose. The texts are those of apt 2.6.1.

use super::policy::candidate;
use crate::Output;
use crate::apt::Change;
use crate::sim::packages::Package;
use crate::sim::power::Gone;
use crate::sim::program::{complained, printed};
use crate::sim::repository::Server;
use crate::sim::state::State;

/// What a package depends on, as far as tests need it.
const NEEDS: [(&str, &[&str]); 3] = [
    ("pve-manager", &["corosync", "postfix"]),
    ("pve-cluster", &["corosync"]),
    ("zfs-zed", &["zfsutils-linux"]),
];
/// Packages of which the first needs the second in its own version.
const SAME: [(&str, &str); 1] = [("zfs-zed", "zfsutils-linux")];
/// Of each package, in kB: to fetch, and its files.
const SIZES: (usize, usize) = (1000, 4000);

pub(super) fn run(state: &mut State, args: &[&str]) -> Result<Option<Output>, Gone> {
    let Some(at) = args.iter().position(|arg| *arg == "install") else {
        return Ok(None);
    };
    let (options, names) = (&args[..at], &args[at + 1..]);
    let again = options.contains(&"--reinstall");
    if again != options.contains(&"--fix-broken") || !options.contains(&"--no-install-recommends") {
        return Ok(None);
    }
    let looks = options.contains(&"-s") || options.contains(&"--print-uris");
    if let Some(refused) = state.apt_may_not().filter(|_| !looks) {
        return Ok(Some(refused));
    }
    let changes = match resolved(state, names, again) {
        Ok(changes) => changes,
        Err(refused) => return Ok(Some(refused)),
    };
    Ok(Some(match options {
        ["-s", ..] => printed(simulated(&changes)),
        _ if looks => printed(uris(&changes)),
        _ => {
            let removes = changes.iter().any(|change| change.to.is_none());
            assert_ne!(
                removes,
                options.contains(&"--no-remove"),
                "removals are planned or forbidden"
            );
            apply(state, &changes)?
        }
    }))
}

fn there<'a>(state: &'a State, name: &str) -> Option<&'a Package> {
    let package = state.os.packages.all.get(name)?;
    (package.state != "config-files").then_some(package)
}

fn resolved(state: &State, names: &[&str], again: bool) -> Result<Vec<Change>, Output> {
    let mut changes: Vec<Change> = Vec::new();
    for name in names {
        if let Some(removed) = name.strip_suffix('-') {
            remove(state, removed, &mut changes);
            continue;
        }
        let (name, version) = name
            .split_once('=')
            .map_or((*name, None), |(name, version)| (name, Some(version)));
        add(state, name, version, again, &mut changes)?;
    }
    let mut held = changes
        .iter()
        .filter(|change| change.from.is_some() && state.os.packages.held.contains(&change.name));
    match held.next() {
        Some(one) => Err(Output {
            code: 100,
            stdout: format!("The following held packages will be changed:\n  {}\n", one.name),
            stderr: "E: Held packages were changed and -y was used without --allow-change-held-packages.\n".to_owned(),
        }),
        None => Ok(changes),
    }
}

fn add(state: &State, name: &str, wanted: Option<&str>, again: bool, into: &mut Vec<Change>) -> Result<(), Output> {
    if into.iter().any(|change| change.name == name) {
        return Ok(());
    }
    let now = there(state, name);
    let missing = |text: String| complained(100, text);
    let (version, _) =
        candidate(state, name).ok_or_else(|| missing(format!("E: Unable to locate package {name}\n")))?;
    if let Some(wanted) = wanted.filter(|wanted| *wanted != version) {
        return Err(missing(format!("E: Version '{wanted}' for '{name}' was not found\n")));
    }
    let same = now.is_some_and(|package| package.version == version);
    if same && !(again && now.is_some_and(|package| package.broken)) {
        return Ok(());
    }
    for (_, needs) in NEEDS.iter().filter(|(of, _)| *of == name) {
        for need in *needs {
            let fits = SAME.contains(&(name, need)) || there(state, need).is_none();
            if fits {
                add(state, need, None, again, into)?;
            }
        }
    }
    into.push(Change {
        name: name.to_owned(),
        from: now.map(|package| package.version.to_owned()),
        to: Some(version),
    });
    let conflicts = state.os.packages.conflicts.iter();
    for (_, old) in conflicts.filter(|(new, _)| new == name) {
        remove(state, old, into);
    }
    Ok(())
}

fn remove(state: &State, name: &str, into: &mut Vec<Change>) {
    let known = into.iter().any(|change| change.name == name);
    if let Some(package) = there(state, name).filter(|_| !known) {
        into.push(Change {
            name: name.to_owned(),
            from: Some(package.version.to_owned()),
            to: None,
        });
    }
}

fn simulated(changes: &[Change]) -> String {
    let line = |change: &Change| {
        let from = change
            .from
            .as_ref()
            .map(|version| format!(" [{version}]"))
            .unwrap_or_default();
        match &change.to {
            Some(version) => format!("Inst {}{from} ({version} Debian:13 [arm64])\n", change.name),
            None => format!("Remv {}{from}\n", change.name),
        }
    };
    changes.iter().map(line).collect()
}

fn uris(changes: &[Change]) -> String {
    let new = changes
        .iter()
        .filter_map(|change| Some((&change.name, change.to.as_ref()?)));
    let lines: Vec<String> = new
        .map(|(name, version)| {
            format!(
                "'http://mirror/{name}.deb' {name}_{version}.deb {}000 SHA256:0\n",
                SIZES.0
            )
        })
        .collect();
    let grows = lines.len() * SIZES.1;
    format!(
        "After this operation, {grows} kB of additional disk space will be used.\n{}",
        lines.concat()
    )
}

/// The static name and version of a package, and why it cannot be fetched.
fn fetched(state: &State, name: &str, version: &str) -> Result<(&'static str, &'static str), String> {
    let (_, from) = candidate(state, name).unwrap_or_default();
    let of = |repository: &&crate::sim::Repository| Some(&repository.uri) == from.as_ref();
    let uri = from.clone().unwrap_or_default();
    let failed = |why: &str| {
        format!(
            "E: Failed to fetch {uri}/pool/{name}.deb  {why}\nE: Unable to fetch some archives, maybe run apt-get update or try with \
             --fix-missing?\n"
        )
    };
    let repository = state
        .board
        .repositories
        .iter()
        .find(of)
        .ok_or_else(|| failed("404  Not Found"))?;
    match repository.server {
        Server::Silent => {
            return Err(failed(
                "Could not connect to 127.0.0.1:1 (127.0.0.1). - connect (111: Connection refused)",
            ));
        }
        Server::Truncated | Server::Changed => return Err(failed("Hash Sum mismatch")),
        Server::Serves | Server::Old => {}
    }
    let mut packages = repository.packages.iter();
    let found = packages.find(|(known, number, _)| (*known, *number) == (name, version));
    found
        .map(|(name, version, _)| (*name, *version))
        .ok_or_else(|| failed("404  Not Found"))
}

/// All is fetched before anything is unpacked.
fn apply(state: &mut State, changes: &[Change]) -> Result<Output, Gone> {
    if state.os.full {
        let text = "E: You don't have enough free space in /var/cache/apt/archives/.\n";
        return Ok(complained(100, text));
    }
    let mut new = Vec::new();
    for (name, version) in changes
        .iter()
        .filter_map(|change| Some((&change.name, change.to.as_ref()?)))
    {
        match fetched(state, name, version) {
            Ok(package) => new.push(package),
            Err(text) => return Ok(complained(100, text)),
        }
        state.power.point()?;
    }
    let mut output = printed("dlstatus:1:100.0000:Retrieving file 1 of 1\n");
    for change in changes.iter().filter(|change| change.to.is_none()) {
        state.os.packages.all.retain(|name, _| *name != change.name);
        state.os.packages.interrupted = true;
        state.power.point()?;
    }
    for (name, version) in new {
        state.os.packages.all.insert(name, Package::new(version));
        state.set_package(name, "half-installed");
        state.power.point()?;
        state.set_package(name, "unpacked");
        output.stdout += &format!("pmstatus:{name}:20.0000:Unpacking {name} (arm64)\n");
        state.power.point()?;
    }
    state.configure_packages(false, &mut output)?;
    if !output.ok() {
        output.code = 100;
        output.stderr += "E: Sub-process /usr/bin/dpkg returned an error code (1)\n";
    }
    Ok(output)
}

impl State {
    /// What a package brings when it is configured, beside its files.
    pub(in crate::sim::program) fn configured(&mut self, name: &str, version: &str) {
        match name {
            "zfs-dkms" => drop(self.build_modules()),
            "zfsutils-linux" => {
                let programs = ["zpool", "zfs", "zdb", "zgenhostid"];
                self.os.missing.retain(|program| !programs.contains(&program.as_str()));
            }
            "ifupdown2" => self.os.ifupdown2 = Some(version.to_owned()),
            _ => {}
        }
    }

    /// dkms: it builds ZFS's module when its sources and the kernel's headers are there. Whether they are.
    pub(in crate::sim::program) fn build_modules(&mut self) -> bool {
        let there = |name: &str| {
            self.os
                .packages
                .all
                .get(name)
                .is_some_and(|one| one.state == "installed")
        };
        let headers = there(&format!("linux-headers-{}", self.release()));
        if headers {
            self.os.missing.remove("zfs.ko");
            let release = self.release();
            self.os.modules.remove(&release);
        }
        headers
    }
}

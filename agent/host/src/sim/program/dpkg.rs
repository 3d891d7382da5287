use std::path::Path;

use super::{complained, printed};
use crate::Output;
use crate::dpkg::FRONTEND_LOCK;
use crate::sim::packages::{Package, Packaged};
use crate::sim::power::Gone;
use crate::sim::state::State;

/// dpkg and apt about the packages that are there. The texts are those of dpkg 1.22.22 and apt 3.0.3.
pub(super) fn run(state: &mut State, program: &str, args: &[&str]) -> Result<Option<Output>, Gone> {
    let holder = state.kernel.locks_dpkg.clone();
    Ok(match (program, args) {
        (
            "lslocks",
            [
                "--noheadings",
                "--raw",
                "--notruncate",
                "--output",
                "PID,INODE,MAJ:MIN,COMMAND",
            ],
        ) => {
            let line = |program| format!("4711 1234 179:2 {program}\n");
            Some(printed(holder.map_or(String::new(), line)))
        }
        ("stat", ["--format=%i %Hd:%Ld", FRONTEND_LOCK]) => Some(printed("1234 179:2\n")),
        ("stat", ["--file-system", "--format=%a %S", "/"]) => {
            let free = if state.os.full { 0 } else { state.os.free_bytes };
            Some(printed(format!("{} 4096\n", free / 4096)))
        }
        ("dkms", ["autoinstall", "-k", release]) => Some(match state.build_modules() {
            true => printed(""),
            false => complained(
                21,
                format!(
                    "Error! Your kernel headers for kernel {release} cannot be found at /lib/modules/{release}/build or /lib/modules/{release}/source.\n"
                ),
            ),
        }),
        ("debconf-set-selections", [file]) => {
            let answers = state.os.files.text(file).unwrap_or_default();
            state.os.files.put("/var/cache/debconf/config.dat", answers);
            Some(printed(""))
        }
        ("dpkg-query", ["-W", "-f", _]) => Some(printed(states(state))),
        ("dpkg-query", ["-S", paths @ ..]) => Some(owners(state, paths)),
        ("dpkg", ["--verify", names @ ..]) => Some(printed(verify(state, names))),
        ("dpkg", ["--audit"]) => Some(printed(audit(state))),
        ("apt-get", ["-s", "-y", "-q", "--no-remove", "install", "--reinstall", names @ ..]) => {
            Some(simulate(state, names))
        }
        ("dpkg", _) if holder.is_some() => Some(complained(
            2,
            format!(
                "dpkg: error: dpkg frontend lock was locked by {} process with pid 4711\nNote: removing the lock file \
                 is always wrong, can damage the locked area\nand the entire system. See \
                 <https://wiki.debian.org/Teams/Dpkg/FAQ#db-lock>.\n",
                holder.unwrap_or_default()
            ),
        )),
        ("dpkg", ["--set-selections"]) => {
            state.ended();
            Some(printed(""))
        }
        ("dpkg", ["--configure", "-a", "--force-confdef", "--force-confold", more @ ..]) => {
            let mut output = printed("");
            state.configure_packages(more == ["--force-confmiss"], &mut output)?;
            Some(output)
        }
        ("apt-get", ["-y", "-q", rest @ ..]) => {
            let at = rest
                .windows(3)
                .position(|words| words == ["--no-remove", "install", "--reinstall"]);
            let brings_back = rest.contains(&"Dpkg::Options::=--force-confmiss");
            match at {
                Some(at) => Some(state.reinstall(&rest[at + 3..], brings_back)?),
                None => None,
            }
        }
        _ => None,
    })
}

fn states(state: &State) -> String {
    let line = |(name, package): (&&str, &Package)| {
        let flag = if package.broken { "reinstreq" } else { "ok" };
        format!(
            "{name}\t{}\t{}\t{}\t{flag}\n",
            package.version, package.want, package.state
        )
    };
    state.os.packages.all.iter().map(line).collect()
}

fn owners(state: &State, paths: &[&str]) -> Output {
    let mut output = printed("");
    for path in paths {
        let of = |package: &Package| package.files.iter().any(|file| file.path == *path);
        match state.os.packages.all.iter().find(|(_, package)| of(package)) {
            Some((name, _)) => output.stdout += &format!("{name}: {path}\n"),
            None => {
                output.code = 1;
                output.stderr += &format!("dpkg-query: no path found matching pattern {path}\n");
            }
        }
    }
    output
}

fn verify(state: &State, names: &[&str]) -> String {
    let mut text = String::new();
    for (name, package) in &state.os.packages.all {
        let mut files = package.files.clone();
        files.sort_by_key(|file| file.path);
        for file in files.iter().filter(|_| names.is_empty() || names.contains(name)) {
            let (kind, path) = (if file.conffile { 'c' } else { ' ' }, file.path);
            match state.os.files.read(Path::new(path)) {
                Ok(bytes) if bytes == file.bytes => {}
                Ok(_) => text += &format!("??5?????? {kind} {path}\n"),
                Err(_) => text += &format!("missing   {kind} {path}\n"),
            }
        }
    }
    text
}

fn audit(state: &State) -> String {
    let sections = [
        (
            "half-installed",
            "The following packages are in a mess due to serious problems during\ninstallation.  They must be \
             reinstalled for them (and any packages\nthat depend on them) to function properly:\n",
        ),
        (
            "unpacked",
            "The following packages have been unpacked but not yet configured.\nThey must be configured using dpkg \
             --configure or the configure\nmenu option in dselect for them to work:\n",
        ),
        (
            "half-configured",
            "The following packages are only half configured, probably due to problems\nconfiguring them the first \
             time.  The configuration should be retried using\ndpkg --configure <package> or the configure menu option \
             in dselect:\n",
        ),
    ];
    let mut text = String::new();
    for (word, heading) in sections {
        let packages = state.os.packages.all.iter();
        let named = packages.filter(|(_, package)| package.state == word);
        let lines: String = named.map(|(name, _)| format!(" {name:<20} a package\n")).collect();
        if !lines.is_empty() {
            text += &format!("{heading}{lines}\n");
        }
    }
    text
}

/// Why apt reinstalls nothing; None when it does.
fn refused(state: &State, names: &[&str]) -> Option<Output> {
    let packages = &state.os.packages;
    let broken = |name: &&&str| packages.all.get(**name).is_some_and(|package| package.broken);
    packages.gone.then(|| match names.iter().find(broken) {
        Some(name) => complained(
            100,
            format!("E: The package {name} needs to be reinstalled, but I can't find an archive for it.\n"),
        ),
        None => {
            let line = |name: &&str| format!("Reinstallation of {name} is not possible, it cannot be downloaded.\n");
            printed(names.iter().map(line).collect::<String>())
        }
    })
}

fn simulate(state: &State, names: &[&str]) -> Output {
    refused(state, names).unwrap_or_else(|| {
        let version = |name: &&str| state.os.packages.all.get(*name).map_or("", |package| package.version);
        let line = |name: &&str| format!("Inst {name} [{0}] ({0} Debian:13 [arm64])\n", version(name));
        printed(names.iter().map(line).collect::<String>())
    })
}

impl State {
    /// dpkg ends: what it did is in its database.
    fn ended(&mut self) {
        self.os.packages.interrupted = false;
        self.write_status();
    }

    pub(super) fn set_package(&mut self, name: &str, state: &'static str) {
        if let Some(package) = self.os.packages.all.get_mut(name) {
            (package.state, package.broken) = (state, state == "half-installed");
        }
        self.os.packages.interrupted = true;
    }

    /// Why apt changes nothing now; None when it may.
    pub(super) fn apt_may_not(&self) -> Option<Output> {
        if let Some(program) = &self.kernel.locks_dpkg {
            let text = format!(
                "Waiting for cache lock: Could not get lock {FRONTEND_LOCK}. It is held by process 4711 ({program})...\n\
                 E: Unable to acquire the dpkg frontend lock ({FRONTEND_LOCK}), is another process using it?\n"
            );
            return Some(complained(100, text));
        }
        let text = "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem. \n";
        self.os.packages.interrupted.then(|| complained(100, text))
    }

    fn reinstall(&mut self, names: &[&str], brings_back: bool) -> Result<Output, Gone> {
        if let Some(refused) = self.apt_may_not() {
            return Ok(refused);
        }
        if let Some(refused) = refused(self, names) {
            return Ok(refused);
        }
        for name in names {
            if self
                .os
                .packages
                .all
                .get(name)
                .is_some_and(|package| package.state == "half-configured")
            {
                return Ok(complained(
                    100,
                    format!("E: Internal Error, No file name for {name}:arm64\n"),
                ));
            }
        }
        let mut output = printed("");
        for name in names {
            self.set_package(name, "half-installed");
            self.power.point()?;
            let files = self.os.packages.all.get(name).map(|package| package.files.clone());
            for file in files.iter().flatten().filter(|file| !file.conffile) {
                self.os.files.put(file.path, file.bytes);
            }
            self.set_package(name, "unpacked");
            self.power.point()?;
            output.stdout += &format!("Unpacking {name} ...\n");
        }
        self.configure_packages(brings_back, &mut output)?;
        if !output.ok() {
            output.code = 100;
            output.stderr += "E: Sub-process /usr/bin/dpkg returned an error code (1)\n";
        }
        Ok(output)
    }

    /// Configures all packages that are unpacked or half configured; exits with 0 although half-installed ones are left.
    pub(super) fn configure_packages(&mut self, brings_back: bool, output: &mut Output) -> Result<(), Gone> {
        let mut failed = String::new();
        let pending = |(name, package): (&&'static str, &Package)| {
            matches!(package.state, "unpacked" | "half-configured").then_some((*name, package.clone()))
        };
        let all: Vec<(&str, Package)> = self.os.packages.all.iter().filter_map(pending).collect();
        for (name, package) in all {
            output.stdout += &format!("Setting up {name} ({}) ...\n", package.version);
            let conffiles: Vec<Packaged> = package.files.into_iter().filter(|file| file.conffile).collect();
            for file in conffiles.iter().filter(|_| brings_back && package.state == "unpacked") {
                if !self.os.files.has(Path::new(file.path)) {
                    self.os.files.put(file.path, file.bytes);
                    self.power.point()?;
                }
            }
            self.set_package(name, "half-configured");
            self.power.point()?;
            let read = conffiles
                .first()
                .and_then(|file| Some((file.path, self.os.files.read(Path::new(file.path)).ok()?)));
            match read {
                Some((path, bytes)) if bytes.contains(&0) => {
                    output.stderr += &format!(
                        "/var/lib/dpkg/info/{name}.postinst: 1: {path}: {}: not found\ndpkg: error processing package \
                         {name} (--configure):\n installed {name} package post-installation script subprocess returned \
                         error exit status 127\n",
                        String::from_utf8_lossy(bytes).replace('\0', "")
                    );
                    failed += &format!(" {name}\n");
                }
                _ if self.os.packages.failing.contains(name) => {
                    let why = format!(
                        "installed {name} package post-installation script subprocess returned error exit status 3"
                    );
                    output.stderr += &format!("dpkg: error processing package {name} (--configure):\n {why}\n");
                    failed += &format!(" {name}\n");
                }
                _ => {
                    self.set_package(name, "installed");
                    self.configured(name, package.version);
                }
            }
        }
        if !failed.is_empty() {
            output.code = 1;
            output.stderr += &format!("Errors were encountered while processing:\n{failed}");
        }
        self.ended();
        self.power.point()
    }
}

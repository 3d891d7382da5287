//! apt and dpkg read the packages of the doubles in a system of their own, a folder.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use heeler_lab::proxmox::{self, Key, Repository};
use heeler_lab::run::{Finished, finish, must, program};
use tempfile::TempDir;

/// A repository, and an apt that knows nothing but it.
struct Apt {
    folder: TempDir,
    repository: Repository,
    key: Key,
}

impl Apt {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = Key::make(&folder.path().join("key")).unwrap();
        let doubles = PathBuf::from("/bin/true");
        let repository = proxmox::build(folder.path(), &doubles, &key).unwrap();
        let apt = Self {
            folder,
            repository,
            key,
        };
        for name in ["state/lists/partial", "cache/archives/partial", "etc/preferences.d"] {
            fs::create_dir_all(apt.path(name)).unwrap();
        }
        apt.has(&[
            ("ifupdown2", "3.0.0-1.3"),
            ("zfsutils-linux", "2.3.9-0+deb13u1"),
            ("libzfs6linux", "2.3.9-0+deb13u1"),
        ]);
        let source = format!(
            "Types: deb\nURIs: file:{}\nSuites: trixie\nComponents: pve-no-subscription\nSigned-By: {}\n",
            apt.repository.root().display(),
            apt.key.public().display()
        );
        fs::write(apt.path("etc/proxmox.sources"), source).unwrap();
        apt
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What dpkg says is installed.
    fn has(&self, packages: &[(&str, &str)]) {
        let entry = |(name, version): &(&str, &str)| {
            format!(
                "Package: {name}\nStatus: install ok installed\nVersion: {version}\nArchitecture: all\n\
                 Maintainer: nobody <nobody@example.invalid>\nDescription: x\n\n"
            )
        };
        fs::write(
            self.path("state/status"),
            packages.iter().map(entry).collect::<String>(),
        )
        .unwrap();
    }

    fn run(&self, name: &str, arguments: &[&str]) -> Finished {
        let mut apt: Command = program(name, ["-q"]);
        for (option, file) in [
            ("Dir::State", "state"),
            ("Dir::State::status", "state/status"),
            ("Dir::Cache", "cache"),
            ("Dir::Etc::sourcelist", "etc/proxmox.sources"),
            ("Dir::Etc::preferencesparts", "etc/preferences.d"),
        ] {
            apt.args(["-o", &format!("{option}={}", self.path(file).display())]);
        }
        apt.args([
            "-o",
            "Dir::Etc::sourceparts=-",
            "-o",
            "APT::Sandbox::User=root",
            "-o",
            "Dir::Etc::preferences=/nowhere",
        ]);
        // What the machine of the test says about dates does not count.
        apt.args([
            "-o",
            "Acquire::Check-Valid-Until=true",
            "-o",
            "Acquire::Check-Date=true",
        ]);
        finish(apt.args(arguments)).unwrap()
    }

    fn plan(&self, packages: &[&str]) -> Finished {
        let arguments = [&["install", "--simulate", "--yes"][..], packages].concat();
        self.run("apt-get", &arguments)
    }
}

#[test]
fn apt_plans_a_node_without_a_kernel_of_proxmox() {
    let apt = Apt::new();
    let updated = apt.run("apt-get", &["update"]);
    assert!(updated.ok() && !updated.stderr.contains("W:"), "{}", updated.stderr);
    let planned = apt.plan(&["--no-install-recommends", "pve-manager", "qemu-server", "pve-cluster"]);
    assert!(planned.ok(), "{}", planned.stderr);
    for name in [
        "pve-manager",
        "pve-cluster",
        "corosync",
        "libpve-access-control",
        "libpve-storage-perl",
    ] {
        assert!(
            planned.stdout.contains(&format!("Inst {name} ")),
            "{name}: {}",
            planned.stdout
        );
    }
    assert!(!planned.stdout.contains("Inst proxmox-kernel"), "{}", planned.stdout);
    let whole = apt.plan(&["proxmox-ve"]);
    assert!(whole.stdout.contains("Inst proxmox-kernel-6.17 "), "{}", whole.stdout);
}

#[test]
fn recommended_packages_replace_the_userland_of_zfs() {
    let apt = Apt::new();
    apt.run("apt-get", &["update"]);
    let planned = apt.plan(&["pve-manager"]);
    assert!(
        planned
            .stdout
            .contains("Inst zfsutils-linux [2.3.9-0+deb13u1] (2.4.4-pve1"),
        "{}",
        planned.stdout
    );
    fs::write(
        apt.path("etc/preferences.d/zfs"),
        "Package: zfsutils-linux zfs-zed libzfs7linux\nPin: origin \"\"\nPin-Priority: -1\n",
    )
    .unwrap();
    let pinned = apt.plan(&["pve-manager"]);
    assert!(
        pinned.ok() && !pinned.stdout.contains("Inst zfsutils-linux"),
        "{}",
        pinned.stdout
    );
}

#[test]
fn apt_refuses_a_changed_key_and_an_old_list() {
    let apt = Apt::new();
    let update = || apt.run("apt-get", &["update", "-o", "APT::Update::Error-Mode=any"]);
    assert!(update().ok());
    apt.repository
        .sign(&apt.key, Some("Thu, 01 Jan 2026 00:00:00 UTC"))
        .unwrap();
    let old = update();
    assert!(!old.ok() && old.stderr.contains("is expired"), "{}", old.stderr);
    let other = Key::make(&apt.path("other-key")).unwrap();
    let other_fingerprint = other.fingerprint().unwrap();
    assert_ne!(other_fingerprint, apt.key.fingerprint().unwrap());
    apt.repository.sign(&other, None).unwrap();
    let changed = update();
    // Each apt names the missing key in its own words.
    let named = changed.stderr.contains(other_fingerprint.get(24..).unwrap());
    assert!(!changed.ok() && named, "{}", changed.stderr);
}

#[test]
fn apt_refuses_a_package_that_was_cut() {
    let apt = Apt::new();
    apt.repository.cut("pve-manager").unwrap();
    assert!(apt.run("apt-get", &["update"]).ok());
    let got = apt.run("apt-get", &["install", "--download-only", "--yes", "pve-manager"]);
    assert!(!got.ok() && got.stderr.contains("Hash Sum mismatch"), "{}", got.stderr);
}

#[test]
fn a_package_can_break_and_get_newer() {
    let apt = Apt::new();
    apt.repository.break_configuration("qemu-server", &apt.key).unwrap();
    let broken = must(
        program("dpkg-deb", ["--info"])
            .arg(apt.repository.package("qemu-server").unwrap())
            .arg("postinst"),
    );
    assert!(broken.unwrap().ends_with("exit 1\n"));
    apt.has(&[("ifupdown2", "3.0.0-1.3"), ("pve-firmware", "3.17-2")]);
    apt.repository.publish("pve-firmware", "3.18-1", &apt.key).unwrap();
    apt.run("apt-get", &["update"]);
    let planned = apt.plan(&["pve-firmware"]);
    assert!(
        planned.stdout.contains("Inst pve-firmware [3.17-2] (3.18-1 "),
        "{}",
        planned.stdout
    );
}

#[test]
fn each_package_has_what_its_name_promises() {
    let apt = Apt::new();
    let package = |name: &str| apt.repository.package(name).unwrap();
    let contents = |path: &Path| must(program("dpkg-deb", ["--contents"]).arg(path)).unwrap();
    for (start, files) in [
        (
            "pve-cluster",
            vec![
                "./usr/bin/pmxcfs -> /usr/libexec/pve-doubles",
                "system/pve-cluster.service",
            ],
        ),
        (
            "pve-manager",
            vec![
                "pvenetcommit.service",
                "./etc/apt/sources.list.d/pve-enterprise.sources",
                "usr/bin/pvesh",
            ],
        ),
        (
            "libpve-access-control",
            vec!["./usr/sbin/pveum -> /usr/libexec/pve-doubles"],
        ),
        ("libpve-common-perl", vec!["./usr/libexec/pve-doubles"]),
        (
            "proxmox-archive-keyring",
            vec!["./usr/share/keyrings/proxmox-archive-keyring.gpg"],
        ),
    ] {
        let shown = contents(&package(start));
        for file in files {
            assert!(shown.contains(file), "{start}: no {file} in\n{shown}");
        }
        assert!(shown.lines().all(|line| line.contains(" root/root ")), "{shown}");
    }
    let shown = must(program("dpkg-deb", ["--info"]).arg(package("pve-manager"))).unwrap();
    assert!(shown.contains("Depends: ifupdown2 (>= 3.0) | ifenslave,"), "{shown}");
    let script = must(
        program("dpkg-deb", ["--info"])
            .arg(package("pve-manager"))
            .arg("postinst"),
    )
    .unwrap();
    assert!(script.contains("/etc/network/interfaces.new"), "{script}");
}

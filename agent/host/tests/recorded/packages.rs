//! What dpkg printed about a damaged package.

use heeler_host::dpkg::{self, Difference, Package};
use heeler_host::{Output, RunError};

use crate::machine::{Recorded, output};

fn saying(name: &str) -> Recorded {
    Recorded::saying(output(&format!("dpkg-1.22.22/{name}")))
}

fn now<T>(look: impl Future<Output = Result<T, RunError>>) -> Result<T, RunError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(look)
}

fn demo(name: &str) -> Package {
    let mut all = now(dpkg::packages(&saying(name))).unwrap();
    assert_eq!(
        (all.len(), all[0].name.as_str(), all[0].version.as_str()),
        (1, "demo", "1.0-1")
    );
    all.remove(0)
}

#[test]
fn a_package_is_finished_or_not() {
    assert!(demo("query-installed").is_installed() && !demo("query-installed").is_unfinished());
    for half in ["query-unpacked", "query-half-configured"] {
        assert!(demo(half).is_unfinished() && !demo(half).needs_its_files(), "{half}");
    }
    assert!(demo("query-half-installed").needs_its_files());
}

#[test]
fn the_audit_names_the_packages() {
    for (name, text) in [
        (
            "audit-unpacked",
            "The following packages have been unpacked but not yet configured",
        ),
        (
            "audit-half-configured",
            "The following packages are only half configured",
        ),
        (
            "audit-half-installed",
            "The following packages are in a mess due to serious problems during installation",
        ),
    ] {
        let complaints = now(dpkg::audit(&saying(name))).unwrap();
        assert_eq!(complaints.len(), 1, "{name}");
        assert_eq!(
            (complaints[0].text.as_str(), complaints[0].packages.as_slice()),
            (text, &["demo".to_owned()][..])
        );
    }
    assert_eq!(now(dpkg::audit(&saying("audit-finished"))).unwrap(), []);
}

#[test]
fn damaged_edited_and_missing_files_are_told_apart() {
    let file = |path: &str, conffile, missing| Difference {
        path: path.to_owned(),
        conffile,
        missing,
    };
    let found = now(dpkg::verify(&saying("verify-damaged"), &[])).unwrap();
    let expected = [
        file("/etc/demo/one.conf", true, false),
        file("/etc/demo/three.conf", true, true),
        file("/etc/demo/two.conf", true, false),
        file("/usr/bin/demo", false, false),
        file("/usr/share/doc/demo/README", false, true),
    ];
    assert_eq!(found, expected);
    assert_eq!(now(dpkg::verify(&saying("verify-whole"), &[])).unwrap(), []);
}

#[test]
fn a_file_without_an_owner_is_no_failure() {
    let found = now(dpkg::owners(
        &saying("search"),
        &["/etc/demo/one.conf", "/usr/bin/demo", "/nowhere"],
    ))
    .unwrap();
    let pair = |path: &str| (path.to_owned(), "demo".to_owned());
    assert_eq!(found, [pair("/etc/demo/one.conf"), pair("/usr/bin/demo")]);
}

#[test]
fn the_holder_of_the_lock_is_named() {
    let mut machine = Recorded::saying(Output::default());
    machine.answer(&dpkg::locks_command(), output("util-linux-2.41.5/lslocks-dpkg"));
    machine.answer(&dpkg::inode_command(), output("dpkg-1.22.22/lock-inode"));
    let holder = now(dpkg::lock_holder(&machine)).unwrap().unwrap();
    assert!(holder.to_string().starts_with("perl (process "), "{holder}");

    // The same path in a container.
    let mut other = output("dpkg-1.22.22/lock-inode");
    other.stdout = "10060990 0:7\n".to_owned();
    machine.answer(&dpkg::inode_command(), other);
    assert_eq!(now(dpkg::lock_holder(&machine)).unwrap(), None);
    assert_eq!(
        now(dpkg::lock_holder(&Recorded::saying(Output::default()))).unwrap(),
        None
    );
}

#[test]
fn a_package_that_apt_cannot_reinstall_alone_is_refused() {
    let can = |stdout: &str| {
        let output = Output {
            stdout: stdout.to_owned(),
            ..Output::default()
        };
        now(dpkg::reinstallable(&Recorded::saying(output), &["demo", "libc6:arm64"])).unwrap()
    };
    let both = "Inst demo [1.0-1] (1.0-1 mirror [all])\nInst libc6 [2.41-12] (2.41-12 mirror [arm64])\n";
    assert_eq!(can(both), Ok(()));
    let none = "Reinstallation of demo is not possible, it cannot be downloaded.\n";
    let missing = can(none).unwrap_err();
    assert!(
        missing.contains("no mirror that apt knows has demo, libc6"),
        "{missing}"
    );
    for more in ["Inst other (1 mirror [all])\n", "Remv other [1]\n"] {
        assert_eq!(
            can(&format!("{both}{more}")),
            Err("apt would also change other".to_owned())
        );
    }
    let refused = now(dpkg::reinstallable(&saying("apt-simulate-no-archive"), &["demo"])).unwrap();
    assert!(refused.unwrap_err().contains("I can't find an archive for it"));
}

#[test]
fn a_failed_dpkg_is_never_taken_for_a_whole_system() {
    let locked = saying("configure-locked");
    assert!(now(dpkg::packages(&locked)).is_err());
    assert!(now(dpkg::audit(&locked)).is_err());
    assert!(now(dpkg::verify(&locked, &[])).is_err());
    assert!(now(dpkg::owners(&locked, &["/x"])).is_err());
    let odd = Output {
        stdout: "something else\n".to_owned(),
        ..Output::default()
    };
    assert!(now(dpkg::verify(&Recorded::saying(odd.clone()), &[])).is_err());
    assert!(now(dpkg::packages(&Recorded::saying(odd))).is_err());
}

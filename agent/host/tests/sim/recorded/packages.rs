use heeler_host::Output;
use heeler_host::dpkg;
use heeler_host::initramfs;
use heeler_host::sim::Machine;

use super::recorded;
use crate::node;

const DPKG: &str = "dpkg-1.22.22";

fn by_hand(machine: &Machine, command: &heeler_host::Command) -> Output {
    let args: Vec<&str> = command.args.iter().map(String::as_str).collect();
    machine.by_hand(command.program, &args)
}

/// The text about the recorded package, as it would be about cron.
fn about_cron(text: &str) -> String {
    text.replace("/etc/demo/one.conf", "/etc/default/cron")
        .replace(
            "demo                 a package to damage",
            "cron                 a package",
        )
        .replace("demo", "cron")
        .replace("1.0-1", "3.0pl1-197")
}

fn same(ours: &Output, name: &str) {
    let real = recorded(DPKG, name);
    assert_eq!(ours.code, real.code, "{name}");
    let text = about_cron(&real.stdout);
    assert!(ours.stdout.contains(&text), "{name}: {:?} has no {text:?}", ours.stdout);
    assert_eq!(ours.stderr, about_cron(&real.stderr), "{name}");
}

#[test]
fn unfinished_packages_are_described_as_by_the_real_dpkg() {
    for state in ["unpacked", "half-configured", "half-installed"] {
        let machine = node().build();
        machine.interrupt_package("cron", state);
        same(&by_hand(&machine, &dpkg::packages_command()), &format!("query-{state}"));
        same(&by_hand(&machine, &dpkg::audit_command()), &format!("audit-{state}"));
    }
    let machine = node().build();
    same(&by_hand(&machine, &dpkg::packages_command()), "query-installed");
    same(&by_hand(&machine, &dpkg::audit_command()), "audit-finished");
    same(&by_hand(&machine, &dpkg::verify_command(&["cron"])), "verify-whole");
}

#[test]
fn dpkg_and_apt_fail_as_the_real_ones() {
    let rubbish: &[u8] = b"\x80\x8aE\xdd\x9e1i\0\0\x81\x951i\0\0";
    let machine = node().build();
    machine.put_file("/etc/default/cron", rubbish).expect("a plain file");
    machine.interrupt_package("cron", "unpacked");
    same(&by_hand(&machine, &dpkg::configure_command(false)), "configure-fails");

    machine.interrupt_package("cron", "half-installed");
    let reinstall = dpkg::reinstall_command(&["cron"], false);
    same(&by_hand(&machine, &reinstall), "apt-interrupted");
    same(
        &by_hand(&machine, &dpkg::configure_command(false)),
        "configure-half-installed",
    );
    machine.set_mirrors_gone(true);
    let ours = by_hand(&machine, &dpkg::simulate_command(&["cron"]));
    let real = recorded(DPKG, "apt-simulate-no-archive");
    assert_eq!((ours.code, ours.stderr), (real.code, about_cron(&real.stderr)));

    machine.lock_dpkg(Some("/usr/bin/perl"));
    let ours = by_hand(&machine, &dpkg::configure_command(false));
    let real = recorded(DPKG, "configure-locked");
    let without_pid = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "");
    assert_eq!(
        (ours.code, without_pid(&ours.stderr)),
        (real.code, without_pid(&real.stderr))
    );
}

#[test]
fn differences_are_listed_as_by_the_real_dpkg() {
    let machine = node().build();
    for path in ["/etc/default/cron", "/usr/sbin/cron", initramfs::CONF] {
        machine.put_file(path, b"x").expect("a plain file");
    }
    let ours = by_hand(&machine, &dpkg::verify_command(&["cron"]));
    let real = recorded(DPKG, "verify-damaged");
    let kinds = |output: &Output| -> Vec<String> { output.stdout.lines().map(|line| line[..12].to_owned()).collect() };
    let real = kinds(&real);
    assert_eq!(kinds(&ours), [real[0].clone(), real[3].clone()]);
}

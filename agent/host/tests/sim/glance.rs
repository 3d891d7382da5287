use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use heeler_host::sim::Fault;
use heeler_host::{Command, Content, File, Glance, System, UnitAction, facts, lsblk};

use crate::{A, B, node, now};

#[test]
fn one_look_runs_each_command_once() {
    let machine = node().blank(A).blank(B).build();
    let glance = Glance::at(&machine);
    let devices = |host: &dyn System| now(lsblk::devices(host)).expect("power").expect("answers").len();
    let before = devices(&glance);
    now(facts::collect(&glance)).expect("power").expect("looked");
    let programs: Vec<String> = machine.log().into_iter().map(|entry| entry.what).collect();
    let mut once = programs.clone();
    once.sort();
    once.dedup();
    assert!(programs.iter().any(|what| what.starts_with("lsblk")));
    assert_eq!(programs.len(), once.len(), "{programs:#?}");

    machine.pull_disk(A);
    assert_eq!(devices(&glance), before);
    assert_eq!(devices(&Glance::at(&machine)), before - 1);
    now(glance.sleep(Duration::ZERO)).expect("slept");
    assert_eq!(devices(&glance), before - 1, "what comes after a wait is another look");
}

#[test]
fn a_look_waits_once_for_a_hanging_program() {
    let machine = node().blank(A).build();
    let glance = Glance::at(&machine);
    machine.fail_next("lsblk", Fault::TimesOut);
    for _ in 0..2 {
        assert!(now(lsblk::devices(&glance)).expect("power").is_err());
    }
    assert!(now(lsblk::devices(&Glance::at(&machine))).expect("power").is_ok());
}

#[test]
fn a_look_changes_nothing() {
    let machine = node().blank(A).build();
    let glance = Glance::at(&machine);
    let file = File {
        path: PathBuf::from("/etc/hostid"),
        content: Content::Plain(vec![1, 2, 3, 4]),
        mode: 0o644,
    };
    let written = now(glance.write(&file)).expect("power");
    assert_eq!(
        written.map_err(|error| error.kind()),
        Err(ErrorKind::ReadOnlyFilesystem)
    );
    let (look, change) = (lsblk::command(), Command::change("modprobe").arg("zfs"));
    for (from, into) in [(&look, &change), (&change, &look)] {
        assert!(now(glance.pipe(from, into)).expect("power").is_err());
    }
    assert!(now(glance.reboot(false)).expect("power").is_err());
    assert!(
        now(glance.unit("zfs.target", UnitAction::Start))
            .expect("power")
            .is_err()
    );
    assert!(machine.log().iter().all(|entry| !entry.mutates), "{:?}", machine.log());
}

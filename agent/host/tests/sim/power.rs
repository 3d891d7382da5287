use std::path::Path;

use heeler_host::sim::{Fault, Loss};
use heeler_host::{Command, File, Output, RunError, System, UnitAction, blkdiscard, lsblk};

use crate::{A, B, by_id, node, now};

#[test]
fn no_call_returns_between_power_cut_and_boot() {
    let machine = node().blank(A).build();
    machine.cut_power_at(machine.points());
    assert!(now(machine.run(&lsblk::command())).is_none());
    assert!(now(machine.read(Path::new("/etc/hostname"))).is_none());
    assert_eq!(now(machine.lost()), Some(Loss::Power));
    let boot_id = machine.file("/proc/sys/kernel/random/boot_id");
    machine.boot();
    assert!(now(machine.run(&lsblk::command())).is_some());
    assert_ne!(machine.file("/proc/sys/kernel/random/boot_id"), boot_id);
}

#[test]
fn a_write_leaves_the_old_or_the_new_file() {
    let mut seen = Vec::new();
    for point in 0.. {
        let machine = node().build();
        machine.put_file("/etc/motd", b"old").expect("written");
        machine.cut_power_at(machine.points() + point);
        let done = now(machine.write(&File::text("/etc/motd", "new"))).is_some();
        seen.push(machine.file("/etc/motd").expect("it is there"));
        if done {
            break;
        }
    }
    assert_eq!(seen, [b"old".to_vec(), b"new".to_vec(), b"new".to_vec()]);
}

#[test]
fn an_append_may_leave_any_prefix() {
    let mut seen = Vec::new();
    for point in 0.. {
        let machine = node().build();
        machine.cut_power_at(machine.points() + point);
        let done = now(machine.append(Path::new("/var/lib/journal"), b"record")).is_some();
        seen.push(machine.file("/var/lib/journal").unwrap_or_default());
        if done {
            break;
        }
    }
    let lengths: Vec<usize> = seen.iter().map(Vec::len).collect();
    assert_eq!(lengths, [0, 1, 3, 5, 6, 6]);
}

#[test]
fn a_power_cut_stops_zeroing_half_way() {
    let machine = node()
        .disk(heeler_host::sim::DiskSpec::holding(
            A,
            heeler_host::sim::Content::DataInTheMiddle,
        ))
        .build();
    machine.cut_power_at(machine.points() + 2);
    assert!(now(machine.run(&blkdiscard::zero_command(&by_id(A)))).is_none());
    machine.boot();
    assert!(!machine.is_blank(A));
    assert!(now(machine.run(&blkdiscard::zero_command(&by_id(A)))).is_some());
    assert!(machine.is_blank(A));
}

#[test]
fn a_killed_agent_does_not_stop_its_machine() {
    for (loss, blank) in [(Loss::Agent, true), (Loss::AgentAndItsWork, false)] {
        let machine = node()
            .disk(heeler_host::sim::DiskSpec::holding(
                A,
                heeler_host::sim::Content::DataInTheMiddle,
            ))
            .build();
        let boot_id = machine.file("/proc/sys/kernel/random/boot_id");
        machine.lose_at(machine.points() + 2, loss);
        assert!(now(machine.run(&blkdiscard::zero_command(&by_id(A)))).is_none());
        machine.restart_agent();
        assert_eq!(machine.is_blank(A), blank);
        assert_eq!(machine.file("/proc/sys/kernel/random/boot_id"), boot_id);
        assert!(now(machine.run(&lsblk::command())).is_some());
    }
}

#[test]
fn an_agent_killed_before_its_call_has_done_nothing() {
    let machine = node().build();
    machine.lose_at(machine.points(), Loss::Agent);
    assert!(now(machine.write(&File::text("/etc/motd", "new"))).is_none());
    machine.restart_agent();
    assert_eq!(machine.file("/etc/motd"), None);
}

#[test]
fn a_reboot_begins_after_the_call_that_asked_for_it() {
    let machine = node().build();
    assert_eq!(now(machine.reboot(false)), Some(Ok(())));
    assert!(now(machine.sleep(std::time::Duration::from_secs(10))).is_none());
    assert_eq!(now(machine.lost()), Some(Loss::Reboot));
    machine.boot();
    assert!(now(machine.read(Path::new("/etc/hostname"))).is_some());
}

#[test]
fn sleeping_moves_the_machines_own_clock() {
    let machine = node().clock(1_000).build();
    now(machine.sleep(std::time::Duration::from_secs(3600))).expect("at once");
    assert_eq!(machine.now_ms(), 3_601_000);
    machine.set_clock(5);
    assert_eq!(machine.now_ms(), 5);
}

#[test]
fn an_injected_fault_happens_once() {
    let machine = node().blank(A).build();
    machine.fail_next("lsblk", Fault::TimesOut);
    machine.fail_next("/etc/motd", Fault::CannotWrite(std::io::ErrorKind::StorageFull));
    machine.fail_next("zfs-zed.service", Fault::complains(1, ""));
    assert!(matches!(
        now(machine.run(&lsblk::command())),
        Some(Err(RunError::Timeout { .. }))
    ));
    assert!(now(machine.run(&lsblk::command())).expect("power").is_ok());
    assert!(
        now(machine.write(&File::text("/etc/motd", "x")))
            .expect("power")
            .is_err()
    );
    assert!(
        now(machine.write(&File::text("/etc/motd", "x")))
            .expect("power")
            .is_ok()
    );
    assert!(
        now(machine.unit("zfs-zed.service", UnitAction::Restart))
            .expect("power")
            .is_err()
    );
    assert!(
        now(machine.unit("zfs-zed.service", UnitAction::Restart))
            .expect("power")
            .is_ok()
    );
}

#[test]
#[should_panic(expected = "does not know this command: zpool create -f data")]
fn an_unknown_command_is_a_panic_that_names_it() {
    let machine = node().blank(A).blank(B).build();
    machine.by_hand("modprobe", &["zfs"]);
    let mut command = heeler_host::Command::change("zpool").args(["create", "-f", "data"]);
    command = command.arg(by_id(A));
    let _ = now(machine.run(&command));
}

#[test]
#[should_panic(expected = "a look changed the machine: zpool create data")]
fn a_change_called_a_look_is_a_panic() {
    let machine = node().blank(A).blank(B).build();
    machine.by_hand("modprobe", &["zfs"]);
    let command = heeler_host::Command::look("zpool").args(["create", "data", "mirror", &by_id(A), &by_id(B)]);
    let _ = now(machine.run(&command));
}

#[test]
fn a_glance_refuses_every_change() {
    let machine = node().blank(A).build();
    let glance = heeler_host::Glance::at(&machine);
    let scrub = heeler_host::zpool::scrub_command("data");
    let refused = now(glance.run(&scrub)).expect("power").unwrap_err();
    assert!(matches!(refused, heeler_host::RunError::Start { .. }), "{refused}");
    assert!(machine.log().is_empty(), "{:?}", machine.log());
}

#[test]
fn the_log_marks_changes() {
    let machine = node().blank(A).build();
    now(heeler_host::facts::collect(&machine))
        .expect("power")
        .expect("answers");
    assert!(machine.log().iter().all(|entry| !entry.mutates), "{:?}", machine.log());
    now(machine.write(&File::text("/etc/motd", "x")))
        .expect("power")
        .expect("written");
    assert!(
        machine
            .log()
            .last()
            .is_some_and(|entry| entry.mutates && entry.what == "write /etc/motd")
    );
}

#[tokio::test(start_paused = true)]
async fn a_live_machine_takes_real_time() {
    let pace = heeler_host::sim::Pace::Live {
        program: std::time::Duration::from_millis(300),
        haste: 10,
    };
    let machine = node().blank(A).clock(1_000).pace(pace).build();
    let begin = tokio::time::Instant::now();
    machine.run(&lsblk::command()).await.expect("runs");
    machine.sleep(std::time::Duration::from_secs(10)).await;
    assert_eq!(begin.elapsed().as_millis(), 1_300);
    assert_eq!(machine.now_ms(), 2_300);
    machine.cut_power();
    let hung = tokio::time::timeout(std::time::Duration::from_secs(60), machine.run(&lsblk::command())).await;
    assert!(hung.is_err());
}

#[test]
fn a_pipe_can_lose_power_before_its_reader_changes_anything() {
    let load = Command::change("modprobe").arg("zfs");
    let mut loaded = Vec::new();
    for point in 0.. {
        let machine = node().build();
        machine.cut_power_at(machine.points() + point);
        let done = now(machine.pipe(&lsblk::command(), &load)).is_some();
        let changes = machine.log().into_iter().filter(|entry| entry.mutates);
        loaded.push(changes.count());
        if done {
            break;
        }
    }
    assert_eq!(loaded, [0, 0, 0, 1, 1]);
}

#[test]
fn a_pipe_fails_when_either_program_fails() {
    let machine = node().build();
    let (look, cat) = (lsblk::command(), Command::look("cat"));
    let pipe = || now(machine.pipe(&look, &cat)).expect("power").expect("started");
    let listed = now(machine.run(&look)).expect("power").expect("listed").stdout;
    let done = pipe();
    assert!(done.ok() && done.from.stdout.is_empty());
    assert_eq!(done.into.stdout, listed);
    let half = Output {
        code: 1,
        stdout: "half".to_owned(),
        stderr: "why".to_owned(),
    };
    machine.fail_next("lsblk", Fault::Answers(half));
    let done = pipe();
    assert_eq!(
        (done.from.code, done.into.stdout.as_str(), done.ok()),
        (1, "half", false)
    );
    machine.fail_next("cat", Fault::complains(2, "cannot write"));
    let done = pipe();
    assert_eq!((done.from.code, done.into.code, done.ok()), (141, 2, false));
}

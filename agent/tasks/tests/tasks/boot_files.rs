//! config.txt and cmdline.txt: tried for one start, then kept.

use heeler_host::sim::{Fault, Machine};
use heeler_host::{Output, System as _, firmware};
use heeler_proto::Task;
use heeler_proto::v1::{StepOutcome, StepReport};
use heeler_tasks::engine::Outcome;

use crate::every_point::at_every_point;
use crate::life::{Life, blocked, pi};

const COUNTING: &str = " cgroup_enable=cpuset cgroup_enable=memory cgroup_memory=1\n";

fn task(spec: &str) -> Task {
    Task::read("set up boot", spec.as_bytes()).unwrap()
}

/// As a node for Proxmox needs it.
fn whole() -> Task {
    task(r#"{"pages":"4KiB","containers":true,"pcie":"gen3"}"#)
}

async fn node() -> Life {
    Life::of(pi().build())
}

fn text(life: &Life, path: &str) -> String {
    String::from_utf8(life.machine.file(path).unwrap()).unwrap()
}

/// config.txt and cmdline.txt.
fn files(life: &Life) -> [String; 2] {
    [firmware::CONFIG, firmware::LINE].map(|path| text(life, path))
}

async fn runs(life: &Life) -> (u64, bool) {
    let counts = firmware::counts_memory(&life.machine).await.unwrap();
    (firmware::page_bytes(&life.machine).await.unwrap(), counts)
}

fn logged(life: &Life, what: &str) -> usize {
    life.machine.log().iter().filter(|entry| entry.what == what).count()
}

fn failed(outcome: Outcome) -> String {
    match outcome {
        Outcome::Failed { reason, .. } => reason,
        other => panic!("should have failed: {other:?}"),
    }
}

/// The files as they shall be, on a node that had `config` and `line`.
fn wanted(config: &str, line: &str) -> [String; 2] {
    let block =
        "# heeler begin boot\n[all]\nkernel=kernel8.img\ndtparam=pciex1\ndtparam=pciex1_gen=3\n# heeler end boot\n";
    [format!("{config}{block}"), format!("{}{COUNTING}", line.trim_end())]
}

#[tokio::test]
async fn the_boot_is_set_up_wherever_it_is_interrupted() {
    let [config, line] = files(&node().await);
    at_every_point(node, &whole(), async |life, outcome, at| {
        if outcome != Outcome::Done {
            let reason = failed(outcome);
            assert!(reason.contains("lost power meanwhile"), "{at}: {reason}");
            assert_eq!(files(life), [config.clone(), line.clone()], "{at}");
            assert_eq!(life.apply(&whole()).await, Outcome::Done, "{at}");
        }
        assert_eq!(logged(life, "does not start"), 0, "{at}");
        assert_eq!(files(life), wanted(&config, &line), "{at}");
        for (path, before) in [("config.txt", &config), ("cmdline.txt", &line)] {
            assert_eq!(
                &text(life, &format!("/boot/firmware/{path}.before-heeler")),
                before,
                "{at}"
            );
        }
        for boots in 0..2 {
            assert_eq!(runs(life).await, (4096, true), "{at} {boots}");
            let left = [firmware::TRIAL, firmware::TRIAL_LINE].map(|path| life.machine.file(path));
            assert_eq!(left, [None, None], "{at} {boots}");
            life.machine.boot();
        }
    })
    .await;
}

#[tokio::test]
async fn one_restart_is_enough() {
    let mut life = node().await;
    assert_eq!(life.apply(&whole()).await, Outcome::Done);
    assert_eq!(logged(&life, "reboot 0 tryboot"), 1);
    assert_eq!(logged(&life, "reboot"), 0);
}

#[tokio::test]
async fn a_node_that_is_set_up_is_not_changed() {
    let mut life = node().await;
    assert_eq!(life.apply(&whole()).await, Outcome::Done);
    let before = life.changes().len();
    assert_eq!(life.apply(&whole()).await, Outcome::Done);
    assert_eq!(life.changes().len(), before);
}

#[tokio::test]
async fn what_a_person_set_up_already_stays_without_a_block() {
    let mut life = node().await;
    let [config, line] = files(&life);
    let mine = format!("{config}[pi5]\nkernel=kernel8.img\ndtparam=audio=on,pciex1,pciex1_gen=3\n");
    life.machine.put_file(firmware::CONFIG, mine.as_bytes()).unwrap();
    let counting = format!("{} cgroup_enable=memory quiet\n", line.trim_end());
    life.machine.put_file(firmware::LINE, counting.as_bytes()).unwrap();
    life.machine.boot();
    assert_eq!(life.apply(&whole()).await, Outcome::Done);
    assert_eq!(life.changes(), [] as [&str; 0]);
}

#[tokio::test]
async fn a_persons_lines_and_tokens_stay() {
    let mut life = node().await;
    let config = "# mine\ndtoverlay=vc4\n[pi4]\nover_voltage=2\n";
    life.machine.put_file(firmware::CONFIG, config.as_bytes()).unwrap();
    let line = "cgroup_disable=memory console=tty1 root=/dev/mmcblk0p2 quiet\n";
    life.machine.put_file(firmware::LINE, line.as_bytes()).unwrap();
    assert_eq!(life.apply(&whole()).await, Outcome::Done);
    let line = line.replace("cgroup_disable=memory ", "");
    assert_eq!(files(&life), wanted(config, &line));
}

#[tokio::test]
async fn a_changed_block_is_shown_before_it_is_written_again() {
    let mut life = node().await;
    assert_eq!(life.apply(&whole()).await, Outcome::Done);
    let [config, _] = files(&life);
    let mine = config.replace("pciex1_gen=3", "pciex1_gen=1");
    life.machine.put_file(firmware::CONFIG, mine.as_bytes()).unwrap();
    let reports = life.preview(&whole()).await;
    let ops = reports.iter().flat_map(|report| &report.ops);
    let edit = ops
        .into_iter()
        .find(|op| op.summary.contains("config.txt, block boot"))
        .unwrap();
    assert_eq!(
        (edit.before.as_str(), edit.after.as_str()),
        (mine.as_str(), config.as_str())
    );
    assert_eq!(life.apply(&whole()).await, Outcome::Done);
    assert_eq!(files(&life)[0], config);
}

#[tokio::test]
async fn a_configuration_that_does_not_start_is_not_kept() {
    let mut life = node().await;
    let before = files(&life);
    life.machine
        .put_file("/boot/firmware/kernel8.img", b"truncated")
        .unwrap();
    let reason = failed(life.apply(&whole()).await);
    assert!(reason.contains("came back with the old one"), "{reason}");
    assert!(reason.contains("/boot/firmware/tryboot.txt"), "{reason}");
    assert_eq!(logged(&life, "does not start"), 1);
    assert_eq!((files(&life), runs(&life).await), (before, (16384, false)));
    // A person repairs the kernel, and asks again.
    life.machine
        .put_file("/boot/firmware/kernel8.img", b"kernel8.img")
        .unwrap();
    assert_eq!(life.apply(&whole()).await, Outcome::Done);
    assert_eq!(runs(&life).await, (4096, true));
}

#[tokio::test]
async fn a_trial_that_runs_otherwise_changes_no_file() {
    let mut life = node().await;
    let before = files(&life);
    let wrong = Output {
        stdout: "16384\n".to_owned(),
        ..Output::default()
    };
    let pages = task(r#"{"pages":"4KiB"}"#);
    assert_eq!(life.preview(&pages).await.len(), 3);
    for _ in 0..9 {
        life.machine.fail_next("getconf", Fault::Answers(wrong.clone()));
    }
    let (found, why, next) = blocked(life.apply(&pages).await);
    assert!(found.contains("pages of 16 KiB"), "{found}");
    assert!(why.contains("stay as they are"), "{why}");
    assert!(next.contains("restart the node"), "{next}");
    assert_eq!(files(&life), before);
}

#[tokio::test]
async fn opposite_values_undo_it() {
    let mut life = node().await;
    let before = files(&life);
    assert_eq!(life.apply(&whole()).await, Outcome::Done);
    let undo = task(r#"{"pages":"16KiB","containers":false}"#);
    assert_eq!(life.apply(&undo).await, Outcome::Done);
    assert_eq!(runs(&life).await, (16384, false));
    let [config, line] = files(&life);
    assert_eq!(line, before[1]);
    // The lines of pcie, which is absent now, stay.
    let block = "# heeler begin boot\n[all]\ndtparam=pciex1\ndtparam=pciex1_gen=3\n# heeler end boot\n";
    assert_eq!(config, format!("{}{block}", before[0]));
}

#[tokio::test]
async fn a_file_not_yet_started_from_needs_a_restart() {
    let mut life = node().await;
    let [config, _] = files(&life);
    let mine = format!("{config}kernel=kernel8.img\n");
    life.machine.put_file(firmware::CONFIG, mine.as_bytes()).unwrap();
    assert_eq!(life.apply(&task(r#"{"pages":"4KiB"}"#)).await, Outcome::Done);
    assert_eq!((logged(&life, "reboot"), runs(&life).await.0), (1, 4096));
}

fn reasons(reports: &[StepReport]) -> Vec<&str> {
    let unfit = StepOutcome::NotApplicable;
    let reports = reports.iter().filter(|report| report.outcome() == unfit);
    reports.map(|report| report.reason.as_str()).collect()
}

#[tokio::test]
async fn a_machine_that_is_no_pi_says_so() {
    let machine = Machine::builder("pi5l").board("QEMU Virtual Machine", "x86_64").build();
    let mut life = Life::of(machine);
    let reports = life.preview(&whole()).await;
    assert!(reasons(&reports)[0].contains("this node is none"), "{reports:?}");
    assert_eq!(life.apply(&whole()).await, Outcome::Done);
    assert_eq!(life.changes().len(), 0);
    let mut life = node().await;
    life.machine.remove(firmware::CONFIG.as_ref()).await.unwrap();
    let reports = life.preview(&whole()).await;
    assert!(reasons(&reports)[0].contains("is not started from them"), "{reports:?}");
    assert_eq!(life.apply(&whole()).await, Outcome::Done);
}

/// Makes a node as another must not be, and returns what then blocks.
async fn stopped(prepare: impl AsyncFn(&Machine), task: &Task) -> (String, String, String) {
    let mut life = node().await;
    prepare(&life.machine).await;
    let before = files(&life);
    let said = blocked(life.apply(task).await);
    assert_eq!(files(&life), before);
    assert_eq!(logged(&life, "reboot 0 tryboot"), 0);
    said
}

#[tokio::test]
async fn nothing_is_tried_with_too_little_power() {
    for bits in [0x1, 0x5_0000] {
        let (found, _, next) = stopped(async |machine| machine.set_throttled(bits), &whole()).await;
        assert!(found.contains("power is or was too low"), "{found}");
        assert!(next.contains("5 A"), "{next}");
    }
    let mut hot = node().await;
    hot.machine.set_throttled(0x8_0008);
    assert_eq!(hot.apply(&whole()).await, Outcome::Done);
}

#[tokio::test]
async fn a_kernel_that_is_not_installed_blocks() {
    for name in ["kernel8.img", "initramfs8"] {
        let path = format!("/boot/firmware/{name}");
        let (found, _, next) = stopped(async |machine| machine.remove(path.as_ref()).await.unwrap(), &whole()).await;
        assert!(found.contains(name), "{found}");
        assert!(next.contains("apt install linux-image-rpi-v8"), "{next}");
    }
}

#[tokio::test]
async fn a_kernel_without_zfs_blocks_where_zfs_is_used() {
    let missing = async |machine: &Machine| {
        machine.put_file("/etc/modules-load.d/zfs.conf", b"zfs\n").unwrap();
        machine.boot();
        let missing = || Fault::complains(1, "modinfo: ERROR: Module zfs not found.\n");
        // The operator's look, and the task's.
        machine.fail_next("modinfo", missing());
        machine.fail_next("modinfo", missing());
    };
    let (found, why, next) = stopped(missing, &whole()).await;
    assert!(found.contains("6.12.47+rpt-rpi-v8"), "{found}");
    assert!(why.contains("no pool"), "{why}");
    assert!(next.contains("linux-headers-rpi-v8"), "{next}");
    let mut without = Life::of(pi().without_zfs().build());
    assert_eq!(without.apply(&whole()).await, Outcome::Done);
}

#[tokio::test]
async fn files_of_others_block() {
    let put = |path: &'static str, text: &'static str| {
        async move |machine: &Machine| machine.put_file(path, text.as_bytes()).unwrap()
    };
    for (path, text, part) in [
        (firmware::TRIAL, "kernel=mine.img\n", "not Heeler's"),
        (firmware::CONFIG, "[all]\nos_prefix=slot-a/\n", "os_prefix=slot-a/"),
        (firmware::CONFIG, "include other.txt\n", "include other.txt"),
        (firmware::LINE, "a\nb\n", "more than one line"),
        (firmware::LINE, "", "it is empty"),
        (
            firmware::CONFIG,
            "# heeler begin boot\n# heeler end boot\nkernel=mine.img\n",
            "sets kernel once more",
        ),
        (firmware::CONFIG, "# heeler end boot\n", "broken markers"),
    ] {
        let (found, ..) = stopped(put(path, text), &whole()).await;
        assert!(found.contains(part), "{found}");
    }
}

#[tokio::test]
async fn what_only_a_pi_5_has_blocks_elsewhere() {
    for (spec, key) in [(r#"{"pcie":"gen2"}"#, "pcie"), (r#"{"pages":"16KiB"}"#, "pages")] {
        let machine = Machine::builder("pi5l")
            .board("Raspberry Pi 4 Model B Rev 1.4", "aarch64")
            .build();
        let mut life = Life::of(machine);
        let Outcome::Blocked { reason, .. } = life.apply(&task(spec)).await else {
            panic!("{spec}")
        };
        assert!(reason.found.contains("Raspberry Pi 4"), "{reason:?}");
        assert_eq!(reason.place.unwrap().item, key);
    }
    let machine = Machine::builder("pi5l")
        .board("Raspberry Pi 4 Model B Rev 1.4", "aarch64")
        .build();
    let mut life = Life::of(machine);
    assert_eq!(life.apply(&task(r#"{"pages":"4KiB"}"#)).await, Outcome::Done);
    assert_eq!(life.changes().len(), 0);
}

#[tokio::test]
async fn an_older_bootloader_is_told_and_left_to_a_person() {
    for (code, part) in [
        (1, "sudo rpi-eeprom-update -a"),
        (2, "vcgencmd failed"),
        (3, "FREEZE_VERSION"),
    ] {
        let mut life = node().await;
        let fault = || Fault::complains(code, "vcgencmd failed\n");
        life.machine.fail_next("rpi-eeprom-update", fault());
        let reports = life.preview(&whole()).await;
        assert!(reports[0].reason.contains(part), "{code}: {}", reports[0].reason);
        life.machine.fail_next("rpi-eeprom-update", fault());
        assert_eq!(life.apply(&whole()).await, Outcome::Done, "{code}");
    }
    let life = node().await;
    assert_eq!(life.preview(&whole()).await[0].reason, "");
    life.machine
        .fail_next("rpi-eeprom-update", Fault::Answers(Output::default()));
    assert_eq!(life.preview(&whole()).await[0].reason, "");
}

#[tokio::test]
async fn a_firmware_that_does_not_answer_stops_the_task() {
    let mut life = node().await;
    for _ in 0..5 {
        life.machine
            .fail_next("vcgencmd", Fault::complains(255, "VCHI initialization failed\n"));
    }
    let reason = failed(life.apply(&whole()).await);
    assert!(reason.contains("VCHI initialization failed"), "{reason}");
}

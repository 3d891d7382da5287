//! No task reboots a node into a kernel without its ZFS.

use std::path::Path;

use heeler_proto::{EnsureBoot, Task};
use heeler_tasks::engine::{Op, Outcome, Plan};

use crate::life::{Life, blocked, pi};
use crate::stand_in::StandIn;

const USUAL: &str = "6.12.47+rpt-rpi-2712";
const SMALL_PAGES: &str = "6.12.47+rpt-rpi-v8";

fn reboots(life: &Life) -> usize {
    life.machine.log().iter().filter(|entry| entry.what == "reboot").count()
}

async fn asked(life: &mut Life, trial: bool) -> Outcome {
    let plan = Plan::change(vec![Op::Reboot {
        reason: "a test wants it".into(),
        trial,
    }]);
    let boot = "/proc/sys/kernel/random/boot_id";
    let this = life.machine.file(boot);
    let step = StandIn::says("Rebooted", boot, move |_, now| {
        Ok(if now == this { plan.clone() } else { Plan::Satisfied })
    });
    let id = life.next_task();
    life.steps(&id, &[step]).await
}

#[tokio::test]
async fn a_kernel_without_zfs_is_not_started() {
    for trial in [false, true] {
        let mut life = Life::with_pool().await;
        life.machine.put_module(USUAL, None);
        let (found, why, next) = blocked(asked(&mut life, trial).await);
        assert_eq!(
            found,
            format!("the next boot starts the kernel {USUAL}, and ZFS has no module for it")
        );
        assert!(why.contains("no pool"), "{why}");
        assert!(next.contains(&format!("dkms autoinstall -k {USUAL}")), "{next}");
        assert_eq!(reboots(&life), 0);
        life.machine.put_module(USUAL, Some("2.3.9-0+deb13u1"));
        assert_eq!(asked(&mut life, false).await, Outcome::Done);
        assert_eq!(reboots(&life), 1);
    }
}

#[tokio::test]
async fn a_module_of_another_version_is_not_started() {
    let mut life = Life::with_pool().await;
    life.machine.put_module(USUAL, Some("2.4.1-1~bpo13+1~rpt1"));
    let (found, _, next) = blocked(asked(&mut life, false).await);
    assert!(
        found.contains("2.4.1-1~bpo13+1~rpt1") && found.contains("zfs-2.3.9"),
        "{found}"
    );
    assert!(next.contains("apt-cache policy zfsutils-linux zfs-dkms"), "{next}");
    assert_eq!(reboots(&life), 0);
}

#[tokio::test]
async fn the_kernel_that_config_txt_names_counts() {
    let mut life = Life::with_pool().await;
    life.machine.put_module(SMALL_PAGES, None);
    let config = "/boot/firmware/config.txt";
    let text = String::from_utf8(life.machine.file(config).unwrap()).unwrap();
    let other = format!("{text}kernel=kernel8.img\n");
    life.machine.put_file(config, other.as_bytes()).unwrap();
    let (found, _, _) = blocked(asked(&mut life, false).await);
    assert!(found.contains(SMALL_PAGES), "{found}");
    life.machine.put_file(config, text.as_bytes()).unwrap();
    assert_eq!(asked(&mut life, false).await, Outcome::Done);
}

#[tokio::test]
async fn a_node_without_a_pool_may_start_any_kernel() {
    let mut life = Life::of(pi().without_zfs().build());
    life.machine.put_module(USUAL, None);
    assert_eq!(asked(&mut life, false).await, Outcome::Done);
}

/// Of the tasks that reboot a node: here each of their wishes, and below that there is no other way.
#[tokio::test]
async fn each_wish_that_reboots_is_refused() {
    for wish in [r#"{"pages":"4KiB"}"#, r#"{"containers":true}"#, r#"{"pcie":"gen3"}"#] {
        let Ok(wish) = serde_json::from_str::<EnsureBoot>(wish) else {
            panic!("{wish} is no wish")
        };
        let mut life = Life::with_pool().await;
        for release in [USUAL, SMALL_PAGES] {
            life.machine.put_module(release, None);
        }
        let (found, _, _) = blocked(life.apply(&Task::EnsureBoot(wish.clone())).await);
        assert!(found.contains("ZFS"), "{wish:?}: {found}");
        assert_eq!(reboots(&life), 0, "{wish:?}");
    }
}

/// The paths of all source files below a folder that ask for a reboot, once for each time.
fn asking(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            asking(&path, found);
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            let name = || path.file_name().unwrap().to_string_lossy().into_owned();
            found.extend(text.matches(".reboot(").map(|_| name()));
        }
    }
}

#[test]
fn one_place_alone_reboots_a_node() {
    let mut found = Vec::new();
    asking(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert_eq!(found, ["apply.rs"]);
}

//! A reboot is requested once, recognised by the boot id, and not repeated when it does not help.

use heeler_host::sim::Loss;
use heeler_tasks::engine::{AnyStep, Op, Outcome, Plan};

use crate::life::{Life, pi};
use crate::stand_in::StandIn;

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

fn reboot() -> Plan {
    Plan::change(vec![Op::Reboot {
        reason: "the kernel is old".into(),
        trial: false,
    }])
}

/// Its state holds in every boot except the one in which it was created.
fn after_this_boot(life: &Life) -> Vec<Box<dyn AnyStep>> {
    let this = life.machine.file(BOOT_ID);
    vec![StandIn::says("Rebooted", BOOT_ID, move |_, boot| {
        Ok(if boot == this { reboot() } else { Plan::Satisfied })
    })]
}

fn reboots(life: &Life) -> usize {
    life.machine.log().iter().filter(|entry| entry.what == "reboot").count()
}

#[tokio::test]
async fn the_task_continues_after_the_reboot() {
    let mut life = Life::of(pi().build());
    let steps = after_this_boot(&life);
    let id = life.next_task();
    assert_eq!(life.steps(&id, &steps).await, Outcome::Done);
    assert_eq!(reboots(&life), 1);
}

#[tokio::test]
async fn a_reboot_that_does_not_help_is_not_repeated() {
    let mut life = Life::of(pi().build());
    let never: Vec<Box<dyn AnyStep>> = vec![StandIn::says("Never", BOOT_ID, |_, _| Ok(reboot()))];
    let id = life.next_task();
    let Outcome::Failed { reason, .. } = life.steps(&id, &never).await else {
        panic!("failed")
    };
    assert!(reason.contains("was rebooted for Never"), "{reason}");
    assert_eq!(reboots(&life), 1);
}

#[tokio::test]
async fn a_power_cut_costs_one_reboot_at_most() {
    let mut life = Life::of(pi().build());
    let first = life.machine.points();
    let (id, steps) = (life.next_task(), after_this_boot(&life));
    life.steps(&id, &steps).await;
    let last = life.machine.points();
    for loss in [Loss::Power, Loss::Agent] {
        for point in first..last {
            let mut life = Life::of(pi().build());
            let (id, steps) = (life.next_task(), after_this_boot(&life));
            life.machine.lose_at(point, loss);
            assert_eq!(life.steps(&id, &steps).await, Outcome::Done, "{loss:?} at {point}");
            assert!(reboots(&life) <= 2, "{loss:?} at {point}");
        }
    }
}

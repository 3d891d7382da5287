//! The second card comes up, or everything stays as it was, whatever happens in between.

use std::net::Ipv4Addr;

use heeler_host::guard::{self, GuardState, Way, Written};
use heeler_host::sim::{Fault, Loss, Machine, Nic, Wire};
use heeler_host::{File, System as _, ifupdown, link, netplan};
use heeler_proto::{KeepBackplane, Mac, Renderer, Task};
use heeler_tasks::engine::{GuardAction, Op, Outcome, Plan};

use crate::life::{Life, blocked, pi};
use crate::stand_in::StandIn;

const LAN: &str = "10.10.80.50/24";
const MAC: &str = "00:e0:4c:68:00:01";
const OTHER: &str = "00:e0:4c:68:00:09";
/// The card's name before Heeler renames it.
const BEFORE: &str = "enx00e04c680001";
const LOSSES: [Loss; 3] = [Loss::Power, Loss::Agent, Loss::AgentAndItsWork];

fn backplane(address: &str) -> Task {
    Task::KeepBackplane(KeepBackplane {
        address: address.parse().unwrap(),
        mac: None,
        renderer: Renderer::Auto,
    })
}

fn machine(wire: &Wire) -> Machine {
    let lan = Nic::onboard("2c:cf:67:00:00:01", LAN);
    pi().nic(lan).nic(Nic::usb(MAC)).wire(wire).build()
}

fn fresh() -> Life {
    Life::of(machine(&Wire::default()))
}

/// A node with 10.10.99.50 on the backplane.
async fn up() -> Life {
    let mut life = fresh();
    assert_eq!(life.apply(&backplane("10.10.99.50/24")).await, Outcome::Done);
    life
}

#[track_caller]
fn is_up(life: &Life, address: &str, at: &str) {
    assert_eq!(
        life.machine.addresses(link::BACKPLANE),
        Some(vec![address.to_owned()]),
        "{at}"
    );
    assert_eq!(life.machine.addresses("eth0"), Some(vec![LAN.to_owned()]), "{at}");
    let text = String::from_utf8(life.machine.file(netplan::PATH).unwrap()).unwrap();
    assert!(text.contains(address), "{at}: {text}");
}

#[track_caller]
fn is_as_before(life: &Life, at: &str) {
    assert_eq!(life.machine.addresses(BEFORE), Some(vec![]), "{at}");
    assert_eq!(life.machine.addresses("eth0"), Some(vec![LAN.to_owned()]), "{at}");
    for path in [netplan::PATH, link::PATH] {
        assert_eq!(life.machine.file(path), None, "{at}");
    }
}

async fn is_settled(life: &Life, at: &str) {
    let state = guard::state(&life.machine).await.unwrap();
    assert!(!matches!(state, GuardState::Armed(_)), "{at}: {state:?}");
}

#[tokio::test]
async fn the_backplane_comes_up_and_stays() {
    let mut life = up().await;
    is_up(&life, "10.10.99.50/24", "applied");
    life.machine.boot();
    is_up(&life, "10.10.99.50/24", "booted");
    life.machine.clear_log();
    assert_eq!(life.apply(&backplane("10.10.99.50/24")).await, Outcome::Done);
    assert_eq!(life.changes(), [""; 0]);
    is_settled(&life, "applied twice").await;
}

#[tokio::test]
async fn an_unconfirmed_change_is_undone_and_reported() {
    let mut life = fresh();
    life.confirmed = false;
    let Outcome::Failed { reason, .. } = life.apply(&backplane("10.10.99.50/24")).await else {
        panic!("failed")
    };
    assert!(
        reason.contains("was undone") && reason.contains("nobody confirmed it in time"),
        "{reason}"
    );
    is_as_before(&life, "undone");
    life.machine.boot();
    is_as_before(&life, "booted");
    life.confirmed = true;
    assert_eq!(life.apply(&backplane("10.10.99.50/24")).await, Outcome::Done);
}

#[tokio::test]
async fn a_failed_network_change_is_undone_at_once() {
    let ops = [netplan::generate(), link::reload(), link::apply(BEFORE)];
    let programs = ops.map(|command| command.to_string());
    for part in programs
        .iter()
        .map(String::as_str)
        .chain(["networkctl", netplan::PATH, link::PATH])
    {
        let mut life = fresh();
        // Nobody could confirm it, so it does not wait.
        life.confirmed = false;
        let fault = match part.starts_with('/') {
            true => Fault::CannotWrite(std::io::ErrorKind::StorageFull),
            false => Fault::complains(1, "no"),
        };
        life.machine.fail_next(part, fault);
        let before_ms = life.machine.now_ms();
        let Outcome::Failed { reason, .. } = life.apply(&backplane("10.10.99.50/24")).await else {
            panic!("{part}: failed")
        };
        assert!(reason.contains("the change was undone at once"), "{part}: {reason}");
        assert!(life.machine.now_ms() - before_ms < 30_000, "{part}: it waited");
        is_as_before(&life, part);
        is_settled(&life, part).await;
        assert_eq!(life.machine.guard_due_ms(), None, "{part}");
        life.confirmed = true;
        assert_eq!(life.apply(&backplane("10.10.99.50/24")).await, Outcome::Done, "{part}");
        is_up(&life, "10.10.99.50/24", part);
    }
}

#[tokio::test]
async fn a_confirmed_change_stays_despite_a_late_failure() {
    let mut life = fresh();
    let way = Way {
        change: "a card".into(),
        address: "10.10.99.50".into(),
        name: link::BACKPLANE.into(),
        old_name: BEFORE.into(),
        files: vec![netplan::PATH.into()],
        written: Written::Netplan,
        units: Vec::new(),
        router: None,
        at_boot: false,
    };
    let boot_id = life.machine.file("/proc/sys/kernel/random/boot_id").unwrap();
    let id = format!(
        "{}-{}",
        String::from_utf8(boot_id).unwrap().trim(),
        life.machine.now_ms()
    );
    let steps = vec![StandIn::says("Fails", "/etc/none", move |_, _| {
        Ok(Plan::change(vec![
            Op::Guard(GuardAction::Arm(way.clone())),
            Op::Write(File::text(netplan::PATH, "network: {}\n")),
            Op::Write(File::text("/var/lib/heeler-agent/guard/confirmed", &id)),
            Op::Run(netplan::generate()),
        ]))
    })];
    life.machine
        .fail_next(&netplan::generate().to_string(), Fault::complains(1, "no"));
    let task = life.next_task();
    let Outcome::Failed { reason, .. } = life.steps(&task, &steps).await else {
        panic!("failed")
    };
    assert!(
        reason.ends_with("the change was confirmed at the last moment, and stays"),
        "{reason}"
    );
    assert!(life.machine.file(netplan::PATH).is_some());
    is_settled(&life, "stays").await;
}

#[tokio::test]
async fn a_confirmed_change_survives_every_loss() {
    let first = fresh().machine.points();
    let last = up().await.machine.points();
    assert!(last - first > 60, "there is something to disturb");
    for at in 0..last - first {
        for loss in LOSSES {
            let mut life = fresh();
            let outcome = life.disturbed(&backplane("10.10.99.50/24"), Some((at, loss))).await;
            let at = format!("{loss:?} at {at}");
            if outcome != Outcome::Done {
                let (found, ..) = blocked(outcome);
                assert!(found.contains("was undone"), "{at}: {found}");
                is_as_before(&life, &at);
                assert_eq!(life.apply(&backplane("10.10.99.50/24")).await, Outcome::Done, "{at}");
            }
            is_up(&life, "10.10.99.50/24", &at);
            is_settled(&life, &at).await;
        }
    }
}

#[tokio::test]
async fn an_unconfirmed_change_ends_with_the_old_address() {
    let disturbed = async |point: Option<(u64, Loss)>| {
        let mut life = up().await;
        life.confirmed = false;
        let before = life.machine.points();
        let outcome = life.disturbed(&backplane("10.10.99.60/24"), point).await;
        life.wait(200).await;
        (life, before, outcome)
    };
    let (life, before, _) = disturbed(None).await;
    let count = life.machine.points() - before;
    assert!(count > 100, "there is something to disturb: {count}");
    for at in 0..count {
        for loss in LOSSES {
            let (life, _, outcome) = disturbed(Some((at, loss))).await;
            let at = format!("{loss:?} at {at}");
            assert_ne!(outcome, Outcome::Done, "{at}");
            is_up(&life, "10.10.99.50/24", &at);
            is_settled(&life, &at).await;
            life.machine.boot();
            is_up(&life, "10.10.99.50/24", &at);
        }
    }
}

#[tokio::test]
async fn a_dead_agent_leaves_the_old_address() {
    let first = fresh().machine.points();
    let last = up().await.machine.points();
    for at in 0..last - first {
        for boots in [false, true] {
            let life = up().await;
            let from = life.machine.points();
            life.machine.lose_at(from + at, Loss::AgentAndItsWork);
            let host = life.machine.clone();
            let id = heeler_proto::TaskId::from_random(7);
            let mut journal = crate::journal::Journal::open(&host, (&life.node, &id), &[], &[]).await;
            let change = backplane("10.10.99.60/24");
            let dies = heeler_tasks::run(&host, &life.node, &change, &mut journal, false);
            tokio::select! {
                biased;
                _ = life.machine.lost() => {}
                _ = dies => {}
                () = life.wait(60) => {}
            }
            if boots {
                life.machine.boot();
            }
            life.machine.restart_agent();
            life.wait(100).await;
            is_up(&life, "10.10.99.50/24", &format!("at {at}, boots: {boots}"));
        }
    }
}

#[tokio::test]
async fn an_address_in_use_is_not_taken() {
    let wire = Wire::default();
    wire.put(Ipv4Addr::new(10, 10, 99, 50), 24, OTHER);
    let mut life = Life::of(machine(&wire));
    let (found, ..) = blocked(life.apply(&backplane("10.10.99.50/24")).await);
    assert!(found.contains(OTHER), "{found}");
    is_as_before(&life, "blocked");
    assert_eq!(life.apply(&backplane("10.10.99.51/24")).await, Outcome::Done);
}

#[tokio::test]
async fn a_card_that_carries_a_connection_is_not_changed() {
    let mut life = up().await;
    life.machine.connect_to("10.10.99.50");
    assert_eq!(
        life.apply(&backplane("10.10.99.50/24")).await,
        Outcome::Done,
        "what holds is left alone"
    );
    let (found, why, _) = blocked(life.apply(&backplane("10.10.99.60/24")).await);
    assert!(
        found.contains("a connection runs over it") && why.contains("access to this node"),
        "{found}: {why}"
    );
    is_up(&life, "10.10.99.50/24", "blocked");
}

#[tokio::test]
async fn a_pulled_card_comes_back_in_another_port() {
    let mut life = up().await;
    life.machine.pull_nic(MAC);
    let (found, _, next) = blocked(life.apply(&backplane("10.10.99.50/24")).await);
    assert!(found.contains(MAC) && next.contains("in any port"), "{found}: {next}");
    life.machine.insert_nic(MAC);
    is_up(&life, "10.10.99.50/24", "back");
    life.machine.clear_log();
    assert_eq!(life.apply(&backplane("10.10.99.50/24")).await, Outcome::Done);
    assert_eq!(life.changes(), [""; 0]);
}

#[tokio::test]
async fn without_a_link_nothing_is_changed() {
    let mut life = fresh();
    life.machine.set_carrier(MAC, false);
    let (found, ..) = blocked(life.apply(&backplane("10.10.99.50/24")).await);
    assert!(found.contains("has no link"), "{found}");
    is_as_before(&life, "blocked");
}

#[tokio::test]
async fn a_proxmox_node_uses_ifupdown2() {
    let mut life = fresh();
    life.machine.install_ifupdown2("3.3.0-1+pmx1");
    assert_eq!(life.apply(&backplane("10.10.99.50/24")).await, Outcome::Done);
    let text = String::from_utf8(life.machine.file(ifupdown::PATH).unwrap()).unwrap();
    assert_eq!(
        ifupdown::address_of(&text, link::BACKPLANE).as_deref(),
        Some("10.10.99.50/24")
    );
    assert!(text.contains("source /etc/network/interfaces.d/*"), "{text}");
    assert_eq!(life.machine.file(netplan::PATH), None);

    life.confirmed = false;
    assert!(matches!(
        life.apply(&backplane("10.10.99.60/24")).await,
        Outcome::Failed { .. }
    ));
    assert_eq!(life.machine.file(ifupdown::PATH), Some(text.into_bytes()));
    assert_eq!(
        life.machine.addresses(link::BACKPLANE),
        Some(vec!["10.10.99.50/24".to_owned()])
    );

    let theirs = "iface enbp0 inet static\n  address 10.10.99.77/24\n";
    life.machine.put_file(ifupdown::PATH, theirs.as_bytes()).unwrap();
    let (found, ..) = blocked(life.apply(&backplane("10.10.99.60/24")).await);
    assert!(found.contains("10.10.99.77/24"), "{found}");
}

#[tokio::test]
async fn the_preview_names_the_card_and_the_undo() {
    let life = fresh();
    let shown = life.preview(&backplane("10.10.99.50/24")).await;
    let ops = &shown[3].ops;
    assert_eq!(
        ops[0].summary,
        "backplane none -> 10.10.99.50/24, undone in 90 s if unconfirmed"
    );
    assert_eq!(ops[1].meaning, format!("pin the backplane to {MAC}"));
}

#[tokio::test]
async fn a_named_card_is_chosen_among_two() {
    let lan = Nic::onboard("2c:cf:67:00:00:01", LAN);
    let mut life = Life::of(pi().nic(lan).nic(Nic::usb(MAC)).nic(Nic::usb(OTHER)).build());
    let (found, ..) = blocked(life.apply(&backplane("10.10.99.50/24")).await);
    assert!(found.contains("2 cards"), "{found}");
    let named = Task::KeepBackplane(KeepBackplane {
        address: "10.10.99.50/24".parse().unwrap(),
        mac: Some(Mac::new(OTHER).unwrap()),
        renderer: Renderer::Auto,
    });
    assert_eq!(life.apply(&named).await, Outcome::Done);
    assert_eq!(life.machine.addresses(BEFORE), Some(vec![]));
}

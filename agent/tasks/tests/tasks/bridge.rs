//! The LAN moves to a bridge across a reboot, or everything is as it was, whatever happens in between.

use std::net::Ipv4Addr;

use heeler_host::guard::{self, GuardState};
use heeler_host::sim::{Fault, Loss, Machine, Nic, Wire};
use heeler_host::{System as _, bridge, ifupdown};
use heeler_proto::v1::StepOutcome;
use heeler_proto::{BridgeName, EnsureBridge, KeepBackplane, Renderer, Task};
use heeler_tasks::engine::Outcome;

use crate::life::{Life, blocked, pi};

const LAN: &str = "10.10.80.50/24";
const MAC: &str = "2c:cf:67:00:00:01";
const OTHER: &str = "00:e0:4c:68:00:09";
const ROUTER: &str = "02:00:00:00:00:01";
const MANAGER: &str = "NetworkManager.service";
const WAITS: &str = "NetworkManager-wait-online.service";
const LOSSES: [Loss; 3] = [Loss::Power, Loss::Agent, Loss::AgentAndItsWork];
/// What a person wrote into the file.
const THEIRS: &str =
    "# by hand\nauto lo\niface lo inet loopback\n\niface dummy9 inet manual\n\nsource /etc/network/interfaces.d/*\n";

fn bridge_to(address: &str, gateway: [u8; 4]) -> Task {
    Task::EnsureBridge(EnsureBridge {
        bridge: BridgeName::new("vmbr0").unwrap(),
        address: address.parse().unwrap(),
        gateway: gateway.into(),
        name_servers: vec!["10.10.80.1".parse().unwrap()],
    })
}

fn wanted() -> Task {
    bridge_to(LAN, [10, 10, 80, 1])
}

fn lan() -> Wire {
    let wire = Wire::default();
    wire.put(Ipv4Addr::new(10, 10, 80, 1), 24, ROUTER);
    wire
}

fn with(wire: &Wire, cards: &[Nic]) -> Life {
    let all = cards
        .iter()
        .fold(pi().wire(wire).enabled(WAITS), |pi, card| pi.nic(card.clone()));
    let machine = all.build();
    machine.install_ifupdown2("3.3.0-1+pmx1");
    machine.put_file(ifupdown::PATH, THEIRS.as_bytes()).unwrap();
    machine
        .put_link("/etc/resolv.conf", "/run/NetworkManager/resolv.conf")
        .unwrap();
    Life::of(machine)
}

fn fresh() -> Life {
    with(&lan(), &[Nic::onboard(MAC, LAN)])
}

async fn up() -> Life {
    let mut life = fresh();
    assert_eq!(life.apply(&wanted()).await, Outcome::Done);
    life
}

fn text(machine: &Machine, path: &str) -> String {
    String::from_utf8(machine.file(path).unwrap_or_default()).unwrap()
}

async fn enabled(life: &Life, unit: &str) -> bool {
    life.machine.unit_state(unit).await.unwrap().enabled == "enabled"
}

fn reboots(life: &Life) -> usize {
    life.machine.log().iter().filter(|entry| entry.what == "reboot").count()
}

async fn is_up(life: &Life, at: &str) {
    assert_eq!(life.machine.addresses("vmbr0"), Some(vec![LAN.to_owned()]), "{at}");
    assert_eq!(life.machine.addresses(bridge::CARD), Some(vec![]), "{at}");
    let interfaces = text(&life.machine, ifupdown::PATH);
    assert!(interfaces.starts_with(THEIRS), "{at}: {interfaces}");
    assert!(
        interfaces.contains("        gateway 10.10.80.1\n"),
        "{at}: {interfaces}"
    );
    for (unit, on) in [(MANAGER, false), (WAITS, false), (ifupdown::UNIT, true)] {
        assert_eq!(enabled(life, unit).await, on, "{at}: {unit}");
    }
    let state = guard::state(&life.machine).await.unwrap();
    assert!(!matches!(state, GuardState::Armed(_)), "{at}: {state:?}");
}

async fn is_as_before(life: &Life, at: &str) {
    assert_eq!(life.machine.addresses("eth0"), Some(vec![LAN.to_owned()]), "{at}");
    assert_eq!(life.machine.addresses("vmbr0"), None, "{at}");
    assert_eq!(text(&life.machine, ifupdown::PATH), THEIRS, "{at}");
    assert_eq!(life.machine.file(bridge::CARD_PATH), None, "{at}");
    for unit in [MANAGER, WAITS, ifupdown::UNIT] {
        assert!(enabled(life, unit).await, "{at}: {unit}");
    }
    let state = guard::state(&life.machine).await.unwrap();
    assert!(!matches!(state, GuardState::Armed(_)), "{at}: {state:?}");
}

/// Time passes, and only systemd does anything; the machine reboots when it is asked to.
async fn pass(life: &Life) {
    for _ in 0..6 {
        tokio::select! {
            biased;
            loss = life.machine.lost() => match loss {
                Loss::Power | Loss::Reboot => life.machine.boot(),
                Loss::Agent | Loss::AgentAndItsWork => life.machine.restart_agent(),
            },
            () = life.wait(200) => return,
        }
    }
}

#[tokio::test]
async fn the_bridge_takes_over_and_stays() {
    let mut life = up().await;
    is_up(&life, "applied").await;
    assert_eq!(reboots(&life), 1);
    assert_eq!(
        text(&life.machine, "/etc/resolv.conf"),
        "# Written by Heeler.\nnameserver 10.10.80.1\n"
    );
    life.machine.boot();
    is_up(&life, "booted").await;
    life.machine.clear_log();
    assert_eq!(life.apply(&wanted()).await, Outcome::Done);
    assert_eq!(life.changes(), [""; 0]);
}

#[tokio::test]
async fn a_confirmed_bridge_comes_up_wherever_interrupted() {
    let first = fresh().machine.points();
    let last = up().await.machine.points();
    assert!(last - first > 100, "there is something to disturb");
    for at in 0..last - first {
        for loss in LOSSES {
            let mut life = fresh();
            let outcome = life.disturbed(&wanted(), Some((at, loss))).await;
            let at = format!("{loss:?} at {at}");
            if outcome != Outcome::Done {
                let (found, ..) = blocked(outcome);
                assert!(found.contains("was undone"), "{at}: {found}");
                is_as_before(&life, &at).await;
                assert_eq!(life.apply(&wanted()).await, Outcome::Done, "{at}");
            }
            is_up(&life, &at).await;
            life.machine.boot();
            is_up(&life, &at).await;
        }
    }
}

#[tokio::test]
async fn an_unconfirmed_bridge_goes_back_wherever_interrupted() {
    let disturbed = async |point: Option<(u64, Loss)>| {
        let mut life = fresh();
        life.confirmed = false;
        let before = life.machine.points();
        let outcome = life.disturbed(&wanted(), point).await;
        pass(&life).await;
        (life, before, outcome)
    };
    let (life, before, outcome) = disturbed(None).await;
    let (found, ..) = blocked(outcome);
    assert!(found.contains("was undone: nobody confirmed it in time"), "{found}");
    assert_eq!(reboots(&life), 2);
    is_as_before(&life, "undisturbed").await;
    let count = life.machine.points() - before;
    for at in 0..count {
        for loss in LOSSES {
            let (life, _, outcome) = disturbed(Some((at, loss))).await;
            let at = format!("{loss:?} at {at}");
            assert_ne!(outcome, Outcome::Done, "{at}");
            is_as_before(&life, &at).await;
            life.machine.boot();
            is_as_before(&life, &at).await;
        }
    }
}

#[tokio::test]
async fn a_dead_agent_leaves_the_old_network() {
    let first = fresh().machine.points();
    let last = up().await.machine.points();
    for at in 0..last - first {
        let life = fresh();
        let id = heeler_proto::TaskId::from_random(7);
        life.machine.lose_at(life.machine.points() + at, Loss::AgentAndItsWork);
        let host = life.machine.clone();
        let mut journal = crate::journal::Journal::open(&host, (&life.node, &id), &[], &[]).await;
        let task = wanted();
        let dies = heeler_tasks::run(&host, &life.node, &task, &mut journal, false);
        let loss = tokio::select! {
            biased;
            loss = life.machine.lost() => Some(loss),
            _ = dies => None,
            () = life.wait(60) => None,
        };
        match loss {
            Some(Loss::Reboot | Loss::Power) => life.machine.boot(),
            _ => life.machine.restart_agent(),
        }
        pass(&life).await;
        // Killed before the guard's timer was started, it has changed nothing; the next boot ends that change.
        life.machine.boot();
        pass(&life).await;
        is_as_before(&life, &format!("at {at}")).await;
    }
}

#[tokio::test]
async fn a_wrong_gateway_is_refused_before_anything_changes() {
    let mut life = fresh();
    let (found, ..) = blocked(life.apply(&bridge_to(LAN, [10, 10, 80, 254])).await);
    assert!(found.contains("nobody answers for 10.10.80.254"), "{found}");
    is_as_before(&life, "blocked").await;
    assert_eq!(reboots(&life), 0);
}

/// Applies until the node reboots with the bridge, lets `happen`, and goes on to the end of the task.
async fn after_the_reboot(life: &mut Life, happen: impl FnOnce(&Machine)) -> Outcome {
    let (id, task) = (life.next_task(), wanted());
    let host = life.machine.clone();
    let mut journal = crate::journal::Journal::open(&host, (&life.node, &id), &[], &[]).await;
    tokio::select! {
        biased;
        loss = life.machine.lost() => assert_eq!(loss, Loss::Reboot),
        outcome = heeler_tasks::run(&host, &life.node, &task, &mut journal, false) => panic!("{outcome:?}"),
    }
    happen(&life.machine);
    life.machine.boot();
    let outcome = life.carry_out(&id, &task, &[]).await;
    pass(life).await;
    outcome
}

#[tokio::test]
async fn a_router_that_does_not_answer_takes_the_node_back() {
    let wire = lan();
    let mut life = with(&wire, &[Nic::onboard(MAC, LAN)]);
    let outcome = after_the_reboot(&mut life, |_| wire.take(ROUTER)).await;
    let (found, ..) = blocked(outcome);
    assert!(
        found.contains("10.10.80.1, the router, does not answer over vmbr0"),
        "{found}"
    );
    is_as_before(&life, "back").await;
    assert_eq!(reboots(&life), 2);
}

#[tokio::test]
async fn a_missing_cable_takes_the_node_back() {
    let mut life = fresh();
    let outcome = after_the_reboot(&mut life, |machine| machine.set_carrier(MAC, false)).await;
    let (found, ..) = blocked(outcome);
    assert!(found.contains("was undone"), "{found}");
    is_as_before(&life, "back").await;
    let (found, ..) = blocked(life.apply(&wanted()).await);
    assert!(found.contains("has no link"), "{found}");
    life.machine.set_carrier(MAC, true);
    assert_eq!(life.apply(&wanted()).await, Outcome::Done);
}

#[tokio::test]
async fn an_address_in_use_is_not_taken() {
    let wire = lan();
    wire.put(Ipv4Addr::new(10, 10, 80, 50), 24, OTHER);
    let mut life = with(&wire, &[Nic::onboard(MAC, LAN)]);
    let (found, ..) = blocked(life.apply(&wanted()).await);
    assert!(found.contains(OTHER), "{found}");
    is_as_before(&life, "blocked").await;
}

#[tokio::test]
async fn an_address_from_dhcp_gives_way_to_the_static_one() {
    let mut life = with(&lan(), &[Nic::onboard(MAC, "10.10.80.123/24"), Nic::usb(OTHER)]);
    assert_eq!(life.apply(&wanted()).await, Outcome::Done);
    is_up(&life, "applied").await;
}

#[tokio::test]
async fn an_ambiguous_or_foreign_card_is_not_chosen() {
    let mut life = with(&lan(), &[Nic::onboard(MAC, "10.10.80.123/24"), Nic::usb(OTHER)]);
    let (found, ..) = blocked(life.apply(&bridge_to("10.10.82.50/24", [10, 10, 82, 1])).await);
    assert!(found.contains(MAC) && found.contains(OTHER), "{found}");

    let mut life = with(&lan(), &[Nic::onboard(MAC, LAN)]);
    let theirs = "iface br0 inet static\n  address 10.10.80.50/24\n  gateway 10.10.80.1\n  bridge-ports eth0\n";
    life.machine.put_file(ifupdown::PATH, theirs.as_bytes()).unwrap();
    life.machine.by_hand("ifreload", &["-a"]);
    let (found, ..) = blocked(life.apply(&wanted()).await);
    assert!(found.contains("belongs to br0"), "{found}");
    assert_eq!(text(&life.machine, ifupdown::PATH), theirs);
}

#[tokio::test]
async fn a_persons_stanzas_are_not_overwritten() {
    for (theirs, words) in [
        ("iface eth0 inet dhcp\n", ":1: iface eth0 configures the card"),
        (
            "auto vmbr0\niface vmbr0 inet static\n  address 10.10.80.51/24\n  bridge-ports eth0\n",
            ":2: iface vmbr0 gives that bridge another address",
        ),
        (
            "iface vmbr1 inet manual\n  bridge-ports eth0\n",
            "the card in another bridge",
        ),
    ] {
        let mut life = fresh();
        life.machine.put_file(ifupdown::PATH, theirs.as_bytes()).unwrap();
        let (found, ..) = blocked(life.apply(&wanted()).await);
        assert!(found.contains(words), "{found}");
        assert_eq!(text(&life.machine, ifupdown::PATH), theirs);
        assert_eq!(reboots(&life), 0);
    }
}

#[tokio::test]
async fn a_bridge_made_by_hand_is_taken_in() {
    let mut life = fresh();
    let theirs = "auto vmbr0\niface vmbr0 inet static\n  address 10.10.80.50\n  netmask 255.255.255.0\n  gateway \
                  10.10.80.1\n  bridge_ports eth0\n  bridge-vlan-aware yes\n";
    life.machine.put_file(ifupdown::PATH, theirs.as_bytes()).unwrap();
    for unit in [MANAGER, WAITS] {
        life.machine.unit(unit, heeler_host::UnitAction::Disable).await.unwrap();
    }
    life.machine
        .put_file("/etc/resolv.conf", b"nameserver 10.10.80.1\n")
        .unwrap();
    life.machine.boot();
    life.machine.clear_log();
    assert_eq!(life.apply(&wanted()).await, Outcome::Done);
    assert_eq!(life.changes(), [""; 0]);
}

#[tokio::test]
async fn changes_that_wait_in_proxmox_are_not_lost() {
    let staged = "auto lo\niface lo inet loopback\nauto eth1\niface eth1 inet static\n\taddress 10.0.0.2/24\n";
    let mut life = fresh();
    life.machine.put_file(ifupdown::STAGED, staged.as_bytes()).unwrap();
    let (found, ..) = blocked(life.apply(&wanted()).await);
    assert!(found.contains("iface eth1 inet static; address 10.0.0.2/24"), "{found}");
    assert_eq!(text(&life.machine, ifupdown::STAGED), staged);

    let empty = "iface lo inet loopback\n\niface eth0 inet manual\n";
    life.machine.put_file(ifupdown::STAGED, empty.as_bytes()).unwrap();
    let shown = life.preview(&wanted()).await;
    assert_eq!(shown[0].ops[0].before, empty);
    assert_eq!(life.apply(&wanted()).await, Outcome::Done);
    assert_eq!(life.machine.file(ifupdown::STAGED), None);

    let same = format!("{}\niface eth1 inet dhcp\n", text(&life.machine, ifupdown::PATH));
    life.machine.put_file(ifupdown::STAGED, same.as_bytes()).unwrap();
    assert_eq!(life.apply(&wanted()).await, Outcome::Done);
    assert_eq!(text(&life.machine, ifupdown::STAGED), same);
    assert!(life.preview(&wanted()).await[0].reason.contains("changes wait"));
}

#[tokio::test]
async fn an_edited_block_is_shown_and_put_right_without_reboot() {
    let mut life = up().await;
    let good = text(&life.machine, ifupdown::PATH);
    let edited = good.replace("gateway 10.10.80.1", "gateway 10.10.80.9");
    life.machine.put_file(ifupdown::PATH, edited.as_bytes()).unwrap();
    life.machine.by_hand("ifreload", &["-a"]);
    life.machine.clear_log();
    let shown = life.preview(&wanted()).await;
    let edit = &shown[3].ops[1];
    assert!(
        edit.before.contains("gateway 10.10.80.9") && edit.after == good,
        "{edit:?}"
    );
    assert_eq!(life.apply(&wanted()).await, Outcome::Done);
    is_up(&life, "put right").await;
    assert_eq!(reboots(&life), 0);
}

#[tokio::test]
async fn another_router_is_taken_only_when_confirmed() {
    let wire = lan();
    let mut life = with(&wire, &[Nic::onboard(MAC, LAN)]);
    assert_eq!(life.apply(&wanted()).await, Outcome::Done);
    wire.put(Ipv4Addr::new(10, 10, 80, 2), 24, OTHER);
    let other = bridge_to(LAN, [10, 10, 80, 2]);
    life.confirmed = false;
    assert!(matches!(life.apply(&other).await, Outcome::Failed { .. }));
    is_up(&life, "undone").await;
    life.confirmed = true;
    assert_eq!(life.apply(&other).await, Outcome::Done);
    assert!(text(&life.machine, ifupdown::PATH).contains("gateway 10.10.80.2\n"));
    assert_eq!(reboots(&life), 1);
}

#[tokio::test]
async fn a_failed_part_leaves_everything_as_it_was() {
    let syntax = ifupdown::check_syntax().to_string();
    for part in [bridge::CARD_PATH, ifupdown::PATH, syntax.as_str()] {
        let mut life = fresh();
        life.confirmed = false;
        life.machine.fail_next(
            part,
            match part.starts_with('/') {
                true => Fault::CannotWrite(std::io::ErrorKind::StorageFull),
                false => Fault::complains(1, "error: /etc/network/interfaces: line9: unexpected"),
            },
        );
        let Outcome::Failed { reason, .. } = life.apply(&wanted()).await else {
            panic!("{part}: failed")
        };
        assert!(reason.contains("the change was undone at once"), "{part}: {reason}");
        is_as_before(&life, part).await;
        assert_eq!(reboots(&life), 0, "{part}");
        life.confirmed = true;
        assert_eq!(life.apply(&wanted()).await, Outcome::Done, "{part}");
    }
}

#[tokio::test]
async fn a_unit_that_was_off_is_off_after_the_undo() {
    let mut life = fresh();
    let off = heeler_host::UnitAction::Disable;
    life.machine.unit(ifupdown::UNIT, off).await.unwrap();
    life.machine.unit(WAITS, off).await.unwrap();
    life.confirmed = false;
    blocked(life.apply(&wanted()).await);
    pass(&life).await;
    assert!(enabled(&life, MANAGER).await);
    assert!(!enabled(&life, ifupdown::UNIT).await && !enabled(&life, WAITS).await);
    life.confirmed = true;
    assert_eq!(life.apply(&wanted()).await, Outcome::Done);
    is_up(&life, "applied").await;
}

#[tokio::test]
async fn without_proxmox_the_network_stays_as_it_is() {
    let machine = pi().nic(Nic::onboard(MAC, LAN)).wire(&lan()).build();
    machine.install_ifupdown2("3.0.0-2");
    let mut life = Life::of(machine);
    let shown = life.preview(&wanted()).await;
    for step in &shown {
        assert_eq!(step.outcome(), StepOutcome::NotApplicable, "{step:?}");
    }
    assert!(shown[0].reason.contains("Proxmox's ifupdown2 is not installed"));
    life.machine.clear_log();
    assert_eq!(life.apply(&wanted()).await, Outcome::Done);
    assert_eq!(life.changes(), [""; 0]);
}

#[tokio::test]
async fn the_preview_names_the_reboot_and_the_undo() {
    let shown = fresh().preview(&wanted()).await;
    let ops = &shown[3].ops;
    assert_eq!(
        ops[0].summary,
        "eth0 10.10.80.50/24 -> vmbr0 10.10.80.50/24 through 10.10.80.1, undone in 90 s if unconfirmed"
    );
    assert!(
        ops[2].before == THEIRS && ops[2].after.starts_with(THEIRS),
        "{:?}",
        ops[2]
    );
    assert!(ops.last().unwrap().summary.starts_with("reboot: vmbr0"), "{ops:?}");
    assert_eq!(shown[4].after, "BridgeUp");
}

#[tokio::test]
async fn bridge_and_backplane_share_the_file() {
    let usb = Nic::usb(OTHER);
    let mut life = with(&lan(), &[Nic::onboard(MAC, LAN), usb]);
    let backplane = Task::KeepBackplane(KeepBackplane {
        address: "10.10.99.50/24".parse().unwrap(),
        mac: None,
        renderer: Renderer::Auto,
    });
    assert_eq!(life.apply(&wanted()).await, Outcome::Done);
    assert_eq!(life.apply(&backplane).await, Outcome::Done);
    life.machine.clear_log();
    assert_eq!(life.apply(&wanted()).await, Outcome::Done);
    assert_eq!(life.apply(&backplane).await, Outcome::Done);
    assert_eq!(life.changes(), [""; 0]);
    is_up(&life, "both").await;
}

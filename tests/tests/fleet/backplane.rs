//! A network change stays only if the node's peers still reach it.

use std::fmt::Write as _;
use std::time::Duration;

use heeler_coordinator::clock::Clock as _;
use heeler_host::sim::{Machine, Nic, Pace, Wire};
use heeler_host::{link, netplan};
use heeler_proto::v1::{self, Light, StepOutcome, from_agent, reply::Answer, request::Ask, to_agent};
use heeler_tests::{BareAgent, CLUSTER, Fleet, Line, Node, Operator};

use crate::scene::{assignment, change, finished, planned_text, taken, task};

const NAMES: [&str; 3] = ["a", "b", "c"];

/// Three seconds in the test are the guard's 90 s.
const PACE: Pace = Pace::Live {
    program: Duration::ZERO,
    haste: 30,
};

fn machine(place: usize, wire: &Wire) -> Machine {
    Machine::builder(NAMES[place])
        .nic(Nic::onboard(
            &format!("2c:cf:67:00:00:0{place}"),
            &format!("10.10.80.{}/24", 50 + place),
        ))
        .nic(Nic::usb(&mac(place)))
        .wire(wire)
        .pace(PACE)
        .build()
}

fn mac(place: usize) -> String {
    format!("00:e0:4c:68:00:0{place}")
}

/// heeler.toml of `count` nodes, with an additional line for the first.
fn config(count: usize, first: &str) -> String {
    let mut text = format!(
        "[cluster]\nname = \"{CLUSTER}\"\n[coordinator]\naddresses = [\"10.10.80.1:7443\"]\n\
         [network]\nsubnet = \"10.10.80.0/24\"\nbackplane = \"10.10.99.0/24\"\n"
    );
    for (place, name) in NAMES.iter().enumerate().take(count) {
        let _ = writeln!(text, "[nodes.{name}]\naddress = \"10.10.80.{}\"", 50 + place);
        let own = format!("backplane = {{ address = \"10.10.99.{}\" }}", 50 + place);
        let _ = writeln!(text, "{}", if place == 0 && !first.is_empty() { first } else { &own });
    }
    text
}

async fn fleet(count: usize) -> (Fleet, Vec<Node>, Operator, Wire) {
    let (fleet, wire) = (Fleet::new().await, Wire::default());
    let mut nodes = Vec::new();
    for (place, name) in NAMES.iter().enumerate().take(count) {
        nodes.push(Node::added(&fleet, machine(place, &wire), name).await);
    }
    let operator = fleet.operator().await;
    (fleet, nodes, operator, wire)
}

async fn apply(fleet: &Fleet, operator: &mut Operator, text: &str, parent: u64) -> Vec<v1::TaskInfo> {
    let plan = operator.plan_text(text, parent).await;
    let reply = operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();
    let mut tasks = Vec::new();
    for id in &reply.task_ids {
        let one = v1::ApplyReply {
            task_ids: vec![id.clone()],
            ..Default::default()
        };
        finished(operator, &one).await;
        tasks.push(task(operator, id).await);
    }
    tasks
}

#[tokio::test]
async fn every_earlier_peer_confirms_a_node() {
    let (fleet, nodes, mut operator, _) = fleet(3).await;
    let tasks = apply(&fleet, &mut operator, &config(3, ""), 0).await;
    assert!(
        tasks.iter().all(|task| task.state() == v1::TaskState::Done),
        "{tasks:?}"
    );
    for (node, words) in nodes
        .iter()
        .zip(["no other node could check it", "and by a", "and by a, b"])
    {
        let event = operator.wait_for(v1::EventKind::NetworkConfirmed, &node.name).await;
        assert!(event.text.contains(words), "{}: {}", node.name, event.text);
        assert_eq!(node.machine.addresses(link::BACKPLANE).unwrap().len(), 1);
    }
    let again = operator.plan_text(&config(3, ""), 1).await;
    let steps = again.nodes.iter().flat_map(|node| &node.steps);
    assert!(steps.clone().count() > 0);
    for step in steps {
        assert_eq!(step.outcome(), StepOutcome::Satisfied, "{step:?}");
    }
    let status = operator.status(v1::StatusRequest {}).await.unwrap().into_inner();
    assert_eq!(status.light(), Light::Green, "{status:?}");
}

#[tokio::test]
async fn a_removed_backplane_is_no_longer_managed() {
    let (fleet, _nodes, mut operator, _wire) = fleet(1).await;
    apply(&fleet, &mut operator, &config(1, ""), 0).await;
    let plan = operator.plan_text(&heeler_tests::config(&[(NAMES[0], &[])]), 1).await;
    assert!(
        plan.nodes[0].unmanaged.as_ref().is_some_and(|found| found.backplane),
        "{plan:?}"
    );
}

#[tokio::test]
async fn a_change_unreachable_for_one_peer_is_undone() {
    let (fleet, nodes, mut operator, _) = fleet(1).await;
    let mut b = peer(&fleet, &mut operator).await;
    let plan = operator.plan_text(&config(1, ""), 0).await;
    let reply = operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();
    let refuses = async {
        loop {
            let id = b.next_that(asks_for_reach).await;
            let answer = v1::Reach {
                up: true,
                reached: false,
            };
            b.answer(id, Answer::Reach(answer)).await;
        }
    };
    let task = tokio::select! {
        task = finished(&mut operator, &reply) => task,
        () = refuses => unreachable!(),
    };
    assert_eq!(task.state(), v1::TaskState::Failed, "{task:?}");
    assert!(task.reason.contains("b does not reach 10.10.99.50"), "{task:?}");
    assert_eq!(nodes[0].machine.addresses(link::BACKPLANE), None);
    assert_eq!(nodes[0].machine.file(netplan::PATH), None);
}

#[tokio::test]
async fn another_subnet_is_refused_while_peers_are_up() {
    let (fleet, nodes, mut operator, _) = fleet(2).await;
    apply(&fleet, &mut operator, &config(2, ""), 0).await;
    let moved = config(2, "").replace("10.10.99", "10.10.98");
    let plan = operator.plan_text(&moved, 1).await;
    for (node, peer) in plan.nodes.iter().zip(["b (10.10.99.51/24)", "a (10.10.99.50/24)"]) {
        let blocked = node.steps.iter().find_map(|step| step.blocked.as_ref()).unwrap();
        assert!(blocked.found.contains(peer), "{blocked:?}");
        assert!(
            blocked.next.contains("unplug the backplane cables of the other nodes"),
            "{blocked:?}"
        );
        assert!(node.tasks.iter().all(|task| task.task_id.is_empty()), "{node:?}");
    }

    // The way that the plan names.
    nodes[1].machine.set_carrier(&mac(1), false);
    operator
        .discover(v1::DiscoverRequest { node: "b".into() })
        .await
        .unwrap();
    let tasks = apply(&fleet, &mut operator, &moved, 1).await;
    assert!(
        tasks
            .iter()
            .any(|task| task.node == "a" && task.state() == v1::TaskState::Done),
        "{tasks:?}"
    );
    nodes[1].machine.set_carrier(&mac(1), true);
    let tasks = apply(&fleet, &mut operator, &moved, 2).await;
    assert!(
        tasks.iter().all(|task| task.state() == v1::TaskState::Done),
        "{tasks:?}"
    );
    for (node, address) in nodes.iter().zip(["10.10.98.50/24", "10.10.98.51/24"]) {
        assert_eq!(node.machine.addresses(link::BACKPLANE), Some(vec![address.to_owned()]));
    }
}

/// A connected peer that is up on the backplane and reports so.
async fn peer(fleet: &Fleet, operator: &mut Operator) -> Line {
    let (mut line, _) = BareAgent::enrolled(fleet, "b")
        .await
        .join(BareAgent::hello("b"))
        .await
        .unwrap();
    let card = v1::Nic {
        name: link::BACKPLANE.into(),
        carrier: true,
        addresses: vec!["10.10.99.51/24".into()],
        ..Default::default()
    };
    let facts = v1::Facts {
        nics: vec![card],
        ..Default::default()
    };
    let looked = operator.discover(v1::DiscoverRequest { node: "b".into() });
    let answers = async {
        loop {
            let id = line.next_that(Line::asks_for_facts).await;
            line.answer(id, Answer::Facts(facts.clone())).await;
        }
    };
    tokio::select! {
        looked = looked => drop(looked.unwrap()),
        () = answers => {}
    }
    line
}

fn confirmation(body: to_agent::Body) -> Option<v1::NetworkConfirmation> {
    match body {
        to_agent::Body::NetworkConfirmation(told) => Some(told),
        _ => None,
    }
}

fn asks_for_reach(body: to_agent::Body) -> Option<u64> {
    Line::asks(body, |ask| matches!(ask, Ask::Reach(_)).then_some(()))
}

#[tokio::test]
async fn a_lost_peer_keeps_its_veto_after_a_restart() {
    for restarts in [false, true] {
        let (mut fleet, nodes, mut operator, _) = fleet(1).await;
        let mut b = peer(&fleet, &mut operator).await;
        let plan = operator.plan_text(&config(1, ""), 0).await;
        let reply = operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();
        b.next_that(asks_for_reach).await;
        if restarts {
            fleet.kill().await;
            fleet.start().await.unwrap();
            operator = fleet.operator().await;
        }
        drop(b);
        let task = finished(&mut operator, &reply).await;
        assert_eq!(task.state(), v1::TaskState::Failed, "{task:?}");
        assert!(task.reason.contains("was undone"), "{task:?}");
        assert_eq!(nodes[0].machine.addresses(link::BACKPLANE), None);
    }
}

#[tokio::test]
async fn a_change_that_no_open_task_made_is_not_confirmed() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::enrolled(&fleet, "b").await;
    let hello = v1::Hello {
        pending_network: Some(v1::PendingNetwork {
            guard_id: "g".into(),
            address: "10.10.99.51".into(),
        }),
        ..BareAgent::hello("b")
    };
    let (mut line, _) = agent.join(hello).await.unwrap();
    let told = line.next_that(confirmation).await;
    assert_eq!((told.guard_id.as_str(), told.confirmed), ("g", false));
    assert!(told.reason.contains("no open task"), "{told:?}");
}

#[tokio::test]
async fn an_answer_from_before_a_reconnection_does_not_count() {
    let fleet = Fleet::new().await;
    let mut operator = fleet.operator().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    let (mut a, _) = agent.join(BareAgent::hello("a")).await.unwrap();
    let mut b = peer(&fleet, &mut operator).await;
    let plan = planned_text(&fleet, &mut a, config(1, ""), vec![change(0)]).await;
    operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();
    let given = a.next_that(assignment).await;
    a.say(from_agent::Body::Assignment(taken(&given))).await;
    operator.wait_for(v1::EventKind::Accepted, "a").await;
    let hello = v1::Hello {
        task_id: given.task_id,
        generation: given.generation,
        pending_network: Some(v1::PendingNetwork {
            guard_id: "g".into(),
            address: "10.10.99.50".into(),
        }),
        ..BareAgent::hello("a")
    };
    drop(a);
    let (a, _) = agent.rejoin(&hello).await;
    let first = b.next_that(asks_for_reach).await;
    drop(a);
    fleet.clock.advance(1);
    let (mut a, _) = agent.rejoin(&hello).await;
    b.next_that(asks_for_reach).await;
    let reaches = v1::Reach {
        up: true,
        reached: true,
    };
    b.answer(first, Answer::Reach(reaches)).await;
    fleet.clock.advance(12_000);
    tokio::select! {
        _ = b.next_that(asks_for_reach) => {}
        told = a.next_that(confirmation) => panic!("{told:?}"),
    }
}

#[tokio::test]
async fn without_coordinator_a_network_change_is_undone() {
    let (mut fleet, nodes, mut operator, _) = fleet(1).await;
    let text = config(1, "");
    let plan = operator.plan_text(&text, 0).await;
    let machine = &nodes[0].machine;
    let reply = operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();
    while !machine.log().iter().any(|entry| entry.what.ends_with("/guard/armed")) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    fleet.kill().await;
    while machine.file("/var/lib/heeler-agent/guard/undone").is_none() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(machine.addresses(link::BACKPLANE), None);
    assert_eq!(machine.file(netplan::PATH), None);
    fleet.start().await.unwrap();
    let mut operator = fleet.operator().await;
    let task = finished(&mut operator, &reply).await;
    assert_eq!(task.state(), v1::TaskState::Failed, "{task:?}");
    assert!(task.reason.contains("was undone"), "{task:?}");
}

#[tokio::test]
async fn an_address_of_an_unknown_machine_blocks_the_plan() {
    let (_fleet, _nodes, mut operator, wire) = fleet(1).await;
    wire.put("10.10.99.50".parse().unwrap(), 24, "02:00:00:00:00:01");
    let plan = operator.plan_text(&config(1, ""), 0).await;
    let blocked = plan.nodes[0]
        .steps
        .iter()
        .find_map(|step| step.blocked.as_ref())
        .unwrap();
    assert!(blocked.found.contains("02:00:00:00:00:01"), "{blocked:?}");
}

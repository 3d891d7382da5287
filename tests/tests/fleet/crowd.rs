//! A thousand agents connect at once, and some of them hang: none waits for another.

use std::sync::Arc;
use std::time::Duration;

use heeler_coordinator::serve::raise_file_limit;
use heeler_proto::v1::{self, from_agent, reply::Answer};
use heeler_tests::{BareAgent, Fleet, Line, NOON, Operator, put_on_record};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::timeout;

const CROWD: usize = 1_000;
/// Every tenth agent says hello and nothing more.
const SILENT: usize = 10;

fn name(number: usize) -> String {
    format!("node-{number}")
}

/// Puts nodes on record, all with one key, because enrolment is not under test.
async fn enrolled(fleet: &mut Fleet) -> Vec<Arc<BareAgent>> {
    fleet.stop().await;
    let first = BareAgent::new(fleet);
    let nodes: Vec<_> = (0..CROWD).map(|number| (name(number), &first.key)).collect();
    let chains = put_on_record(&fleet.state(), &nodes, NOON).await;
    fleet.start().await.unwrap();
    chains.into_iter().map(|chain| Arc::new(first.with(chain))).collect()
}

/// Connects all at once, each until its facts are asked for.
async fn come(agents: &[Arc<BareAgent>]) -> Vec<Line> {
    let mut coming = JoinSet::new();
    for (number, agent) in agents.iter().cloned().enumerate() {
        coming.spawn(async move {
            // Like a real agent, tries again when the machine is too busy for the handshake.
            let (mut line, _) = loop {
                if let Ok(joined) = agent.join(BareAgent::hello(&name(number))).await {
                    break joined;
                }
            };
            let asked = line.next_that(Line::asks_for_facts).await;
            if number % SILENT > 0 {
                line.answer(asked, Answer::Facts(v1::Facts::default())).await;
            }
            line
        });
    }
    // Longer than a busy machine needs. If agents waited for each other, this would never end.
    timeout(Duration::from_secs(120), coming.join_all()).await.unwrap()
}

async fn nodes(operator: &mut Operator) -> Vec<v1::NodeInfo> {
    let listed = operator.list_nodes(v1::ListNodesRequest {}).await;
    listed.unwrap().into_inner().nodes
}

#[tokio::test]
async fn a_thousand_agents_reconnect_at_once() {
    raise_file_limit();
    let mut fleet = Fleet::new().await;
    let agents = enrolled(&mut fleet).await;
    let _asleep = fleet.operator().await.follow(0).await;
    drop(come(&agents).await);
    fleet.kill().await;
    fleet.start().await.unwrap();
    let _asleep = fleet.operator().await.follow(0).await;
    let _lines = come(&agents).await;
    let mut operator = fleet.operator().await;
    let nodes = nodes(&mut operator).await;
    let connected = nodes.iter().filter(|node| node.connected).count();
    assert_eq!((nodes.len(), connected), (CROWD, CROWD));
    let status = operator.status(v1::StatusRequest {}).await.unwrap().into_inner();
    assert_eq!(status.nodes.len(), CROWD);
}

#[tokio::test]
async fn a_hanging_agent_is_shown_away() {
    let mut fleet = Fleet::new().await;
    fleet.asks_every = Some(Duration::from_millis(500));
    fleet.stop().await;
    fleet.start().await.unwrap();
    let hangs = BareAgent::enrolled(&fleet, "a").await;
    let lives = BareAgent::enrolled(&fleet, "b").await;
    let (connected, is_connected) = oneshot::channel();
    let (end, ended) = std::sync::mpsc::channel::<()>();
    // A stopped program: the kernel still answers keepalive probes for it.
    let hanging = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let line = runtime.block_on(hangs.join(BareAgent::hello("a"))).unwrap();
        connected.send(()).unwrap();
        ended.recv().ok();
        drop(line);
    });
    is_connected.await.unwrap();
    let (mut line, _) = lives.join(BareAgent::hello("b")).await.unwrap();
    let mut operator = fleet.operator().await;
    let asked = operator.discover(v1::DiscoverRequest { node: "a".into() });
    let meanwhile = async {
        let mut operator = fleet.operator().await;
        let begun = nodes(&mut operator).await;
        line.next_that(Line::asks_for_facts).await;
        line.say(from_agent::Body::Event(v1::Event::default())).await;
        begun
    };
    let (refused, begun) = tokio::join!(asked, meanwhile);
    assert!(begun.iter().all(|node| node.connected), "{begun:?}");
    let refused = refused.unwrap_err();
    assert!(refused.message().contains("the connection was lost"), "{refused:?}");
    operator.wait_for(v1::EventKind::Lost, "a").await;
    let nodes = nodes(&mut operator).await;
    let connected: Vec<_> = nodes.iter().map(|node| (node.node.as_str(), node.connected)).collect();
    assert_eq!(connected, [("a", false), ("b", true)]);
    end.send(()).unwrap();
    hanging.join().unwrap();
}

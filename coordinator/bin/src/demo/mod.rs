//! `heeler demo`: a coordinator and three agents in one process, over mutual TLS on loopback. The machines are simulated;
//! everything else is the real thing, the commands too.

mod fleet;
mod stage;
mod typist;

use async_trait::async_trait;
use heeler_coordinator::cli::{CliError, Client, Console, Demonstration, Exit};
use heeler_proto::v1::{Light, ListNodesRequest, StatusRequest};

use fleet::Fleet;
use stage::Stage;

/// What is shown.
pub struct Demo;

#[async_trait(?Send)]
impl Demonstration for Demo {
    async fn run(&self, once: bool, console: &mut Console<'_>) -> Result<Exit, CliError> {
        let mut stage = Stage::set(self, console).await?;
        let mut fleet = Fleet::new();
        // Whatever ends it, its keys go with its folder.
        let shown = tokio::select! {
            biased;
            shown = show(&mut stage, &mut fleet, once) => shown,
            () = told_to_end() => Ok(Exit::Stopped),
        };
        fleet.stop().await;
        stage.strike().await?;
        shown
    }
}

/// A signal that would end the process.
async fn told_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    let kinds = [SignalKind::terminate(), SignalKind::hangup(), SignalKind::interrupt()];
    let [Ok(mut term), Ok(mut hangup), Ok(mut interrupt)] = kinds.map(signal) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = hangup.recv() => {}
        _ = interrupt.recv() => {}
    }
}

async fn show(stage: &mut Stage<'_, '_>, fleet: &mut Fleet, once: bool) -> Result<Exit, CliError> {
    stage.say("This demo skips first contact: the three machines get their tokens directly, and enrol.")?;
    fleet.enrol(stage).await?;
    stage.write_config(fleet)?;
    stage.wait(fleet, seen).await?;
    stage.run("node list").await?;
    stage.run("plan k8sctl-pi5l").await?;
    stage.say("During this apply, k8sctl-pi5r loses power once and starts again.")?;
    fleet.will_lose_power("k8sctl-pi5r");
    stage.run("apply").await?;
    stage.say("A second apply: everything is already as configured, so nothing changes.")?;
    stage.run("apply").await?;
    stage.wait(fleet, green).await?;
    stage.run("status").await?;
    stage.say("Snapshots that the node took by itself, on its schedule and without the coordinator:")?;
    stage.run("snapshot list k8sctl-pi5l").await?;
    if !once {
        stage.stay().await?;
    }
    Ok(Exit::Fine)
}

/// How many nodes have told what they are.
async fn seen(client: &mut Client) -> Result<usize, CliError> {
    let nodes = client.list_nodes(ListNodesRequest {}).await?.into_inner().nodes;
    Ok(nodes
        .iter()
        .filter(|node| node.connected && node.facts.is_some())
        .count())
}

/// How many nodes are green.
async fn green(client: &mut Client) -> Result<usize, CliError> {
    let nodes = client.status(StatusRequest {}).await?.into_inner().nodes;
    Ok(nodes.iter().filter(|node| node.light() == Light::Green).count())
}

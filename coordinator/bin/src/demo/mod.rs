//! `heeler demo`: a coordinator and three agents in one process, over mutual TLS on loopback. Only the machines are
//! simulated; the commands are the real ones.

mod fleet;
mod stage;
mod typist;

use async_trait::async_trait;
use heeler_coordinator::cli::{CliError, Client, Console, Demonstration, Exit};
use heeler_proto::v1::{Light, ListNodesRequest, StatusRequest};

use fleet::Fleet;
use stage::Stage;

/// Runs the demonstration for `heeler demo`.
pub struct Demo;

#[async_trait(?Send)]
impl Demonstration for Demo {
    async fn run(&self, once: bool, console: &mut Console<'_>) -> Result<Exit, CliError> {
        let mut stage = Stage::set(self, console).await?;
        let mut fleet = Fleet::new();
        // The keys lie in the temporary folder, which must be removed even when a signal ends the demonstration.
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

/// Waits for SIGTERM, SIGHUP or SIGINT.
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
    stage.say("This demo skips the installation over SSH (heeler node add); the three machines join directly.")?;
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

/// How many connected nodes have reported facts.
async fn seen(client: &mut Client) -> Result<usize, CliError> {
    let nodes = client.list_nodes(ListNodesRequest {}).await?.into_inner().nodes;
    Ok(nodes
        .iter()
        .filter(|node| node.connected && node.facts.is_some())
        .count())
}

async fn green(client: &mut Client) -> Result<usize, CliError> {
    let nodes = client.status(StatusRequest {}).await?.into_inner().nodes;
    Ok(nodes.iter().filter(|node| node.light() == Light::Green).count())
}

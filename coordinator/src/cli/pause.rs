use clap::Args;
use heeler_proto::json::{NodePause, NodeResume, node_pause, node_resume};
use heeler_proto::v1::{Pause as Held, PauseNodeRequest, ResumeNodeRequest};

use super::{Console, Context, Exit, Names, Result};
use crate::screen::date;

#[derive(Debug, Args)]
#[command(after_help = "\
A paused node gets no new tasks: plan shows PAUSED, apply skips it. It finishes
a running task. Its snapshots, pruning and scrubs continue.")]
pub(super) struct Pause {
    /// Name of the node
    #[arg(add = Names::Nodes.offer())]
    node: String,
    /// How long: 30m, 2h, 3d [default: until heeler node resume]
    #[arg(long = "for", value_name = "TIME", value_parser = heeler_proto::duration::parse)]
    time: Option<u64>,
    /// The reason; status and plan show it
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

pub(super) async fn run(args: Pause, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    let request = PauseNodeRequest {
        node: args.node.clone(),
        reason: args.reason.unwrap_or_default(),
        for_ms: args.time.unwrap_or(0),
    };
    let reply = context.client().await?.pause_node(request).await?.into_inner();
    let node = args.node;
    let until = until(&reply.pause.clone().unwrap_or_default(), console);
    let mut said = format!("{node} is paused {until}. Its snapshots continue.");
    if !reply.in_hand.is_empty() {
        said = format!(
            "{said}\nIt finishes its running task: heeler task follow {}",
            reply.in_hand
        );
    }
    let inline = Some(node_pause::Inline::Reply(reply));
    console.told(NodePause { node, inline }, said)
}

pub(super) async fn resume(node: String, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    let request = ResumeNodeRequest { node: node.clone() };
    let reply = context.client().await?.resume_node(request).await?.into_inner();
    let text = match reply.was_paused {
        true => format!("{node} takes tasks again. Nothing was queued during the pause. Next: heeler plan {node}"),
        false => format!("{node} was not paused."),
    };
    let inline = Some(node_resume::Inline::Reply(reply));
    console.told(NodeResume { node, inline }, text)
}

fn until(pause: &Held, console: &Console<'_>) -> String {
    match pause.until_ms {
        0 => "until heeler node resume".to_owned(),
        at => format!("until {}", date(at, &console.zone)),
    }
}

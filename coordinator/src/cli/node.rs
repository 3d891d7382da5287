use clap::Subcommand;
use heeler_proto::Word as _;
use heeler_proto::json::NodeRevoke;
use heeler_proto::json::node_revoke::Inline;
use heeler_proto::v1::{DiscoverRequest, ListNodesRequest, NodeState, RevokeReply, RevokeRequest, ShowNodeRequest};

use super::{Console, Context, Exit, Names, Result, contact, given, pause, removal};
use crate::screen;

#[derive(Debug, Subcommand)]
pub(super) enum Node {
    /// Install the agent on a fresh Pi over your ssh, or repair it on a known one
    Add(contact::Add),
    /// List every node on record
    List,
    /// Show everything that is known about one node
    Show {
        /// Name of the node
        #[arg(add = Names::Nodes.offer())]
        node: String,
    },
    /// Make a node examine itself again, and show the result
    Discover {
        /// Name of the node
        #[arg(add = Names::Nodes.offer())]
        node: String,
    },
    /// Give a node no new tasks for a while; its snapshots continue
    Pause(pause::Pause),
    /// End a pause
    Resume {
        /// Name of the node
        #[arg(add = Names::Nodes.offer())]
        node: String,
    },
    /// Remove the agent from a node; everything else on it keeps running
    Release(removal::Release),
    /// Remove a node from the record; changes nothing on the node
    Remove(removal::Remove),
    /// Revoke a node's key: its session ends at once, and it cannot connect again
    Revoke {
        /// Name of the node
        #[arg(add = Names::Nodes.offer())]
        node: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

pub(super) async fn run(args: Node, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    let mut client = context.client().await?;
    let now = context.clock.now_ms();
    match args {
        Node::Add(add) => return contact::run(add, context, console).await,
        Node::Pause(args) => return pause::run(args, context, console).await,
        Node::Release(args) => return removal::release_node(args, context, console).await,
        Node::Remove(args) => return removal::remove(args, context, console).await,
        Node::Resume { node } => return pause::resume(node, context, console).await,
        Node::List => {
            let reply = client.list_nodes(ListNodesRequest {}).await?.into_inner();
            console.answer(&reply, |width| screen::nodes(&reply.nodes, now, width))?;
        }
        Node::Show { node } => {
            let reply = client.show_node(ShowNodeRequest { node }).await?.into_inner();
            let zone = console.zone.clone();
            console.answer(&reply, |width| screen::node(&reply, now, &zone, width))?;
        }
        Node::Discover { node } => {
            let facts = client.discover(DiscoverRequest { node }).await?.into_inner().facts;
            let facts = facts.unwrap_or_default();
            console.answer(&facts, |_| screen::facts(&facts))?;
        }
        Node::Revoke { node, yes } => {
            let known = given::node(&mut client, &node).await?;
            let document = |reply| NodeRevoke {
                node: node.clone(),
                revoked: true,
                inline: Some(Inline::Reply(reply)),
            };
            if matches!(known.state(), NodeState::Revoked | NodeState::Released) {
                return console.told(
                    document(RevokeReply { session_closed: false }),
                    format!("{node} is {} already: its key is refused.", known.state().word()),
                );
            }
            let question = format!(
                "Revoke {node}? Its key can never be used again. To take the node back, you must flash its SD card again. [y/N]"
            );
            super::plan::agree(&question, yes, &format!("heeler node revoke {node} --yes"), console)?;
            let reply = client.revoke(RevokeRequest { node: node.clone() }).await?.into_inner();
            let how = if reply.session_closed {
                "its session was closed"
            } else {
                "it was not connected"
            };
            console.told(
                document(reply),
                format!("{node} is revoked; {how}. Its data is unchanged."),
            )?;
        }
    }
    Ok(Exit::Fine)
}

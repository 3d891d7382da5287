use clap::Args;
use heeler_proto::json::{NodeRelease, NodeRemove, PoolForget, node_release, node_remove, pool_forget};
use heeler_proto::v1::{ForgetPoolRequest, Gate, ReleaseNodeRequest, RemoveNodeRequest};
use serde::Serialize;

use super::consent::type_word;
use super::plan::agree;
use super::{CliError, Console, Context, Exit, Names, Result, given};
use crate::screen::{Ink, Line, gates, release};

#[derive(Debug, Args)]
#[command(after_help = "\
The agent stops, and removes itself and its key; the coordinator revokes the
key. Pools, snapshots, the network and everything that runs stay as they
are. The command shows what stops, and asks.")]
pub(super) struct Release {
    /// Name of the node
    #[arg(add = Names::Nodes.offer())]
    node: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Changes only the coordinator's record, not the node. It first shows what
prevents this. A pool on record may hold the only copy of its data: to
remove it, type NODE/POOL or give it with --confirm. The history stays.")]
pub(super) struct Remove {
    /// Name of the node
    #[arg(add = Names::Nodes.offer())]
    node: String,
    /// NODE/POOL of a pool to remove from the record; may be given more than once
    #[arg(long, value_name = "NODE/POOL")]
    confirm: Vec<String>,
    /// Do not ask about the rest
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Args)]
pub(super) struct Forget {
    /// The node that has the pool on record
    #[arg(add = Names::Nodes.offer())]
    node: String,
    /// Name of the pool
    pool: String,
    /// NODE/POOL, instead of typing it when asked
    #[arg(long, value_name = "NODE/POOL")]
    confirm: Option<String>,
}

pub(super) async fn release_node(args: Release, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    let mut client = context.client().await?;
    let node = args.node;
    let request = |go| ReleaseNodeRequest { node: node.clone(), go };
    let reply = client.release_node(request(false)).await?.into_inner();
    let told = reply.node.unwrap_or_default();
    if !console.json {
        let lines = release(&node, &told, console.screen);
        console.show(&lines)?;
    }
    let document = |released| NodeRelease {
        node: node.clone(),
        released,
        inline: Some(node_release::Inline::Reply(told.clone())),
    };
    if !told.refused.is_empty() {
        return refused(document(false), console);
    }
    let question = format!("Remove the agent from {node}? [y/N]");
    agree(
        &question,
        args.yes,
        &format!("heeler node release {node} --yes"),
        console,
    )?;
    client.release_node(request(true)).await?;
    let said = format!(
        "The agent removes itself from {node}; its key is revoked.\nTo remove it from the record: heeler node remove \
         {node}\nTo take it back: heeler node add {node}"
    );
    console.told(document(true), said)
}

pub(super) async fn remove(args: Remove, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    let mut client = context.client().await?;
    let node = args.node;
    let request = |go, confirmed| RemoveNodeRequest {
        node: node.clone(),
        go,
        confirmed,
    };
    let document = |reply| NodeRemove {
        node: node.clone(),
        inline: Some(node_remove::Inline::Reply(reply)),
    };
    let asked = client.remove_node(request(false, vec![])).await?.into_inner();
    let again = format!("heeler node remove {node}");
    show(&asked.gates, console)?;
    if asked.gates.iter().any(|gate| gate.blocks) {
        return refused(document(asked), console);
    }
    let confirmed = typed(&asked.gates, &args.confirm, &again, console)?;
    if confirmed.is_empty() {
        let question = format!("Remove {node} from the record? Its history stays. [y/N]");
        agree(&question, args.yes, &format!("{again} --yes"), console)?;
    }
    let reply = client.remove_node(request(true, confirmed)).await?.into_inner();
    console.told(document(reply), format!("{node} is removed from the record."))
}

pub(super) async fn forget(args: Forget, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    let mut client = context.client().await?;
    let (node, pool) = (args.node, args.pool);
    let request = |go, confirmed| ForgetPoolRequest {
        node: node.clone(),
        pool: pool.clone(),
        go,
        confirmed,
    };
    let document = |reply| PoolForget {
        node: node.clone(),
        pool: pool.clone(),
        inline: Some(pool_forget::Inline::Reply(reply)),
    };
    let asked = client.forget_pool(request(false, String::new())).await?.into_inner();
    show(&asked.gates, console)?;
    if asked.gates.iter().any(|gate| gate.blocks) {
        return refused(document(asked), console);
    }
    let given: Vec<String> = args.confirm.into_iter().collect();
    let again = format!("heeler pool forget {node} {pool}");
    let confirmed = typed(&asked.gates, &given, &again, console)?;
    let request = request(true, confirmed.into_iter().next().unwrap_or_default());
    let reply = client.forget_pool(request).await?.into_inner();
    let said = format!("{pool} of {node} is removed from the record.");
    console.told(document(reply), said)
}

fn show(asked: &[Gate], console: &mut Console<'_>) -> Result<()> {
    if console.json {
        return Ok(());
    }
    let lines = gates(asked, console.screen);
    console.show(&lines)
}

fn refused(document: impl Serialize, console: &mut Console<'_>) -> Result<Exit> {
    console.answer(document, |_| vec![Line::new().ink(Ink::Amber, "Nothing was changed.")])?;
    Ok(Exit::Person)
}

/// The words that the gates ask for, each from --confirm or typed now.
fn typed(asked: &[Gate], given: &[String], again: &str, console: &mut Console<'_>) -> Result<Vec<String>> {
    let words = asked.iter().map(|gate| gate.word.as_str());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let open = given::words(words.iter().copied(), given)?;
    for (word, _) in words.iter().zip(open).filter(|(_, open)| *open) {
        if !console.person.is_there() {
            return Err(CliError::NobodyToAsk(format!(
                "only a person can remove {word} from the record, and there is no terminal to ask on"
            ))
            .next(format!("To confirm: {again} --confirm {word}")));
        }
        let question = format!("Type {word} to remove that pool from the record:");
        type_word(word, &question, console)?;
    }
    Ok(words.into_iter().map(str::to_owned).collect())
}

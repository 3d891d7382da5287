use clap::{Args, Subcommand};
use heeler_proto::json::{NodeSnapshots, SnapshotCreate, SnapshotDiff, SnapshotHold, SnapshotList};
use heeler_proto::v1::snapshot_ask::Ask;
use heeler_proto::v1::{
    CreateSnapshot, DiffSnapshots, HoldSnapshot, ListNodesRequest, ListSnapshots, SnapshotAnswer, SnapshotAsk,
    SnapshotRow, SnapshotsRequest,
};
use heeler_proto::{NodeName, ReleaseHold};

use super::consent::Key;
use super::{CliError, Client, Console, Context, Exit, Names, Result, given};
use crate::known::{short, word};
use crate::screen::{self, Ink, Line};
use crate::told;

#[derive(Debug, Subcommand)]
pub(super) enum Snapshot {
    /// List the snapshots of every dataset with a policy: when, why they are kept, where their files can be read
    List(List),
    /// Take a snapshot now; the schedule never prunes it
    Create {
        /// The node
        #[arg(add = Names::Nodes.offer())]
        node: String,
        /// The dataset, such as data/pve-files
        dataset: String,
        /// Name of the snapshot [default: made from the time]
        #[arg(long)]
        name: Option<String>,
    },
    /// Hold a snapshot with a tag; while it is held nobody can destroy it
    Hold(Hold),
    /// Release a hold; signed with your key, and checked on the node
    Release(Hold),
    /// Show which files differ between a snapshot and a later one, or now
    Diff {
        /// The node
        #[arg(add = Names::Nodes.offer())]
        node: String,
        /// DATASET@NAME
        from: String,
        /// A later one of the same dataset [default: the dataset as it is now]
        to: Option<String>,
    },
    /// Show what the next round of the schedule would prune, and why
    Prune(Prune),
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// The node [default: every one that is connected]
    #[arg(add = Names::Nodes.offer())]
    node: Option<String>,
    /// The snapshots of this dataset instead, with or without a policy
    #[arg(long)]
    dataset: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Hold {
    /// The node
    #[arg(add = Names::Nodes.offer())]
    node: String,
    /// DATASET@NAME
    snapshot: String,
    /// Name of the hold
    #[arg(long, default_value = "keep")]
    tag: String,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Nodes prune by themselves, as heeler.toml says, also without the
coordinator. To keep fewer: change keep in heeler.toml; heeler plan lists
what would be pruned.")]
pub(super) struct Prune {
    /// Only show it (required; nodes prune by themselves)
    #[arg(long, required = true)]
    dry_run: bool,
    /// The node [default: every one that is connected]
    #[arg(add = Names::Nodes.offer())]
    node: Option<String>,
}

pub(super) async fn run(args: Snapshot, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    let mut client = context.client().await?;
    match args {
        Snapshot::List(List { node, dataset }) => {
            let dataset = dataset.unwrap_or_default();
            list(&mut client, node, dataset, false, console).await
        }
        Snapshot::Prune(Prune { node, .. }) => list(&mut client, node, String::new(), true, console).await,
        Snapshot::Create { node, dataset, name } => {
            let name = name.unwrap_or_default();
            let made = ask(&mut client, &node, Ask::Create(CreateSnapshot { dataset, name })).await?;
            let said = format!("{node} has {}", made.created);
            let snapshot = made.created;
            console.told(SnapshotCreate { node, snapshot }, said)
        }
        Snapshot::Hold(hold) => held(&mut client, hold, true, context, console).await,
        Snapshot::Release(hold) => held(&mut client, hold, false, context, console).await,
        Snapshot::Diff { node, from, to } => {
            let to = to.unwrap_or_default();
            let answer = ask(&mut client, &node, Ask::Diff(DiffSnapshots { from, to })).await?;
            let document = SnapshotDiff {
                changes: answer.diff.clone(),
                cut: answer.diff_cut,
            };
            console.answer(document, |_| screen::snapshot_diff(&answer))
        }
    }
}

async fn ask(client: &mut Client, node: &str, ask: Ask) -> Result<SnapshotAnswer> {
    let request = SnapshotsRequest {
        node: node.to_owned(),
        ask: Some(SnapshotAsk { ask: Some(ask) }),
    };
    Ok(client.snapshots(request).await?.into_inner())
}

async fn held(
    client: &mut Client,
    args: Hold,
    hold: bool,
    context: &Context<'_>,
    console: &mut Console<'_>,
) -> Result<Exit> {
    let Hold { node, snapshot, tag } = args;
    let mut body = HoldSnapshot {
        snapshot: snapshot.clone(),
        tag: tag.clone(),
        consent: None,
    };
    let act = match hold {
        true => Ask::Hold(body),
        false => {
            is_held(client, &node, &snapshot, console).await?;
            let name = NodeName::new(&node).map_err(|invalid| CliError::Usage(invalid.to_string()))?;
            let act = ReleaseHold {
                snapshot: snapshot.clone(),
                tag: tag.clone(),
            };
            let key = Key::read(context, client).await?;
            body.consent = Some(key.release(&name, &act, context.clock.now_ms())?);
            Ask::Release(body)
        }
    };
    ask(client, &node, act).await?;
    let text = match hold {
        true => format!(
            "{snapshot} is held with the tag {tag}. To release it: heeler snapshot release {node} {} --tag {}",
            word(&snapshot),
            word(&tag)
        ),
        false => format!("the hold {tag} on {snapshot} is released"),
    };
    console.answer(
        SnapshotHold {
            node,
            snapshot,
            tag,
            held: hold,
        },
        |screen| screen::wrap(&text, screen.width).into_iter().map(Line::of).collect(),
    )
}

/// Fails when the snapshot does not exist or is not held, so that no signature is made without need.
async fn is_held(client: &mut Client, node: &str, snapshot: &str, console: &mut Console<'_>) -> Result<()> {
    let dataset = snapshot.split_once('@').map(|(dataset, _)| dataset);
    let dataset = dataset.ok_or_else(|| CliError::Usage(format!("{} is not DATASET@NAME", short(snapshot))))?;
    let (rows, _) = pages(client, node, dataset, false, console).await?;
    let names: Vec<String> = rows.iter().map(|row| format!("{}@{}", row.dataset, row.name)).collect();
    let what = format!("{node} has no snapshot {}", short(snapshot));
    let list = format!("heeler snapshot list {node} --dataset {dataset}");
    given::one_of(&what, snapshot, names.iter().map(String::as_str), &list)?;
    match names
        .iter()
        .zip(&rows)
        .any(|(name, row)| name == snapshot && row.holds > 0)
    {
        true => Ok(()),
        false => Err(CliError::Other(format!("nobody holds {snapshot} on {node}")).next("Nothing was changed.")),
    }
}

async fn list(
    client: &mut Client,
    node: Option<String>,
    dataset: String,
    prunable: bool,
    console: &mut Console<'_>,
) -> Result<Exit> {
    let one = node.is_some();
    let nodes = match node {
        Some(node) => vec![node],
        None => {
            let all = client.list_nodes(ListNodesRequest {}).await?.into_inner().nodes;
            let (there, away): (Vec<_>, Vec<_>) = all.into_iter().partition(|node| node.connected);
            for node in away {
                left_out(&node.node, "not connected", console);
            }
            there.into_iter().map(|node| node.node).collect()
        }
    };
    let mut documents = Vec::new();
    let mut shown = 0;
    let mut refused: Vec<(&str, Box<tonic::Status>)> = Vec::new();
    let why = |said: &tonic::Status| told::of(said).what;
    for node in &nodes {
        let (rows, no_pruning) = match pages(client, node, &dataset, prunable, console).await {
            // In a list of all nodes, one that lacks the dataset or disconnects must not hide the others.
            Err(CliError::Coordinator(said)) if !one => {
                match shown {
                    0 => refused.push((node, said)),
                    _ => left_out(node, &why(&said), console),
                }
                continue;
            }
            pages => pages?,
        };
        shown += 1;
        for (node, said) in refused.drain(..) {
            left_out(node, &why(&said), console);
        }
        if console.json {
            documents.push(NodeSnapshots {
                node: node.clone(),
                no_pruning,
                snapshots: rows,
            });
            continue;
        }
        let zone = console.zone.clone();
        let mut lines = if shown == 1 { Vec::new() } else { vec![Line::new()] };
        lines.extend(screen::snapshots(
            node,
            &rows,
            prunable,
            &no_pruning,
            &zone,
            console.screen,
        ));
        console.show(&lines)?;
    }
    // When every node refuses for one reason, it is shown once.
    let mut reasons: Vec<String> = refused.iter().map(|(_, said)| why(said)).collect();
    reasons.dedup();
    if reasons.len() > 1 {
        for (node, said) in &refused {
            left_out(node, &why(said), console);
        }
    }
    if let Some((_, said)) = refused.first() {
        let mut told = told::of(said);
        if reasons.len() == 1 && !told.node.is_empty() {
            let names: Vec<&str> = refused.iter().map(|(node, _)| *node).collect();
            told.node = names.join(", ");
        }
        return Err(CliError::Coordinator(Box::new(told::status(said.code(), &told))));
    }
    match console.json {
        true => console.document(SnapshotList { nodes: documents })?,
        false if nodes.is_empty() => console.say("No node is connected. Next: heeler status")?,
        false => {}
    }
    Ok(Exit::Fine)
}

fn left_out(node: &str, why: &str, console: &mut Console<'_>) {
    console.aside(&[Line::new().ink(Ink::Amber, format!("{node} is skipped: {why}"))]);
}

/// Fetches the list page by page: ten thousand snapshots do not fit into one message.
async fn pages(
    client: &mut Client,
    node: &str,
    dataset: &str,
    prunable: bool,
    console: &mut Console<'_>,
) -> Result<(Vec<SnapshotRow>, String)> {
    let (mut rows, mut after): (Vec<SnapshotRow>, _) = (Vec::new(), String::new());
    loop {
        let page = ListSnapshots {
            dataset: dataset.to_owned(),
            after: after.clone(),
            prunable,
            limit: 0,
        };
        let answer = ask(client, node, Ask::List(page)).await?;
        for problem in &answer.problems {
            console.aside(&[Line::new().ink(Ink::Amber, format!("{node}: {problem}"))]);
        }
        rows.extend(answer.rows);
        // An older agent does not name the next page; it starts after the last row.
        let last = rows.last().map(|row| format!("{}@{}", row.dataset, row.name));
        let next = if answer.next.is_empty() {
            last.unwrap_or_default()
        } else {
            answer.next
        };
        if !answer.more || next == after {
            return Ok((rows, answer.no_pruning));
        }
        after = next;
    }
}

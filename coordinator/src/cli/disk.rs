use clap::{Args, Subcommand};
use heeler_proto::Irreversible;
use heeler_proto::v1::{ApplyRequest, ListDisksRequest, PlanEraseRequest};

use super::consent::{self, Key};
use super::watch::{Watched, watch};
use super::{CliError, Console, Context, Exit, Names, Result, apply};
use crate::screen::{self, Line, PlanState, PlanView, in_state, plan_state};

#[derive(Debug, Subcommand)]
pub(super) enum Disk {
    /// List every disk: slot, serial, size, and what it holds
    List {
        /// Only of this node [default: of all nodes]
        #[arg(add = Names::Nodes.offer())]
        node: Option<String>,
    },
    /// Erase a disk, whatever it holds; refused for a disk of an existing pool
    Erase(Erase),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Shows the disk's contents, and asks for its serial (or give it with --confirm).
Before it erases, it saves the labels and the partition table on the node.")]
pub(super) struct Erase {
    /// As heeler disk list shows it
    #[arg(add = Names::Disks.offer())]
    serial: String,
    /// The serial again, instead of typing it when asked
    #[arg(long, value_name = "SERIAL")]
    confirm: Option<String>,
}

pub(super) async fn run(args: Disk, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    match args {
        Disk::List { node } => {
            let request = ListDisksRequest {
                node: node.unwrap_or_default(),
            };
            let reply = context.client().await?.list_disks(request).await?.into_inner();
            console.answer(&reply, |_| {
                let mut lines = screen::disks(&reply.disks);
                let more = reply.more.iter();
                lines.extend(more.map(|node| Line::of(format!("{node} has more disks: heeler disk list {node}"))));
                lines
            })
        }
        Disk::Erase(args) => erase(&args, context, console).await,
    }
}

async fn erase(args: &Erase, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    let mut client = context.client().await?;
    let request = PlanEraseRequest {
        serial: args.serial.clone(),
    };
    let reply = client.plan_erase(request).await?.into_inner();
    let command = format!("heeler disk erase {}", args.serial);
    let view = PlanView {
        reply: &reply,
        wanted: None,
        apply: None,
    };
    match console.json {
        true => console.json_line(apply::planned(&reply))?,
        false => {
            let lines = screen::plan(view, console.screen);
            console.show(&lines)?;
        }
    }
    let changing = in_state(&reply, PlanState::Changes);
    if changing.is_empty() {
        let same = reply.nodes.iter().all(|node| plan_state(node) == PlanState::Same);
        return Ok(if same { Exit::Fine } else { Exit::Person });
    }
    let acts = consent::shown(&changing)?;
    let is_asked_for = |act: &consent::Shown| matches!(&act.act, Irreversible::EraseContents(erase) if erase.disk.serial.as_str() == args.serial);
    if acts.len() != 1 || !acts.iter().all(is_asked_for) {
        return Err(CliError::NotConfirmed(format!(
            "the coordinator plans something other than erasing {}: nothing was signed",
            args.serial
        )));
    }
    let confirmed: Vec<String> = args.confirm.iter().cloned().collect();
    let to_type = consent::to_type(&acts, &confirmed, &command, console)?;
    let key = Key::read(context, &mut client).await?;
    consent::obtain(&to_type, console)?;
    let request = ApplyRequest {
        plan_id: reply.plan_id.clone(),
        nodes: changing.iter().map(|plan| plan.node.clone()).collect(),
        consents: key.sign(&acts, context.clock.now_ms())?,
        overwrite: false,
    };
    let applied = client.erase(request).await?.into_inner();
    if console.json {
        apply::announce(&applied, console)?;
    }
    watch(Watched::of(&applied, &changing), context, console).await
}

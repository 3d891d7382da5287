use clap::Args;
use heeler_proto::v1::PlanReply;

use super::candidate::Candidate;
use super::{CliError, Console, Context, Exit, Names, Result, given};
use crate::screen::{self, PlanState, PlanView, plan_state};

#[derive(Debug, Args)]
pub(super) struct Plan {
    /// Only these nodes [default: all of heeler.toml]
    #[arg(value_name = "NODE", add = Names::Wanted.offer())]
    nodes: Vec<String>,
    /// End with 2 when something would change, and with 3 when a node is blocked
    #[arg(long)]
    exit_code: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Changes that can be undone need y, or --yes. Creating a pool, keeping fewer
snapshots and stopping them need the node's name. Erasing a disk, or using it
without reading it first, needs its serial. Type these, or give them with
--confirm; --yes is not enough for them.")]
pub(super) struct Apply {
    /// Only these nodes [default: all of heeler.toml]
    #[arg(value_name = "NODE", add = Names::Wanted.offer())]
    pub(super) nodes: Vec<String>,
    /// Do not ask about changes that can be undone
    #[arg(long)]
    pub(super) yes: bool,
    /// Confirm a change that cannot be undone: the name or serial that it asks for; may be given more than once
    #[arg(long, value_name = "NODE|SERIAL", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(super) confirm: Vec<String>,
    /// Create a pool on this disk without reading every byte of it first; you must type its serial
    #[arg(long, value_name = "SERIAL", value_parser = clap::builder::NonEmptyStringValueParser::new(), add = Names::Disks.offer())]
    pub(super) skip_reading: Vec<String>,
    /// Accept this heeler.toml even if a newer revision is accepted; this undoes that revision
    #[arg(long)]
    pub(super) overwrite: bool,
}

pub(super) async fn run(args: &Plan, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    let candidate = Candidate::read(context).await?;
    let reply = ask(&candidate, &args.nodes, &[], context).await?;
    show(&candidate, &reply, Some("heeler apply"), console)?;
    let changes = reply.nodes.iter().any(|node| plan_state(node) == PlanState::Changes);
    let blocked = reply.nodes.iter().any(|node| plan_state(node) == PlanState::Blocked);
    Ok(match args.exit_code {
        true if blocked => Exit::Person,
        true if changes => Exit::Usage,
        _ => Exit::Fine,
    })
}

/// Asks the coordinator for a plan. `unread`: serials of disks to use for a pool without reading them first.
pub(super) async fn ask(
    candidate: &Candidate,
    nodes: &[String],
    unread: &[String],
    context: &Context<'_>,
) -> Result<PlanReply> {
    let mut request = candidate.request(nodes)?;
    given::once("--skip-reading", unread)?;
    request.skip_reading = unread.to_vec();
    Ok(context.client().await?.plan(request).await?.into_inner())
}

pub(super) fn show(
    candidate: &Candidate,
    reply: &PlanReply,
    apply: Option<&str>,
    console: &mut Console<'_>,
) -> Result<()> {
    let view = PlanView {
        reply,
        wanted: Some((&candidate.config, &candidate.checkout)),
        apply,
    };
    if console.json {
        return console.document(reply);
    }
    let lines = screen::plan(view, console.screen);
    console.show(&lines)
}

/// Asks a yes-or-no question; `yes` answers it. `again` is the command to show when nobody can be asked.
pub(super) fn agree(question: &str, yes: bool, again: &str, console: &mut Console<'_>) -> Result<()> {
    if yes {
        return Ok(());
    }
    if !console.person.is_there() {
        let question = question.trim_end_matches(" [y/N]");
        let message = format!("there is no terminal to ask on: {question}\nTo agree: {again}");
        return Err(CliError::NobodyToAsk(message));
    }
    let answer = console.person.ask(question).ok().flatten().unwrap_or_default();
    match answer.to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(CliError::NotConfirmed("not confirmed".into())),
    }
}

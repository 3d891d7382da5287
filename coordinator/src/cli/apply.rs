use heeler_proto::Irreversible;
use heeler_proto::json::Planned;
use heeler_proto::v1::{ApplyReply, ApplyRequest, NodePlan, PlanReply, Told};

use super::candidate::Candidate;
use super::consent::{self, Key};
use super::lock::Lock;
use super::plan::{self, Apply, agree};
use super::watch::{Watched, watch};
use super::{CliError, Console, Context, Exit, Result};
use crate::config::Config;
use crate::known::{short, unknown};
use crate::screen::{Line, PlanState, changes, in_state, no_longer_managed, plan_state};
use crate::told;

pub(super) async fn run(args: &Apply, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    let candidate = Candidate::read(context).await?;
    let reply = plan::ask(&candidate, &args.nodes, &args.skip_reading, context).await?;
    named(args, &candidate.config, &reply)?;
    let changing = in_state(&reply, PlanState::Changes);
    let known = Lock::of(reply.accepted_revision, &candidate.text).names_the_same(&candidate.lock);
    // Without changes the person may still need the next command, unless a question follows.
    let asks = !changing.is_empty() || reply.nodes.is_empty() && !reply.behind && !known;
    let next = (!asks).then_some("heeler apply");
    match console.json {
        true => console.json_line(planned(&reply))?,
        false => plan::show(&candidate, &reply, next, console)?,
    }
    if reply.behind && !args.overwrite {
        return Err(behind(&reply));
    }
    unread(&args.skip_reading, &changing)?;
    let stuck: Vec<&NodePlan> = reply
        .nodes
        .iter()
        .filter(|node| {
            !matches!(
                plan_state(node),
                PlanState::Changes | PlanState::Same | PlanState::LeftOut
            )
        })
        .collect();
    if changing.is_empty() && known && !args.overwrite {
        return Ok(if stuck.is_empty() { Exit::Fine } else { Exit::Person });
    }
    let blocked = match known {
        true => Vec::new(),
        false => newly_blocked(&stuck),
    };
    if !blocked.is_empty() && (args.yes || !console.person.is_there()) {
        return Err(not_accepted(&blocked));
    }
    let confirmed = spoken_for(&args.confirm, &stuck);
    let acts = consent::shown(&changing)?;
    let to_type = consent::to_type(&acts, &confirmed, &again(args), console)?;
    let key = match acts.as_slice() {
        [] => None,
        _ => Some(Key::read(context, &mut context.client().await?).await?),
    };
    if !blocked.is_empty() {
        let question = format!(
            "The changes to {} are BLOCKED. Accept this heeler.toml anyway? [y/N]",
            blocked.join(", ")
        );
        agree(&question, false, &again(args), console)?;
    }
    agreed(args, (&changing, known), &no_longer_managed(&reply.nodes), console)?;
    consent::obtain(&to_type, console)?;
    let consents = match key {
        Some(key) => key.sign(&acts, context.clock.now_ms())?,
        None => Vec::new(),
    };
    let request = ApplyRequest {
        plan_id: reply.plan_id.clone(),
        nodes: changing.iter().map(|plan| plan.node.clone()).collect(),
        consents,
        overwrite: args.overwrite,
    };
    let applied = context.client().await?.apply(request).await?.into_inner();
    Lock::of(applied.revision, &candidate.text)
        .having_seen(applied.audit.as_ref())
        .write(&candidate.folder)?;
    announce(&applied, console)?;
    let watched = Watched::of(&applied, &changing);
    let exit = watch(watched, context, console).await?;
    if !stuck.is_empty() && exit == Exit::Fine {
        console.aside(&[Line::of("Some nodes were not changed: heeler plan says why.")]);
        return Ok(Exit::Person);
    }
    Ok(exit)
}

/// Nodes that the new text itself blocks. Such a text is accepted only after a question about it: `--yes` does not
/// answer that, but naming the other nodes avoids it.
fn newly_blocked<'a>(stuck: &[&'a NodePlan]) -> Vec<&'a str> {
    let blocked = stuck
        .iter()
        .filter(|node| node.config_changed && plan_state(node) == PlanState::Blocked);
    blocked.map(|node| node.node.as_str()).collect()
}

fn not_accepted(blocked: &[&str]) -> CliError {
    CliError::Blocked(format!(
        "this heeler.toml is not accepted: its changes to {} are BLOCKED",
        blocked.join(", ")
    ))
    .next("Fix it as the plan says, or name only the nodes to change: heeler apply NODE\u{2026} --yes")
}

/// Fails when a word of --confirm or --skip-reading is the name of nothing in heeler.toml or the plan, before anything
/// is shown or asked.
fn named(args: &Apply, config: &Config, reply: &PlanReply) -> Result<()> {
    let wanted = || config.nodes.iter().map(|node| node.name.value.as_str());
    let nodes = || wanted().chain(reply.nodes.iter().map(|node| node.node.as_str()));
    let disks = || {
        config
            .nodes
            .iter()
            .flat_map(|node| &node.disks)
            .map(|disk| disk.value.as_str())
    };
    for serial in &args.skip_reading {
        let what = format!("--skip-reading {}: heeler.toml names no such disk", short(serial));
        if !disks().any(|disk| disk == serial) {
            let unknown = unknown(what, serial, disks(), "heeler disk list");
            return Err(CliError::Usage(unknown.what).next(unknown.next));
        }
    }
    for word in &args.confirm {
        let what = format!("--confirm {}: heeler.toml names no such node or disk", short(word));
        if !nodes().chain(disks()).any(|name| name == word) {
            let unknown = unknown(what, word, nodes().chain(disks()), "heeler plan");
            return Err(CliError::Usage(unknown.what).next(unknown.next));
        }
    }
    Ok(())
}

/// Checks that each serial of --skip-reading is a leg of a pool that the plan creates.
fn unread(serials: &[String], changing: &[&NodePlan]) -> Result<()> {
    let acts = consent::shown(changing)?;
    let is_unread = |serial: &&String| {
        let mut creations = acts.iter().filter_map(|shown| match &shown.act {
            Irreversible::CreatePool(create) => Some(create),
            _ => None,
        });
        creations.any(|create| create.unread.iter().any(|one| one.as_str() == **serial))
    };
    match serials.iter().find(|serial| !is_unread(serial)) {
        Some(stray) => Err(
            CliError::Usage(format!("--skip-reading {stray}: this plan creates no pool on it"))
                .next("Nothing was changed."),
        ),
        None => Ok(()),
    }
}

/// The words of --confirm, except names of nodes that are blocked or away: they have nothing to confirm now.
fn spoken_for(confirm: &[String], stuck: &[&NodePlan]) -> Vec<String> {
    let words = confirm
        .iter()
        .filter(|word| !stuck.iter().any(|plan| plan.node == **word));
    words.cloned().collect()
}

/// Asks about the changes that can be undone.
fn agreed(
    args: &Apply,
    (changing, known): (&[&NodePlan], bool),
    unmanaged: &str,
    console: &mut Console<'_>,
) -> Result<()> {
    let unmanaged = if known { "" } else { unmanaged };
    let again = again(args);
    let reversible = |plan: &&&NodePlan| changes(plan).all(|op| op.irreversible.is_none());
    let names: Vec<&str> = changing
        .iter()
        .filter(reversible)
        .map(|plan| plan.node.as_str())
        .collect();
    if !names.is_empty() {
        let question = format!("{unmanaged}Change {}? [y/N]", names.join(", "));
        agree(&question, args.yes, &format!("{again} --yes"), console)?;
    } else if changing.is_empty() && !known {
        let question = format!("{unmanaged}Accept this heeler.toml? It changes no node now. [y/N]");
        agree(&question, args.yes, &format!("{again} --yes"), console)?;
    }
    Ok(())
}

fn behind(reply: &PlanReply) -> CliError {
    let accepted = reply.accepted_revision;
    let told = Told {
        what: format!(
            "revision {accepted} was accepted after the one that this heeler.toml is based on; applying it would undo that"
        ),
        next:
            "Show the difference and get the accepted one: heeler config pull\nOverwrite it on purpose: heeler apply \
               --overwrite"
                .to_owned(),
        ..Told::default()
    };
    CliError::Coordinator(Box::new(told::status(tonic::Code::FailedPrecondition, &told)))
}

/// The command as typed, for a message that adds an option to it.
fn again(args: &Apply) -> String {
    let mut command = vec!["heeler apply".to_owned()];
    command.extend(args.nodes.iter().cloned());
    command.extend(args.yes.then(|| "--yes".to_owned()));
    command.extend(args.overwrite.then(|| "--overwrite".to_owned()));
    command.extend(
        args.skip_reading
            .iter()
            .map(|serial| format!("--skip-reading {serial}")),
    );
    command.extend(args.confirm.iter().map(|word| format!("--confirm {word}")));
    command.join(" ")
}

pub(super) fn planned(reply: &PlanReply) -> Planned {
    Planned {
        plan: Some(reply.clone()),
    }
}

pub(super) fn announce(applied: &ApplyReply, console: &mut Console<'_>) -> Result<()> {
    if console.json {
        return console.json_line(applied);
    }
    if applied.revision > 0 {
        let watched = match applied.task_ids.is_empty() {
            true => "",
            false => " Ctrl-C only stops watching.",
        };
        console.say(format!("Revision {} is accepted.{watched}", applied.revision))?;
    }
    Ok(())
}

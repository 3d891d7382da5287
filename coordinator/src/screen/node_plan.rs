use heeler_proto::v1::irreversible::Act;
use heeler_proto::v1::{Blocked, NodePlan, OpKind, OpPreview, Pause, PlanReply, StepOutcome, StepReport};

use super::act::{act, only_stops};
use super::amount::{ago, count, left};
use super::blocked::{blocked, free_disks, place, sentence};
use super::line::{brief, hang};
use super::step_words::{condition, intent};
use super::unmanaged::unmanaged;
use super::{Ink, Line, Screen, diff};
use crate::config::Config;

/// Most lines of a file's diff.
const DIFF: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanState {
    /// Nothing would change.
    Same,
    /// `apply` would change something.
    Changes,
    /// A person must decide first.
    Blocked,
    /// The look failed.
    Unseen,
    Paused,
    /// The node is not connected.
    Offline,
    /// The node was never added.
    New,
    /// heeler.toml does not name the node.
    LeftOut,
}

pub fn plan_state(plan: &NodePlan) -> PlanState {
    let any = |outcome: StepOutcome| plan.steps.iter().any(|step| step.outcome() == outcome);
    if !plan.enrolled {
        PlanState::New
    } else if plan.left_out {
        PlanState::LeftOut
    } else if plan.offline_since_ms > 0 {
        PlanState::Offline
    } else if plan.pause.is_some() {
        PlanState::Paused
    } else if !plan.error.is_empty() {
        PlanState::Unseen
    } else if any(StepOutcome::Blocked) {
        PlanState::Blocked
    } else if any(StepOutcome::Change) {
        PlanState::Changes
    } else if any(StepOutcome::Retry) {
        PlanState::Unseen
    } else {
        PlanState::Same
    }
}

/// The nodes in this state.
pub fn in_state(reply: &PlanReply, state: PlanState) -> Vec<&NodePlan> {
    reply.nodes.iter().filter(|node| plan_state(node) == state).collect()
}

/// The operations that apply would do first. Operations that depend on their result are not known yet.
pub fn changes(plan: &NodePlan) -> impl Iterator<Item = &OpPreview> {
    let changing = plan.steps.iter().filter(|step| step.outcome() == StepOutcome::Change);
    changing.flat_map(|step| step.ops.iter().filter(|op| !goes_without_saying(op, step)))
}

/// How often apply would restart the node, as far as that is known.
pub fn planned_reboots(plan: &NodePlan) -> usize {
    changes(plan).filter(|op| op.kind() == OpKind::Reboot).count()
}

/// What the person should know of steps that change nothing: why one does not apply to the node, or what it waits for.
fn notes(plan: &NodePlan, screen: Screen) -> Vec<Line> {
    let told = [StepOutcome::Satisfied, StepOutcome::NotApplicable, StepOutcome::Retry];
    let steps = plan
        .steps
        .iter()
        .filter(|step| told.contains(&step.outcome()) && !step.reason.is_empty());
    let note = |step: &StepReport| {
        hang(
            Line::of("    ").ink(Ink::Dim, "note: "),
            Ink::Plain,
            &step.reason,
            screen,
        )
    };
    // Several steps may have the same to say; it is shown once.
    let mut told: Vec<&StepReport> = Vec::new();
    for step in steps {
        if !told.iter().any(|before| before.reason == step.reason) {
            told.push(step);
        }
    }
    told.into_iter().flat_map(note).collect()
}

/// The first reason why the node is blocked.
pub(super) fn reason(plan: &NodePlan) -> Option<&Blocked> {
    let blocked = plan.steps.iter().find(|step| step.outcome() == StepOutcome::Blocked);
    blocked.and_then(|step| step.blocked.as_ref())
}

pub(super) fn node_plan(
    plan: &NodePlan,
    config: Option<&Config>,
    column: usize,
    now_ms: u64,
    screen: Screen,
) -> Vec<Line> {
    let mut lines = of_state(plan, config, column, now_ms, screen);
    lines.extend(unmanaged(plan, screen));
    lines
}

fn of_state(plan: &NodePlan, config: Option<&Config>, column: usize, now_ms: u64, screen: Screen) -> Vec<Line> {
    let name = Line::new().ink(Ink::Bold, &plan.node).to(column, 2);
    match plan_state(plan) {
        PlanState::New if plan.revoked => {
            let head = name.ink(Ink::Amber, "REVOKED").plain("  ");
            let way = format!(
                "delete the lines of {node} from heeler.toml; or, to take {node} back, flash its SD card (if the coordinator runs on it, first: heeler backup \
                 create FILE, and copy FILE to another machine), then: heeler node add {node} --reflashed",
                node = plan.node
            );
            hang(head, Ink::Plain, &way, screen)
        }
        PlanState::New if plan.released => {
            let head = name.ink(Ink::Amber, "RELEASED").plain("  ");
            let way = format!(
                "delete the lines of {node} from heeler.toml; or, to take {node} back: heeler node add {node}",
                node = plan.node
            );
            hang(head, Ink::Plain, &way, screen)
        }
        PlanState::New => {
            let head = name.ink(Ink::Amber, "NOT ADDED").plain("  ");
            hang(head, Ink::Plain, &format!("heeler node add {}", plan.node), screen)
        }
        PlanState::LeftOut => {
            let head = name.ink(Ink::Amber, "NOT IN heeler.toml").plain("  ");
            let text = format!(
                "apply does not change it; its snapshots and scrubs continue. To remove Heeler from it: heeler node \
                 release {node}. To remove it from the record: heeler node remove {node}",
                node = plan.node
            );
            hang(head, Ink::Plain, &text, screen)
        }
        PlanState::Offline => {
            let since = format!("OFFLINE {}", ago(plan.offline_since_ms, now_ms));
            vec![name.ink(Ink::Amber, since).plain("  not planned, nothing queued")]
        }
        PlanState::Paused => {
            let why = plan
                .pause
                .as_ref()
                .map(|pause| paused(pause, now_ms))
                .unwrap_or_default();
            let mut lines = hang(name.ink(Ink::Amber, "PAUSED").plain("  "), Ink::Plain, &why, screen);
            lines.extend(plan.steps.iter().flat_map(|step| self::step(step, plan, screen)));
            lines
        }
        PlanState::Unseen => {
            let waits = plan.steps.iter().find(|step| step.outcome() == StepOutcome::Retry);
            let why = waits.map_or(plan.error.as_str(), |step| step.reason.as_str());
            hang(
                name.ink(Ink::Red, "NOT CHECKED").plain("  "),
                Ink::Plain,
                &sentence(why),
                screen,
            )
        }
        PlanState::Same if plan.unmanaged.is_some() => vec![name.ink(Ink::Amber, "NO LONGER MANAGED")],
        PlanState::Same => {
            let mut lines = vec![name.ink(Ink::Green, "nothing to change")];
            lines.extend(notes(plan, screen));
            // A node of which something is asked has answered with its facts.
            if plan.tasks.is_empty() && plan.steps.is_empty() && plan.facts.is_none() {
                let text = format!(
                    "heeler.toml asks nothing of this node, not even a pool: its lines name no disks. To see its disks: \
                     heeler disk list {}",
                    plan.node
                );
                lines.extend(hang(
                    Line::of("    ").ink(Ink::Dim, "note: "),
                    Ink::Plain,
                    &text,
                    screen,
                ));
            }
            lines
        }
        PlanState::Blocked => {
            let mut head = name.ink(Ink::Red, "BLOCKED");
            if let Some(place) = place(reason(plan), config, &plan.node) {
                head = head.plain(format!("  heeler.toml:{place}"));
            }
            let mut lines = vec![head];
            // Two steps may be blocked for the same reason; it is shown once.
            let mut reasons: Vec<_> = plan.steps.iter().filter_map(|step| step.blocked.as_ref()).collect();
            reasons.dedup();
            lines.extend(reasons.into_iter().flat_map(|reason| blocked(reason, 2, screen)));
            lines.extend(
                plan.facts
                    .iter()
                    .flat_map(|facts| free_disks(config, &plan.node, facts)),
            );
            lines
        }
        PlanState::Changes => {
            let mut lines = vec![summary(name, plan)];
            lines.extend(plan.steps.iter().flat_map(|step| self::step(step, plan, screen)));
            lines.extend(later(&plan.steps, screen));
            lines.extend(notes(plan, screen));
            lines
        }
    }
}

/// Who paused the node, why, and for how long.
pub(super) fn paused(pause: &Pause, now_ms: u64) -> String {
    let reason = match pause.reason.as_str() {
        "" => String::new(),
        reason => format!(": {reason}"),
    };
    let left = match pause.until_ms {
        0 if pause.on_node => "until sudo heeler-agent resume there".to_owned(),
        0 => "until heeler node resume".to_owned(),
        until => format!("{} more", left(now_ms, until)),
    };
    format!("by {}{reason}, {left}; apply skips it", pause.operator)
}

pub(super) fn differing(steps: &[StepReport], screen: Screen) -> Vec<Line> {
    let look = NodePlan {
        steps: steps.to_vec(),
        ..NodePlan::default()
    };
    let mut lines: Vec<Line> = steps.iter().flat_map(|step| self::step(step, &look, screen)).collect();
    let reasons = steps.iter().filter_map(|step| step.blocked.as_ref());
    lines.extend(reasons.flat_map(|reason| blocked(reason, 2, screen)));
    lines
}

fn summary(name: Line, plan: &NodePlan) -> Line {
    let any = |kind: OpKind| changes(plan).any(|op| op.kind() == kind);
    let known = count(changes(plan).count(), "change");
    let later = plan.steps.iter().any(|step| step.outcome() == StepOutcome::After);
    let mut line = name.plain(if later { format!("{known} and more") } else { known });
    let acts = || changes(plan).filter_map(|op| op.irreversible.as_ref());
    let harmless =
        acts().filter(|irreversible| matches!(&irreversible.act, Some(Act::LowerKeep(lower)) if only_stops(lower)));
    let harmless = harmless.count();
    let irreversible = acts().count() - harmless;
    if irreversible > 0 {
        line = line.plain(" · ").ink(Ink::Red, format!("{irreversible} IRREVERSIBLE"));
    }
    if harmless > 0 {
        line = line.plain(" · ").ink(Ink::Amber, format!("{harmless} TO CONFIRM"));
    }
    line = match planned_reboots(plan) {
        0 => line.plain(" · no reboot"),
        several => {
            let line = line.plain(" · ").ink(Ink::Amber, count(several, "reboot"));
            return line.plain(" · SSH ends, and is back after it");
        }
    };
    match any(OpKind::Network) {
        false => line.plain(" · SSH stays up"),
        true => line.plain(" · SSH stays up · network change undone unless confirmed"),
    }
}

fn step(step: &StepReport, plan: &NodePlan, screen: Screen) -> Vec<Line> {
    if step.outcome() != StepOutcome::Change {
        return Vec::new();
    }
    let mut lines = Vec::new();
    for op in step.ops.iter().filter(|op| !goes_without_saying(op, step)) {
        // Checked first: what a consent covers is shown completely, whatever kind of operation it is.
        if let Some(irreversible) = &op.irreversible {
            lines.extend(act(op, irreversible, plan.facts.as_ref(), screen));
            lines.extend(diff(&op.before, &op.after, 10, DIFF));
            continue;
        }
        let (sign, ink) = match op.kind() {
            OpKind::Remove => ('-', Ink::Red),
            OpKind::Write | OpKind::Edit if !op.before.is_empty() => ('~', Ink::Amber),
            OpKind::Parameter | OpKind::Reboot | OpKind::Network | OpKind::Guard => ('~', Ink::Amber),
            _ => ('+', Ink::Green),
        };
        let head = Line::new()
            .ink(ink, format!("  {sign} "))
            .plain(format!("{:<5} ", word(op.kind())));
        let text = match op.meaning.as_str() {
            "" => op.summary.clone(),
            meaning => format!("{meaning} ({})", op.summary),
        };
        lines.extend(brief(head, Ink::Plain, &text, 2, screen));
        if op.meaning.is_empty() {
            lines.extend(diff(&op.before, &op.after, 10, DIFF));
        }
    }
    lines
}

/// Whether an operation is part of a network change that is shown as one line. `--json` has all of them.
fn goes_without_saying(op: &OpPreview, step: &StepReport) -> bool {
    let change = step.ops.iter().any(|op| op.kind() == OpKind::Network);
    change && op.kind() != OpKind::Network && op.meaning.is_empty() && op.irreversible.is_none()
}

fn word(kind: OpKind) -> &'static str {
    match kind {
        OpKind::Write | OpKind::Edit | OpKind::Remove => "file",
        OpKind::Parameter => "set",
        OpKind::Network | OpKind::Guard => "net",
        OpKind::Reboot => "boot",
        OpKind::Unit => "unit",
        OpKind::Job => "job",
        OpKind::Run | OpKind::Irreversible | OpKind::Unspecified => "run",
    }
}

/// Steps that depend on another step's result, one line for each of those.
fn later(steps: &[StepReport], screen: Screen) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut told: Vec<&str> = Vec::new();
    let after = |step: &&StepReport| step.outcome() == StepOutcome::After;
    for step in steps.iter().filter(after) {
        if told.contains(&step.after.as_str()) {
            continue;
        }
        told.push(&step.after);
        let same = steps.iter().filter(after).filter(|other| other.after == step.after);
        let names: Vec<String> = same.map(|step| intent(&step.step)).collect();
        let text = format!(
            "{} (details are known only when {})",
            names.join(", "),
            condition(&step.after)
        );
        lines.extend(hang(Line::of("    ").ink(Ink::Dim, "later: "), Ink::Dim, &text, screen));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn op(kind: OpKind, summary: &str, meaning: &str) -> OpPreview {
        OpPreview {
            kind: kind.into(),
            summary: summary.into(),
            meaning: meaning.into(),
            ..OpPreview::default()
        }
    }

    #[test]
    fn steps_that_wait_say_what_they_will_do() {
        let step = |step: &str, after: &str| StepReport {
            step: step.into(),
            after: after.into(),
            outcome: StepOutcome::After.into(),
            ..StepReport::default()
        };
        let steps = [
            step("PropertiesKept", "PoolExists"),
            step("DatasetsExist", "PoolExists"),
            step("ArcCapped", "ZfsLoaded"),
        ];
        let screen = Screen {
            width: 100,
            color: false,
        };
        assert_eq!(
            screen.show(&later(&steps, screen)),
            "    later: set properties, create datasets (details are known only when the pool exists)\n\
             \x20   later: limit the ARC (details are known only when ZFS is loaded)\n"
        );
    }

    #[test]
    fn a_meaning_comes_before_the_command() {
        let on = "switch Debian's monthly scrub of data on again";
        let ops = vec![op(OpKind::Run, "zfs inherit org.debian:periodic-scrub data", on)];
        let changing = StepReport {
            step: "ScrubbedOnce".into(),
            outcome: StepOutcome::Change.into(),
            ops,
            ..StepReport::default()
        };
        let screen = Screen {
            width: 120,
            color: false,
        };
        assert_eq!(
            screen.show(&step(&changing, &NodePlan::default(), screen)),
            "  + run   switch Debian's monthly scrub of data on again (zfs inherit org.debian:periodic-scrub data)\n"
        );
    }

    #[test]
    fn a_plan_counts_reboots_and_says_what_to_know() {
        let reboot = StepReport {
            step: "BootTried".into(),
            outcome: StepOutcome::Change.into(),
            ops: vec![op(OpKind::Reboot, "reboot to try it: why", "")],
            ..StepReport::default()
        };
        let told = StepReport {
            step: "BootloaderCurrent".into(),
            outcome: StepOutcome::Satisfied.into(),
            reason: "the board has an older bootloader".into(),
            ..StepReport::default()
        };
        let waits = StepReport {
            step: "PackagesFinished".into(),
            outcome: StepOutcome::Retry.into(),
            reason: "apt-get (process 7) installs packages".into(),
            ..StepReport::default()
        };
        let mut plan = NodePlan {
            node: "pi5l".into(),
            enrolled: true,
            steps: vec![told, reboot, waits],
            ..NodePlan::default()
        };
        let screen = Screen {
            width: 100,
            color: false,
        };
        assert_eq!(
            screen.show(&node_plan(&plan, None, 4, 0, screen)),
            "pi5l  1 change · 1 reboot · SSH ends, and is back after it\n\
             \x20 ~ boot  reboot to try it: why\n\
             \x20   note: the board has an older bootloader\n\
             \x20   note: apt-get (process 7) installs packages\n"
        );
        plan.steps.truncate(1);
        assert_eq!(
            screen.show(&node_plan(&plan, None, 4, 0, screen)),
            "pi5l  nothing to change\n    note: the board has an older bootloader\n"
        );
    }

    #[test]
    fn a_network_change_is_two_lines() {
        let pin = "pin the backplane to 00:e0:4c:68:00:01";
        let ops = vec![
            op(
                OpKind::Network,
                "backplane none -> 10.10.99.50/24, undone in 90 s if unconfirmed",
                "",
            ),
            op(OpKind::Write, "write /etc/systemd/network/10-enbp0.link", pin),
            op(OpKind::Write, "write /etc/netplan/60-heeler-backplane.yaml", ""),
            op(OpKind::Run, "netplan generate", ""),
            op(OpKind::Guard, "wait until a new session and every peer confirm it", ""),
        ];
        let step = StepReport {
            step: "BackplaneUp".into(),
            outcome: StepOutcome::Change.into(),
            ops,
            ..StepReport::default()
        };
        let plan = NodePlan {
            node: "k8sctl-pi5l".into(),
            enrolled: true,
            steps: vec![step],
            ..NodePlan::default()
        };
        let screen = Screen {
            width: 100,
            color: false,
        };
        assert_eq!(
            screen.show(&node_plan(&plan, None, 11, 0, screen)),
            "k8sctl-pi5l  2 changes · no reboot · SSH stays up · network change undone unless confirmed\n\
             \x20 ~ net   backplane none -> 10.10.99.50/24, undone in 90 s if unconfirmed\n\
             \x20 + file  pin the backplane to 00:e0:4c:68:00:01 (write /etc/systemd/network/10-enbp0.link)\n"
        );
    }
}

use heeler_proto::v1::{NodePlan, PlanReply};

use super::amount::{ago, count};
use super::blocked::way;
use super::line::hang;
use super::node_plan::{PlanState, in_state, node_plan, plan_state, reason};
use super::{Ink, Line, Screen};
use crate::config::Config;

/// Git state of heeler.toml.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checkout {
    /// Short commit hash; empty when heeler.toml is not committed.
    pub commit: String,
    /// Uncommitted lines of heeler.toml.
    pub dirty_lines: u32,
}

#[derive(Debug, Clone, Copy)]
pub struct PlanView<'a> {
    pub reply: &'a PlanReply,
    /// Candidate and git state; None for a plan without heeler.toml, such as an erasure.
    pub wanted: Option<(&'a Config, &'a Checkout)>,
    /// The command that applies the plan, without nodes; None when the person is asked next.
    pub apply: Option<&'a str>,
}

/// Shows changes, operations that cannot be undone, nodes that could not be examined, and what to type next.
pub fn plan(view: PlanView<'_>, screen: Screen) -> Vec<Line> {
    let PlanView { reply, .. } = view;
    let config = view.wanted.map(|(config, _)| config);
    let mut lines = vec![header(view), Line::new()];
    let column = reply
        .nodes
        .iter()
        .map(|node| node.node.chars().count() + 2)
        .max()
        .unwrap_or(0);
    for node in &reply.nodes {
        lines.extend(node_plan(node, config, column, reply.now_ms, screen));
    }
    if reply.nodes.is_empty() {
        lines.push(Line::of("heeler.toml holds no node yet."));
        let next = "heeler node add NAME --ssh USER@HOST";
        if view.apply.is_none() {
            return lines;
        }
        lines.push(Line::new());
        lines.extend(hang(Line::new().ink(Ink::Bold, "Next: "), Ink::Plain, next, screen));
        return lines;
    }
    let idle = reply.nodes.iter().all(is_idle);
    if idle && !reply.behind {
        lines.push(Line::new());
        let managed = reply.nodes.iter().all(|node| node.unmanaged.is_none());
        lines.push(Line::of(match managed {
            true => "Nothing to change.",
            false => "Apply changes nothing on these nodes.",
        }));
    } else if let Some(next) = next(view) {
        lines.push(Line::new());
        lines.extend(hang(Line::new().ink(Ink::Bold, "Next: "), Ink::Plain, &next, screen));
    }
    lines
}

fn is_idle(node: &NodePlan) -> bool {
    matches!(plan_state(node), PlanState::Same | PlanState::LeftOut)
}

fn header(view: PlanView<'_>) -> Line {
    let mut parts = Vec::new();
    if let Some((_, checkout)) = view.wanted {
        parts.push(match (checkout.commit.as_str(), checkout.dirty_lines) {
            ("", _) => "heeler.toml, not committed".to_owned(),
            (commit, 0) => format!("heeler.toml {commit}"),
            (commit, dirty) => format!("heeler.toml {commit} + {}", count(dirty as usize, "uncommitted line")),
        });
    }
    let seen = view
        .reply
        .nodes
        .iter()
        .filter_map(|node| node.facts.as_ref())
        .map(|facts| facts.observed_at_ms);
    if let Some(oldest) = seen.filter(|at| *at > 0).min() {
        parts.push(format!("nodes examined {} ago", ago(oldest, view.reply.now_ms)));
    }
    Line::new().ink(Ink::Dim, parts.join(" · "))
}

fn next(view: PlanView<'_>) -> Option<String> {
    let PlanView { reply, apply, .. } = view;
    let apply = apply?;
    if reply.behind {
        let accepted = reply.accepted_revision;
        return Some(format!(
            "heeler config pull (revision {accepted} was accepted after the one that this heeler.toml is based on)"
        ));
    }
    let of = |wanted: PlanState| in_state(reply, wanted);
    let config = view.wanted.map(|(config, _)| config);
    let mut ways: Vec<String> = Vec::new();
    for node in of(PlanState::Blocked) {
        let way = way(reason(node), config, &node.node);
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    ways.extend(
        of(PlanState::New)
            .iter()
            .filter(|node| !node.revoked && !node.released)
            .map(|node| format!("heeler node add {}", node.node)),
    );
    let changing = of(PlanState::Changes);
    let named = reply.nodes.len() - of(PlanState::LeftOut).len();
    if changing.len() == named && !changing.is_empty() {
        ways.push(apply.to_owned());
    } else if !changing.is_empty() {
        let names: Vec<&str> = changing.iter().map(|node| node.node.as_str()).collect();
        ways.push(format!("{apply} {}", names.join(" ")));
    }
    ways.extend(
        of(PlanState::Paused)
            .iter()
            .map(|node| format!("heeler node resume {}", node.node)),
    );
    ways.extend(
        of(PlanState::New)
            .iter()
            .filter(|node| node.revoked || node.released)
            .map(|node| format!("delete the lines of {} from heeler.toml", node.node)),
    );
    ways.retain(|way| !way.is_empty());
    if ways.is_empty() && !reply.nodes.iter().all(is_idle) {
        ways.push("heeler status".into());
    }
    (!ways.is_empty()).then(|| ways.join(", or: "))
}

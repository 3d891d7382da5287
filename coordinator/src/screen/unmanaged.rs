use heeler_proto::v1::{NodePlan, Unmanaged};

use super::line::hang;
use super::{Ink, Line, Screen};

/// What the node has and heeler.toml no longer asks for, one sentence each.
fn sentences(found: &Unmanaged) -> Vec<String> {
    let mut all = Vec::new();
    if !found.pool.is_empty() {
        let pool = &found.pool;
        let disks: Vec<_> = found.serials.iter().map(|serial| format!("{serial:?}")).collect();
        all.push(format!(
            "pool {pool} is on record, but heeler.toml names no disks for it. Its data, snapshots and scrubs stay as \
             they are; Heeler no longer checks its disks, datasets and properties. To manage it again, in heeler.toml: \
             disks = [{}]",
            disks.join(", ")
        ));
    }
    if found.backplane {
        all.push(
            "the backplane is configured, but heeler.toml no longer asks for it. The card keeps its address; Heeler no \
             longer checks it. To manage it again, put its backplane line back into heeler.toml"
                .to_owned(),
        );
    }
    if !found.datasets.is_empty() {
        all.push(format!(
            "heeler.toml no longer lists {}. Their files stay; Heeler no longer checks that they are there and mounted",
            found.datasets.join(", ")
        ));
    }
    all
}

pub(super) fn unmanaged(plan: &NodePlan, screen: Screen) -> Vec<Line> {
    let all = plan.unmanaged.iter().flat_map(sentences);
    let line = |text: String| hang(Line::new().ink(Ink::Amber, "  ! "), Ink::Plain, &text, screen);
    all.flat_map(line).collect()
}

/// Words for the question whether to accept: what is no longer managed; empty when everything is.
pub fn no_longer_managed(plans: &[NodePlan]) -> String {
    let mut all = Vec::new();
    for plan in plans {
        let Some(found) = &plan.unmanaged else { continue };
        let mut parts = Vec::new();
        parts.extend((!found.pool.is_empty()).then(|| format!("pool {}", found.pool)));
        parts.extend(found.backplane.then(|| "its backplane".to_owned()));
        parts.extend(found.datasets.iter().cloned());
        all.push(format!("{} of {}", parts.join(", "), plan.node));
    }
    match all.is_empty() {
        true => String::new(),
        false => format!("No longer managed: {}. ", all.join("; ")),
    }
}

use heeler_proto::v1::{self, Light};

use super::alert;
use super::node::Look;
use crate::screen::span;

/// A snapshot may be this late: another task may be running, or the node may have just started.
const LATE_MS: u64 = 30 * 60 * 1000;

/// State of a node's snapshots, scrubs and copies.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    /// Newest snapshot of the dataset that is furthest behind, Unix milliseconds.
    pub(super) newest_ms: u64,
    pub(super) wanted: bool,
    pub(super) snapshot_overdue: bool,
    pub(super) last_scrub_ms: u64,
    pub(super) scrub_overdue: bool,
    pub(super) scrub_percent: u32,
    /// The dataset whose snapshot is most overdue, and for how many milliseconds.
    waits: Option<(String, u64)>,
    /// Problems of the last round.
    problems: Vec<String>,
    no_pruning: String,
    /// How old the newest copy of the SD card is in milliseconds (None: none is known of), and why there is no newer
    /// one; when one is overdue.
    copy_overdue: Option<(Option<u64>, String)>,
    now_ms: u64,
}

/// Whether an absent dataset is another node's: a policy for all nodes may name one node's volume.
fn elsewhere(look: &Look<'_>, dataset: &str) -> bool {
    let mut own = look.wanted.iter().flat_map(|wanted| &wanted.datasets);
    look.scheduled.is_some_and(|all| all.contains(dataset)) && !own.any(|own| own.name == dataset)
}

impl Schedule {
    /// Judges the node's last report. A node that is away is never overdue: nobody can see it.
    pub(super) fn of(look: &Look<'_>, facts: Option<&v1::Facts>, pool_scrubbed_ms: u64) -> Self {
        // A time in the future was reported by a wrong clock.
        let past = |at_ms: u64| if at_ms <= look.now_ms { at_ms } else { 0 };
        let Some(said) = facts.and_then(|facts| facts.schedule.as_ref()) else {
            return Self {
                last_scrub_ms: past(pool_scrubbed_ms),
                ..Self::default()
            };
        };
        let wanted = || said.stands.iter().filter(|stand| stand.due_ms > 0);
        let late = |stand: &&v1::SnapshotStand| stand.due_ms.saturating_add(LATE_MS) < look.now_ms;
        let waits = wanted().filter(late).min_by_key(|stand| stand.due_ms);
        let waits = waits.filter(|_| look.connected);
        let last_scrub_ms = past(said.last_scrub_ms).max(past(pool_scrubbed_ms));
        // A scrub by hand delays the next one as a scheduled one does.
        let overdue_ms = match said.last_scrub_ms {
            0 => said.scrub_overdue_ms,
            last => said.scrub_overdue_ms.saturating_add(last_scrub_ms.saturating_sub(last)),
        };
        let absent = said.absent.iter().filter(|dataset| !elsewhere(look, dataset));
        let absent = absent.map(|dataset| format!("there is no dataset {dataset}: no snapshot of it was taken"));
        // A scrub that ended after the report counts.
        let overdue =
            look.connected && said.scrub_overdue_ms > 0 && overdue_ms < look.now_ms && last_scrub_ms <= overdue_ms;
        let last_copy_ms = past(said.last_copy_ms);
        let copy_overdue = look.connected && said.copy_overdue_ms > 0 && said.copy_overdue_ms < look.now_ms;
        let copy_age = (last_copy_ms > 0).then(|| look.now_ms.saturating_sub(last_copy_ms));
        Self {
            copy_overdue: copy_overdue.then(|| (copy_age, said.copy_problem.clone())),
            newest_ms: wanted().map(|stand| stand.newest_ms).min().unwrap_or(0),
            wanted: wanted().next().is_some(),
            snapshot_overdue: waits.is_some(),
            waits: waits.map(|stand| (stand.dataset.clone(), look.now_ms.saturating_sub(stand.due_ms))),
            last_scrub_ms,
            scrub_overdue: overdue,
            scrub_percent: said.scrub_percent,
            problems: said.problems.iter().cloned().chain(absent).collect(),
            no_pruning: said.no_pruning.clone(),
            now_ms: look.now_ms,
        }
    }

    pub(super) fn alerts(&self, node: &str) -> Vec<v1::Alert> {
        let mut alerts = Vec::new();
        let mut amber = |text, next: String| alerts.push(alert(Light::Amber, node, text, next));
        let events = || format!("heeler events --node {node}");
        if let Some((dataset, late_ms)) = &self.waits {
            let text = format!("a snapshot of {dataset} is {} late", span(*late_ms));
            amber(text, events());
        }
        let mut problems = self.problems.iter();
        if let Some(first) = problems.next() {
            let text = match problems.count() {
                0 => first.clone(),
                more => format!("{first}; and {more} more"),
            };
            amber(text, events());
        }
        if !self.no_pruning.is_empty() {
            let text = format!("no snapshot is pruned: {}", self.no_pruning);
            amber(text, format!("heeler snapshot prune --dry-run {node}"));
        }
        if self.scrub_overdue {
            let text = match self.last_scrub_ms {
                0 => "the pool was never scrubbed".to_owned(),
                last => {
                    let ago = span(self.now_ms.saturating_sub(last));
                    format!("the last complete scrub was {ago} ago")
                }
            };
            amber(text, events());
        }
        if let Some((age, problem)) = &self.copy_overdue {
            let mut text = match age {
                None => "what lives on the SD card was never copied to the pool".to_owned(),
                Some(age) => format!("what lives on the SD card was copied to the pool {} ago", span(*age)),
            };
            if !problem.is_empty() {
                text = format!("{text}: {problem}");
            }
            amber(text, format!("heeler node show {node}"));
        }
        alerts
    }
}

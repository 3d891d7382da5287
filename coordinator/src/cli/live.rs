use std::collections::BTreeMap;
use std::time::Duration;

use heeler_proto::v1::FleetEvent;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::screen::{ends, printable, progress};

/// One progress line for each node with a running task, below the log.
pub(super) struct Live {
    all: MultiProgress,
    bars: BTreeMap<String, ProgressBar>,
}

impl Live {
    pub(super) fn of(nodes: impl Iterator<Item = String>) -> Self {
        let all = MultiProgress::new();
        let mut nodes: Vec<String> = nodes.collect();
        nodes.sort();
        let longest = nodes.iter().map(|node| node.chars().count()).max().unwrap_or(0);
        let bar = |node: String| {
            let bar = all.add(ProgressBar::new(100).with_style(spinner()));
            bar.set_prefix(format!("{node:<longest$}"));
            bar.set_message("waiting");
            bar.enable_steady_tick(Duration::from_millis(100));
            (node, bar)
        };
        let bars = nodes.into_iter().map(bar).collect();
        Self { all, bars }
    }

    pub(super) fn take(&mut self, event: &FleetEvent) {
        let Some(bar) = self.bars.get(&event.node) else { return };
        if ends(event).is_some() {
            bar.finish_and_clear();
            return;
        }
        if event.event.is_none() && !event.text.is_empty() {
            bar.set_message(printable(&event.text));
            return;
        }
        let Some((text, percent)) = progress(event) else { return };
        bar.set_style(if percent.is_some() { gauge() } else { spinner() });
        if let Some(percent) = percent {
            bar.set_position(percent.into());
        }
        bar.set_message(printable(&text));
    }

    /// Runs `write` with the progress lines hidden, so that its output appears above them.
    pub(super) fn above<T>(&self, write: impl FnOnce() -> T) -> T {
        self.all.suspend(write)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        for bar in self.bars.values() {
            bar.finish_and_clear();
        }
    }
}

fn spinner() -> ProgressStyle {
    style("  {spinner} {prefix}  {wide_msg}")
}

fn gauge() -> ProgressStyle {
    style("  {spinner} {prefix}  {bar:20} {percent:>3}% {wide_msg}")
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

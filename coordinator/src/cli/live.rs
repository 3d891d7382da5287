use std::collections::BTreeMap;
use std::time::Duration;

use heeler_proto::v1::FleetEvent;
use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};

use crate::screen::{AFTER_REBOOT, ends, printable, progress, reboots};

/// One progress line for each node with a running task, below the log.
pub(super) struct Live {
    all: MultiProgress,
    bars: BTreeMap<String, Bar>,
}

/// The progress line of a node.
struct Bar {
    line: ProgressBar,
    reboots: Reboots,
}

/// The restarts of a node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Reboots {
    /// How many the plan has.
    planned: usize,
    /// How many began.
    begun: usize,
    /// Whether the last one still goes on.
    now: bool,
}

impl Reboots {
    fn begin(&mut self) -> String {
        self.begun += 1;
        self.now = true;
        match self.planned.max(self.begun) {
            1 => "rebooting".to_owned(),
            all => format!("rebooting ({} of {all})", self.begun),
        }
    }
}

impl Live {
    /// The nodes, each with the number of restarts that its plan has.
    pub(super) fn of(nodes: impl Iterator<Item = (String, usize)>) -> Self {
        let all = MultiProgress::new();
        let mut nodes: Vec<(String, usize)> = nodes.collect();
        nodes.sort();
        nodes.dedup_by(|a, b| a.0 == b.0);
        let longest = nodes.iter().map(|(node, _)| node.chars().count()).max().unwrap_or(0);
        let bar = |(node, planned): (String, usize)| {
            let line = all.add(ProgressBar::new(100).with_style(spinner()));
            line.set_prefix(format!("{node:<longest$}"));
            line.set_message("waiting");
            line.enable_steady_tick(Duration::from_millis(100));
            let reboots = Reboots {
                planned,
                ..Reboots::default()
            };
            (node, Bar { line, reboots })
        };
        let bars = nodes.into_iter().map(bar).collect();
        Self { all, bars }
    }

    pub(super) fn take(&mut self, event: &FleetEvent) {
        let Some(Bar { line, reboots: count }) = self.bars.get_mut(&event.node) else {
            return;
        };
        if ends(event).is_some() {
            line.finish_and_clear();
            return;
        }
        if reboots(event) {
            line.set_style(timer());
            line.set_message(count.begin());
            line.reset_elapsed();
            return;
        }
        if event.event.is_none() && !event.text.is_empty() {
            // That a node that restarts disconnects says nothing new.
            if !count.now {
                line.set_message(printable(&event.text));
            }
            return;
        }
        let Some((text, percent)) = progress(event) else { return };
        let text = match std::mem::take(&mut count.now) {
            true => AFTER_REBOOT.to_owned(),
            false => text,
        };
        line.set_style(if percent.is_some() { gauge() } else { spinner() });
        if let Some(percent) = percent {
            line.set_position(percent.into());
        }
        line.set_message(printable(&text));
    }

    /// Runs `write` with the progress lines hidden, so that its output appears above them.
    pub(super) fn above<T>(&self, write: impl FnOnce() -> T) -> T {
        self.all.suspend(write)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        for bar in self.bars.values() {
            bar.line.finish_and_clear();
        }
    }
}

fn spinner() -> ProgressStyle {
    style("  {spinner} {prefix}  {wide_msg}")
}

fn gauge() -> ProgressStyle {
    style("  {spinner} {prefix}  {bar:20} {percent:>3}% {wide_msg}")
}

/// With the seconds since the node began to restart.
fn timer() -> ProgressStyle {
    let seconds = |state: &ProgressState, line: &mut dyn std::fmt::Write| {
        let seconds = state.elapsed().as_secs();
        let _ = write!(line, "{seconds} s");
    };
    style("  {spinner} {prefix}  {msg}, {seconds}").with_key("seconds", seconds)
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_reboots_are_counted() {
        let planned = |planned| Reboots {
            planned,
            ..Reboots::default()
        };
        assert_eq!(planned(1).begin(), "rebooting");
        let mut two = planned(2);
        assert_eq!([two.begin(), two.begin()], ["rebooting (1 of 2)", "rebooting (2 of 2)"]);
        let mut unplanned = planned(0);
        assert_eq!(
            [unplanned.begin(), unplanned.begin()],
            ["rebooting", "rebooting (2 of 2)"]
        );
    }
}

use heeler_proto::Word as _;
use heeler_proto::v1::TaskInfo;
use heeler_proto::v1::TaskState;
use jiff::tz::TimeZone;

use super::amount::{ago, count, date};
use super::blocked::{blocked, sentence};
use super::line::hang;
use super::table::{plain, table};
use super::{Ink, Line, Screen};

/// Characters of a task's id that are shown. Commands accept a start of the id.
const ID: usize = 8;

/// Tasks, newest first, one row each.
pub fn tasks(tasks: &[TaskInfo], now_ms: u64, screen: Screen) -> Vec<Line> {
    if tasks.is_empty() {
        return hang(Line::of("No task yet. Next: "), Ink::Plain, "heeler plan", screen);
    }
    let row = |task: &TaskInfo| {
        vec![
            plain(short(&task.task_id)),
            (Ink::Bold, task.node.clone()),
            plain(&task.kind),
            (ink(task.state()), task.state().word().into()),
            plain(ago(task.created_at_ms, now_ms)),
            plain(waits(task).unwrap_or_else(|| task.reason.clone())),
        ]
    };
    table(
        &["TASK", "NODE", "KIND", "STATE", "AGE", "REASON"],
        tasks.iter().map(row).collect(),
    )
}

pub fn task(task: &TaskInfo, zone: &TimeZone, screen: Screen) -> Vec<Line> {
    let mut lines = vec![
        Line::new()
            .ink(Ink::Bold, format!("{} on {}", task.kind, task.node))
            .plain("  ")
            .ink(ink(task.state()), task.state().word()),
        Line::of(format!("  task {}", task.task_id)),
        Line::of(format!(
            "  revision {}, requested by {} at {}",
            task.revision,
            task.operator,
            date(task.created_at_ms, zone)
        )),
    ];
    if task.finished_at_ms > 0 {
        let changes = count(task.changes as usize, "change");
        lines.push(Line::of(format!(
            "  ended at {}, {changes}",
            date(task.finished_at_ms, zone)
        )));
    }
    lines.extend(waits(task).map(|waits| Line::of(format!("  {waits}"))));
    if !task.reason.is_empty() {
        lines.extend(hang(Line::of("  "), Ink::Plain, &sentence(&task.reason), screen));
    }
    lines.extend(task.blocked.iter().flat_map(|reason| blocked(reason, 2, screen)));
    lines
}

fn short(id: &str) -> String {
    id.chars().take(ID).collect()
}

fn waits(task: &TaskInfo) -> Option<String> {
    let waits = task.state() == TaskState::Queued && !task.predecessor.is_empty() && task.ready_at_ms == 0;
    waits.then(|| format!("waits for task {}", short(&task.predecessor)))
}

const fn ink(state: TaskState) -> Ink {
    match state {
        TaskState::Done => Ink::Green,
        TaskState::Failed | TaskState::Blocked | TaskState::Refused => Ink::Red,
        _ => Ink::Amber,
    }
}

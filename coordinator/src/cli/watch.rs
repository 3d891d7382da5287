use std::collections::BTreeMap;

use heeler_proto::v1::{ApplyReply, EventKind, EventsRequest, FleetEvent, NodePlan, TaskOutcome};

use super::follow::{News, follow};
use super::live::Live;
use super::{Console, Context, Exit, Result};
use crate::screen::{EventLog, Ink, Line, ends, is_an_op, planned_reboots};

/// The tasks of a `heeler apply` or `task follow`, until they end.
pub(super) struct Watched {
    tasks: BTreeMap<String, WatchedTask>,
    /// How often each node's plan restarts it.
    reboots: BTreeMap<String, usize>,
    after: u64,
    /// Whether one of them has begun; earlier events of their nodes are not shown.
    begun: bool,
}

struct WatchedTask {
    node: String,
    /// The kind for messages; empty when the user named the task.
    kind: String,
    /// None while the task is open.
    outcome: Option<TaskOutcome>,
}

impl Watched {
    pub(super) fn of(applied: &ApplyReply, plans: &[&NodePlan]) -> Self {
        let of = |id: &String| {
            let all = plans
                .iter()
                .flat_map(|plan| plan.tasks.iter().map(|task| (&plan.node, task)));
            let (node, kind) = all
                .filter(|(_, task)| task.task_id == *id)
                .map(|(node, task)| (node.clone(), task.kind.clone()))
                .next()
                .unwrap_or_default();
            let outcome = None;
            WatchedTask { node, kind, outcome }
        };
        let tasks = applied.task_ids.iter().map(|id| (id.clone(), of(id)));
        Self {
            tasks: tasks.collect(),
            reboots: plans
                .iter()
                .map(|plan| (plan.node.clone(), planned_reboots(plan)))
                .collect(),
            after: applied.after_event,
            begun: true,
        }
    }

    pub(super) fn one(task: String, node: String, after: u64) -> Self {
        Self {
            tasks: [(
                task,
                WatchedTask {
                    node,
                    kind: String::new(),
                    outcome: None,
                },
            )]
            .into(),
            reboots: BTreeMap::new(),
            after,
            begun: false,
        }
    }

    /// The worst exit code of the tasks; None while one is open.
    fn exit(&self) -> Option<Exit> {
        let mut exit = Exit::Fine;
        for task in self.tasks.values() {
            let this = match task.outcome? {
                TaskOutcome::Done => Exit::Fine,
                TaskOutcome::Blocked => Exit::Person,
                TaskOutcome::Refused => Exit::Refused,
                TaskOutcome::Failed | TaskOutcome::Unspecified => Exit::Error,
            };
            // A task is refused when an earlier one on its node failed; that one's code says more.
            let weight = |exit: Exit| match exit {
                Exit::Fine => 0,
                Exit::Refused => 1,
                Exit::Person => 2,
                _ => 3,
            };
            if weight(this) > weight(exit) {
                exit = this;
            }
        }
        Some(exit)
    }

    fn holds(&self, node: &str) -> bool {
        let mut tasks = self.tasks.values();
        self.begun && tasks.any(|task| task.node == node && task.outcome.is_none())
    }

    fn width(&self) -> usize {
        self.tasks
            .values()
            .map(|task| task.node.chars().count() + 2)
            .max()
            .unwrap_or(0)
    }
}

/// Shows events of the tasks until all have ended. Ctrl-C only stops watching.
pub(super) async fn watch(mut watched: Watched, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    if watched.tasks.is_empty() {
        return Ok(Exit::Fine);
    }
    let how = match watched.tasks.keys().collect::<Vec<_>>().as_slice() {
        [one] => format!("heeler task follow {}", one.chars().take(8).collect::<String>()),
        _ => "heeler events --follow".into(),
    };
    let request = EventsRequest {
        after: watched.after,
        follow: true,
        ..EventsRequest::default()
    };
    let planned = |node: &String| watched.reboots.get(node).copied().unwrap_or(0);
    let nodes = watched
        .tasks
        .values()
        .map(|task| (task.node.clone(), planned(&task.node)));
    let mut log = EventLog::new(watched.width(), console.zone.clone());
    let mut live = console.live.then(|| Live::of(nodes));
    let following = follow(context, request, async |news| {
        match news {
            News::Lost => note(
                "The coordinator does not answer; the nodes keep running. Trying again...",
                live.as_ref(),
                console,
            )?,
            News::Back => note("The coordinator is back.", live.as_ref(), console)?,
            News::Event(event) if watched.tasks.contains_key(&event.task_id) => {
                watched.begun = true;
                if let Some(task) = watched.tasks.get_mut(&event.task_id) {
                    show(&event, (&mut log, &task.kind), live.as_mut(), console)?;
                    task.outcome = outcome(&event).or(task.outcome);
                }
            }
            // The node disconnected or reconnected.
            News::Event(event) if event.task_id.is_empty() && watched.holds(&event.node) => {
                show(&event, (&mut log, ""), live.as_mut(), console)?;
            }
            News::Event(_) => {}
        }
        Ok(watched.exit())
    });
    let ended = tokio::select! {
        ended = following => Some(ended),
        _ = tokio::signal::ctrl_c() => None,
    };
    drop(live);
    match ended {
        Some(ended) => ended,
        None => {
            console.aside(&[Line::of(format!(
                "Stopped watching; the work continues. Watch again: {how}"
            ))]);
            Ok(Exit::Stopped)
        }
    }
}

/// How the task ended, from the agent's event or from the coordinator's decision; None while it is open.
fn outcome(event: &FleetEvent) -> Option<TaskOutcome> {
    match (event.event.is_some(), event.kind()) {
        (true, _) => ends(event),
        (false, EventKind::Failed) => Some(TaskOutcome::Failed),
        (false, EventKind::Refused) => Some(TaskOutcome::Refused),
        (false, _) => None,
    }
}

fn show(
    news: &FleetEvent,
    (log, task): (&mut EventLog, &str),
    live: Option<&mut Live>,
    console: &mut Console<'_>,
) -> Result<()> {
    if console.json {
        return console.json_line(news);
    }
    let lines = log.add(news, task, console.screen);
    match live {
        None => console.show(&lines),
        Some(live) => {
            live.take(news);
            // The progress line has just shown this operation.
            if is_an_op(news) {
                return Ok(());
            }
            live.above(|| console.show(&lines))
        }
    }
}

fn note(text: &str, live: Option<&Live>, console: &mut Console<'_>) -> Result<()> {
    let line = [Line::new().ink(Ink::Amber, text)];
    match live {
        None => console.aside(&line),
        Some(live) => live.above(|| console.aside(&line)),
    }
    Ok(())
}

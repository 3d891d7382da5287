use std::collections::BTreeMap;

use heeler_proto::v1::{ApplyReply, EventsRequest, FleetEvent, NodePlan, TaskOutcome};

use super::follow::{News, follow};
use super::live::Live;
use super::{CliError, Console, Context, Exit, json};
use crate::screen::{Ink, Line, ends, event, is_an_op};

/// Tasks that are watched to their end.
pub(super) struct Watched {
    /// Task and node; None while it is under way.
    tasks: BTreeMap<String, (String, Option<TaskOutcome>)>,
    after: u64,
    /// What happened to their nodes before the first of them began is another story.
    begun: bool,
}

impl Watched {
    pub(super) fn of(applied: &ApplyReply, plans: &[&NodePlan]) -> Self {
        let node = |task: &String| {
            let of = |plan: &&&NodePlan| plan.tasks.iter().any(|one| one.task_id == *task);
            let plan = plans.iter().find(of);
            plan.map(|plan| plan.node.clone()).unwrap_or_default()
        };
        let tasks = applied.task_ids.iter().map(|task| (task.clone(), (node(task), None)));
        Self {
            tasks: tasks.collect(),
            after: applied.after_event,
            begun: true,
        }
    }

    pub(super) fn one(task: String, node: String, after: u64) -> Self {
        Self {
            tasks: [(task, (node, None))].into(),
            after,
            begun: false,
        }
    }

    /// None while one is under way; the worst end counts.
    fn exit(&self) -> Option<Exit> {
        let mut exit = Exit::Fine;
        for (_, outcome) in self.tasks.values() {
            let this = match (*outcome)? {
                TaskOutcome::Done => Exit::Fine,
                TaskOutcome::Blocked => Exit::Person,
                TaskOutcome::Refused => Exit::Refused,
                TaskOutcome::Failed | TaskOutcome::Unspecified => Exit::Error,
            };
            // A task is refused when an earlier one of its node stopped: that one's end says more.
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
        self.begun && tasks.any(|(watched, outcome)| watched == node && outcome.is_none())
    }

    fn width(&self) -> usize {
        self.tasks
            .values()
            .map(|(node, _)| node.chars().count() + 2)
            .max()
            .unwrap_or(0)
    }
}

/// Shows what happens to the tasks until all have ended. Ctrl-C only stops watching.
pub(super) async fn watch(
    mut watched: Watched,
    context: &Context<'_>,
    console: &mut Console<'_>,
) -> Result<Exit, CliError> {
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
    let nodes = watched.tasks.values().map(|(node, _)| node.clone());
    let mut live = console.live.then(|| Live::of(nodes));
    let following = follow(context, request, async |news| {
        match news {
            News::Lost => note(
                "The coordinator does not answer; the nodes go on. Trying again...",
                live.as_ref(),
                console,
            )?,
            News::Back => note("The coordinator is back.", live.as_ref(), console)?,
            News::Event(event) if watched.tasks.contains_key(&event.task_id) => {
                watched.begun = true;
                let outcome = outcome(&event);
                show(&event, watched.width(), live.as_mut(), console)?;
                if let (Some(outcome), Some(task)) = (outcome, watched.tasks.get_mut(&event.task_id)) {
                    task.1 = Some(outcome);
                }
            }
            // That a node was lost, or is back.
            News::Event(event) if event.task_id.is_empty() && watched.holds(&event.node) => {
                show(&event, watched.width(), live.as_mut(), console)?;
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
                "Stopped watching; the work goes on. Watch again: {how}"
            ))]);
            Ok(Exit::Stopped)
        }
    }
}

/// How the task ended, if it has: as its agent says, or as the coordinator has decided without it.
fn outcome(event: &FleetEvent) -> Option<TaskOutcome> {
    match (event.event.is_some(), event.kind.as_str()) {
        (true, _) => ends(event),
        (false, "failed") => Some(TaskOutcome::Failed),
        (false, "refused") => Some(TaskOutcome::Refused),
        (false, _) => None,
    }
}

fn show(news: &FleetEvent, column: usize, live: Option<&mut Live>, console: &mut Console<'_>) -> Result<(), CliError> {
    if console.json {
        return console.json_line(&json::fleet_event(news));
    }
    let lines = event(news, column, &console.zone, console.screen);
    match live {
        None => console.show(&lines),
        Some(live) => {
            live.take(news);
            // What its line has just said needs no line of its own.
            if is_an_op(news) {
                return Ok(());
            }
            live.above(|| console.show(&lines))
        }
    }
}

fn note(text: &str, live: Option<&Live>, console: &mut Console<'_>) -> Result<(), CliError> {
    let line = [Line::new().ink(Ink::Amber, text)];
    match live {
        None => console.aside(&line),
        Some(live) => live.above(|| console.aside(&line)),
    }
    Ok(())
}

use clap::Subcommand;
use heeler_proto::v1::{ListTasksRequest, ShowTaskRequest, TaskInfo};

use super::watch::{Watched, watch};
use super::{CliError, Client, Console, Context, Exit, Names, Result, given};
use crate::screen::{self, Line};

/// Newest tasks in which the start of an id is looked for.
const FAR: u32 = 1000;

#[derive(Debug, Subcommand)]
pub(super) enum Task {
    /// List the last tasks, the newest first
    List {
        /// How many tasks, from 1 to 1000
        #[arg(short = 'n', long, default_value_t = 20, value_parser = given::number(1, FAR))]
        limit: u32,
    },
    /// Show everything about one task
    Show {
        /// Id of the task, or the start of it
        #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new(), add = Names::Tasks.offer())]
        task: String,
    },
    /// Show a task's events from the start until it ends
    Follow {
        /// Id of the task, or the start of it
        #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new(), add = Names::Tasks.offer())]
        task: String,
    },
}

pub(super) async fn run(args: Task, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    let mut client = context.client().await?;
    match args {
        Task::List { limit } => {
            let reply = client.list_tasks(ListTasksRequest { limit }).await?.into_inner();
            let now = context.clock.now_ms();
            console.answer(&reply, |width| {
                let mut lines = screen::tasks(&reply.tasks, now, width);
                let count = reply.tasks.len();
                lines.extend(reply.more.then(|| {
                    Line::of(format!(
                        "There are more: only the newest {count} are listed. Of one node: heeler node show NODE"
                    ))
                }));
                lines
            })
        }
        Task::Show { task } => {
            let task = find(&mut client, &task).await?;
            let zone = console.zone.clone();
            console.answer(&task, |width| screen::task(&task, &zone, width))
        }
        Task::Follow { task } => {
            let task = find(&mut client, &task).await?;
            watch(Watched::one(task.task_id, task.node, 0), context, console).await
        }
    }
}

pub(super) async fn find(client: &mut Client, begins: &str) -> Result<TaskInfo> {
    if begins.len() == 32 {
        let request = ShowTaskRequest {
            task_id: begins.to_owned(),
        };
        return Ok(client.show_task(request).await?.into_inner());
    }
    let tasks = client
        .list_tasks(ListTasksRequest { limit: FAR })
        .await?
        .into_inner()
        .tasks;
    let mut fitting: Vec<TaskInfo> = tasks
        .into_iter()
        .filter(|task| task.task_id.starts_with(begins))
        .collect();
    match (fitting.pop(), fitting.len()) {
        (Some(task), 0) => Ok(task),
        (None, _) => {
            Err(CliError::Other(format!("no task begins with {begins}")).next("The last tasks: heeler task list"))
        }
        (Some(_), more) => {
            let message = format!(
                "{} tasks begin with {begins}\nType more characters of the id. This shows whole ids: heeler task list --json",
                more + 1
            );
            Err(CliError::Other(message))
        }
    }
}

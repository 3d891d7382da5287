use heeler_proto::v1;
use heeler_store::Task;
use prost::Message as _;

use super::{App, Result, decoded, share, words};
use crate::known::{short, unknown};

/// Tasks listed when the request gives no number.
const USUAL: u32 = 50;
const MOST: u32 = 1000;

impl App {
    /// The newest tasks first. `limit` 0: 50; more than 1,000 are cut, and the reply says so. Fails when the database
    /// cannot be read.
    pub async fn tasks(&self, limit: u32) -> Result<v1::ListTasksReply> {
        let asked = if limit == 0 { USUAL } else { limit };
        let most = asked.min(MOST);
        let mut tasks = self.store.read().await?.tasks(most + 1).await?;
        let more = asked > MOST && tasks.len() > most as usize;
        tasks.truncate(most as usize);
        Ok(v1::ListTasksReply {
            tasks: listed(tasks)?,
            more,
        })
    }

    /// One task. Fails when no task has that id.
    pub async fn task(&self, id: &str) -> Result<v1::TaskInfo> {
        let mut tx = self.store.read().await?;
        if let Some(task) = tx.task(id).await? {
            return info(task);
        }
        let last = tx.tasks(USUAL).await?;
        let what = format!("no task {} is known", short(id));
        let ids = last.iter().map(|task| task.id.as_str());
        Err(unknown(what, id, ids, "heeler task list").into())
    }
}

/// The rows of a list. Each is cut to its share, so that one long reason does not push out other tasks.
pub(super) fn listed(tasks: Vec<Task>) -> Result<Vec<v1::TaskInfo>> {
    let share = share::of_list(tasks.len());
    let row = |task| {
        let mut task = info(task)?;
        if task.encoded_len() > share {
            task.reason = format!("too long to be listed: heeler task show {}", task.task_id);
            task.blocked = None;
        }
        Ok(task)
    };
    tasks.into_iter().map(row).collect()
}

pub(super) fn info(task: Task) -> Result<v1::TaskInfo> {
    Ok(v1::TaskInfo {
        task_id: task.id,
        node: task.node,
        kind: task.kind,
        state: words::task_state(task.state).into(),
        reason: task.reason,
        blocked: task
            .blocked
            .map(|bytes| decoded("what blocked a task", &bytes))
            .transpose()?,
        revision: task.revision,
        created_at_ms: task.created_at_ms,
        finished_at_ms: task.finished_at_ms,
        changes: task.changes,
        operator: task.operator,
        predecessor: task.predecessor.unwrap_or_default(),
        ready_at_ms: task.ready_at_ms,
    })
}

#[cfg(test)]
mod tests {
    use heeler_store::TaskState;

    use super::*;

    #[test]
    fn many_large_tasks_fit_into_one_reply() {
        let task = |number: u32| Task {
            id: format!("{number:032}"),
            node: "a".into(),
            kind: "ensure pool".into(),
            state: TaskState::Failed,
            reason: "x".repeat(16 << 10),
            blocked: None,
            revision: 1,
            created_at_ms: 1,
            finished_at_ms: 2,
            changes: 0,
            operator: "me".into(),
            task: Vec::new(),
            epoch: 0,
            counter: 0,
            operation: None,
            predecessor: None,
            ready_at_ms: 0,
            consented_until_ms: None,
        };
        let tasks = listed((0..MOST).map(task).collect()).unwrap();
        assert_eq!(tasks.len(), MOST as usize);
        assert_eq!(
            tasks[7].reason,
            "too long to be listed: heeler task show 00000000000000000000000000000007"
        );
        assert!(v1::ListTasksReply { tasks, more: false }.encoded_len() < 4 << 20);
        assert_eq!(listed(vec![task(1)]).unwrap()[0].reason.len(), 16 << 10);
    }
}

use heeler_proto::v1;
use heeler_store::Task;

use super::{App, AppError, decoded};
use crate::known::{short, unknown};

/// Shown when nobody says how many.
const USUAL: u32 = 50;

impl App {
    /// The newest first; `limit` 0: as many as usual.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn tasks(&self, limit: u32) -> Result<Vec<v1::TaskInfo>, AppError> {
        let tasks = self
            .store
            .read()
            .await?
            .tasks(if limit == 0 { USUAL } else { limit })
            .await?;
        tasks.into_iter().map(info).collect()
    }

    /// One task.
    ///
    /// # Errors
    /// When it is not known.
    pub async fn task(&self, id: &str) -> Result<v1::TaskInfo, AppError> {
        let mut tx = self.store.read().await?;
        if let Some(task) = tx.task(id).await? {
            return info(task);
        }
        let last = tx.tasks(USUAL).await?;
        let what = format!("no task {} is known", short(id));
        let ids = last.iter().map(|task| task.id.as_str());
        Err(AppError::NotFound(unknown(&what, id, ids, "heeler task list")))
    }
}

pub(super) fn info(task: Task) -> Result<v1::TaskInfo, AppError> {
    Ok(v1::TaskInfo {
        task_id: task.id,
        node: task.node,
        kind: task.kind,
        state: task.state.as_str().to_owned(),
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
    })
}

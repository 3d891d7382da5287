use heeler_proto::{
    Generation,
    v1::{self, EventKind},
};
use heeler_store::{Event, Node, Task, TaskState, Tx};

use super::{App, Result, words};

const REASON: &str =
    "the agent lost its journal during the task: how far the task got is not known. Look again: heeler plan";

impl App {
    /// Ends tasks that the agent once had and no longer knows: their outcome will never arrive.
    pub(super) async fn end_forgotten(&self, tx: &mut Tx, node: &Node, hello: &v1::Hello) -> Result<()> {
        for task in tx.open_tasks().await?.into_iter().filter(|task| task.node == node.name) {
            if is_forgotten(&task, node.acknowledged, hello) {
                let outcome = words::ended(TaskState::Failed, REASON);
                tx.finish_task(&task.id, &outcome, self.now_ms()).await?;
                let event = self.event(EventKind::Failed, &node.name, REASON);
                tx.add_event(&Event {
                    task_id: task.id,
                    ..event
                })
                .await?;
            }
        }
        Ok(())
    }
}

/// Whether the agent had the task (its generation says so), does not have it now, and has no event left to send.
fn is_forgotten(task: &Task, acknowledged: u64, hello: &v1::Hello) -> bool {
    let generation = Generation {
        epoch: task.epoch,
        counter: task.counter,
    };
    let taken = generation.counter > 0 && Generation::from(hello.generation.unwrap_or_default()) >= generation;
    taken && hello.task_id != task.id && hello.last_event <= acknowledged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(counter: u64) -> Task {
        Task {
            id: "t".into(),
            node: "a".into(),
            kind: "ensure pool".into(),
            task: vec![],
            revision: 1,
            operator: "me".into(),
            state: TaskState::Running,
            reason: String::new(),
            blocked: None,
            changes: 0,
            created_at_ms: 0,
            finished_at_ms: 0,
            epoch: 1,
            counter,
            operation: None,
            predecessor: None,
            ready_at_ms: 0,
            consented_until_ms: None,
        }
    }

    fn hello(counter: u64, task_id: &str, last_event: u64) -> v1::Hello {
        let generation = Some(v1::Generation { epoch: 1, counter });
        v1::Hello {
            generation,
            task_id: task_id.into(),
            last_event,
            ..v1::Hello::default()
        }
    }

    #[test]
    fn only_a_fully_reported_task_is_forgotten() {
        assert!(is_forgotten(&task(3), 5, &hello(3, "", 5)));
        assert!(!is_forgotten(&task(3), 5, &hello(2, "", 5)), "it never arrived");
        assert!(!is_forgotten(&task(0), 5, &hello(3, "", 5)), "it was never handed out");
        assert!(!is_forgotten(&task(3), 5, &hello(3, "t", 5)), "it is in hand");
        assert!(
            !is_forgotten(&task(3), 5, &hello(3, "", 6)),
            "its outcome may be on its way"
        );
    }
}

//! Losses of power and of the agent at every point of a task.

use heeler_host::sim::Loss;
use heeler_proto::Task;
use heeler_tasks::engine::Outcome;

use crate::life::Life;

const LOSSES: [Loss; 3] = [Loss::Power, Loss::Agent, Loss::AgentAndItsWork];

/// Runs `task` on `make`'s node once undisturbed, then once for each point and loss; `check` gets each node and
/// outcome.
pub(crate) async fn at_every_point<M, C>(make: M, task: &Task, check: C)
where
    M: AsyncFn() -> Life,
    C: AsyncFn(&mut Life, Outcome, &str),
{
    let points = make().await.points(task).await;
    let disturbing = points.iter().filter(|point| !point.journal).count();
    assert!(disturbing > 1, "there is something to disturb: {points:?}");
    for point in points {
        let losses = if point.journal { &[Loss::Power][..] } else { &LOSSES };
        for loss in losses {
            let mut life = make().await;
            let outcome = life.disturbed(task, Some((point.at, *loss))).await;
            check(&mut life, outcome, &format!("{loss:?} at {point:?}")).await;
        }
    }
}

use async_trait::async_trait;
use heeler_host::{RunError, System};

use super::{Blocked, Plan, StepName};

/// A state of the machine, and how to make it hold.
pub trait Step: Send + Sync {
    /// The name of the state: `PoolExists`, `ArcCapped`.
    const NAME: StepName;
    /// The facts that the plan needs.
    type Observed: Send + Sync;

    /// Observes the machine; only reads. Fails when it cannot be observed; the engine then stops the task.
    fn observe(&self, host: &dyn System) -> impl Future<Output = Result<Self::Observed, RunError>> + Send;

    /// What to change; pure.
    fn plan(&self, observed: &Self::Observed) -> Plan;

    /// What a person can do after a job of this step has failed and its state does not hold; `printed` is the end of
    /// what it printed. None: nothing that its message does not say.
    fn explain(&self, _printed: &str) -> Option<Blocked> {
        None
    }
}

/// A [`Step`] without its type of observation.
#[async_trait]
pub trait AnyStep: Send + Sync {
    /// [`Step::NAME`].
    fn name(&self) -> StepName;

    /// Observes and plans. Its errors are those of [`Step::observe`].
    async fn look(&self, host: &dyn System) -> Result<Plan, RunError>;

    /// [`Step::explain`].
    fn explain(&self, _printed: &str) -> Option<Blocked> {
        None
    }
}

#[async_trait]
impl<S: Step> AnyStep for S {
    fn name(&self) -> StepName {
        S::NAME
    }

    async fn look(&self, host: &dyn System) -> Result<Plan, RunError> {
        Ok(self.plan(&self.observe(host).await?))
    }

    fn explain(&self, printed: &str) -> Option<Blocked> {
        Step::explain(self, printed)
    }
}

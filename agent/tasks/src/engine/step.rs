use async_trait::async_trait;
use heeler_host::{RunError, System};

use super::{Plan, StepName};

/// A state of the machine, and how to make it hold.
#[async_trait]
pub trait Step: Send + Sync {
    /// The facts that the plan needs.
    type Observed: Send + Sync;

    /// The name of the state: `PoolExists`, `ArcCapped`.
    fn name(&self) -> StepName;

    /// Observes the machine; only reads.
    ///
    /// # Errors
    /// When it cannot be observed; the engine then stops the task.
    async fn observe(&self, host: &dyn System) -> Result<Self::Observed, RunError>;

    /// What to change; pure.
    fn plan(&self, observed: &Self::Observed) -> Plan;
}

/// A [`Step`] without its type of observation.
#[async_trait]
pub trait AnyStep: Send + Sync {
    /// [`Step::name`].
    fn name(&self) -> StepName;

    /// Observes and plans.
    ///
    /// # Errors
    /// Those of [`Step::observe`].
    async fn look(&self, host: &dyn System) -> Result<Plan, RunError>;
}

#[async_trait]
impl<S: Step> AnyStep for S {
    fn name(&self) -> StepName {
        Step::name(self)
    }

    async fn look(&self, host: &dyn System) -> Result<Plan, RunError> {
        Ok(self.plan(&self.observe(host).await?))
    }
}

use async_trait::async_trait;
use heeler_host::{RunError, System};

use super::{Plan, StepName};

/// One thing that shall hold on the machine.
#[async_trait]
pub trait Step: Send + Sync {
    /// What it needs to have seen.
    type Observed: Send + Sync;

    /// The state that holds: `PoolExists`, `ArcCapped`.
    fn name(&self) -> StepName;

    /// Looks at the machine; reads only.
    ///
    /// # Errors
    /// When it cannot be looked at: the engine then stops the task, and says so.
    async fn observe(&self, host: &dyn System) -> Result<Self::Observed, RunError>;

    /// What to do about it: pure.
    fn plan(&self, observed: &Self::Observed) -> Plan;
}

/// A [`Step`] whose observation is nobody else's business.
#[async_trait]
pub trait AnyStep: Send + Sync {
    /// [`Step::name`].
    fn name(&self) -> StepName;

    /// Observes, then plans.
    ///
    /// # Errors
    /// As [`Step::observe`].
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

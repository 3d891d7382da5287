use async_trait::async_trait;
use heeler_host::{RunError, System};
use heeler_proto::KeepScrubs;

use crate::engine::{Op, Plan, Step, StepName};
use crate::snapshot::schedule;

/// The lane goes by what is wanted now.
pub(super) struct ScrubsScheduled {
    pub(super) wanted: KeepScrubs,
}

#[async_trait]
impl Step for ScrubsScheduled {
    type Observed = bool;

    fn name(&self) -> StepName {
        "ScrubsScheduled"
    }

    async fn observe(&self, host: &dyn System) -> Result<bool, RunError> {
        let text = schedule::text(host, schedule::SCRUBS).await?;
        Ok(text.and_then(|text| schedule::scrubs(&text).ok()).as_ref() == Some(&self.wanted))
    }

    fn plan(&self, same: &bool) -> Plan {
        match same {
            true => Plan::Satisfied,
            false => Plan::change(vec![Op::Write(schedule::scrubs_file(&self.wanted))]),
        }
    }
}

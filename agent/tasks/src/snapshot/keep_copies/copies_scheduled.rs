use heeler_host::{RunError, System};
use heeler_proto::KeepCopies;

use crate::engine::{Op, Plan, Step, StepName};
use crate::snapshot::schedule;

/// The schedule of copies is on disk as wanted.
pub(super) struct CopiesScheduled {
    pub(super) wanted: KeepCopies,
}

impl Step for CopiesScheduled {
    const NAME: StepName = "CopiesScheduled";
    /// The schedule on disk; None when there is none, or it cannot be read.
    type Observed = Option<KeepCopies>;

    async fn observe(&self, host: &dyn System) -> Result<Option<KeepCopies>, RunError> {
        let text = heeler_host::whole_text(host, schedule::COPIES).await?;
        Ok(text.and_then(|text| schedule::copies(&text).ok()))
    }

    fn plan(&self, seen: &Option<KeepCopies>) -> Plan {
        match seen.as_ref() == Some(&self.wanted) {
            true => Plan::Satisfied,
            false => Plan::change(vec![Op::Write(schedule::copies_file(&self.wanted))]),
        }
    }
}

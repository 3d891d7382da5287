use std::path::Path;

use heeler_host::{RunError, System};

use super::files_whole::FilesWhole;
use super::{UNDER_WAY, content, remove};
use crate::engine::{Plan, Step, StepName};

/// No repair of conffiles is under way: what was moved aside is back. From then on a removal is a person's wish again.
pub(super) struct RepairEnded;

pub(super) struct Observed {
    under_way: Option<Vec<u8>>,
    back: bool,
}

impl Step for RepairEnded {
    const NAME: StepName = "RepairEnded";
    type Observed = Observed;

    async fn observe(&self, host: &dyn System) -> Result<Observed, RunError> {
        let under_way = content(host, UNDER_WAY).await?;
        let list = String::from_utf8_lossy(under_way.as_deref().unwrap_or_default()).into_owned();
        let mut back = true;
        for path in list.lines() {
            back &= host.mode(Path::new(path)).await.is_ok();
        }
        Ok(Observed { under_way, back })
    }

    fn plan(&self, seen: &Observed) -> Plan {
        match &seen.under_way {
            None => Plan::Satisfied,
            Some(_) if !seen.back => Plan::After(FilesWhole::NAME),
            Some(list) => Plan::change(vec![remove(UNDER_WAY, list)]),
        }
    }
}

use std::time::Duration;

use heeler_host::cloud_init::{self, CloudInit};
use heeler_host::{RunError, System};

use crate::engine::{Op, Plan, Step, StepName};

/// cloud-init does not write host name and /etc/hosts anew at the next boot.
pub(super) struct NamesLeftAlone;

impl Step for NamesLeftAlone {
    const NAME: StepName = "NamesLeftAlone";
    type Observed = CloudInit;

    async fn observe(&self, host: &dyn System) -> Result<CloudInit, RunError> {
        Ok(cloud_init::state(host).await)
    }

    fn plan(&self, seen: &CloudInit) -> Plan {
        match seen {
            CloudInit::Off => Plan::Satisfied,
            CloudInit::Running => Plan::Retry {
                after: Duration::from_secs(10),
                why: "cloud-init still sets this node up".to_owned(),
            },
            CloudInit::AtEachBoot => {
                let off = Op::Write(cloud_init::off());
                Plan::change(vec![
                    off.explained("switch cloud-init off, which writes the names anew at each boot"),
                ])
            }
        }
    }
}

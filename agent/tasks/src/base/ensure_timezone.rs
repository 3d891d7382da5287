//! The node shows local times in its time zone.

use heeler_host::{RunError, System, timedatectl};
use heeler_proto::EnsureTimezone;

use crate::engine::{AnyStep, Op, Plan, Step, StepName};
use crate::task::{Past, Work};

impl Work for EnsureTimezone {
    fn steps(&self, _: &Past<'_>) -> Vec<Box<dyn AnyStep>> {
        vec![Box::new(TimezoneSet { task: self.clone() })]
    }
}

struct TimezoneSet {
    task: EnsureTimezone,
}

impl Step for TimezoneSet {
    const NAME: StepName = "TimezoneSet";
    type Observed = String;

    async fn observe(&self, host: &dyn System) -> Result<String, RunError> {
        timedatectl::timezone(host).await
    }

    fn plan(&self, zone: &String) -> Plan {
        let wanted = self.task.zone.as_str();
        match zone == wanted {
            true => Plan::Satisfied,
            false => Plan::change(vec![Op::Run(timedatectl::set_timezone_command(wanted))]),
        }
    }
}

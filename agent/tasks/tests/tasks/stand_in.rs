//! A step whose plans the test provides.

use std::sync::Mutex;

use async_trait::async_trait;
use heeler_host::{File, RunError, System};
use heeler_tasks::engine::{AnyStep, Op, Plan, StepName};

type Say = Box<dyn FnMut(usize, Option<Vec<u8>>) -> Result<Plan, RunError> + Send>;

/// Observes one file; the test's function plans, given the number of the look and the file's content.
pub(crate) struct StandIn {
    name: StepName,
    path: &'static str,
    say: Mutex<(usize, Say)>,
}

impl StandIn {
    pub(crate) fn says(
        name: StepName,
        path: &'static str,
        say: impl FnMut(usize, Option<Vec<u8>>) -> Result<Plan, RunError> + Send + 'static,
    ) -> Box<dyn AnyStep> {
        let say = Mutex::new((0, Box::new(say) as Say));
        Box::new(Self { name, path, say })
    }

    /// Satisfied once the file exists; writes it otherwise.
    pub(crate) fn writes(name: StepName, path: &'static str) -> Box<dyn AnyStep> {
        Self::says(name, path, move |_, found| {
            Ok(match found {
                Some(_) => Plan::Satisfied,
                None => Plan::change(vec![Op::Write(File::text(path, "x"))]),
            })
        })
    }
}

#[async_trait]
impl AnyStep for StandIn {
    fn name(&self) -> StepName {
        self.name
    }

    async fn look(&self, host: &dyn System) -> Result<Plan, RunError> {
        let found = host.read(self.path.as_ref()).await.ok();
        let mut guard = self.say.lock().unwrap();
        let (looks, say) = &mut *guard;
        *looks += 1;
        say(*looks, found)
    }
}

use std::path::Path;

use heeler_host::dpkg::{self, Package};
use heeler_host::{RunError, System, content};

use super::packages_installed::PackagesInstalled;
use super::plan_file;
use crate::engine::{Op, Plan, Remove, Step, StepName, fingerprint};

/// Each package has exactly the version that the plan showed, by dpkg's own account. Then the plan's file goes.
pub(super) struct PlanFollowed;

pub(super) struct Observed {
    file: Option<Vec<u8>>,
    packages: Vec<Package>,
}

impl Step for PlanFollowed {
    const NAME: StepName = "PlanFollowed";
    type Observed = Observed;

    async fn observe(&self, host: &dyn System) -> Result<Observed, RunError> {
        let path = Path::new(plan_file::PATH);
        let file = content(host, path)
            .await
            .map_err(|source| RunError::file(path, source))?;
        let packages = match file {
            Some(_) => dpkg::packages(host).await?,
            None => Vec::new(),
        };
        Ok(Observed { file, packages })
    }

    fn plan(&self, seen: &Observed) -> Plan {
        let Some(file) = &seen.file else {
            return Plan::Satisfied;
        };
        if seen.packages.iter().any(Package::is_unfinished) {
            return Plan::After(PackagesInstalled::NAME);
        }
        let ended = Op::Remove(Remove {
            path: plan_file::PATH.into(),
            expects: fingerprint(Some(file)),
        });
        let text = String::from_utf8_lossy(file);
        match plan_file::unlike(&text, &seen.packages) {
            None => Plan::change(vec![ended]),
            Some(found) => Plan::blocked(
                format!("{found}, and the plan was another one"),
                "somebody else installed or removed packages at the same time",
                format!(
                    "on the node: compare {0} with apt-cache policy; when the packages are right, sudo rm {0}; then: heeler apply",
                    plan_file::PATH
                ),
            ),
        }
    }
}

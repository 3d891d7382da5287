use heeler_host::pveum::{self, Group, Permission, Whose};
use heeler_host::{RunError, System};
use heeler_proto::{AccessGroup, EnsureAccess, Person, Right};

use super::super::proxmox_up::Silent;
use crate::engine::{Op, Plan, Step, StepName};

/// Groups and people have their roles. Other roles stay.
pub(super) struct RolesGiven {
    pub(super) task: EnsureAccess,
}

pub(super) struct Observed {
    permissions: Vec<Permission>,
    roles: Vec<String>,
    groups: Vec<Group>,
}

impl Step for RolesGiven {
    const NAME: StepName = "RolesGiven";
    type Observed = Result<Observed, Silent>;

    async fn observe(&self, host: &dyn System) -> Result<Result<Observed, Silent>, RunError> {
        if let Some(silent) = Silent::now(host).await? {
            return Ok(Err(silent));
        }
        Ok(Ok(Observed {
            permissions: pveum::permissions(host).await?,
            roles: pveum::roles(host).await?,
            groups: pveum::groups(host).await?,
        }))
    }

    fn plan(&self, seen: &Result<Observed, Silent>) -> Plan {
        let seen = match seen {
            Ok(seen) => seen,
            Err(silent) => return silent.plan(),
        };
        let mut ops = Vec::new();
        for wanted in self.wanted() {
            if seen.permissions.contains(&wanted) {
                continue;
            }
            if !seen.roles.contains(&wanted.role) {
                let (role, known) = (&wanted.role, seen.roles.join(", "));
                return Plan::blocked(
                    format!("Proxmox has no role {role}; it has {known}"),
                    "nobody can be given a role that does not exist",
                    "correct the role in heeler.toml, or make it in Proxmox; then: heeler apply",
                );
            }
            if let Whose::Group(name) = &wanted.whose
                && let Some(blocked) = self.strangers(name, &wanted.role, seen)
            {
                return blocked;
            }
            ops.push(Op::Run(pveum::permit_command(&wanted)));
        }
        match ops.is_empty() {
            true => Plan::Satisfied,
            false => Plan::change(ops),
        }
    }
}

impl RolesGiven {
    fn wanted(&self) -> impl Iterator<Item = Permission> {
        let permission = |right: &Right, whose: Whose| Permission {
            path: right.path.as_str().to_owned(),
            whose,
            role: right.role.as_str().to_owned(),
            propagates: true,
        };
        let group = move |group: &AccessGroup| {
            let right = group.right.as_ref()?;
            Some(permission(right, Whose::Group(group.name.as_str().to_owned())))
        };
        let person = move |person: &Person| Some(permission(person.right.as_ref()?, Whose::User(person.id())));
        let groups = self.task.groups.iter().filter_map(group);
        groups.chain(self.task.people.iter().filter_map(person))
    }

    /// A group that was there before may have members whom heeler.toml does not name: they would get the role too.
    fn strangers(&self, name: &str, role: &str, seen: &Observed) -> Option<Plan> {
        let named = |member: &&String| {
            let mut people = self.task.people.iter().filter(|person| person.id() == **member);
            people.any(|person| person.groups.iter().any(|group| group.as_str() == name))
        };
        let group = seen.groups.iter().find(|group| group.name == name)?;
        let strangers: Vec<&str> = group
            .members
            .iter()
            .filter(|member| !named(member))
            .map(String::as_str)
            .collect();
        (!strangers.is_empty()).then(|| {
            Plan::blocked(
                format!("the group {name} has members whom heeler.toml does not name: {}", strangers.join(", ")),
                format!("they would get the role {role} too"),
                format!(
                    "give the group another name in heeler.toml; or write groups = [\"{name}\"] for them below [access.people]; then: heeler apply"
                ),
            )
        })
    }
}

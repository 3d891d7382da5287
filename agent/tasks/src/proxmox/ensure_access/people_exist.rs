use std::collections::BTreeSet;

use heeler_host::pveum::{self, Group, Realm, User};
use heeler_host::{RunError, System, getent};
use heeler_proto::{EnsureAccess, Person};

use super::super::proxmox_up::Silent;
use crate::engine::{Op, Plan, Step, StepName};

/// Proxmox has the people, who may sign in, as members of their groups. They stay in other groups.
pub(super) struct PeopleExist {
    pub(super) task: EnsureAccess,
}

pub(super) struct Observed {
    users: Vec<User>,
    groups: Vec<Group>,
    realms: Vec<Realm>,
    /// Names of people in a realm of type `pam` that are no accounts of this system.
    no_accounts: Vec<String>,
}

impl Step for PeopleExist {
    const NAME: StepName = "PeopleExist";
    type Observed = Result<Observed, Silent>;

    async fn observe(&self, host: &dyn System) -> Result<Result<Observed, Silent>, RunError> {
        if let Some(silent) = Silent::now(host).await? {
            return Ok(Err(silent));
        }
        let realms = pveum::realms(host).await?;
        let of_system = |person: &&Person| {
            let mut pam = realms.iter().filter(|realm| realm.kind == "pam");
            pam.any(|realm| realm.name == person.realm.as_str())
        };
        let people = self.task.people.iter().filter(of_system);
        let names: BTreeSet<&str> = people.map(|person| person.name.as_str()).collect();
        Ok(Ok(Observed {
            users: pveum::users(host).await?,
            groups: pveum::groups(host).await?,
            no_accounts: getent::missing(host, &names).await?,
            realms,
        }))
    }

    fn plan(&self, seen: &Result<Observed, Silent>) -> Plan {
        let seen = match seen {
            Ok(seen) => seen,
            Err(silent) => return silent.plan(),
        };
        let mut ops = Vec::new();
        for person in &self.task.people {
            if let Some(blocked) = seen.shuts_out(person) {
                return blocked;
            }
            let id = person.id();
            if !seen.users.iter().any(|user| user.id == id) {
                ops.push(Op::Run(pveum::add_user_command(&id)));
            }
            let is_member = |group: &str| {
                let mut found = seen.groups.iter().filter(|there| there.name == group);
                found.any(|there| there.members.contains(&id))
            };
            let groups = person.groups.iter().map(heeler_proto::AccessName::as_str);
            let missing: Vec<&str> = groups.filter(|group| !is_member(group)).collect();
            if !missing.is_empty() {
                ops.push(Op::Run(pveum::join_command(&id, &missing)));
            }
        }
        match ops.is_empty() {
            true => Plan::Satisfied,
            false => Plan::change(ops),
        }
    }
}

impl Observed {
    /// Why this person could not sign in; None when nothing is in the way.
    fn shuts_out(&self, person: &Person) -> Option<Plan> {
        let (name, id, realm) = (&person.name, person.id(), person.realm.as_str());
        if !self.realms.iter().any(|there| there.name == realm) {
            let known: Vec<&str> = self.realms.iter().map(|realm| realm.name.as_str()).collect();
            return Some(Plan::blocked(
                format!("Proxmox has no realm {realm}; it has {}", known.join(", ")),
                format!("nobody could ever sign in as {id}, although Proxmox accepts such a user"),
                format!("correct realm of {name} in heeler.toml, or set up the realm in Proxmox; then: heeler apply"),
            ));
        }
        if self.no_accounts.iter().any(|missing| missing == name.as_str()) {
            return Some(Plan::blocked(
                format!("this node has no account {name}, and heeler.toml has {id}"),
                format!("whoever gets an account of that name later would have the roles of {id}"),
                format!(
                    "make the account on the node: adduser {name}; or write realm = \"pve\" for {name} in heeler.toml; then: heeler apply"
                ),
            ));
        }
        let disabled = self.users.iter().any(|user| user.id == id && !user.enabled);
        disabled.then(|| {
            Plan::blocked(
                format!("{id} is disabled in Proxmox"),
                "somebody has shut this user out, and Heeler lets nobody in again by itself",
                format!(
                    "on the node: pveum user modify {id} --enable 1; or take {name} out of heeler.toml; then: heeler apply"
                ),
            )
        })
    }
}

//! `[access]`: who may do what in Proxmox.

use heeler_proto::{AccessGroup, AccessName, AccessPath, EnsureAccess, Person, Realm, Right, Spec as _};

use super::reader::{Located, Table, Unfit};
use crate::known::nearest;

/// Reads `[access]`; None when it names nobody, or has a mistake.
pub(super) fn access(mut table: Table<'_, '_>) -> Option<EnsureAccess> {
    let groups = table
        .table("groups")
        .map(|table| each(table, group))
        .unwrap_or_default();
    let people = table
        .table("people")
        .map(|table| each(table, person))
        .unwrap_or_default();
    let names: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
    for (_, memberships) in &people {
        for group in memberships
            .iter()
            .filter(|group| !names.contains(&group.value.as_str()))
        {
            let hint = match nearest(group.value.as_str(), names.iter().copied()) {
                Some(near) => format!("did you mean {near:?}?"),
                None => format!("write [access.groups.{}] too", group.value),
            };
            table.error_at(
                &Some(group.clone()),
                &format!("[access] has no group {}", group.value),
                &hint,
            );
        }
    }
    let people = people.into_iter().map(|(person, _)| person).collect();
    let access = EnsureAccess { groups, people };
    if let Err(invalid) = access.check().map_err(|invalid| invalid.problem)
        && !invalid.ends_with("is missing")
    {
        let hint = "leave it out";
        table.error_at::<()>(&None, &format!("[access]: {invalid}"), hint);
    }
    table.finish();
    (access != EnsureAccess::default()).then_some(access)
}

/// The tables of a table whose keys are names.
fn each<T>(mut table: Table<'_, '_>, read: impl Fn(Option<AccessName>, Table<'_, '_>) -> Option<T>) -> Vec<T> {
    let names = table.names();
    let one = |(name, value): (Located<String>, _)| {
        let checked = table.check(&name, self::name);
        let below = table.below(&name.value, name.place, value)?;
        read(checked.map(|name| name.value), below)
    };
    names.into_iter().filter_map(one).collect()
}

fn group(name: Option<AccessName>, mut table: Table<'_, '_>) -> Option<AccessGroup> {
    let right = right(&mut table);
    table.finish();
    Some(AccessGroup { name: name?, right })
}

/// The person, and the position of each group.
fn person(name: Option<AccessName>, mut table: Table<'_, '_>) -> Option<(Person, Vec<Located<AccessName>>)> {
    let realm = table.required(
        "realm",
        "realm = \"pam\" for an account of the system, or \"pve\"",
        |text| {
            Realm::new(text)
                .map_err(|_| Unfit::not(text, "a realm", "\"pam\", \"pve\", or one that you set up in Proxmox"))
        },
    );
    let memberships = table
        .list("groups", self::name)
        .map(|list| list.value)
        .unwrap_or_default();
    let right = right(&mut table);
    table.finish();
    let person = Person {
        name: name?,
        realm: realm?.value,
        groups: memberships.iter().map(|group| group.value.clone()).collect(),
        right,
    };
    Some((person, memberships))
}

/// A role is given on a path that stands beside it, so that nobody gets one on `/` by leaving something out.
fn right(table: &mut Table<'_, '_>) -> Option<Right> {
    let role = table.text("role", name);
    let path = table.text("path", |text| {
        AccessPath::new(text).map_err(|_| {
            let hint = format!("\"/\" for everything, or below /{}", AccessPath::TREES.join(", /"));
            Unfit::not(text, "a path of Proxmox", hint)
        })
    });
    match (&role, &path) {
        (Some(_), None) => table.demand(
            "path",
            "path = \"/vms\" with the place that the role is for, or \"/\" for everything",
        ),
        (None, Some(_)) => table.demand("role", "role = \"PVEAuditor\" with what may be done there"),
        _ => {}
    }
    let (role, path) = (role?.value, path?.value);
    Some(Right { role, path })
}

fn name(text: &str) -> Result<AccessName, Unfit> {
    AccessName::new(text).map_err(|_| {
        let hint = "start with a letter or digit; then letters, digits and ._-; at most 48";
        Unfit::not(text, "a name of Proxmox", hint)
    })
}

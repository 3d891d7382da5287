//! `pveum`: Proxmox's users, groups and permissions.
//!
//! Its exit code says little: an error ends with 2, 13, 25, 111 or 255, whatever number was left over. Without a
//! connection to pmxcfs the first call takes 10 s; without quorum a change takes 10 s and fails.

use serde_json::Value;

use crate::ask::ask;
use crate::{Command, RunError, System, json};

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Name and realm: `ada@pve`.
    pub id: String,
    /// Whether the user may sign in.
    pub enabled: bool,
}

/// A group of users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// The members' ids.
    pub members: Vec<String>,
}

/// A way to prove who one is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Realm {
    /// Its name.
    pub name: String,
    /// Its type: `pam`, `pve`, `ldap`, `ad`, `openid`.
    pub kind: String,
}

/// A role that somebody has on a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// Such as `/vms`.
    pub path: String,
    /// Who has it.
    pub whose: Whose,
    /// The role's name.
    pub role: String,
    /// Whether it counts below the path too.
    pub propagates: bool,
}

/// Somebody who can have a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// A user's id.
    User(String),
    /// A group's name.
    Group(String),
    /// A token: `ada@pve!name`.
    Token(String),
}

fn list_command(what: &'static str) -> Command {
    Command::look("pveum").args([what, "list", "--output-format", "json"])
}

/// The rows of `pveum WHAT list`. Fails when the program fails, or its output cannot be read.
async fn rows<T>(
    host: &dyn System,
    what: &'static str,
    read: impl Fn(&Value) -> Option<T>,
) -> Result<Vec<T>, RunError> {
    let command = list_command(what);
    let output = ask(host, &command).await?;
    let value = json::last(&command, &output.stdout)?;
    let rows = value.as_array().and_then(|rows| rows.iter().map(&read).collect());
    rows.ok_or_else(|| RunError::unreadable(&command, "it is not a list of what was asked for"))
}

fn owned(row: &Value, key: &str) -> Option<String> {
    json::text(row, key).map(str::to_owned)
}

/// All users. Fails as every question to `pveum`: when the program fails, or its output cannot be read.
pub async fn users(host: &dyn System) -> Result<Vec<User>, RunError> {
    let user = |row: &Value| {
        let id = owned(row, "userid")?;
        let enabled = json::truth(row, "enable");
        Some(User { id, enabled })
    };
    rows(host, "user", user).await
}

/// All groups. Fails as [`users`].
pub async fn groups(host: &dyn System) -> Result<Vec<Group>, RunError> {
    let group = |row: &Value| {
        let members = json::text(row, "users").unwrap_or_default();
        let members = members.split(',').filter(|member| !member.is_empty());
        Some(Group {
            name: owned(row, "groupid")?,
            members: members.map(str::to_owned).collect(),
        })
    };
    rows(host, "group", group).await
}

/// All realms. Fails as [`users`].
pub async fn realms(host: &dyn System) -> Result<Vec<Realm>, RunError> {
    let realm = |row: &Value| {
        Some(Realm {
            name: owned(row, "realm")?,
            kind: owned(row, "type")?,
        })
    };
    rows(host, "realm", realm).await
}

/// The names of all roles. Fails as [`users`].
pub async fn roles(host: &dyn System) -> Result<Vec<String>, RunError> {
    rows(host, "role", |row| owned(row, "roleid")).await
}

/// Who has which role where. Fails as [`users`].
pub async fn permissions(host: &dyn System) -> Result<Vec<Permission>, RunError> {
    let permission = |row: &Value| {
        let who = owned(row, "ugid")?;
        Some(Permission {
            path: owned(row, "path")?,
            whose: match json::text(row, "type")? {
                "user" => Whose::User(who),
                "group" => Whose::Group(who),
                "token" => Whose::Token(who),
                _ => return None,
            },
            role: owned(row, "roleid")?,
            propagates: json::truth(row, "propagate"),
        })
    };
    rows(host, "acl", permission).await
}

/// `pveum group add`.
pub fn add_group_command(name: &str) -> Command {
    Command::change("pveum").args(["group", "add", name])
}

/// `pveum user add`. pveum itself accepts any realm. In the realm `pve` nobody can sign in before `pveum passwd`.
pub fn add_user_command(id: &str) -> Command {
    Command::change("pveum").args(["user", "add", id])
}

/// Makes a user a member of these groups, and leaves the others.
pub fn join_command(id: &str, groups: &[&str]) -> Command {
    Command::change("pveum").args(["user", "modify", id, "--groups", &groups.join(","), "--append", "1"])
}

/// Gives a role.
pub fn permit_command(permission: &Permission) -> Command {
    let (option, who) = match &permission.whose {
        Whose::User(who) => ("--users", who),
        Whose::Group(who) => ("--groups", who),
        Whose::Token(who) => ("--tokens", who),
    };
    let propagates = if permission.propagates { "1" } else { "0" };
    let command = Command::change("pveum").args(["acl", "modify", &permission.path, option, who]);
    command.args(["--roles", &permission.role, "--propagate", propagates])
}

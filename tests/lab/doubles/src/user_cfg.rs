//! `/etc/pve/user.cfg` in Proxmox's own format.

use std::collections::{BTreeMap, BTreeSet};

use crate::call::{Call, Fault};

const PATH: &str = "/etc/pve/user.cfg";

/// Users, groups, pools, roles and permissions.
#[derive(Debug, Default)]
pub struct UserCfg {
    pub users: BTreeMap<String, User>,
    pub groups: BTreeMap<String, Group>,
    /// Comment, guests and storages by pool.
    pub pools: BTreeMap<String, [String; 3]>,
    /// Own roles: privileges by role.
    pub roles: BTreeMap<String, BTreeSet<String>>,
    /// (path, user, @group or token, role) to whether it propagates.
    pub acl: BTreeMap<(String, String, String), bool>,
    /// Whether the file was there: root has no `expire` before.
    pub is_written: bool,
}

/// Fields of a user, in the order of the file: enable, expire, firstname, lastname, email, comment, keys.
#[derive(Debug)]
pub struct User {
    pub fields: [String; 7],
    /// Tokens by id: expire, privsep, comment.
    pub tokens: BTreeMap<String, [String; 3]>,
}

/// Names of `User::fields`.
pub const FIELDS: [&str; 7] = ["enable", "expire", "firstname", "lastname", "email", "comment", "keys"];

#[derive(Debug, Default)]
pub struct Group {
    pub members: BTreeSet<String>,
    pub comment: String,
}

impl Default for User {
    /// Enabled, never expires.
    fn default() -> Self {
        let mut fields: [String; 7] = <[String; 7]>::default();
        for (value, field) in ["1", "0"].into_iter().zip(&mut fields) {
            value.clone_into(field);
        }
        Self {
            fields,
            tokens: BTreeMap::new(),
        }
    }
}

impl UserCfg {
    pub fn load(call: &Call) -> Self {
        let text = call.read(PATH);
        let mut cfg = Self {
            is_written: text.is_some(),
            ..Self::default()
        };
        text.unwrap_or_default().lines().for_each(|line| cfg.take(line));
        cfg.users.entry("root@pam".to_owned()).or_default();
        cfg
    }

    fn take(&mut self, line: &str) {
        let mut parts = line.split(':').map(decoded);
        let mut next = || parts.next().unwrap_or_default();
        match next().as_str() {
            "user" => {
                let user = self.users.entry(next()).or_default();
                user.fields.iter_mut().for_each(|field| *field = next());
            }
            "token" => {
                let full = next();
                let Some((user, id)) = full.split_once('!') else { return };
                let token = [next(), next(), next()];
                self.users
                    .entry(user.to_owned())
                    .or_default()
                    .tokens
                    .insert(id.to_owned(), token);
            }
            "group" => {
                let name = next();
                let group = Group {
                    members: set(&next()),
                    comment: next(),
                };
                self.groups.insert(name, group);
            }
            "pool" => {
                self.pools.insert(next(), [next(), next(), next()]);
            }
            "role" => {
                self.roles.insert(next(), set(&next()));
            }
            "acl" => {
                let (propagate, path, who, roles) = (next() == "1", next(), set(&next()), set(&next()));
                for (who, role) in who.iter().flat_map(|w| roles.iter().map(move |r| (w, r))) {
                    self.acl.insert((path.clone(), who.clone(), role.clone()), propagate);
                }
            }
            _ => {}
        }
    }

    pub fn save(&self, call: &mut Call) -> Result<(), Fault> {
        call.write(PATH, &self.text())
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for (name, user) in &self.users {
            text += &format!(
                "user:{name}:{}:\n",
                user.fields.iter().map(|f| encoded(f)).collect::<Vec<_>>().join(":")
            );
            for (id, [expire, privsep, comment]) in &user.tokens {
                text += &format!("token:{name}!{id}:{expire}:{privsep}:{}:\n", encoded(comment));
            }
        }
        text += "\n";
        for (name, group) in &self.groups {
            text += &format!("group:{name}:{}:{}:\n", list(&group.members), encoded(&group.comment));
        }
        text += "\n";
        for (name, [comment, guests, storages]) in &self.pools {
            text += &format!("pool:{name}:{}:{guests}:{storages}:\n", encoded(comment));
        }
        text += "\n";
        for (name, privileges) in &self.roles {
            text += &format!("role:{name}:{}:\n", list(privileges));
        }
        text + "\n" + &self.acl_text()
    }

    /// One line for all who have the same roles on a path: groups first, as the real file.
    fn acl_text(&self) -> String {
        let mut roles: BTreeMap<(&str, bool, &str), BTreeSet<String>> = BTreeMap::new();
        for ((path, who, role), propagate) in &self.acl {
            roles.entry((path, *propagate, who)).or_default().insert(role.clone());
        }
        let mut lines: BTreeMap<(&str, bool, String), BTreeSet<String>> = BTreeMap::new();
        for ((path, propagate, who), roles) in roles.into_iter().filter(|((_, _, who), _)| *who != "root@pam") {
            lines
                .entry((path, propagate, list(&roles)))
                .or_default()
                .insert(who.to_owned());
        }
        let line = |((path, propagate, roles), who): (&(&str, bool, String), &BTreeSet<String>)| {
            format!("acl:{}:{path}:{}:{roles}:\n", u8::from(*propagate), list(who))
        };
        lines.iter().map(line).collect()
    }
}

fn set(text: &str) -> BTreeSet<String> {
    text.split(',')
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

fn list(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(",")
}

/// Everything but printable ASCII, and `:`, becomes `%XX`.
fn encoded(text: &str) -> String {
    let mut safe = String::new();
    for byte in text.bytes() {
        match byte {
            b' '..=b'9' | b';'..=b'~' => safe.push(char::from(byte)),
            other => safe += &format!("%{other:02X}"),
        }
    }
    safe
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|h| std::str::from_utf8(h).ok());
        let byte = hex.and_then(|h| u8::from_str_radix(h, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() {
            after.get(2..).unwrap_or_default()
        } else {
            after
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_with_colons_and_umlauts_stays() {
        let text = "Müller: 50% ops";
        assert_eq!(encoded(text), "M%C3%BCller%3A 50% ops");
        assert_eq!(decoded(&encoded(text)), text);
    }

    #[test]
    fn a_file_is_written_as_it_was_read() {
        let text = "user:a@pam:1:0::::::\ntoken:a@pam!t:0:1::\nuser:root@pam:1:0::::::\n\ngroup:ops:a@pam:Ops:\n\n\
                    pool:p:x:100::\n\nrole:R:VM.Audit,VM.Console:\n\nacl:1:/:@ops:PVEAdmin:\n";
        let mut cfg = UserCfg::default();
        text.lines().for_each(|line| cfg.take(line));
        assert_eq!(cfg.text(), text);
    }
}

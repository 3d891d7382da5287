use heeler_proto::v1;
use serde::{Deserialize, Serialize};

/// Why a step is blocked, for a person. The agent never guesses about data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    /// What was found.
    pub found: String,
    /// Why that stops the step.
    pub why: String,
    /// What to type, after the edit if there is one.
    pub next: String,
    /// The key of heeler.toml that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Box<Place>>,
}

/// A key of heeler.toml, and what to change there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The key.
    pub key: Key,
    /// Which one, where the key has several: a serial, a dataset. Else empty.
    pub item: String,
    /// What to change, such as `name = "tank"`; empty when the key is only named.
    pub edit: String,
}

/// The keys of heeler.toml that a block can be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Key {
    /// `disks` of the node; the item is a serial.
    Disks,
    /// `name` of the pool.
    PoolName,
    /// `arc_max` of the pool.
    ArcMax,
    /// `datasets` of the pool; the item is a dataset.
    Datasets,
    /// `backplane` of the node.
    Backplane,
    /// `locale`.
    Locale,
    /// Of `[system]`; the item is its key.
    System,
    /// `[proxmox]`.
    Proxmox,
}

impl Blocked {
    /// About no key of heeler.toml.
    pub fn new(found: impl Into<String>, why: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            found: found.into(),
            why: why.into(),
            next: next.into(),
            place: None,
        }
    }

    /// About this key, and this one of its items, unless it is about another place already.
    #[must_use]
    pub fn at(self, key: Key, item: &str) -> Self {
        if self.place.is_none() {
            return self.edit(key, item, "");
        }
        self
    }

    /// A person is to change this at this key.
    #[must_use]
    pub fn edit(mut self, key: Key, item: &str, edit: impl Into<String>) -> Self {
        self.place = Some(Box::new(Place {
            key,
            item: item.to_owned(),
            edit: edit.into(),
        }));
        self
    }
    /// What to do, as one clause.
    pub fn advice(&self) -> String {
        let edit = self.place.as_ref().map_or("", |place| place.edit.as_str());
        heeler_proto::advice("", edit, &self.next)
    }
}

impl From<Blocked> for v1::Blocked {
    fn from(blocked: Blocked) -> Self {
        let mut wire = Self {
            found: blocked.found,
            why: blocked.why,
            next: blocked.next,
            ..Self::default()
        };
        if let Some(place) = blocked.place {
            (wire.item, wire.edit) = (place.item, place.edit);
            wire.set_key(match place.key {
                Key::Disks => v1::TomlKey::Disks,
                Key::PoolName => v1::TomlKey::PoolName,
                Key::ArcMax => v1::TomlKey::ArcMax,
                Key::Datasets => v1::TomlKey::Datasets,
                Key::Backplane => v1::TomlKey::Backplane,
                Key::Locale => v1::TomlKey::Locale,
                Key::System => v1::TomlKey::System,
                Key::Proxmox => v1::TomlKey::Proxmox,
            });
        }
        wire
    }
}

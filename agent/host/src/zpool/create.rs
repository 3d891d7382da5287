use crate::Command;

/// A pool to create, with one mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPool {
    /// The pool's name, such as `data`.
    pub name: String,
    /// Properties of the pool (`-o`).
    pub properties: Vec<(String, String)>,
    /// Properties of the root dataset (`-O`).
    pub root_properties: Vec<(String, String)>,
    /// Paths of the mirror's legs below `/dev/disk/by-id`, two or more.
    pub legs: Vec<String>,
}

/// `ashift` cannot be changed later, and some drives report wrong sector sizes: always 4 KiB.
const PROPERTIES: [(&str, &str); 3] = [
    ("ashift", "12"),
    ("autotrim", "on"),
    ("cachefile", "/etc/zfs/zpool.cache"),
];

const ROOT_PROPERTIES: [(&str, &str); 7] = [
    ("compression", "lz4"),
    ("atime", "off"),
    ("xattr", "sa"),
    ("acltype", "posixacl"),
    ("dnodesize", "auto"),
    ("mountpoint", "none"),
    ("canmount", "off"),
];

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

impl NewPool {
    /// A pool with the properties that Heeler gives each pool, and `comment` (at most 32 characters), which names its
    /// owner.
    pub fn new(name: impl Into<String>, comment: impl Into<String>, legs: Vec<String>) -> Self {
        let mut properties = owned(&PROPERTIES);
        properties.push(("comment".to_owned(), comment.into()));
        Self {
            name: name.into(),
            properties,
            root_properties: owned(&ROOT_PROPERTIES),
            legs,
        }
    }

    /// All properties, those of the pool first; a consent names them.
    pub fn all_properties(&self) -> Vec<(String, String)> {
        [self.properties.as_slice(), self.root_properties.as_slice()].concat()
    }

    /// `zpool create -o … -O … NAME mirror LEG LEG…`.
    pub fn command(&self) -> Command {
        let mut command = Command::change("zpool").arg("create");
        for (option, pairs) in [("-o", &self.properties), ("-O", &self.root_properties)] {
            for (name, value) in pairs {
                command = command.arg(option).arg(format!("{name}={value}"));
            }
        }
        command.arg(&self.name).arg("mirror").args(&self.legs)
    }
}

/// `zpool create -n …`: makes the checks of the creation, and changes nothing.
pub fn rehearsal(create: &Command) -> Command {
    let mut rehearsal = create.clone();
    rehearsal.args.insert(1, "-n".to_owned());
    rehearsal.changes = false;
    rehearsal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn create_names_every_property_and_never_forces() {
        let legs = vec![
            "/dev/disk/by-id/nvme-A_1".to_owned(),
            "/dev/disk/by-id/nvme-A_2".to_owned(),
        ];
        let pool = NewPool::new("data", "heeler:k8sctl/k8sctl-pi5l", legs);
        assert_eq!(
            pool.command().to_string(),
            "zpool create -o ashift=12 -o autotrim=on -o cachefile=/etc/zfs/zpool.cache -o comment=heeler:k8sctl/k8sctl-pi5l \
             -O compression=lz4 -O atime=off -O xattr=sa -O acltype=posixacl -O dnodesize=auto -O mountpoint=none \
             -O canmount=off data mirror /dev/disk/by-id/nvme-A_1 /dev/disk/by-id/nvme-A_2"
        );
        let rehearsed = rehearsal(&pool.command()).to_string();
        assert_eq!(rehearsed.replacen(" -n", "", 1), pool.command().to_string());
        assert!(rehearsed.starts_with("zpool create -n -o "));
        assert_eq!(pool.all_properties().len(), 11);
    }
}

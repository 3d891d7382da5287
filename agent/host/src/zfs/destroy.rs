use crate::ask::ask;
use crate::{Command, RunError, System};

/// Without it `zfs destroy` would destroy the dataset itself.
const AT: char = '@';

/// Snapshots of one dataset that are destroyed together: all of them, or none when one is held or cloned (tried).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    dataset: String,
    names: Vec<String>,
}

impl Batch {
    /// None when it is empty, or a name could mean anything but one snapshot of that dataset: without `@` zfs
    /// destroys the dataset, and `%` is a range.
    pub fn new(dataset: &str, names: Vec<String>) -> Option<Self> {
        let plain = |text: &str| {
            let fits = |c: char| c.is_ascii_alphanumeric() || "_-.:".contains(c);
            !text.is_empty() && !text.starts_with('-') && text.chars().all(fits)
        };
        let fits = dataset.contains('/') && dataset.split('/').all(plain) && names.iter().all(|name| plain(name));
        (fits && !names.is_empty()).then(|| Self {
            dataset: dataset.to_owned(),
            names,
        })
    }

    /// `DATASET@A,B,C`.
    fn target(&self) -> String {
        format!("{}{AT}{}", self.dataset, self.names.join(","))
    }

    /// `zfs destroy -nvp DATASET@A,B`: prints what would be destroyed, and destroys nothing. It ignores holds.
    pub fn rehearsal(&self) -> Command {
        Command::look("zfs").args(["destroy", "-nvp"]).arg(self.target())
    }

    /// `zfs destroy DATASET@A,B`: never recursive, never deferred, never forced.
    pub fn command(&self) -> Command {
        Command::change("zfs").arg("destroy").arg(self.target())
    }

    /// Checks that ZFS would destroy exactly these snapshots. Fails when it would destroy anything else, or not all of
    /// them.
    pub async fn rehearse(&self, host: &dyn System) -> Result<(), RunError> {
        let command = self.rehearsal();
        let output = ask(host, &command).await?;
        let mut would: Vec<&str> = Vec::new();
        for line in output.stdout.lines() {
            match line.split_once('\t') {
                Some(("destroy", name)) => would.push(name),
                Some(("reclaim", _)) => {}
                _ => return Err(RunError::unreadable(&command, format!("the line {line:?}"))),
            }
        }
        would.sort_unstable();
        let mut wanted: Vec<String> = self
            .names
            .iter()
            .map(|name| format!("{}{AT}{name}", self.dataset))
            .collect();
        wanted.sort_unstable();
        if would == wanted {
            return Ok(());
        }
        let stray = would.iter().find(|name| !wanted.iter().any(|one| one == *name));
        let missing = wanted.iter().find(|one| !would.contains(&one.as_str()));
        let problem = match (stray, missing) {
            (Some(stray), _) => format!("it would destroy {stray}, which is not meant"),
            (None, Some(missing)) => format!("it would not destroy {missing}"),
            (None, None) => "it names a snapshot twice".to_owned(),
        };
        Err(RunError::unreadable(&command, problem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_names_only_snapshots_of_one_dataset() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let batch = Batch::new("data/a", names(&["x", "y"])).unwrap();
        assert_eq!(batch.command().to_string(), "zfs destroy data/a@x,y");
        assert_eq!(batch.rehearsal().to_string(), "zfs destroy -nvp data/a@x,y");
        for (dataset, bad) in [
            ("data/a", &[][..]),
            ("data/a", &[""]),
            ("data/a", &["x%y"]),
            ("data/a", &["x,y"]),
            ("data/a", &["x y"]),
            ("data/a", &["x@y"]),
            ("data/a", &["-R"]),
            ("data/a@b", &["x"]),
            ("-r/a", &["x"]),
            ("data", &["x"]),
            ("data/", &["x"]),
            ("", &["x"]),
        ] {
            assert_eq!(Batch::new(dataset, names(bad)), None, "{dataset} {bad:?}");
        }
    }
}

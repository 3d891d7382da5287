use std::path::{Path, PathBuf};

use heeler_host::{File, RunError, System, apt};
use heeler_proto::EnsureRepositories;

use super::{pins, why};
use crate::engine::{Blocked, Key, Op, Plan, Remove, Step, StepName, fingerprint};

const KEY: &str = "/etc/apt/keyrings/heeler-proxmox.asc";
pub(in crate::base) const SOURCE: &str = "/etc/apt/sources.list.d/heeler-proxmox.sources";
/// Names of Debian's releases, which are the suites of Proxmox too.
const RELEASES: [&str; 5] = ["bullseye", "bookworm", "trixie", "forky", "duke"];

/// apt trusts the repository by its pinned key, takes from it what the pins allow, and has its lists.
///
/// The lists are the proof that the key is right: apt fetches them only when the signature is. So they are removed
/// before key or address change.
pub(in crate::base) struct RepositoryFetched {
    pub(super) task: EnsureRepositories,
}

pub(in crate::base) struct Observed {
    /// The files that are there, in the order of [`RepositoryFetched::files`].
    files: Vec<Option<Vec<u8>>>,
    pi: bool,
    /// Debian's name of the node's release.
    release: String,
    others: Vec<apt::Source>,
    lists: Vec<apt::List>,
    /// Content of the lists, when they must go.
    old: Vec<(String, Vec<u8>)>,
}

impl Step for RepositoryFetched {
    const NAME: StepName = "RepositoryFetched";
    type Observed = Observed;

    async fn observe(&self, host: &dyn System) -> Result<Observed, RunError> {
        let model = heeler_host::whole_text(host, "/proc/device-tree/model").await?;
        let pi = model.is_some_and(|model| model.starts_with("Raspberry Pi"));
        let release = heeler_host::whole_text(host, "/etc/os-release")
            .await?
            .unwrap_or_default();
        let release = release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
        let read = async |path: PathBuf| {
            let content = heeler_host::content(host, &path).await;
            content.map_err(|source| RunError::file(&path, source))
        };
        let mut files = Vec::new();
        for file in self.files(pi) {
            files.push(read(file.path).await?);
        }
        let mut others = apt::sources(host).await?;
        others.retain(|source| source.enabled && source.file != SOURCE);
        let lists = apt::lists(host, self.task.uri.as_str(), self.task.suite.as_str()).await?;
        let mut old = Vec::new();
        if self.changes_trust(pi, &files) {
            for list in &lists {
                old.push((
                    list.path.clone(),
                    read(PathBuf::from(&list.path)).await?.unwrap_or_default(),
                ));
            }
        }
        Ok(Observed {
            pi,
            release: release.unwrap_or_default().trim_matches('"').to_owned(),
            files,
            others,
            lists,
            old,
        })
    }

    fn plan(&self, seen: &Observed) -> Plan {
        if let Some(blocked) = self.unfit(seen) {
            return Plan::Blocked(blocked);
        }
        let removed = seen.old.iter().map(|(path, content)| {
            Op::Remove(Remove {
                path: path.into(),
                expects: fingerprint(Some(content)),
            })
        });
        let mut ops: Vec<Op> = removed.collect();
        let files = self.files(seen.pi).into_iter().zip(&seen.files);
        let wrong = files.filter(|(file, found)| found.as_ref() != Some(file.content.bytes()));
        ops.extend(wrong.map(|(file, _)| Op::Write(file)));
        let has = |component: &str| seen.lists.iter().any(|list| list.component == component);
        let fetched = self.task.components.iter().all(|component| has(component.as_str()));
        if !fetched || !seen.old.is_empty() {
            ops.push(Op::Job(apt::update()).explained("fetch the lists of packages of all sources"));
        }
        match ops.is_empty() {
            true => Plan::Satisfied,
            false => Plan::change(ops),
        }
    }

    fn explain(&self, printed: &str) -> Option<Blocked> {
        why::explain(&self.task, printed)
    }
}

impl RepositoryFetched {
    /// The pins come first: there is no moment at which apt knows the repository and not its limits.
    fn files(&self, pi: bool) -> [File; 3] {
        let task = &self.task;
        let components: Vec<&str> = task
            .components
            .iter()
            .map(heeler_proto::RepositoryWord::as_str)
            .collect();
        let source = format!(
            "# Written by Heeler. Changes are overwritten.\n# The key is {}.\nTypes: deb\nURIs: {}\nSuites: {}\nComponents: {}\nSigned-By: {KEY}\n",
            task.key,
            task.uri,
            task.suite,
            components.join(" ")
        );
        [
            pins::file(task.uri.host(), pi),
            File::text(KEY, task.public_key.as_str()),
            File::text(SOURCE, source),
        ]
    }

    fn changes_trust(&self, pi: bool, found: &[Option<Vec<u8>>]) -> bool {
        let files = self.files(pi);
        let mut trust = files.iter().zip(found).skip(1);
        trust.any(|(file, found)| found.as_ref() != Some(file.content.bytes()))
    }

    /// What only a person can put right.
    fn unfit(&self, seen: &Observed) -> Option<Blocked> {
        let (suite, release) = (self.task.suite.as_str(), seen.release.as_str());
        if suite != release && RELEASES.contains(&suite) && !release.is_empty() {
            let found = format!("this node has Debian {release}, and the repository's suite is {suite}");
            let why = "packages of another release do not fit the node's libraries";
            let next = format!("install Debian {suite} on the node (a fresh card; its pool stays); then: heeler apply");
            return Some(Blocked::new(found, why, next).at(Key::Proxmox, ""));
        }
        let same = |uri: &String| uri == self.task.uri.as_str();
        // Proxmox's own, its mirrors, and PXVirt's.
        let proxmox = |uri: &String| same(uri) || uri.ends_with("/debian/pve") || uri.ends_with("/pxcloud/pxvirt");
        let other = seen.others.iter().find_map(|source| {
            let uri = source.uris.iter().find(|uri| proxmox(uri))?;
            Some((source, uri))
        });
        let (source, uri) = other?;
        let why = match same(uri) {
            true => "apt reads no source at all when two files name one repository with different keys",
            false => "packages of two builds of Proxmox do not work together",
        };
        let found = format!("{} also gives Proxmox's packages, from {uri}", source.file);
        let next = match Path::new(&source.file).ends_with("sources.list") {
            true => format!("remove that line from {} on the node; then: heeler apply", source.file),
            false => format!("on the node: sudo mv {} /root/; then: heeler apply", source.file),
        };
        Some(Blocked::new(found, why, next).at(Key::Proxmox, ""))
    }
}

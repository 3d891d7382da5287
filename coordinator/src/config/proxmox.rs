use heeler_proto::{
    EnsurePackages, EnsureRepositories, Fingerprint, PackageName, PublicKey, RepositoryUri, RepositoryWord,
};

use super::public_key;
use super::reader::{Located, Table, Unfit};

/// Proxmox's release key for Debian 13. Proxmox publishes the fingerprint on its page of downloads; the key signs the
/// repository (`https://enterprise.proxmox.com/debian/proxmox-release-trixie.gpg`), and expires on 2034-11-10.
pub(super) const OFFICIAL_KEY: &str = "24B30F06ECC1836A4E5EFECBA7BCD1420BFE778E";
/// That key.
pub(super) const OFFICIAL_PUBLIC_KEY: &str = include_str!("proxmox-release-trixie.asc");

/// A repository, without its key.
struct Repository {
    uri: RepositoryUri,
    suite: RepositoryWord,
    components: Vec<RepositoryWord>,
}

/// `[proxmox]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxmox {
    /// Where all nodes get Proxmox's packages from.
    pub repositories: EnsureRepositories,
    /// What is installed on all of them.
    pub packages: EnsurePackages,
}

/// `[proxmox]`: where all nodes get Proxmox's packages from, and which others they get.
pub(super) fn proxmox(mut table: Table<'_, '_>) -> Option<Located<Proxmox>> {
    let place = table.place;
    let more = table.list("packages", package);
    let count = more.as_ref().map_or(0, |list| list.value.len());
    if count > EnsurePackages::MOST {
        let most = format!("write {} at most", EnsurePackages::MOST);
        table.error_at(&more, &format!("packages has {count} items"), &most);
    }
    let (repository, key) = match table.holds_table("source") {
        true => {
            let mut below = table.table("source")?;
            let read = (given(&mut below), key(&mut below));
            below.finish();
            read
        }
        false => {
            let source = table.required("source", "source = \"official\"", known);
            let key = match &source {
                Some(source) if source.value.uri.as_str() == OFFICIAL_URI => official_key(),
                Some(_) => key(&mut table),
                None => skipped_key(&mut table),
            };
            (source.map(|source| source.value), key)
        }
    };
    table.finish();
    let (Repository { uri, suite, components }, (key, public_key)) = (repository?, key?);
    let repositories = EnsureRepositories {
        uri,
        suite,
        components,
        key,
        public_key,
    };
    let more = more.map(|list| list.value.into_iter().map(|one| one.value).collect());
    let value = Proxmox {
        repositories,
        packages: EnsurePackages {
            more: more.unwrap_or_default(),
        },
    };
    Some(Located { value, place })
}

const OFFICIAL_URI: &str = "http://download.proxmox.com/debian/pve";

fn known(text: &str) -> Result<Repository, Unfit> {
    let (at, component) = match text {
        "official" => (OFFICIAL_URI, "pve-no-subscription"),
        "pxvirt" => ("https://mirrors.lierfang.com/pxcloud/pxvirt", "main"),
        _ => {
            let hint = "\"official\" or \"pxvirt\", or a table [proxmox.source] with uri, suite, components, key";
            return Err(Unfit::not(text, "a source of Proxmox", hint));
        }
    };
    Ok(Repository {
        uri: uri(at)?,
        suite: word("trixie")?,
        components: vec![word(component)?],
    })
}

fn given(table: &mut Table<'_, '_>) -> Option<Repository> {
    let uri = table.required("uri", "uri = \"https://mirror.example.lan/debian/pve\"", uri);
    let suite = table.required("suite", "suite = \"trixie\"", word);
    table.demand("components", "components = [\"pve-no-subscription\"]");
    let components = table.list("components", word);
    let count = components.as_ref().map_or(1, |list| list.value.len());
    if !(1..=8).contains(&count) {
        table.error_at(&components, &format!("components has {count} items"), "write 1 to 8");
    }
    Some(Repository {
        uri: uri?.value,
        suite: suite?.value,
        components: components?.value.into_iter().map(|one| one.value).collect(),
    })
}

/// The fingerprint, and the key that has it: Heeler brings Proxmox's own.
fn key(table: &mut Table<'_, '_>) -> Option<(Fingerprint, PublicKey)> {
    let example = "key = \"…\" with the 40 digits of the fingerprint, as the repository's owner tells it";
    let key = table.required("key", example, fingerprint);
    let Some(key) = key.map(|key| key.value) else {
        return skipped_key(table);
    };
    let known = key.as_str() == OFFICIAL_KEY;
    if !known {
        let example = "public_key = \"\"\"…\"\"\" with what gpg --armor --export prints of that key";
        table.demand("public_key", example);
    }
    let given = table.text("public_key", |text| {
        let hint = "write what gpg --armor --export prints of the key with that fingerprint";
        public_key::pick(text, &key).map_err(|problem| Unfit::new(format!("public_key: {problem}"), hint))
    });
    match given {
        Some(public) => Some((key, public.value)),
        None if known => official_key(),
        None => None,
    }
}

/// Of keys that cannot be judged, because another is wrong, nothing is said.
fn skipped_key(table: &mut Table<'_, '_>) -> Option<(Fingerprint, PublicKey)> {
    for name in ["key", "public_key"] {
        table.text(name, |_| Ok(()));
    }
    None
}

fn official_key() -> Option<(Fingerprint, PublicKey)> {
    let key = Fingerprint::new(OFFICIAL_KEY).ok()?;
    let public = public_key::pick(OFFICIAL_PUBLIC_KEY, &key).ok()?;
    Some((key, public))
}

fn uri(text: &str) -> Result<RepositoryUri, Unfit> {
    RepositoryUri::new(text).map_err(|_| {
        let hint = match text.strip_suffix('/') {
            Some(bare) if RepositoryUri::new(bare).is_ok() => format!("did you mean {bare:?}?"),
            _ => "such as \"https://mirror.example.lan/debian/pve\"".to_owned(),
        };
        Unfit::not(text, "the address of a repository", hint)
    })
}

fn word(text: &str) -> Result<RepositoryWord, Unfit> {
    let hint = "lower-case letters, digits, dots and hyphens, such as \"trixie\"";
    RepositoryWord::new(text).map_err(|_| Unfit::not(text, "a suite or component", hint))
}

fn package(text: &str) -> Result<PackageName, Unfit> {
    let hint = "such as \"smartmontools\"; apt search finds them";
    // A Raspberry Pi cannot start Proxmox's kernel, which this one needs.
    if text == "proxmox-ve" {
        let hint =
            "leave it out: Heeler installs Proxmox without it, because it brings a kernel that no Raspberry Pi starts";
        return Err(Unfit::not(text, "a package that Heeler installs", hint));
    }
    PackageName::new(text).map_err(|_| Unfit::not(text, "the name of a package", hint))
}

/// Also as gpg prints it, with spaces.
fn fingerprint(text: &str) -> Result<Fingerprint, Unfit> {
    let digits: String = text.split_whitespace().collect();
    Fingerprint::new(&digits.to_uppercase()).map_err(|_| {
        let hint = "40 hexadecimal digits; gpg --show-keys FILE prints them";
        Unfit::not(text, "the fingerprint of a key", hint)
    })
}

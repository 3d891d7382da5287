use heeler_host::guard::Written;
use heeler_host::{File, RunError, System, ifupdown, link, netplan, whole_text};
use heeler_proto::KeepBackplane;

use crate::engine::{Edit, Op};

/// Name of the marked block in `/etc/network/interfaces`.
const BLOCK: &str = "backplane";

/// The present text of the backplane's files; None for one that does not exist.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Files {
    pub(super) link: Option<String>,
    pub(super) netplan: Option<String>,
    pub(super) interfaces: Option<String>,
}

impl Files {
    pub(super) async fn read(host: &dyn System) -> Result<Self, RunError> {
        Ok(Self {
            link: whole_text(host, link::PATH).await?,
            netplan: whole_text(host, netplan::PATH).await?,
            interfaces: whole_text(host, ifupdown::PATH).await?,
        })
    }

    /// The different address that a stanza of somebody else gives the card in `/etc/network/interfaces`.
    pub(super) fn foreign(&self, task: &KeepBackplane) -> Option<String> {
        let text = self.interfaces.as_deref()?;
        let address = ifupdown::address_of(text, link::BACKPLANE)?;
        let ours = text.contains(&format!("# heeler begin {BLOCK}"));
        (!ours && address != task.address.to_string()).then_some(address)
    }

    /// The ops that write the files that differ, and the paths of all files.
    pub(super) fn ops(&self, task: &KeepBackplane, mac: &str, written: Written) -> (Vec<Op>, Vec<&'static str>) {
        let address = task.address.to_string();
        let mut ops = Vec::new();
        let mut paths = vec![link::PATH];
        let differs = |file: &File, now: Option<&String>| now.map(String::as_bytes) != Some(file.content.bytes());
        let pin = link::file(mac);
        if differs(&pin, self.link.as_ref()) {
            ops.push(Op::Write(pin).explained(format!("pin the backplane to {mac}")));
        }
        match written {
            Written::Netplan => {
                let file = netplan::file(link::BACKPLANE, &address);
                if differs(&file, self.netplan.as_ref()) {
                    ops.push(Op::Write(file));
                }
                paths.push(netplan::PATH);
            }
            Written::Interfaces => {
                let now = self.interfaces.as_deref();
                let said = now.and_then(|text| ifupdown::address_of(text, link::BACKPLANE));
                if said != Some(address.clone()) {
                    let stanza = ifupdown::stanza(link::BACKPLANE, &address);
                    let before = now.map(str::as_bytes);
                    ops.push(Op::Edit(Edit::of(ifupdown::PATH, BLOCK, stanza, before)));
                }
                paths.push(ifupdown::PATH);
            }
        }
        (ops, paths)
    }
}

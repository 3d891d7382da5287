//! `pvecm status` and `pvecm nodes`: exit code 2 without quorum, 1 without corosync.

use super::CONF;
use crate::call::{Call, Fault};
use crate::corosync::view::View;
use crate::corosync_conf::{CorosyncConf, Node};

const DEAD: &str = "Cannot initialize CMAP service";

pub fn nodes(call: &mut Call) -> Result<(), Fault> {
    let view = View::of(call).ok_or_else(|| Fault::new(1, DEAD))?;
    call.out += &format!("\n{}", membership(&view));
    Ok(())
}

fn membership(view: &View) -> String {
    let mut text = "Membership information\n----------------------\n    Nodeid      Votes Name\n".to_owned();
    for Node { id, votes, name, .. } in view.online() {
        text += &format!("{id:>10} {votes:>10} {name}{}\n", local(view, *id));
    }
    text
}

fn local(view: &View, id: u64) -> &'static str {
    if view.own == id { " (local)" } else { "" }
}

pub fn status(call: &mut Call) -> Result<(), Fault> {
    let conf = call
        .read(CONF)
        .and_then(|text| CorosyncConf::parse(&text))
        .unwrap_or_default();
    let (name, version) = (conf.name, conf.version);
    call.out += &format!(
        "Cluster information\n-------------------\nName:             {name}\nConfig Version:   {version}\n\
         Transport:        knet\nSecure auth:      on\n\n"
    );
    let view = View::of(call).ok_or_else(|| Fault::new(1, DEAD))?;
    call.out += &votes(&view, &format!("0x{:08x}", view.own));
    call.out += "Membership information\n----------------------\n    Nodeid      Votes Name\n";
    for Node {
        id, votes, addresses, ..
    } in view.online()
    {
        let address = addresses.values().next().map_or("", String::as_str);
        call.out += &format!("0x{id:08x} {votes:>10} {address}{}\n", local(&view, *id));
    }
    if view.is_quorate() {
        Ok(())
    } else {
        Err(Fault::silent(2))
    }
}

/// What `corosync-quorumtool -s` prints.
pub fn of_tool(view: &View) -> String {
    votes(view, &view.own.to_string()) + &membership(view)
}

fn votes(view: &View, own: &str) -> String {
    let online = view.online();
    let first = online.first().map_or(0, |node| node.id);
    let (total, expected, quorum) = (view.votes(), view.expected, view.quorum());
    let (quorate, blocked, flags) = if view.is_quorate() {
        ("Yes", " ", "Quorate ")
    } else {
        ("No", "Activity blocked", "")
    };
    format!(
        "Quorum information\n------------------\nDate:             {}\nQuorum provider:  corosync_votequorum\n\
         Nodes:            {}\nNode ID:          {own}\nRing ID:          {first}.1\n\
         Quorate:          {quorate}\n\nVotequorum information\n----------------------\n\
         Expected votes:   {expected}\nHighest expected: {expected}\nTotal votes:      {total}\n\
         Quorum:           {quorum} {blocked}\nFlags:            {flags}\n\n",
        date(),
        online.len()
    )
}

#[expect(clippy::disallowed_methods, reason = "the date in the form of the C library")]
fn date() -> String {
    let date = std::process::Command::new("date").arg("+%a %b %e %H:%M:%S %Y").output();
    date.map(|date| String::from_utf8_lossy(&date.stdout).trim().to_owned())
        .unwrap_or_default()
}

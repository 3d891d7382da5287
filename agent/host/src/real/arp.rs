use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::time::Instant;

use nix::errno::Errno;
use nix::ifaddrs::getifaddrs;
use nix::sys::socket::sockopt::ReceiveTimeout;
use nix::sys::socket::{
    AddressFamily, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType, bind, recv, send, setsockopt, socket,
};
use nix::sys::time::TimeVal;

use crate::arp::{PROBES, WAIT, claim, probe, written};

/// Bytes that are read of a frame; an ARP frame is shorter.
const FRAME: usize = 128;

/// The hardware address of the machine that has `address` on the network of the card `interface`. Blocks for about
/// two seconds.
pub(super) fn taken(interface: &str, address: Ipv4Addr) -> io::Result<Option<String>> {
    let link = link(interface)?;
    let own = link.addr().unwrap_or_default();
    let wire = wire(&link)?;
    for _ in 0..PROBES {
        send(wire.as_raw_fd(), &probe(own, address), MsgFlags::empty())?;
        if let Some(other) = listen(&wire, own, address)? {
            return Ok(Some(written(other)));
        }
    }
    Ok(None)
}

fn link(interface: &str) -> io::Result<LinkAddr> {
    let mut all = getifaddrs()?.filter(|one| one.interface_name == interface);
    all.find_map(|one| one.address?.as_link_addr().copied())
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("there is no card {interface}")))
}

fn wire(link: &LinkAddr) -> io::Result<OwnedFd> {
    let wire = socket(
        AddressFamily::Packet,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::EthAll,
    )?;
    bind(wire.as_raw_fd(), link)?;
    setsockopt(&wire, ReceiveTimeout, &TimeVal::new(0, 100_000))?;
    Ok(wire)
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a wire was listened to is known to its listener alone"
)]
fn listen(wire: &OwnedFd, own: [u8; 6], address: Ipv4Addr) -> io::Result<Option<[u8; 6]>> {
    let began = Instant::now();
    let mut frame = [0; FRAME];
    while began.elapsed() < WAIT {
        let length = match recv(wire.as_raw_fd(), &mut frame, MsgFlags::empty()) {
            Ok(length) => length,
            Err(Errno::EAGAIN | Errno::EINTR) => continue,
            Err(error) => return Err(error.into()),
        };
        if let Some(other) = frame.get(..length).and_then(|frame| claim(frame, own, address)) {
            return Ok(Some(other));
        }
    }
    Ok(None)
}

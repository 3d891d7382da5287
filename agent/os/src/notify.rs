use std::env;
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use tracing::warn;

/// Reports a service's state to systemd (sd_notify(3)); does nothing when systemd did not ask for it.
#[derive(Debug, Default)]
pub struct Notify {
    socket: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl Notify {
    /// Connects as $NOTIFY_SOCKET and $WATCHDOG_USEC say (sd_notify(3), sd_watchdog_enabled(3)). Fails when the named
    /// socket cannot be used.
    pub fn from_environment() -> io::Result<Self> {
        let Some(path) = env::var_os("NOTIFY_SOCKET").filter(|path| !path.is_empty()) else {
            return Ok(Self::default());
        };
        let usec = env::var("WATCHDOG_USEC").ok().and_then(|usec| usec.parse().ok());
        Self::to(&path, usec.map(Duration::from_micros))
    }

    /// Connects to the socket at `path`; a name that starts with @ is abstract (unix(7)). Fails when the name is not
    /// valid for a socket.
    pub fn to(path: &OsString, watchdog: Option<Duration>) -> io::Result<Self> {
        let address = match path.as_bytes() {
            [b'@', name @ ..] => hidden(name)?,
            _ => SocketAddr::from_pathname(path)?,
        };
        Ok(Self {
            socket: Some((UnixDatagram::unbound()?, address)),
            watchdog,
        })
    }

    /// How often to call [`Self::alive`]: half of the watchdog's time. None without a watchdog.
    pub fn watchdog(&self) -> Option<Duration> {
        self.watchdog.map(|patience| patience / 2)
    }

    /// Whether systemd asked for it.
    pub fn has_receiver(&self) -> bool {
        self.socket.is_some()
    }

    /// Reports that the service is up (READY=1).
    pub fn ready(&self) {
        self.send("READY=1");
    }

    /// Resets the watchdog (WATCHDOG=1).
    pub fn alive(&self) {
        self.send("WATCHDOG=1");
    }

    /// Reports that the service is stopping (STOPPING=1).
    pub fn stopping(&self) {
        self.send("STOPPING=1");
    }

    /// Sets the line that `systemctl status` shows (STATUS=).
    pub fn status(&self, text: &str) {
        self.send(&format!("STATUS={}", text.replace('\n', " ")));
    }

    fn send(&self, message: &str) {
        if let Some((socket, address)) = &self.socket
            && let Err(error) = socket.send_to_addr(message.as_bytes(), address)
        {
            warn!(%error, "could not notify systemd {message}");
        }
    }
}

#[cfg(target_os = "linux")]
fn hidden(name: &[u8]) -> io::Result<SocketAddr> {
    use std::os::linux::net::SocketAddrExt as _;
    SocketAddr::from_abstract_name(name)
}

#[cfg(not(target_os = "linux"))]
fn hidden(_: &[u8]) -> io::Result<SocketAddr> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systemd_receives_every_notification() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let systemd = UnixDatagram::bind(&path).unwrap();
        let notify = Notify::to(&path.into_os_string(), Some(Duration::from_secs(60))).unwrap();
        notify.ready();
        notify.status("3 nodes\nconnected");
        let mut heard = [0; 64];
        let length = systemd.recv(&mut heard).unwrap();
        assert_eq!(&heard[..length], b"READY=1");
        let length = systemd.recv(&mut heard).unwrap();
        assert_eq!(&heard[..length], b"STATUS=3 nodes connected");
        assert_eq!(notify.watchdog(), Some(Duration::from_secs(30)));
    }

    #[test]
    fn without_a_supervisor_nothing_is_sent() {
        let notify = Notify::default();
        notify.alive();
        assert!(!notify.has_receiver() && notify.watchdog().is_none());
    }
}

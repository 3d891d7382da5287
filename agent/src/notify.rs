use std::env;
use std::ffi::OsString;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// Reports the service's state to systemd (sd_notify(3)); does nothing when systemd did not ask for it.
#[derive(Debug, Default)]
pub struct Notify {
    socket: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl Notify {
    /// From NOTIFY_SOCKET and WATCHDOG_USEC in the environment.
    ///
    /// # Errors
    /// When NOTIFY_SOCKET is not a usable socket.
    pub fn from_environment() -> io::Result<Self> {
        let Some(path) = env::var_os("NOTIFY_SOCKET") else {
            return Ok(Self::default());
        };
        let usec = env::var("WATCHDOG_USEC").ok().and_then(|usec| usec.parse().ok());
        Self::to(&path, usec.map(Duration::from_micros))
    }

    /// To the socket at `path`; a name that starts with @ is in the abstract namespace.
    ///
    /// # Errors
    /// When the name is not valid for a socket.
    pub fn to(path: &OsString, watchdog: Option<Duration>) -> io::Result<Self> {
        let address = match path.as_bytes() {
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
            _ => SocketAddr::from_pathname(path)?,
        };
        Ok(Self {
            socket: Some((UnixDatagram::unbound()?, address)),
            watchdog,
        })
    }

    /// How often to call [`Self::alive`]: half of the watchdog's time. None without a watchdog.
    #[must_use]
    pub fn watchdog(&self) -> Option<Duration> {
        self.watchdog.map(|patience| patience / 2)
    }

    /// Reports that the service has started.
    pub fn ready(&self) {
        self.send("READY=1");
    }

    /// Resets the watchdog.
    pub fn alive(&self) {
        self.send("WATCHDOG=1");
    }

    /// Reports that the service stops.
    pub fn stopping(&self) {
        self.send("STOPPING=1");
    }

    /// Sets the text that `systemctl status` shows.
    pub fn status(&self, text: &str) {
        self.send(&format!("STATUS={}", text.replace('\n', " ")));
    }

    fn send(&self, message: &str) {
        if let Some((socket, address)) = &self.socket
            && let Err(error) = socket.send_to_addr(message.as_bytes(), address)
        {
            tracing::warn!(%error, "could not notify systemd {message}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systemd_receives_every_notification() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let systemd = UnixDatagram::bind(&path).unwrap();
        let notify = Notify::to(&path.into_os_string(), Some(Duration::from_secs(90))).unwrap();
        notify.ready();
        notify.status("two\nlines");
        let mut heard = [0; 64];
        let length = systemd.recv(&mut heard).unwrap();
        assert_eq!(&heard[..length], b"READY=1");
        let length = systemd.recv(&mut heard).unwrap();
        assert_eq!(&heard[..length], b"STATUS=two lines");
        assert_eq!(notify.watchdog(), Some(Duration::from_secs(45)));
    }

    #[test]
    fn without_a_supervisor_nothing_is_sent() {
        let notify = Notify::default();
        notify.alive();
        assert_eq!(notify.watchdog(), None);
    }
}

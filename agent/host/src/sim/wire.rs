use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

/// A switch that connects the backplane cards of machines. Clones are handles to the same one.
#[derive(Debug, Clone, Default)]
pub struct Wire(Arc<Mutex<BTreeMap<(Ipv4Addr, String), u8>>>);

impl Wire {
    /// Adds a foreign machine with this address and prefix length.
    pub fn put(&self, address: Ipv4Addr, prefix: u8, mac: &str) {
        self.lock().insert((address, mac.to_owned()), prefix);
    }

    /// Removes all addresses of this card.
    pub fn take(&self, mac: &str) {
        self.lock().retain(|(_, owner), _| owner != mac);
    }

    /// The hardware address and prefix length of another card that has this address.
    #[must_use]
    pub fn who_has(&self, address: Ipv4Addr, mac: &str) -> Option<(String, u8)> {
        let all = self.lock();
        let mut found = all
            .iter()
            .filter(|((known, owner), _)| *known == address && owner != mac);
        found.next().map(|((_, owner), prefix)| (owner.clone(), *prefix))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<(Ipv4Addr, String), u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

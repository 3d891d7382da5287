use std::fs::{File, TryLockError};

/// A file or folder locked for this process (`flock`, flock(2)) until it is dropped.
#[derive(Debug)]
pub(crate) struct Exclusive(File);

impl Exclusive {
    /// Locks `file`; gives it back when another process holds the lock.
    pub(crate) fn of(file: File) -> Result<Self, (File, TryLockError)> {
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(error) => Err((file, error)),
        }
    }

    pub(crate) fn file(&self) -> &File {
        &self.0
    }
}

impl Drop for Exclusive {
    /// Unlocks explicitly. Closing is not enough: a child between fork and exec still has the descriptor, and with it
    /// the lock.
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::warn!(%error, "could not unlock a file");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forked_childs_descriptor_keeps_no_lock() {
        let path = tempfile::NamedTempFile::new().unwrap();
        let held = Exclusive::of(path.reopen().unwrap()).unwrap();
        let childs = held.file().try_clone().unwrap();
        drop(held);
        Exclusive::of(path.reopen().unwrap()).unwrap();
        drop(childs);
    }
}

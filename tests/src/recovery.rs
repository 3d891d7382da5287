use std::path::{Path, PathBuf};

use heeler_coordinator::backup::{BackupError, Content, Recovery, Restore, Restored, ensure_recovery, pack, restore};
use heeler_coordinator::clock::Clock as _;

use crate::{CLUSTER, Fleet, ME};

impl Fleet {
    /// Makes the recovery key as `heeler init` does.
    pub async fn make_recovery_key(&self) {
        let file = self.folder().join("recovery.txt");
        ensure_recovery(&self.state(), &file, ME, self.clock.now_ms())
            .await
            .unwrap();
    }

    /// Makes a backup beside the running coordinator, as `heeler backup create` does.
    pub async fn back_up(&self) -> PathBuf {
        let file = self.folder().join("backup.age");
        pack(&self.state(), None, Content::Whole, &file, self.clock.now_ms())
            .await
            .unwrap();
        file
    }

    /// Deletes the state of a stopped coordinator.
    pub fn destroy(&self) {
        std::fs::remove_dir_all(self.state().path()).unwrap();
    }

    /// Restores a backup as `heeler backup restore` does. Fails as [`restore`].
    pub async fn restore(&self, archive: &Path) -> Result<Restored, BackupError> {
        let text = std::fs::read_to_string(self.folder().join("recovery.txt")).unwrap();
        let recovery = Recovery::parse(&text).unwrap();
        let options = Restore {
            archive,
            opener: recovery.opener(),
            recovery: Some(&recovery),
            state: &self.state(),
            cluster: Some(CLUSTER),
            config: None,
            replace: true,
            operator: ME,
        };
        restore(options, self.clock.now_ms()).await
    }
}

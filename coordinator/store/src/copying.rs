use std::path::Path;

use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::{Result, Store, corrupt, sound};

impl Store {
    /// Copies the database into a new file without its free pages, while writers continue. Fails when the file exists,
    /// or cannot be written.
    pub async fn copy_into(&self, path: &Path) -> Result<()> {
        let path = path.to_string_lossy().into_owned();
        sqlx::query!("VACUUM INTO ?", path).execute(&self.pool).await?;
        Ok(())
    }

    /// Deletes history from a copy: all plans, and all events but the newest `events`. Fails when the copy cannot be
    /// written.
    pub async fn thin_out(copy: &Path, events: u32) -> Result<()> {
        let mut copy = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(copy)).await?;
        sqlx::query!("DELETE FROM plan_tasks").execute(&mut copy).await?;
        sqlx::query!("DELETE FROM plans").execute(&mut copy).await?;
        sqlx::query!(
            "DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - ?",
            events
        )
        .execute(&mut copy)
        .await?;
        sqlx::query!("VACUUM").execute(&mut copy).await?;
        Ok(copy.close().await?)
    }

    /// The epoch in a database file that must not change, not even by opening it. None when it cannot be read, as in
    /// a damaged file.
    pub async fn epoch_of(path: &Path) -> Option<u64> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .immutable(true)
            .read_only(true);
        let mut file = SqliteConnection::connect_with(&options).await.ok()?;
        let epoch: Option<String> = sqlx::query_scalar("SELECT value FROM meta WHERE key = 'epoch'")
            .fetch_optional(&mut file)
            .await
            .ok()?;
        epoch?.parse().ok()
    }

    /// Runs SQLite's integrity check on a file that no process uses. Fails with [`crate::StoreError::Corrupt`] when the check
    /// finds a fault.
    pub async fn check(path: &Path) -> Result<()> {
        let options = SqliteConnectOptions::new().filename(path).read_only(true);
        let mut file = SqliteConnection::connect_with(&options).await.map_err(corrupt)?;
        let check = sqlx::query_scalar!("PRAGMA integrity_check(1)").fetch_one(&mut file);
        sound(check.await.map_err(corrupt)?)?;
        Ok(file.close().await?)
    }
}

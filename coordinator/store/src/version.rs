use sqlx::SqlitePool;
use sqlx::migrate::MigrateError;

use crate::{Result, StoreError};

const OWN: &str = env!("CARGO_PKG_VERSION");

/// Migrates the schema and records this version, so that an older version that opens the database can name it.
pub(crate) async fn bring_up_to_date(pool: &SqlitePool) -> Result<()> {
    let schema = sqlx::migrate!("../../migrations");
    // A new database has no such table yet.
    let first: Option<Vec<u8>> = sqlx::query_scalar("SELECT checksum FROM _sqlx_migrations WHERE version = 1")
        .fetch_optional(pool)
        .await
        .unwrap_or_default();
    let own = schema.iter().next().map(|first| first.checksum.as_ref());
    if first.is_some_and(|first| own != Some(&first)) {
        pool.close().await;
        return Err(StoreError::Unreleased);
    }
    let done = schema.run(pool).await;
    let known: Option<String> = sqlx::query_scalar("SELECT value FROM meta WHERE key = 'heeler'")
        .fetch_optional(pool)
        .await
        .unwrap_or_default();
    match done {
        Ok(()) if known.as_deref() == Some(OWN) => {}
        Ok(()) => {
            // On a full disk this fails; the next write reports that.
            let note = "INSERT INTO meta (key, value) VALUES ('heeler', ?)
                ON CONFLICT (key) DO UPDATE SET value = excluded.value";
            sqlx::query(note).bind(OWN).execute(pool).await.ok();
        }
        Err(MigrateError::VersionMissing(_)) => {
            let by = known.map_or_else(|| "a later version".to_owned(), |version| format!("heeler {version}"));
            pool.close().await;
            return Err(StoreError::Later { by });
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

//! A database of an earlier version keeps what was applied, under the new names of tasks.

use heeler_store::Store;

#[tokio::test]
async fn kinds_of_tasks_get_their_new_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("heeler.db");
    let store = Store::open(&path).await.unwrap();
    let mut tx = store.write().await.unwrap();
    tx.add_node("a", "00000001").await.unwrap();
    for kind in ["ensure pool", "keep backplane", "keep scrubs", "keep snapshots"] {
        tx.set_applied("a", kind, Some(&[7; 32])).await.unwrap();
    }
    tx.save().await.unwrap();
    store.close().await;
    let raw = sqlx::SqlitePool::connect(&format!("sqlite:{}", path.display()))
        .await
        .unwrap();
    let earlier = "DELETE FROM _sqlx_migrations WHERE version >= 14";
    sqlx::query(earlier).execute(&raw).await.unwrap();
    raw.close().await;
    let store = Store::open(&path).await.unwrap();
    let applied = store.read().await.unwrap().applied("a").await.unwrap();
    let kinds: Vec<_> = applied.iter().map(|applied| applied.kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "ensure pool",
            "schedule scrubs",
            "schedule snapshots",
            "set up backplane"
        ]
    );
}

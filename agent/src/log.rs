use std::env;
use std::error::Error;

use tracing::level_filters::LevelFilter;

/// Logs to standard output. HEELER_LOG sets the level (error, warn, info; default info). Debug and trace are compiled
/// in only with debug assertions. Under systemd without times, because its journal adds them. Fails when HEELER_LOG has
/// another value.
pub fn set_up() -> Result<(), Box<dyn Error>> {
    let level = match env::var("HEELER_LOG") {
        Ok(level) => level
            .parse::<LevelFilter>()
            .map_err(|_| format!("HEELER_LOG is {level:?}, must be error, warn or info"))?,
        Err(_) => LevelFilter::INFO,
    };
    let log = tracing_subscriber::fmt()
        .compact()
        .with_ansi(false)
        .with_target(false)
        .with_max_level(level);
    if env::var_os("JOURNAL_STREAM").is_some() {
        log.without_time().init();
    } else {
        log.init();
    }
    Ok(())
}

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::{Command, Output, RunError, System};

/// Time limit of a command or of one read on one disk: a disk that hangs must not delay the look at the whole machine,
/// for which the coordinator waits three minutes.
pub(crate) const ONE_DISK: Duration = Duration::from_secs(10);

/// Time limit of a command on all imported pools: a suspended pool can block it for ever.
pub(crate) const ALL_POOLS: Duration = Duration::from_secs(15);

/// Runs `command`; any exit code other than 0 is an error.
pub(crate) async fn ask(host: &dyn System, command: &Command) -> Result<Output, RunError> {
    let output = host.run(command).await?;
    if output.ok() {
        Ok(output)
    } else {
        Err(RunError::failed(command, &output))
    }
}

/// The text of a file, trimmed; None when it does not exist.
pub(crate) async fn text(host: &dyn System, path: impl AsRef<Path>) -> Result<Option<String>, RunError> {
    let path = path.as_ref();
    let bytes = content(host, path).await.map_err(|error| RunError::file(path, error))?;
    // Device tree strings end in NUL.
    let blank = |c: char| c.is_whitespace() || c == '\0';
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).trim_matches(blank).to_owned()))
}

/// The content of a file; None when it does not exist. Fails when it cannot be read.
pub async fn content(host: &dyn System, path: &Path) -> io::Result<Option<Vec<u8>>> {
    match host.read(path).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The same as text, in which U+FFFD stands for what is no UTF-8.
pub async fn whole_text(host: &dyn System, path: &str) -> Result<Option<String>, RunError> {
    let path = Path::new(path);
    let bytes = content(host, path).await.map_err(|error| RunError::file(path, error))?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// The names in a folder; None when it does not exist.
pub(crate) async fn names(host: &dyn System, path: impl AsRef<Path>) -> Result<Option<Vec<String>>, RunError> {
    let path = path.as_ref();
    match host.list(path).await {
        Ok(names) => Ok(Some(names)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(RunError::file(path, source)),
    }
}

use std::fmt::Arguments;
use std::io::Write as _;

/// Prints without a line end. When the reader has closed the pipe (`heeler-agent status | head -1`), the text is lost
/// and the command goes on: it must not end in the middle of a change.
pub fn print(text: Arguments<'_>) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.to_string().as_bytes()).and_then(|()| out.flush());
}

/// [`print`], with a line end.
pub fn line(text: Arguments<'_>) {
    print(format_args!("{text}\n"));
}

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Longest line kept, in bytes; the rest of a longer line is dropped.
const LONGEST: usize = 64 << 10;

/// Splits a stream into lines. Cancelling a read loses nothing; `tokio`'s own `read_line` loses what it has read.
pub struct Lines<R> {
    from: R,
    /// Bytes read and not returned.
    rest: Vec<u8>,
    /// Length of the complete lines in `rest`.
    whole: usize,
    ended: bool,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    /// The lines of `from`.
    pub const fn of(from: R) -> Self {
        Self {
            from,
            rest: Vec::new(),
            whole: 0,
            ended: false,
        }
    }

    /// Reads more bytes. Cancelling it loses nothing. Fails when reading fails; the stream has then ended.
    pub async fn more(&mut self) -> io::Result<()> {
        let mut chunk = [0; 4096];
        let read = self.from.read(&mut chunk).await.inspect_err(|_| self.ended = true)?;
        self.ended = read == 0;
        self.rest.extend_from_slice(&chunk[..read]);
        if let Some(end) = self.rest[self.whole..].iter().rposition(|byte| *byte == b'\n') {
            self.whole += end + 1;
        }
        self.rest.truncate(self.whole + LONGEST);
        Ok(())
    }

    /// The next complete line, without its end (`
    /// ` or `\r
    /// `). At the end of the stream also an incomplete one.
    pub fn line(&mut self) -> Option<String> {
        if self.whole == 0 && self.ended {
            self.whole = self.rest.len();
        }
        if self.whole == 0 {
            return None;
        }
        let end = self.rest.iter().take(self.whole).position(|byte| *byte == b'\n');
        let length = end.map_or(self.whole, |end| end + 1);
        let line: Vec<u8> = self.rest.drain(..length).collect();
        self.whole -= length;
        let line = &line[..line.len().min(LONGEST)];
        Some(String::from_utf8_lossy(line).trim_end_matches(['\r', '\n']).to_owned())
    }

    /// The incomplete line after the last complete one: a prompt has no line end.
    pub fn begun(&self) -> String {
        String::from_utf8_lossy(&self.rest[self.whole..]).into_owned()
    }

    pub fn drop_begun(&mut self) {
        self.rest.truncate(self.whole);
    }

    /// Whether the stream has ended; lines may still be left.
    pub const fn has_ended(&self) -> bool {
        self.ended
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncWriteExt as _, duplex};

    use super::*;

    #[tokio::test]
    async fn a_wait_that_is_given_up_loses_no_bytes() {
        let (mut to, from) = duplex(64);
        let mut lines = Lines::of(from);
        to.write_all(b"half").await.unwrap();
        lines.more().await.unwrap();
        assert_eq!(lines.line(), None);
        let given_up = tokio::time::timeout(Duration::ZERO, lines.more()).await;
        assert!(given_up.is_err());
        to.write_all(b" a line\r\nnext").await.unwrap();
        lines.more().await.unwrap();
        assert_eq!(lines.line().as_deref(), Some("half a line"));
        assert_eq!((lines.line(), lines.begun().as_str()), (None, "next"));
        drop(to);
        lines.more().await.unwrap();
        assert_eq!(lines.line().as_deref(), Some("next"));
        assert_eq!(lines.line(), None);
    }

    #[tokio::test]
    async fn a_line_without_end_takes_no_more_than_its_bound() {
        let (mut to, from) = duplex(1 << 20);
        to.write_all(&vec![b'x'; LONGEST * 3]).await.unwrap();
        to.write_all(b"\nafter\n").await.unwrap();
        drop(to);
        let mut lines = Lines::of(from);
        while !lines.has_ended() {
            lines.more().await.unwrap();
            assert!(lines.rest.len() <= LONGEST + 4096);
        }
        assert!(lines.line().unwrap().len() <= LONGEST);
        assert_eq!(lines.line().as_deref(), Some("after"));
    }
}

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The longest line that is kept, in bytes; what a longer one holds beyond is dropped.
const LONGEST: usize = 64 << 10;

/// Lines of a stream. What was read stays here when a wait is given up: `tokio`'s own `read_line` loses it then.
pub struct Lines<R> {
    from: R,
    /// Read, and not a whole line yet.
    rest: Vec<u8>,
    /// Where whole lines in `rest` end.
    whole: usize,
    ended: bool,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    /// Of `from`.
    pub const fn of(from: R) -> Self {
        Self {
            from,
            rest: Vec::new(),
            whole: 0,
            ended: false,
        }
    }

    /// Waits for more bytes. Nothing is lost when the wait is given up.
    ///
    /// # Errors
    /// When the stream cannot be read; it has ended then.
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

    /// The next whole line that was read, without its end (`\n` or `\r\n`); at the end of the stream also one that was
    /// cut off.
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

    /// What was read after the last whole line: a prompt has no line end.
    pub fn begun(&self) -> String {
        String::from_utf8_lossy(&self.rest[self.whole..]).into_owned()
    }

    /// Drops what was read after the last whole line.
    pub fn drop_begun(&mut self) {
        self.rest.truncate(self.whole);
    }

    /// Whether the stream has ended; lines may be left.
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

//! Bytes into lines, with a bound.

/// The most that is kept of a line: enough for what is shown of it, at 4 bytes a character.
const LONGEST: usize = 40_000;

/// Splits a stream of bytes at line feeds. Of a line only the beginning is kept, and its length.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    begun: Vec<u8>,
    /// How long the line is so far, what is not kept included.
    length: u64,
}

/// A line as it came, without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RawLine<'a> {
    /// The beginning, or all of it.
    pub(crate) bytes: &'a [u8],
    /// How long it was.
    pub(crate) length: u64,
}

impl Lines {
    /// Takes more bytes, and gives each line that ends in them to `line`.
    pub(crate) fn take(&mut self, mut bytes: &[u8], mut line: impl FnMut(RawLine<'_>)) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (rest, after) = (&bytes[..end], &bytes[end + 1..]);
            bytes = after;
            if self.length == 0 {
                let kept = &rest[..rest.len().min(LONGEST)];
                line(RawLine { bytes: kept, length: rest.len() as u64 });
                continue;
            }
            self.begin(rest);
            self.end(&mut line);
        }
        self.begin(bytes);
    }

    /// Gives what has not been ended by a line feed.
    pub(crate) fn finish(&mut self, mut line: impl FnMut(RawLine<'_>)) {
        if self.length > 0 {
            self.end(&mut line);
        }
    }

    fn begin(&mut self, bytes: &[u8]) {
        let room = LONGEST.saturating_sub(self.begun.len()).min(bytes.len());
        self.begun.extend_from_slice(&bytes[..room]);
        self.length += bytes.len() as u64;
    }

    fn end(&mut self, line: &mut impl FnMut(RawLine<'_>)) {
        line(RawLine { bytes: &self.begun, length: self.length });
        self.begun.clear();
        self.length = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(pieces: &[&[u8]]) -> Vec<(Vec<u8>, u64)> {
        let (mut lines, mut found) = (Lines::default(), Vec::new());
        let mut keep = |line: RawLine<'_>| found.push((line.bytes.to_vec(), line.length));
        for piece in pieces {
            lines.take(piece, &mut keep);
        }
        lines.finish(&mut keep);
        found
    }

    #[test]
    fn lines_end_where_they_end_however_they_come() {
        let text = b"one\n\ntwo\r\nthree";
        let expected: Vec<(Vec<u8>, u64)> = [&b"one"[..], b"", b"two\r", b"three"]
            .map(|line| (line.to_vec(), line.len() as u64))
            .into();
        assert_eq!(split(&[text]), expected);
        for at in 0..text.len() {
            let (a, b) = text.split_at(at);
            assert_eq!(split(&[a, b]), expected, "{at}");
        }
        assert!(split(&[b""]).is_empty());
    }

    #[test]
    fn a_line_of_a_megabyte_takes_little_memory() {
        let piece = vec![b'x'; 4096];
        let mut pieces: Vec<&[u8]> = vec![&piece; 256];
        pieces.push(b"\nnext\n");
        let found = split(&pieces);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].0.len(), found[0].1), (LONGEST, 1024 * 1024));
        assert_eq!(found[1].0, b"next");
        let whole = [vec![b'y'; 1_000_000], b"\n".to_vec()].concat();
        assert_eq!(split(&[&whole])[0].0.len(), LONGEST);
    }
}

//! How files lie on a stream: records of four bytes (the kind, then the payload's length, 24 bits, big-endian) and the payload. Bytes of files are
//! payloads as they are; all else is JSON.

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::{Refusal, Version};
use crate::header::Bytes;

/// The longest payload of bytes that is sent.
pub const LARGEST: usize = 256 * 1024;

/// The longest payload that is taken.
const LONGEST: usize = 1 << 20;

/// The bytes before each payload.
pub const HEADER: usize = 4;

const DATA: u8 = 0;
const ITEM: u8 = 1;

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// Bytes of the file that was named last.
    Data(Vec<u8>),
    /// Anything else.
    Item(Item),
}

/// What is not bytes of a file. Paths are relative to the mount; a directory comes before what is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "item", rename_all = "snake_case")]
pub enum Item {
    /// Watching: all of this mount follows.
    Begin {
        /// The mount.
        mount: Bytes,
        /// Whether it is one file, whose path is empty then.
        file: bool,
        /// Whether the kubelet writes it by swapping the link `..data`; the paths are then those behind it.
        atomic: bool,
    },
    /// A directory.
    Directory {
        /// Where.
        path: Bytes,
        /// Its permissions.
        mode: u32,
    },
    /// A file; its bytes follow, and then [`Item::End`].
    File {
        /// Where.
        path: Bytes,
        /// Its permissions.
        mode: u32,
        /// Its state as it was opened.
        version: Version,
    },
    /// The file's bytes are over.
    End {
        /// Why they are not all, or not of one state: the file is of no use then.
        broken: Option<String>,
    },
    /// A symbolic link.
    Link {
        /// Where.
        path: Bytes,
        /// What it says.
        target: Bytes,
    },
    /// Something is not copied.
    Skipped {
        /// Where.
        path: Bytes,
        /// Why.
        reason: String,
    },
    /// Watching: that was all of the mount, in one state.
    Commit,
    /// Watching: what has come since [`Item::Begin`] is of no use; there may be more to come.
    Discard {
        /// Why; none: the mount changed meanwhile, and comes again at once.
        reason: Option<String>,
    },
    /// Watching: nothing has changed until now.
    Unchanged,
    /// Fetching: that was all.
    Done,
    /// It cannot be done, or not be done to the end. The last record.
    Refused(Refusal),
}

/// The stream did not carry records.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The stream was reset, or the tunnel is gone.
    #[error("the stream of files broke: {0}")]
    Broken(#[from] std::io::Error),
    /// A kind that this version does not know.
    #[error("a record of unknown kind {0}")]
    Unknown(u8),
    /// A payload that is longer than allowed.
    #[error("a record of {0} bytes was announced; at most {LONGEST} are allowed")]
    TooLong(usize),
    /// An item that this version does not understand.
    #[error("a record was not understood: {0}")]
    Json(#[from] serde_json::Error),
}

fn header(kind: u8, length: usize) -> [u8; HEADER] {
    debug_assert!(length <= LONGEST);
    let [_, a, b, c] = (length as u32).to_be_bytes();
    [kind, a, b, c]
}

impl Item {
    /// The whole record.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![0; HEADER];
        // Plain values with text keys: writing them to memory does not fail.
        let _ = serde_json::to_writer(&mut bytes, self);
        let head = header(ITEM, bytes.len() - HEADER);
        bytes[..HEADER].copy_from_slice(&head);
        bytes
    }
}

/// Room for a data record with up to [`LARGEST`] bytes: read them behind the first [`HEADER`] bytes, then [`seal`].
pub fn room() -> Vec<u8> {
    vec![0; HEADER + LARGEST]
}

/// Makes `buffer`, in which `length` bytes stand behind room for the header, a data record.
pub fn seal(buffer: &mut Vec<u8>, length: usize) {
    buffer.truncate(HEADER + length);
    let head = header(DATA, length);
    buffer[..HEADER].copy_from_slice(&head);
}

/// Reads the next record.
///
/// # Errors
/// As [`RecordError`] says.
pub async fn read(io: &mut (impl AsyncRead + Unpin)) -> Result<Record, RecordError> {
    let mut head = [0; HEADER];
    io.read_exact(&mut head).await?;
    let [kind, a, b, c] = head;
    let length = u32::from_be_bytes([0, a, b, c]) as usize;
    if length > LONGEST {
        return Err(RecordError::TooLong(length));
    }
    let mut payload = vec![0; length];
    io.read_exact(&mut payload).await?;
    match kind {
        DATA => Ok(Record::Data(payload)),
        ITEM => Ok(Record::Item(serde_json::from_slice(&payload)?)),
        other => Err(RecordError::Unknown(other)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn records_come_back() {
        let version = Version { inode: 7, size: 3, changed: (1, 2) };
        let name = Bytes::from(b"a\n\xff".to_vec());
        let file = Item::File { path: name, mode: 0o640, version };
        let mut data = room();
        data[HEADER..HEADER + 3].copy_from_slice(b"abc");
        seal(&mut data, 3);
        let bytes = [file.encode(), data, Item::End { broken: None }.encode()].concat();
        let mut io = bytes.as_slice();
        assert_eq!(read(&mut io).await.unwrap(), Record::Item(file));
        assert_eq!(read(&mut io).await.unwrap(), Record::Data(b"abc".to_vec()));
        assert_eq!(read(&mut io).await.unwrap(), Record::Item(Item::End { broken: None }));
        assert!(matches!(read(&mut io).await, Err(RecordError::Broken(_))));
    }

    #[tokio::test]
    async fn what_is_no_record_is_refused() {
        let mut long: &[u8] = &[0, 0xff, 0xff, 0xff];
        assert!(matches!(read(&mut long).await, Err(RecordError::TooLong(_))));
        let mut unknown: &[u8] = &[9, 0, 0, 0];
        assert!(matches!(read(&mut unknown).await, Err(RecordError::Unknown(9))));
        let mut garbage: &[u8] = &[1, 0, 0, 1, b'{'];
        assert!(matches!(read(&mut garbage).await, Err(RecordError::Json(_))));
    }
}

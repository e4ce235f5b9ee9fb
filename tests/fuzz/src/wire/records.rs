//! Files of volumes.

use towline_wire::files::record::{HEADER, Item, Record, RecordError, read, seal};

use super::pipe::one_way;
use crate::frames::Stream;

/// The longest payload that is taken, as `towline_wire::files::record` says.
const LONGEST: usize = 1 << 20;

/// Records are read as they stand there, and each is the same when it is written again.
pub(super) fn check(stream: &Stream<'_>, size: usize) {
    let bytes = match stream {
        Stream::Raw(bytes) => bytes.to_vec(),
        // Lines are items, which is the kind 1 before a length of three bytes.
        Stream::Lines(lines) => lines.split(|byte| *byte == b'\n').flat_map(item).collect(),
    };
    let (records, error) = one_way(&bytes, size, async |pipe| {
        let mut records = Vec::new();
        loop {
            match read(pipe).await {
                Ok(record) => records.push(record),
                Err(error) => return (records, error),
            }
        }
    });
    let mut rest = bytes.as_slice();
    for record in &records {
        let (head, after) = rest.split_at(HEADER);
        let length = u32::from_be_bytes([0, head[1], head[2], head[3]]) as usize;
        let (payload, after) = after.split_at(length);
        let expected = match head[0] {
            0 => Record::Data(payload.to_vec()),
            _ => Record::Item(serde_json::from_slice(payload).expect("it was understood before")),
        };
        assert_eq!(*record, expected);
        let written = written(record);
        let again = one_way(&written, size, async |pipe| read(pipe).await);
        assert_eq!(again.ok().as_ref(), Some(record));
        rest = after;
    }
    let announced = rest
        .first_chunk::<HEADER>()
        .map(|[_, a, b, c]| u32::from_be_bytes([0, *a, *b, *c]) as usize);
    match error {
        RecordError::Broken(_) => {
            assert!(announced.is_none_or(|length| rest.len() < HEADER + length));
        }
        RecordError::TooLong(length) => assert!(length > LONGEST && announced == Some(length)),
        RecordError::Unknown(kind) => assert!(kind > 1 && rest[0] == kind),
        RecordError::Json(_) => assert_eq!(rest[0], 1),
    }
}

fn written(record: &Record) -> Vec<u8> {
    match record {
        Record::Item(item) => Item::encode(item),
        Record::Data(data) => {
            let mut bytes = [&[0; HEADER], data.as_slice()].concat();
            seal(&mut bytes, data.len());
            bytes
        }
    }
}

fn item(line: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = (line.len() as u32).to_be_bytes();
    [&[1], length.as_slice(), line].concat()
}

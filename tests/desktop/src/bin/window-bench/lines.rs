//! The local program whose log is measured.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write, stdout};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::page::now;

/// Lines are written together for so long: no program writes each when its microsecond has come.
const BATCH: Duration = Duration::from_millis(5);

/// Does what it is told through `socket`, line by line: `{"count": LINES, "rate": LINES A SECOND, or 0 for as fast as it can}`; answers with
/// `{"seconds": HOW LONG THAT TOOK, "last": WHEN THE LAST ONE WAS WRITTEN}`. Ends when the other side does.
pub(crate) fn write(socket: &Path) -> Result<()> {
    let mut answers =
        UnixStream::connect(socket).with_context(|| format!("connect to {}", socket.display()))?;
    let orders = BufReader::new(answers.try_clone()?);
    for order in orders.lines() {
        let order: Value = serde_json::from_str(&order?)?;
        let number =
            |name: &str| order[name].as_u64().with_context(|| format!("{name} in {order}"));
        let took = write_lines(number("count")?, number("rate")?)?;
        writeln!(answers, "{}", json!({"seconds": took.as_secs_f64(), "last": now()}))?;
    }
    Ok(())
}

/// What the line of this number, which counts from 1, begins with.
pub(crate) fn beginning(number: u64) -> String {
    format!("line {number} ")
}

fn write_lines(count: u64, rate: u64) -> Result<Duration> {
    let (start, mut output) = (Instant::now(), stdout().lock());
    let (mut written, mut text) = (0, String::new());
    while written < count {
        let due = match rate {
            0 => written + 500,
            _ => (start.elapsed().as_secs_f64() * rate as f64) as u64 + 1,
        };
        text.clear();
        while written < due.min(count) {
            written += 1;
            // Writing to a string does not fail.
            let _ = writeln!(
                text,
                "{}GET /catalogue/items?page=7 200 1204 bytes, 3 ms",
                beginning(written)
            );
        }
        output.write_all(text.as_bytes())?;
        if rate > 0 {
            std::thread::sleep(BATCH);
        }
    }
    output.flush()?;
    Ok(start.elapsed())
}

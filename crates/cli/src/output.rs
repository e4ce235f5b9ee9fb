//! Writing results on standard output, and everything else on standard error.

use std::io::{self, Write};

use comfy_table::{ContentArrangement, Table, TableStyle};
use serde::Serialize;

use crate::arguments::Format;

/// Writes to standard output. When its reader has gone (`towline pods | head`) there is nobody left to tell, so this ends quietly.
pub(crate) fn print(bytes: &[u8]) {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
    if let Err(error) = written {
        tracing::debug!(%error, "standard output cannot be written");
    }
}

/// Writes a line to standard error.
pub(crate) fn complain(line: &str) {
    // Where nobody reads standard error either, the exit status still tells.
    drop(writeln!(io::stderr().lock(), "{line}"));
}

/// Writes one value as one line of JSON to standard error.
pub(crate) fn complain_json(value: &impl Serialize) {
    complain(&serde_json::to_string(value).expect("results are plain values with text keys"));
}

/// Writes to standard error what another program says there.
pub(crate) fn pass_on(bytes: &[u8]) {
    drop(io::stderr().lock().write_all(bytes));
}

/// Writes one value as one line of JSON.
pub(crate) fn json_line(value: &impl Serialize) {
    let mut line = serde_json::to_vec(value).expect("results are plain values with text keys");
    line.push(b'\n');
    print(&line);
}

/// Writes a value as JSON to be read by people too.
pub(crate) fn json(value: &impl Serialize) {
    let mut text =
        serde_json::to_vec_pretty(value).expect("results are plain values with text keys");
    text.push(b'\n');
    print(&text);
}

/// Writes rows: as JSON whole, as text by the columns that `columns` makes of them. `nothing` is said where there are none.
pub(crate) fn rows<T: Serialize>(
    format: Format,
    rows: &[T],
    header: &[&str],
    nothing: &str,
    columns: impl Fn(&T) -> Vec<String>,
) {
    if format == Format::Json {
        return json(&rows);
    }
    if rows.is_empty() {
        return complain(nothing);
    }
    print(table(header, rows.iter().map(columns)).as_bytes());
}

/// Columns under a header, as kubectl shows them.
pub(crate) fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header);
    table.add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 3));
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n") + "\n"
}

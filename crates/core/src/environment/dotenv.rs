//! The environment as a file of `NAME=value` lines.
//!
//! A POSIX shell (`set -a; . FILE; set +a`) gives back every byte of every value. Parsers of "dotenv" files differ from the shell and from each
//! other; of the ways in which a shell lets a value be written, the one is taken that most of them read alike. `docs/environment.md` has the table.

use super::Environment;

/// The beginning of the first line of every file that Towline writes, by which it knows that it may overwrite the file.
pub const MARKER: &[u8] = b"# Written by Towline";

const HEADER: &[u8] = b"# Written by Towline. The environment of the container; it may hold secrets. To use it in a shell: set -a; . THIS_FILE; set +a\n";

/// What shells keep for themselves: an assignment is refused, and bash leaves the file at that line. So these come last.
pub(super) const READ_ONLY_IN_SHELLS: [&str; 6] =
    ["BASHOPTS", "BASH_VERSINFO", "EUID", "PPID", "SHELLOPTS", "UID"];

/// The file's bytes. A name that no shell accepts is left out, with a comment in its place.
pub fn write(environment: &Environment) -> Vec<u8> {
    let mut file = HEADER.to_vec();
    let read_only = |name: &str| READ_ONLY_IN_SHELLS.contains(&name);
    let (last, first): (Vec<_>, Vec<_>) =
        environment.for_program().partition(|(name, _)| read_only(name));
    for (name, value) in first.into_iter().chain(last) {
        if !is_shell_name(name) {
            let line =
                format!("# {} is left out: a shell has no such names\n", name.escape_default());
            file.extend_from_slice(line.as_bytes());
            continue;
        }
        file.extend_from_slice(name.as_bytes());
        file.push(b'=');
        file.extend_from_slice(&quote(value));
        file.push(b'\n');
    }
    file
}

/// `value` as one word of a POSIX shell (XCU 2.2).
pub fn quote(value: &[u8]) -> Vec<u8> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./:@%+,".contains(byte);
    if !value.is_empty() && value.iter().all(plain) {
        return value.to_vec();
    }
    // Parsers other than shells take a backslash before a closing quote for an escape, and run on into the next lines: so these stand outside.
    let ending = value.iter().rev().take_while(|byte| **byte == b'\\').count();
    let (value, ending) = value.split_at(value.len() - ending);
    if !ending.is_empty() {
        let start = if value.is_empty() { Vec::new() } else { quote(value) };
        return [start, b"\\\\".repeat(ending.len())].concat();
    }
    let has = |wanted: &[u8]| value.iter().any(|byte| wanted.contains(byte));
    // Within single quotes nothing is special to a shell, nor to most parsers.
    if !has(b"'") {
        return [b"'", value, b"'"].concat();
    }
    // Within double quotes four bytes are special to a shell, and those parsers agree with it on the backslash only.
    if !has(b"\"$`") {
        let escaped = value.iter().flat_map(|byte| {
            if *byte == b'\\' { &b"\\\\"[..] } else { std::slice::from_ref(byte) }
        });
        return std::iter::once(&b'"')
            .chain(escaped)
            .chain(std::iter::once(&b'"'))
            .copied()
            .collect();
    }
    let mut quoted = vec![b'\''];
    for byte in value {
        match byte {
            b'\'' => quoted.extend_from_slice(b"'\\''"),
            byte => quoted.push(*byte),
        }
    }
    quoted.push(b'\'');
    quoted
}

// XBD 3.235, "Name".
pub(super) fn is_shell_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests;

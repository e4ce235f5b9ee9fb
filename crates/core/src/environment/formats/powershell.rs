//! Assignments for PowerShell.

use super::left_out;
use crate::environment::{Environment, as_bytes};

/// `$env:NAME = 'value'` lines. Within single quotes nothing is special to PowerShell but the quotes themselves, which are doubled
/// (about_Quoting_Rules), and it takes the typographic ones for quotes too.
pub fn powershell(environment: &Environment) -> String {
    let mut text = String::new();
    for variable in environment.variables.iter().filter(|variable| !variable.stays_local) {
        let name = variable.name.as_str();
        let Ok(value) = std::str::from_utf8(as_bytes(&variable.value)) else {
            text += &left_out("#", name, "its value is not UTF-8");
            continue;
        };
        text += &format!("{} = {}\n", variable_of(name), quote(value));
    }
    text
}

fn variable_of(name: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    if name.bytes().all(plain) {
        return format!("$env:{name}");
    }
    // Between braces any character can stand; the grave accent takes these three literally (about_Variables).
    let mut braced = String::from("${env:");
    for character in name.chars() {
        match character {
            '{' | '}' | '`' => braced.extend(['`', character]),
            '\n' => braced += "`n",
            '\r' => braced += "`r",
            other => braced.push(other),
        }
    }
    braced + "}"
}

fn quote(value: &str) -> String {
    let quote = |c: char| matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}');
    let mut quoted = String::from("'");
    for character in value.chars() {
        if quote(character) {
            quoted.push(character);
        }
        quoted.push(character);
    }
    quoted + "'"
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::environment::formats::fixture::{AWKWARD, awkward, environment, named};

    /// A single-quoted string as PowerShell reads it: two of the quotes stand for one.
    fn read(quoted: &str) -> String {
        let quotes = ['\'', '\u{2018}', '\u{2019}', '\u{201a}', '\u{201b}'];
        let inner = quoted.strip_prefix('\'').unwrap().strip_suffix('\'').unwrap();
        let (mut text, mut characters) = (String::new(), inner.chars());
        while let Some(character) = characters.next() {
            if quotes.contains(&character) {
                assert!(quotes.contains(&characters.next().unwrap()), "{quoted} ends early");
            }
            text.push(character);
        }
        text
    }

    #[test]
    fn quoting_can_be_read_back() {
        for value in AWKWARD {
            assert_eq!(read(&quote(value)), value);
        }
    }

    #[test]
    fn names_and_bytes() {
        assert_eq!(powershell(&named("A", "it's")), "$env:A = 'it''s'\n");
        assert_eq!(powershell(&named("spring.a{b", "1")), "${env:spring.a`{b} = '1'\n");
        assert_eq!(
            powershell(&environment(&[b"\xff"])),
            "# V_0000 is left out: its value is not UTF-8\n"
        );
    }

    /// Where there is a PowerShell, it is asked.
    #[test]
    fn powershell_itself_reads_the_same() {
        let file = tempfile::Builder::new().suffix(".ps1").tempfile().unwrap();
        let show = "foreach ($i in 0..25) { $n = 'V_{0:d4}' -f $i; [Console]::Out.Write([string][Environment]::GetEnvironmentVariable($n) + [char]0) }\n";
        std::fs::write(&file, powershell(&awkward()) + show).unwrap();
        let run = Command::new("pwsh").args(["-NoProfile", "-File"]).arg(file.path()).output();
        let Ok(output) = run else {
            eprintln!("skipped: pwsh is not installed");
            return;
        };
        let text = String::from_utf8(output.stdout).unwrap();
        let values: Vec<&str> = text.split_terminator('\0').collect();
        assert_eq!(values, AWKWARD);
    }
}

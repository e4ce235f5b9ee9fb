//! A file for `docker run --env-file`.

use super::left_out;
use crate::environment::{Environment, as_bytes};

/// The longest line that Docker reads (Go's `bufio.MaxScanTokenSize`, the end of the line included).
const LONGEST: usize = 64 * 1024 - 2;

/// `NAME=value` lines, taken literally by Docker: it knows no quotes and no escapes, so a value with a line break cannot stand there.
pub fn docker(environment: &Environment) -> String {
    let mut text = String::new();
    for variable in environment.variables.iter().filter(|variable| !variable.stays_local) {
        let name = variable.name.as_str();
        match line(name, as_bytes(&variable.value)) {
            Ok(line) => text += &line,
            Err(why) => text += &left_out("#", name, why),
        }
    }
    text
}

fn line(name: &str, value: &[u8]) -> Result<String, &'static str> {
    let value = std::str::from_utf8(value).map_err(|_| "its value is not UTF-8")?;
    if value.contains('\n') {
        return Err("its value has line breaks, which Docker's env files cannot hold");
    }
    // Its reader of lines takes that for a part of the line's end.
    if value.ends_with('\r') {
        return Err("its value ends with a carriage return, which Docker would drop");
    }
    if name.is_empty() || name.starts_with('#') || name.contains(char::is_whitespace) {
        return Err("Docker takes no such names");
    }
    let line = format!("{name}={value}\n");
    if line.len() > LONGEST {
        return Err("it is longer than the 64 KiB that Docker reads");
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::formats::fixture::{AWKWARD, awkward, named};

    #[test]
    fn every_line_is_literal() {
        let text = docker(&awkward());
        for (index, value) in AWKWARD.iter().enumerate() {
            let line = format!("V_{index:04}={value}");
            let fits = !value.contains('\n');
            assert_eq!(text.lines().any(|there| there == line), fits, "{value:?}");
        }
        assert_eq!(text.lines().count(), AWKWARD.len());
        assert!(!text.contains("PATH=/pod"));
    }

    #[test]
    fn what_docker_cannot_read_is_left_out() {
        for (name, value) in [("A", "x\r"), ("A B", "1"), ("#A", "1"), ("A", &"x".repeat(65_536))] {
            assert!(docker(&named(name, value)).starts_with("# "), "{name} {value:.10}");
        }
    }
}

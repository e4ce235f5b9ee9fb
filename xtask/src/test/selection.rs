//! Which of a part's tests are wanted.

use anyhow::Result;
use clap::Parser;

/// What comes behind `cargo xtask test PART --`.
#[derive(Parser)]
#[command(name = "cargo xtask test PART --", max_term_width = 100)]
pub(crate) struct Selection {
    /// Only the test program of this name; can be repeated.
    #[arg(long = "test", value_name = "NAME")]
    names: Vec<String>,
    /// For each of the test programs: a test's name, `--nocapture` and the like.
    #[arg(last = true)]
    arguments: Vec<String>,
}

impl Selection {
    /// Reads it.
    ///
    /// # Errors
    /// What is wrong with it, as the command line says it.
    pub(crate) fn parse(extra: &[String]) -> Result<Self> {
        let name = "cargo xtask test PART --".to_owned();
        Ok(Self::try_parse_from(std::iter::once(&name).chain(extra))?)
    }

    /// Whether nothing of the part is left out.
    pub(crate) fn is_everything(&self) -> bool {
        self.names.is_empty() && self.arguments.is_empty()
    }

    /// Whether the user asks for the tests of this module.
    pub(crate) fn names_tests_of(&self, module: &str) -> bool {
        self.arguments.iter().any(|argument| argument.starts_with(module))
    }

    /// Whether the user wants the test program of this name.
    pub(crate) fn has(&self, program: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|name| name == program)
    }

    /// What the user wants the test programs to get.
    pub(crate) fn chosen(&self) -> &[String] {
        &self.arguments
    }

    /// What the test programs get, when they are to run that many tests at once.
    pub(crate) fn arguments(&self, threads: &str) -> Vec<String> {
        let mut arguments = self.arguments.clone();
        if !arguments.iter().any(|argument| argument.starts_with("--test-threads")) {
            arguments.push(format!("--test-threads={threads}"));
        }
        arguments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Result<Selection> {
        Selection::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn nothing_is_everything() -> Result<()> {
        let all = of("")?;
        assert!(all.is_everything() && all.has("window") && !all.names_tests_of("two_clusters"));
        assert_eq!(all.arguments("4"), ["--test-threads=4"]);
        Ok(())
    }

    #[test]
    fn programs_and_tests_are_chosen() -> Result<()> {
        let window = of("--test window --test package -- others:: --nocapture")?;
        assert!(!window.is_everything());
        assert!(window.has("window") && window.has("package") && !window.has("other"));
        assert!(window.names_tests_of("others") && !window.names_tests_of("two_clusters"));
        assert_eq!(window.arguments("2"), ["others::", "--nocapture", "--test-threads=2"]);
        assert_eq!(of("-- --test-threads=1")?.arguments("2"), ["--test-threads=1"]);
        Ok(())
    }

    #[test]
    fn what_it_does_not_know_is_refused() {
        let error = of("restore::").err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("restore::") && error.contains("Usage"), "{error}");
    }
}

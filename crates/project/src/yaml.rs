//! YAML into Rust's types, with the place of what is wrong.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde_saphyr::{Error, Location, UserMessageFormatter};

use crate::error::{Place, ProjectError};

impl From<Location> for Place {
    fn from(location: Location) -> Self {
        // A place that is not known counts as the beginning.
        Self { line: location.line().max(1), column: location.column().max(1) }
    }
}

/// The text of a file: UTF-8, perhaps with a byte order mark.
pub(crate) fn text<'a>(file: &Path, bytes: &'a [u8]) -> Result<&'a str, ProjectError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let line = before.rsplit('\n').next().unwrap_or_default();
        let place = Place {
            line: before.matches('\n').count() as u64 + 1,
            column: line.chars().count() as u64 + 1,
        };
        wrong(file, place, "this is not UTF-8", None)
    })
}

/// The one document of a text.
pub(crate) fn parse<T: DeserializeOwned>(file: &Path, text: &str) -> Result<T, ProjectError> {
    let mut options = serde_saphyr::Options::default();
    options.with_snippet = false;
    serde_saphyr::from_str_with_options(text, options).map_err(|error| explained(file, &error))
}

pub(crate) fn wrong(
    file: &Path,
    place: Place,
    message: impl Into<String>,
    hint: Option<String>,
) -> ProjectError {
    ProjectError::Wrong { file: file.to_owned(), place, message: message.into(), hint }
}

fn explained(file: &Path, error: &Error) -> ProjectError {
    let mut error = error;
    while let Error::AliasError { error: inner, .. } | Error::WithSnippet { error: inner, .. } =
        error
    {
        error = inner;
    }
    let place = error.location().map(Place::from).unwrap_or(Place { line: 1, column: 1 });
    let (message, hint) = match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            (format!("there is no key '{field}' here"), Some(known(field, expected, "keys")))
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            (format!("'{variant}' is not known here"), Some(known(variant, expected, "values")))
        }
        Error::SerdeMissingField { field, .. } => {
            (format!("the key '{field}' is missing here"), None)
        }
        Error::Eof { .. } => ("the file says nothing".to_owned(), None),
        other => (plain(other), None),
    };
    wrong(file, place, message, hint)
}

/// The library's own words, without the place at their end.
fn plain(error: &Error) -> String {
    let text = error.render_with_formatter(&UserMessageFormatter);
    let text = text.trim();
    let text = text.split(" at line ").next().unwrap_or(text);
    text.lines().next().unwrap_or(text).trim_start_matches("error: ").to_owned()
}

/// A hint at what was meant.
pub(crate) fn known(word: &str, known: &[&str], what: &str) -> String {
    let distance =
        |name: &&&str| strsim::damerau_levenshtein(&word.to_lowercase(), &name.to_lowercase());
    let nearest =
        known.iter().min_by_key(distance).filter(|name| distance(name) <= 2.max(name.len() / 3));
    let mut all = known.to_vec();
    all.sort_unstable();
    let list = format!("Known {what} are: {}.", all.join(", "));
    nearest.map_or(list.clone(), |nearest| format!("Did you mean '{nearest}'? {list}"))
}

//! The project file, in both of its forms.

use std::path::Path;

use towline_project::{Form, Place, Project, ProjectError};

/// The most memory that an input may take, in bytes: an alias of YAML must not become many copies.
pub const MEMORY: usize = 16 << 20;

/// A file's path decides on its form.
const FILES: [&str; 2] =
    ["/home/jane/shop/towline.yaml", "/home/jane/shop/KubernetesLocalProcessConfig.yaml"];

/// Reads the input as a file of each form: it is refused at a place that is in it, or can be written as `towline.yaml` and means the same then.
pub fn check(input: &[u8]) {
    for file in FILES {
        match Project::parse(Path::new(file), input) {
            Ok(project) => written_again(&project),
            Err(ProjectError::Wrong { place, message, .. }) => {
                assert!(!message.is_empty());
                assert_within(input, place);
            }
            Err(other) => panic!("{other}: nothing is read but the text"),
        }
    }
}

fn written_again(project: &Project) {
    let text = project.to_yaml();
    let again = Project::parse(Path::new(FILES[0]), text.as_bytes())
        .unwrap_or_else(|error| panic!("what was written is refused: {error}\n{text}"));
    assert_eq!(comparable(&again), comparable(project), "{text}");
    assert_eq!(again.to_yaml(), without_warnings(&text), "the same text again");
}

/// A project without what another file has otherwise: its form, where its lines are, and what has no effect.
fn comparable(project: &Project) -> Project {
    let mut project = project.clone();
    project.file = FILES[0].into();
    project.form = Form::Towline;
    project.warnings.clear();
    for variable in &mut project.environment {
        variable.place = Place::default();
    }
    project
}

fn without_warnings(text: &str) -> String {
    let is_warning = |line: &&str| {
        line.starts_with("# ")
            && !line.starts_with("# What to stand")
            && *line != "# target: NAME\n"
    };
    text.split_inclusive('\n').skip_while(is_warning).collect()
}

/// A place is in the text, or right behind the end of a line. YAML ends lines at other characters too than a text editor; which of them the reader
/// counts is its own, so a file with those is only asked for a place that it could have.
fn assert_within(input: &[u8], place: Place) {
    let text = String::from_utf8_lossy(input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input));
    let breaks = text.matches(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).count() as u64;
    assert!((1..=breaks + 1).contains(&place.line), "{place} of {breaks} ends of lines");
    let only_newlines = text.matches('\n').count() as u64 == breaks;
    let line = text.split('\n').nth(place.line as usize - 1).filter(|_| only_newlines);
    let length = line.unwrap_or(&text).chars().count() as u64;
    assert!((1..=length + 1).contains(&place.column), "{place}; there are {length} characters");
}

//! Whatever the bytes are, a file is read or refused.

use std::path::Path;

use proptest::prelude::*;

use super::{BRIDGE, BRIDGE_FILE, FILE, FULL};
use crate::{Project, ProjectError, Template};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn arbitrary_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        drop(Project::parse(Path::new(FILE), &bytes));
        drop(Project::parse(Path::new(BRIDGE_FILE), &bytes));
    }

    #[test]
    fn text_that_looks_like_yaml_is_read_or_refused(text in "[-a-z:{}\\[\\],&*!|>'\"#%@` \n\t0-9$.()~]{0,200}") {
        drop(Project::parse(Path::new(FILE), text.as_bytes()));
        drop(Project::parse(Path::new(BRIDGE_FILE), text.as_bytes()));
    }

    /// A valid file with some bytes changed is read, or refused at a place that is in it.
    #[test]
    fn a_damaged_file_is_read_or_refused(bridge: bool, changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6), cut in any::<proptest::sample::Index>()) {
        let (file, text) = if bridge { (BRIDGE_FILE, BRIDGE) } else { (FILE, FULL) };
        let mut bytes = text.as_bytes().to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Err(error) = Project::parse(Path::new(file), &bytes) {
            let ProjectError::Wrong { place, .. } = error else { panic!("{error}") };
            // Some of the characters that YAML takes for the end of a line are not '\n'.
            prop_assert!(place.line >= 1 && place.line <= bytes.len() as u64 + 1);
        }
        bytes.truncate(cut.index(text.len()));
        drop(Project::parse(Path::new(file), &bytes));
    }

    #[test]
    fn a_value_comes_back_as_it_was(text in any::<String>()) {
        if let Ok(template) = Template::parse(&text, &[]) {
            let again = Template::parse(&template.to_string(), &[]).unwrap();
            prop_assert_eq!(&again, &template);
        }
        let escaped = text.replace("${", "$${");
        if !text.contains("$${") && !text.contains("$$$") {
            let template = Template::parse(&escaped, &[]).unwrap();
            prop_assert_eq!(template.fill(|_| Err::<String, ()>(())).unwrap(), text);
        }
    }
}

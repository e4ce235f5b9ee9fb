#![allow(clippy::unwrap_used)]

use super::*;
use crate::publish::testing::Published;
use crate::view::{LogLevel, Theme};

fn open(file: &Path) -> (Preferences, Arc<Published>) {
    let published = Arc::new(Published::default());
    let preferences =
        Preferences::open(published.clone(), Some(file.to_owned()), "/tmp/Towline".into());
    (preferences, published)
}

fn context(name: &str, image: &str) -> ContextPreferences {
    ContextPreferences { context: name.into(), agent_image: Some(image.into()), pull_secret: None }
}

#[test]
fn without_a_file_there_are_defaults_and_none_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("settings.yaml");
    let current = open(&file).0.current();
    assert_eq!((current.lease_seconds, current.notifications), (120, true));
    assert_eq!((current.theme, current.problem), (Theme::System, None));
    assert!(!file.exists());
}

#[test]
fn what_is_saved_is_there_after_a_restart_and_what_is_not_known_stays() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("settings.yaml");
    std::fs::write(
        &file,
        "contexts:\n  work: {pull_secret: registry}\ndesktop:\n  theme: dark\n  fromTheFuture: {a: 1}\n",
    )
    .unwrap();
    let (preferences, published) = open(&file);
    let mut wanted = preferences.current();
    assert_eq!((wanted.theme, wanted.contexts.len()), (Theme::Dark, 1));
    wanted.contexts.push(context("home", " a:1 "));
    wanted.log_level = LogLevel::Debug;
    wanted.lease_seconds = 30;
    assert_eq!(wanted.mode, Mode::HostsFile);
    wanted.mode = Mode::NoAdministrator;
    preferences.save(wanted).unwrap();
    let again = open(&file).0.current();
    assert_eq!(again, preferences.current());
    assert_eq!(preferences.of_context("home").unwrap().agent_image.as_deref(), Some("a:1"));
    assert!(std::fs::read_to_string(&file).unwrap().contains("fromTheFuture"));
    // The command line reads the same file.
    let settings = Settings::read(&file).unwrap();
    assert_eq!(settings.names, Some(Names::Variables));
    assert_eq!(settings.contexts["work"].pull_secret.as_deref(), Some("registry"));
    assert!(matches!(published.take().as_slice(), [Change::Preferences { .. }]));
}

#[test]
fn a_broken_file_is_told_and_kept() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("settings.yaml");
    let broken = "contexts: [what\n";
    std::fs::write(&file, broken).unwrap();
    let (preferences, _) = open(&file);
    let current = preferences.current();
    assert!(current.problem.as_deref().is_some_and(|text| text.contains("settings.yaml")));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), broken);
    preferences.save(current).unwrap();
    assert_eq!(preferences.current().problem, None);
    assert!(Settings::read(&file).is_ok());
    let kept = directory.path().join("settings.yaml.broken");
    assert_eq!(std::fs::read_to_string(kept).unwrap(), broken);
}

#[test]
fn nonsense_is_not_saved() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("settings.yaml");
    let (preferences, published) = open(&file);
    let mut wanted = preferences.current();
    wanted.lease_seconds = 4;
    assert_eq!(preferences.save(wanted).unwrap_err().code, "input");
    let mut wanted = preferences.current();
    wanted.contexts.push(context("work", "not an image"));
    assert_eq!(preferences.save(wanted).unwrap_err().code, "input");
    assert!(!file.exists() && published.take().is_empty());
}

#[test]
fn a_file_that_cannot_be_written_is_told() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("file"), "").unwrap();
    let (preferences, _) = open(&directory.path().join("file/settings.yaml"));
    let error = preferences.save(preferences.current()).unwrap_err();
    assert_eq!(error.code, "input");
    assert!(error.message.contains("settings.yaml"), "{}", error.message);
}

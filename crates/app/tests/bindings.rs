//! The TypeScript files in `ui/src/lib/bindings` are what the view models say.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use towline_app::view;
use ts_rs::{Config, TS};

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/src/lib/bindings")
}

fn files(directory: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let named = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path).unwrap())
    };
    entries.map(named).collect()
}

/// With `TOWLINE_WRITE_BINDINGS=1` the files are written instead of compared.
#[test]
fn bindings_are_current() {
    let scratch = tempfile::tempdir().unwrap();
    let config = Config::default().with_out_dir(scratch.path());
    // The commands' arguments and answers, and what frames carry; all else hangs on these.
    view::Frame::export_all(&config).unwrap();
    view::RowsQuery::export_all(&config).unwrap();
    view::RowsPage::export_all(&config).unwrap();
    view::Plan::export_all(&config).unwrap();
    view::Debuggees::export_all(&config).unwrap();
    view::Variable::export_all(&config).unwrap();
    view::EnvironmentFormat::export_all(&config).unwrap();
    view::Connection::export_all(&config).unwrap();
    view::ListenerTest::export_all(&config).unwrap();
    view::SessionEvent::export_all(&config).unwrap();
    view::LogQuery::export_all(&config).unwrap();
    view::LogPage::export_all(&config).unwrap();
    view::PodLogQuery::export_all(&config).unwrap();
    view::DiagnosticCheck::export_all(&config).unwrap();
    view::Repaired::export_all(&config).unwrap();
    view::StopHolder::export_all(&config).unwrap();
    view::Stopped::export_all(&config).unwrap();
    view::VolumeListing::export_all(&config).unwrap();
    view::IfChanged::export_all(&config).unwrap();
    view::WriteOutcome::export_all(&config).unwrap();
    view::ProjectFile::export_all(&config).unwrap();

    if std::env::var_os("TOWLINE_WRITE_BINDINGS").is_some() {
        std::fs::create_dir_all(committed()).unwrap();
        for old in files(&committed()).keys() {
            std::fs::remove_file(committed().join(old)).unwrap();
        }
        for (name, text) in files(scratch.path()) {
            std::fs::write(committed().join(name), text).unwrap();
        }
    }
    assert!(
        files(scratch.path()) == files(&committed()),
        "ui/src/lib/bindings is not what crates/app/src/view says; write it anew: TOWLINE_WRITE_BINDINGS=1 cargo test -p towline-app --test bindings"
    );
}

//! Every seed, what fuzzers found among them, without a fuzzer.

use std::fs;
use std::path::Path;

/// Tries all seeds of a target. There are some.
fn replay(target: &str, check: fn(&[u8])) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    let mut tried = 0;
    for seed in fs::read_dir(&directory).unwrap() {
        let path = seed.unwrap().path();
        eprintln!("{}", path.display());
        check(&fs::read(&path).unwrap());
        tried += 1;
    }
    assert!(tried > 0, "{} has no seeds", directory.display());
}

#[test]
fn seeds_of_helper_frames() {
    replay("helper-frames", crate::helper_frames::check);
}

#[test]
fn seeds_of_the_hosts_file() {
    replay("hosts-file", crate::hosts_file::check);
}

#[test]
fn seeds_of_the_project_file() {
    replay("project-file", crate::project_file::check);
}

#[test]
fn seeds_of_the_wire() {
    replay("wire", crate::wire::check);
}

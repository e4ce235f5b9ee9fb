//! The window's commands are told in four places. They are the same in all of them.

#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

#[path = "../../../src-tauri/command_names.rs"]
mod command_names;

use command_names::COMMANDS;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)).unwrap()
}

fn snake(name: &str) -> String {
    name.chars().fold(String::new(), |snake, letter| match letter {
        'A'..='Z' => format!("{snake}_{}", letter.to_ascii_lowercase()),
        _ => format!("{snake}{letter}"),
    })
}

#[test]
fn every_method_of_the_window_is_a_command() {
    let source = read("ui/src/lib/backend/backend.ts");
    let interface = source.split("export interface Backend {").nth(1).unwrap();
    let methods: Vec<_> = interface
        .lines()
        .filter_map(|line| line.strip_prefix("  "))
        .map(str::trim_start)
        .filter(|line| !line.starts_with(['/', '*']))
        .filter_map(|line| line.split_once('('))
        .map(|(name, _)| snake(name))
        .collect();
    assert_eq!(methods, COMMANDS);
}

#[test]
fn the_capability_gives_the_commands_and_nothing_else() {
    let capability: serde_json::Value =
        serde_json::from_str(&read("src-tauri/capabilities/main.json")).unwrap();
    let given: Vec<_> = capability["permissions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    let wanted: Vec<_> =
        COMMANDS.iter().map(|name| format!("allow-{}", name.replace('_', "-"))).collect();
    assert_eq!(given, wanted);
    assert_eq!(capability["windows"], serde_json::json!(["main"]));
    assert!(capability.get("remote").is_none());
}

#[test]
fn every_command_has_its_function() {
    let source = read("src-tauri/commands.rs");
    let list = source.split_once("generate_handler![").unwrap().1.split_once(']').unwrap().0;
    let mut handled: Vec<_> = list
        .split(',')
        .filter_map(|path| path.trim().rsplit("::").next())
        .filter(|name| !name.is_empty())
        .collect();
    let mut wanted = COMMANDS.to_vec();
    handled.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(handled, wanted);
}

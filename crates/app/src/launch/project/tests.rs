#![allow(clippy::unwrap_used)]

use std::fs;

use super::*;
use crate::launch::request;
use crate::launch::testing::request as form;
use crate::view::{Mode, ProgramSpec};

const WHOLE: &str = r#"
target: deployment/orders
namespace: shop
context: staging
container: app
ports: [80:8080, http:3000, 9090]
namespaces: [shop, billing]
externalHosts: [db.example.com:5432]
exclude: [redis]
names: hosts-file
volumes: none
program:
  command: [python3, my orders.py]
environment:
  CATALOGUE: http://${service:catalogue.address}/
  LANG:
envFile: .env.towline
reconnect: true
timeout: 90s
lease: 45s
agent: { image: "registry.example/agent:1", pullSecret: pull }
"#;

fn written(text: &str) -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("towline.yaml");
    fs::write(&file, text).unwrap();
    (directory, file.display().to_string())
}

#[test]
fn what_a_file_says_is_in_the_form_and_named() {
    let (directory, file) = written(WHOLE);
    let read = read(&file, form("service/other"), &[]).unwrap();
    let request = &read.request;
    assert_eq!(
        (request.target.as_str(), request.context.as_str()),
        ("deployment/orders", "staging")
    );
    assert_eq!(request.ports.len(), 2, "one to the same number is none");
    assert_eq!(request.external_hosts[0].ports, [5432]);
    assert_eq!((request.mode, request.lease_seconds), (Mode::HostsFile, Some(45)));
    let ProgramSpec::Command { line, directory: place } = &request.program else { panic!() };
    assert_eq!(line, "python3 'my orders.py'");
    assert_eq!(place.as_deref(), directory.path().to_str(), "beside the file");
    assert_eq!(request.project.as_deref(), Some(file.as_str()));
    assert_eq!(read.gives.len(), 15, "{:?}", read.gives);
    assert_eq!(read.variables[1].value, None);
    assert_eq!(read.timeout_seconds, Some(90));
}

#[test]
fn what_a_file_does_not_say_stays() {
    let (_directory, file) = written("namespace: bank\nkubeconfig: other\n");
    let before = form("service/orders");
    let read = read(&file, before.clone(), &["/elsewhere".into()]).unwrap();
    assert_eq!(read.gives, ["namespace"]);
    let project = Some(file);
    assert_eq!(read.request, LaunchRequest { namespace: "bank".into(), project, ..before });
    assert!(read.warnings[0].contains("not among the files"), "{:?}", read.warnings);
}

#[test]
fn what_is_wrong_has_its_place() {
    let (_directory, file) = written("target: orders\nprots: [80]\n");
    let report = read(&file, form("service/orders"), &[]).unwrap_err();
    assert!(report.message.contains("line 2, column 1"), "{}", report.message);
    assert_eq!(report.code, "input");
}

#[test]
fn a_file_is_found_above_the_working_directory() {
    let (directory, file) = written("");
    fs::create_dir_all(directory.path().join("src/.hidden")).unwrap();
    let from = directory.path().join("src/.hidden").display().to_string();
    assert_eq!(find(&from).unwrap(), Some(file));
}

#[test]
fn a_form_that_is_saved_and_read_is_the_same() {
    let (directory, file) = written(WHOLE);
    let first = read(&file, form("service/other"), &[]).unwrap();
    let saved = directory.path().join("saved.yaml");
    save(&first.request, &saved).unwrap();
    let text = fs::read_to_string(&saved).unwrap();
    assert!(text.contains("workingDirectory: '.'\n"), "{text}");
    let again = read(&saved.display().to_string(), form("service/other"), &[]).unwrap();
    let project = Some(saved.display().to_string());
    assert_eq!(again.request, LaunchRequest { project, ..first.request });
    assert_eq!(again.variables, first.variables, "what the form has no field for is taken over");
    assert_eq!((again.env_file, again.timeout_seconds), (first.env_file, first.timeout_seconds));
}

#[test]
fn bridges_name_is_not_taken() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("KubernetesLocalProcessConfig.yaml");
    let report = save(&form("service/orders"), &file).unwrap_err();
    assert!(report.message.contains("Bridge"), "{}", report.message);
    assert!(!file.exists());
}

#[test]
fn what_a_command_line_cannot_take_back_is_told() {
    let (_directory, file) = written(WHOLE);
    let project = open(&file).unwrap();
    let mut form = read(&file, form("service/other"), &[]).unwrap().request;
    let parsed = |form: &LaunchRequest| request::parse(form, 120, Some(&project)).unwrap();
    assert!(taken_back(&project, &parsed(&form)).is_empty());
    form.external_hosts.clear();
    form.program = ProgramSpec::ByUser;
    form.ports.clear();
    assert_eq!(taken_back(&project, &parsed(&form)), ["ports", "external hosts", "the program"]);
}

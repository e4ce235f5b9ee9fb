//! Whole files: what they mean, and where and why they are refused.

mod properties;

use std::path::Path;
use std::time::Duration;

use towline_core::report::Explain;
use towline_core::request::{Names, Request, Volumes};

use super::*;

const FULL: &str = "\
# A comment
target: deployment/orders
namespace: shop
context: sandbox
kubeconfig: ../kubeconfig
container: app
ports: [80:8080, 9090, http:3000]
namespaces: [shop, billing]
externalHosts:
  - db.example.com:5432
  - { name: Queue.example.com, ports: [5671, 5672] }
exclude: [redis, db.billing]
names: variables
volumes: none
program:
  command: python3 'my orders.py'
  arguments: [--port, 8080]
  workingDirectory: src
environment:
  DEBUG: true
  RATE: 1.50
  EMPTY: ''
  HOME:
  CATALOGUE: http://${service:catalogue.address}/
  DATABASE: ${externalHost:db.example.com.address}
envFile: .env.towline
reconnect: true
timeout: 2m
lease: 90
agent:
  image: registry.example/agent:1
  pullSecret: pull
";

const BRIDGE: &str = "\
version: 0.1
volumeMounts:
  - name: default-token-*
    localPath: /var/run/secrets/kubernetes.io/serviceaccount
env:
  - name: KUBERNETES_IN_CLUSTER_CONFIG_OVERRIDE
    value: $(volumeMounts:default-token-*)
  - name: ALLOW_LIST_PATH
    value: $(volumeMounts:allow-list)/allow-list
  - name: MYAPP1_SERVICE_HOST
    value: $(services:myapp1)/api/v1/
  - name: MYAPP2_SERVICE_HOST
    value: $(Services:myapp2.mynamespace:80)
  - name: STORAGE
    value: $(externalEndpoints:mystorage.example.net:80,443)
  - name: DB_HOST
    value: $(externalendpoints:mystorage.example.net:1433)
  - name: OLD_DB
    value: $(externalEndpoints:10.10.12.5:3306)
  - name: DEBUG_MODE
    value: \"true\"
  - name: PRICE
    value: 5$
enableFeatures:
  - ManagedIdentity
  - Probes
  - Teleport
";

const FILE: &str = "/home/jane/shop/towline.yaml";
const BRIDGE_FILE: &str = "/home/jane/shop/KubernetesLocalProcessConfig.yaml";

fn read(text: &str) -> Project {
    Project::parse(Path::new(FILE), text.as_bytes()).unwrap()
}

fn value(project: &Project, name: &str) -> Option<String> {
    let variable = project.environment.iter().find(|variable| variable.name == name).unwrap();
    variable.value.as_ref().map(ToString::to_string)
}

/// Line, column, message and hint of a refusal.
fn refused(file: &str, text: &str) -> (u64, u64, String, String) {
    match Project::parse(Path::new(file), text.as_bytes()) {
        Err(ProjectError::Wrong { place, message, hint, .. }) => {
            (place.line, place.column, message, hint.unwrap_or_default())
        }
        other => panic!("{text:?}: {other:?}"),
    }
}

#[test]
fn everything_is_understood() {
    let project = read(FULL);
    assert_eq!(project.target.as_ref().unwrap().to_string(), "deployment/orders");
    assert_eq!(project.kubeconfig.as_deref(), Some(Path::new("/home/jane/shop/../kubeconfig")));
    let ports: Vec<_> =
        project.ports.iter().map(|port| (port.remote.clone(), port.local)).collect();
    assert_eq!(ports.len(), 3);
    assert_eq!((ports[0].1, ports[1].1, ports[2].1), (Some(8080), None, Some(3000)));
    assert_eq!(project.external_hosts[1].name.as_str(), "queue.example.com");
    assert_eq!(project.external_hosts[1].ports, [5671, 5672]);
    let program = project.program.as_ref().unwrap();
    assert_eq!(program.command, ["python3", "my orders.py", "--port", "8080"]);
    assert_eq!(program.working_directory.as_deref(), Some(Path::new("/home/jane/shop/src")));
    for (name, expected) in [
        ("DEBUG", Some("true")),
        ("RATE", Some("1.50")),
        ("EMPTY", Some("")),
        ("HOME", None),
        ("CATALOGUE", Some("http://${service:catalogue.address}/")),
        ("DATABASE", Some("${externalHost:db.example.com.address}")),
    ] {
        assert_eq!(value(&project, name).as_deref(), expected, "{name}");
    }
    assert_eq!(project.env_file.as_deref(), Some(Path::new("/home/jane/shop/.env.towline")));
    assert_eq!(
        (project.timeout, project.lease),
        (Some(Duration::from_secs(120)), Some(Duration::from_secs(90)))
    );
    let mut request = Request::new("x".parse().unwrap());
    project.fill(&mut request);
    assert_eq!(
        (request.names, request.volumes, request.reconnect),
        (Names::Variables, Volumes::None, true)
    );
    assert_eq!(request.namespaces, ["shop", "billing"]);
    assert_eq!(request.agent_image.as_deref(), Some("registry.example/agent:1"));
    assert_eq!(request.exclude, ["redis", "db.billing"]);
}

#[test]
fn a_file_says_as_little_as_it_likes() {
    assert_eq!(read("target: orders").target.unwrap().to_string(), "orders");
    assert_eq!(read("{}").target, None);
    assert_eq!(read("# only a comment\n").target, None);
    let mut request = Request::new("x".parse().unwrap());
    read("{}").fill(&mut request);
    assert_eq!(request, Request::new("x".parse().unwrap()));
    let mut with_mark = b"\xef\xbb\xbf".to_vec();
    with_mark.extend(b"target: orders");
    assert!(Project::parse(Path::new(FILE), &with_mark).is_ok());
}

#[test]
fn what_is_said_wins_over_what_is_merged() {
    let project = read("environment:\n  <<: {A: merged, B: merged}\n  A: said\n");
    assert_eq!(value(&project, "A").as_deref(), Some("said"));
    assert_eq!(value(&project, "B").as_deref(), Some("merged"));
    assert_eq!(project.environment.len(), 2);
}

#[test]
fn what_is_written_anew_says_the_same() {
    let project = read(FULL);
    let again = read(&project.to_yaml());
    let without_places = |mut project: Project| {
        project.environment.iter_mut().for_each(|variable| variable.place = Place::default());
        project
    };
    assert_eq!(without_places(again), without_places(project));
}

#[test]
fn what_makes_no_sense_is_refused_where_it_stands() {
    let mut elsewhere = Vec::new();
    for (text, line, column, message, hint) in [
        ("target: orders\nprots: [80]\n", 2, 1, "'prots'", "Did you mean 'ports'?"),
        ("program:\n  comand: x\n", 2, 3, "'comand'", "Did you mean 'command'?"),
        ("program:\n  workingDirectory: x\n", 2, 3, "'command'", ""),
        ("names: dns\n", 1, 8, "'dns'", "hosts-file"),
        ("reconnect: maybe\n", 1, 12, "", ""),
        ("ports: 80\n", 1, 8, "", ""),
        ("ports:\n  - 80\n  - 80:0\n", 3, 5, "80:0", ""),
        ("target: job/x\n", 1, 9, "job", ""),
        ("namespace: Shop\n", 1, 12, "Shop", ""),
        ("namespaces: [shop, a.b]\n", 1, 20, "a.b", ""),
        ("exclude: [a.b.c]\n", 1, 11, "a.b.c", ""),
        ("timeout: soon\n", 1, 10, "soon", ""),
        ("lease: 4s\n", 1, 8, "4s", ""),
        ("externalHosts: [db.example.com]\n", 1, 17, "NAME:PORT", ""),
        ("externalHosts: ['a b:80']\n", 1, 17, "host name", ""),
        ("externalHosts: [a.example:80, a.example:81]\n", 1, 31, "twice", ""),
        ("externalHosts:\n  - { name: a.example, port: 80 }\n", 2, 24, "'port'", "'ports'"),
        ("program: { command: '' }\n", 1, 21, "no command", ""),
        ("program: { command: \"a 'b\" }\n", 1, 21, "quote", ""),
        ("environment:\n  A: x\n  B: ${sevice:a}\n", 3, 6, "no token", ""),
        ("environment:\n  A: ${externalHost:db}\n", 2, 6, "externalHosts", ""),
        ("environment:\n  A: 1\n  A: 2\n", 3, 3, "", ""),
        ("environment:\n  A: 1\n  !tag A: 2\n", 3, 8, "A is there twice", ""),
        ("environment:\n  A=B: 1\n", 2, 3, "no name", ""),
        ("environment: [A]\n", 1, 14, "", ""),
        ("target: a\ntarget: b\n", 2, 1, "", ""),
        ("target: [\n", 1, 9, "string", ""),
        ("target: *nobody\n", 1, 9, "", ""),
        ("- a\n", 1, 1, "", ""),
    ] {
        let (at_line, at_column, said, hinted) = refused(FILE, text);
        let right = (at_line, at_column) == (line, column)
            && said.contains(message)
            && hinted.contains(hint)
            && !said.is_empty()
            && !said.contains('\n');
        if !right {
            elsewhere.push(format!("{text:?}: {at_line}:{at_column} {said} | {hinted}"));
        }
    }
    assert!(elsewhere.is_empty(), "{elsewhere:#?}");
    let error = Project::parse(Path::new(FILE), b"target: a\nb: \xff").unwrap_err();
    assert_eq!(error.to_string(), format!("{FILE}, line 2, column 4: this is not UTF-8"));
    assert!(error.explain().message.ends_with('.'));
}

#[test]
fn a_few_bytes_do_not_become_many() {
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (one, before) in ('b'..='k').zip('a'..='j') {
        bomb += &format!(
            "{one}: &{one} [*{before}, *{before}, *{before}, *{before}, *{before}, *{before}, *{before}]\n"
        );
    }
    assert!(Project::parse(Path::new(FILE), bomb.as_bytes()).is_err());
    let deep = "[".repeat(100_000);
    assert!(Project::parse(Path::new(FILE), deep.as_bytes()).is_err());
}

#[test]
fn a_file_of_bridge_is_read_as_it_is() {
    let project = Project::parse(Path::new(BRIDGE_FILE), BRIDGE.as_bytes()).unwrap();
    assert_eq!((project.form, &project.target), (Form::Bridge, &None));
    for (name, expected) in [
        ("KUBERNETES_IN_CLUSTER_CONFIG_OVERRIDE", "${volume:default-token-*}"),
        ("ALLOW_LIST_PATH", "${volume:allow-list}/allow-list"),
        ("MYAPP1_SERVICE_HOST", "${service:myapp1.ip}/api/v1/"),
        ("MYAPP2_SERVICE_HOST", "${service:myapp2.mynamespace.ip}"),
        ("STORAGE", "${externalHost:mystorage.example.net.host}"),
        ("DB_HOST", "${externalHost:mystorage.example.net.host}"),
        ("OLD_DB", "10.10.12.5"),
        ("DEBUG_MODE", "true"),
        ("PRICE", "5$"),
    ] {
        assert_eq!(value(&project, name).as_deref(), Some(expected), "{name}");
    }
    assert_eq!(project.namespaces, ["mynamespace"]);
    assert_eq!(project.external_hosts[0].ports, [80, 443, 1433]);
    for said in [
        "ManagedIdentity",
        "Probes",
        "Teleport is not known",
        "10.10.12.5:3306",
        "/var/run/secrets",
    ] {
        assert!(
            project.warnings.iter().any(|warning| warning.contains(said)),
            "{said}: {:?}",
            project.warnings
        );
    }
    let again = read(&project.to_yaml());
    assert_eq!(again.external_hosts, project.external_hosts);
    assert_eq!(value(&again, "ALLOW_LIST_PATH"), value(&project, "ALLOW_LIST_PATH"));
    assert!(project.to_yaml().contains("# target: NAME"));
}

#[test]
fn what_bridge_refused_is_refused() {
    for (text, line, column, message) in [
        ("env: []\n", 1, 1, "'version' is missing"),
        ("version: 1.0\n", 1, 10, "version 1.0 is not known"),
        ("version: new\n", 1, 10, "no version"),
        ("version: 0.1\nenvironment: []\n", 2, 1, "'environment'"),
        (
            "version: 0.1\nenv:\n  - name: A\n    value: $(services:a:1:2)\n",
            4,
            12,
            "too many parts",
        ),
        (
            "version: 0.1\nenv:\n  - name: A\n    value: $(services:a.b.c)\n",
            4,
            12,
            "no name of a service",
        ),
        (
            "version: 0.1\nenv:\n  - name: A\n    value: $(externalEndpoints:a.example)\n",
            4,
            12,
            "HOST:PORT",
        ),
        (
            "version: 0.1\nenv:\n  - name: A\n    value: $(externalEndpoints:a.example:99999)\n",
            4,
            12,
            "1 to 65535",
        ),
        ("version: 0.1\nenv:\n  - name: A\n    value: $(volumes:a)\n", 4, 12, "no token"),
        ("version: 0.1\nenv:\n  - name: A\n    value: x$(services:a\n", 4, 12, "no )"),
        ("version: 0.1\nenv:\n  - name: A=B\n", 3, 11, "no name"),
        ("version: 0.1\nenv:\n  - name: A\n    value: \"a\\0\"\n", 4, 12, "A: a variable cannot"),
    ] {
        let (at_line, at_column, said, _) = refused(BRIDGE_FILE, text);
        assert_eq!((at_line, at_column), (line, column), "{text:?}: {said}");
        assert!(said.contains(message), "{text:?}: {said}");
    }
    let long = format!("version: 0.1\nenv:\n  - name: {}\n", "A".repeat(256));
    assert!(refused(BRIDGE_FILE, &long).2.contains("at most 255 bytes"));
    let empty =
        Project::parse(Path::new(BRIDGE_FILE), b"version: 0.1\nenv:\nvolumeMounts:\n").unwrap();
    assert_eq!(empty.environment, []);
}

#[test]
fn the_schema_file_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/towline.schema.json");
    let mut text = serde_json::to_string_pretty(&schema()).unwrap();
    text.push('\n');
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(path).unwrap_or_default(),
        text,
        "run this test with UPDATE_SCHEMA=1"
    );
    let schema = schema();
    let keys: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
    // What the reader itself knows.
    let (.., known) = refused(FILE, "nothing: 1\n");
    for key in &keys {
        assert!(known.contains(key.as_str()), "{key}");
        assert!(
            schema["properties"][key.as_str()]["description"].is_string()
                || schema["properties"][key.as_str()]["anyOf"].is_array(),
            "{key}"
        );
    }
    assert_eq!(keys.len(), known.split(", ").count());
}

#[test]
fn the_documentations_example_is_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/project-file.md");
    let text = std::fs::read_to_string(path).unwrap();
    let examples: Vec<&str> =
        text.split("```yaml\n").skip(1).filter_map(|part| part.split("```").next()).collect();
    assert!(examples.len() >= 2);
    for example in examples {
        let file = if example.starts_with("version:") { BRIDGE_FILE } else { FILE };
        Project::parse(Path::new(file), example.as_bytes()).unwrap();
    }
}

#[test]
fn patterns_of_volume_names() {
    for (pattern, name) in [
        ("a", "a"),
        ("a*", "a"),
        ("default-token-*", "default-token-x1"),
        ("*-a-*", "x-a-a-y"),
        ("*", ""),
        ("**b*", "ab"),
    ] {
        assert!(resolve::matches(pattern, name), "{pattern} {name}");
    }
    for (pattern, name) in [("a", "ab"), ("a*b", "a"), ("*-a", "x-ab"), ("", "a")] {
        assert!(!resolve::matches(pattern, name), "{pattern} {name}");
    }
    // Trying every way to share a name out among the stars would not end.
    assert!(!resolve::matches(&"*a".repeat(60), &format!("{}b", "a".repeat(62))));
}

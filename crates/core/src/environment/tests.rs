#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use serde_json::json;
use towline_wire::Protocol;

use super::*;

const ORIGINAL: &[u8] = b"PATH=/app/bin:/usr/bin\0HOSTNAME=orders-old\0HOME=/root\0LANG=C.UTF-8\0JAVA_OPTS=-Xmx1g\0GONE_SERVICE_HOST=10.96.0.9\0\
    GONE_SERVICE_PORT=1\0GONE_PORT=tcp://10.96.0.9:1\0GONE_PORT_1_TCP=tcp://10.96.0.9:1\0GONE_PORT_1_TCP_ADDR=10.96.0.9\0\
    LITERAL=old\0broken\0=x\0";

fn container() -> Container {
    serde_json::from_value(json!({
        "name": "orders",
        "envFrom": [
            {"prefix": "CFG_", "configMapRef": {"name": "settings"}},
            {"secretRef": {"name": "keys"}},
            {"configMapRef": {"name": "unread"}},
        ],
        "env": [
            {"name": "LITERAL", "value": "line 1\nline \"2\" $HOME 'x' ä"},
            {"name": "EMPTY", "value": ""},
            {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
            {"name": "MEMORY", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory"}}},
            {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "token", "key": "value"}}},
            {"name": "MODE", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "mode"}}},
            {"name": "URL", "value": "http://$(REDIS_SERVICE_HOST):$(REDIS_SERVICE_PORT)/$$(x)"},
            {"name": "DEEP", "value": "$(URL)?$(LATER)"},
            {"name": "LATER", "value": "1"},
            {"name": "MAIL_SERVICE_HOST", "value": "mail.example.com"},
            {"name": "USER", "value": "app"},
            {"name": "TMPDIR", "value": "/scratch"},
        ],
    }))
    .unwrap()
}

fn agent() -> Vec<Variable> {
    let link = |service: &str, ip: &str, port: u16, name: &str| {
        format!(
            "{service}_SERVICE_HOST={ip}\0{service}_SERVICE_PORT={port}\0{service}_SERVICE_PORT_{name}={port}\0{service}_PORT=tcp://{ip}:{port}\0\
             {service}_PORT_{port}_TCP=tcp://{ip}:{port}\0{service}_PORT_{port}_TCP_PROTO=tcp\0{service}_PORT_{port}_TCP_PORT={port}\0\
             {service}_PORT_{port}_TCP_ADDR={ip}\0"
        )
    };
    let mut text = String::from(
        "PATH=/usr/bin:/bin\0HOSTNAME=orders-new\0HOME=/\0LITERAL=line 1\nline \"2\" $HOME 'x' ä\0EMPTY=\0NODE=node\0MEMORY=1024\0TOKEN=s3cret\0\
         MODE=fast\0CFG_a=1\0KEY=k\0OTHER=o\0URL=http://10.96.1.1:6379/$(x)\0DEEP=http://10.96.1.1:6379/$(x)?$(LATER)\0LATER=1\0\
         USER=app\0TMPDIR=/scratch\0",
    );
    text += &link("REDIS", "10.96.1.1", 6379, "REDIS");
    text += &link("KUBERNETES", "10.96.0.1", 443, "HTTPS");
    text += &link("MAIL", "10.96.1.2", 25, "SMTP");
    text += &link("DNS_ONLY", "10.96.1.3", 53, "DNS");
    let text = text.replace("MAIL_SERVICE_HOST=10.96.1.2", "MAIL_SERVICE_HOST=mail.example.com");
    parse_environ(text.as_bytes())
}

fn listener(
    service: &str,
    namespace: &str,
    port: u16,
    name: Option<&str>,
    local: &str,
) -> Listener {
    Listener {
        protocol: Protocol::Tcp,
        namespace: namespace.into(),
        service: service.into(),
        port,
        port_name: name.map(str::to_owned),
        local: local.parse().unwrap(),
    }
}

fn listeners() -> Vec<Listener> {
    vec![
        listener("redis", "shop", 6379, Some("redis"), "127.0.0.1:40001"),
        listener("catalogue", "shop", 80, Some("http"), "127.0.0.1:40002"),
        listener("catalogue", "shop", 9090, Some("met-rics"), "127.0.0.1:40003"),
        listener("catalogue", "shop", 80, Some("http"), "[::1]:40002"),
        listener("kubernetes", "default", 443, Some("https"), "127.0.0.1:40004"),
        listener("redis", "billing", 6379, None, "127.0.0.1:40005"),
        listener("invoices", "billing", 8080, None, "[::1]:40006"),
    ]
}

fn keys() -> SourceKeys {
    let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<BTreeSet<_>>();
    [
        (Source::ConfigMap("settings".into()), keys(&["a", "b"])),
        (Source::Secret("keys".into()), keys(&["KEY"])),
    ]
    .into()
}

fn computed(
    keys: &SourceKeys,
    original: Option<&[Variable]>,
    kubernetes: Option<&KubernetesApi>,
) -> Environment {
    Environment::compute(&Inputs {
        agent: &agent(),
        container: &container(),
        namespace: "shop",
        keys,
        original,
        listeners: &listeners(),
        kubernetes,
    })
}

fn value(environment: &Environment, name: &str) -> String {
    let variable = environment.get(name).unwrap_or_else(|| panic!("there is no {name}"));
    String::from_utf8(as_bytes(&variable.value).to_vec()).unwrap()
}

#[test]
fn the_whole() {
    let original = parse_environ(ORIGINAL);
    let environment = computed(&keys(), Some(&original), None);
    let lines: Vec<String> = environment
        .variables
        .iter()
        .map(|variable| {
            let text = |value: &Bytes| String::from_utf8_lossy(as_bytes(value)).into_owned();
            let before =
                variable.cluster_value.as_ref().map(|before| format!(" <- {:?}", text(before)));
            format!(
                "{}={:?}{}  ({}){}",
                variable.name,
                text(&variable.value),
                before.unwrap_or_default(),
                variable.origin,
                if variable.stays_local { " local" } else { "" },
            )
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn what_the_spec_sets_is_not_taken_for_a_service() {
    let environment = computed(&keys(), None, None);
    assert_eq!(value(&environment, "MAIL_SERVICE_HOST"), "mail.example.com");
    assert_eq!(environment.get("MAIL_SERVICE_HOST").unwrap().origin, Origin::Literal);
}

#[test]
fn unread_sources_leave_the_origin_open() {
    let environment = computed(&SourceKeys::new(), None, None);
    let sources = vec![
        Source::ConfigMap("settings".into()),
        Source::Secret("keys".into()),
        Source::ConfigMap("unread".into()),
    ];
    let found = environment.get("CFG_a").unwrap();
    assert_eq!(found.origin, Origin::OneOf { sources: sources.clone() });
    assert!(found.is_secret(), "what may be a secret is masked");
    assert_eq!(
        environment.get("KEY").unwrap().origin,
        Origin::OneOf { sources: sources[1..].to_vec() }
    );
}

#[test]
fn the_api_server_by_another_name() {
    let api = KubernetesApi {
        host: "localhost".into(),
        address: "127.0.0.1".parse().unwrap(),
        port: 6443,
        authority: Some("/run/ca.crt".into()),
    };
    let environment = computed(&keys(), None, Some(&api));
    for (name, expected) in [
        ("KUBERNETES_SERVICE_HOST", "localhost"),
        ("KUBERNETES_SERVICE_PORT", "6443"),
        ("KUBERNETES_SERVICE_PORT_HTTPS", "6443"),
        ("KUBERNETES_PORT", "tcp://127.0.0.1:6443"),
        ("KUBERNETES_PORT_443_TCP_ADDR", "127.0.0.1"),
        ("TOWLINE_KUBERNETES_CA", "/run/ca.crt"),
    ] {
        assert_eq!(value(&environment, name), expected, "{name}");
    }
}

#[test]
fn a_name_that_could_be_of_two_services_is_told_by_its_value() {
    let agent = parse_environ(
        b"A_SERVICE_HOST=10.0.0.1\0A_SERVICE_PORT=80\0A_PORT=tcp://10.0.0.1:80\0A_SERVICE_SERVICE_HOST=10.0.0.2\0\
          A_SERVICE_SERVICE_PORT=81\0A_SERVICE_PORT=tcp://10.0.0.2:81\0A_PORT_80_TCP=tcp://10.0.0.1:80\0A_PORT_80_TCP_ADDR=10.0.0.1\0\
          A_SERVICE_PORT_81_TCP=tcp://10.0.0.2:81\0A_SERVICE_PORT_81_TCP_ADDR=10.0.0.2\0",
    );
    // The kubelet writes one of the two; here the number came first. Then the URL.
    for (swap, expected) in [(false, "5001"), (true, "tcp://127.0.0.1:5002")] {
        let mut agent = agent.clone();
        if swap {
            agent.retain(|variable| variable.value != Bytes::Text("80".into()));
        }
        let listeners = [
            listener("a", "n", 80, None, "127.0.0.1:5001"),
            listener("a-service", "n", 81, None, "127.0.0.1:5002"),
        ];
        let environment = Environment::compute(&Inputs {
            agent: &agent,
            container: &Container::default(),
            namespace: "n",
            keys: &SourceKeys::new(),
            original: None,
            listeners: &listeners,
            kubernetes: None,
        });
        assert_eq!(value(&environment, "A_SERVICE_PORT"), expected);
    }
}

#[test]
fn a_port_of_both_protocols_has_the_variables_of_both() {
    let agent = parse_environ(
        b"DNS_SERVICE_HOST=10.0.0.1\0DNS_SERVICE_PORT=53\0DNS_SERVICE_PORT_DNS_TCP=53\0DNS_PORT=udp://10.0.0.1:53\0\
          DNS_PORT_53_UDP=udp://10.0.0.1:53\0DNS_PORT_53_UDP_PROTO=udp\0DNS_PORT_53_UDP_PORT=53\0DNS_PORT_53_UDP_ADDR=10.0.0.1\0\
          DNS_PORT_53_TCP=tcp://10.0.0.1:53\0DNS_PORT_53_TCP_PROTO=tcp\0DNS_PORT_53_TCP_PORT=53\0DNS_PORT_53_TCP_ADDR=10.0.0.1\0",
    );
    let udp = Listener {
        protocol: Protocol::Udp,
        ..listener("dns", "n", 53, Some("dns"), "127.0.0.1:5001")
    };
    let environment = Environment::compute(&Inputs {
        agent: &agent,
        container: &Container::default(),
        namespace: "n",
        keys: &SourceKeys::new(),
        original: None,
        listeners: &[udp, listener("dns", "n", 53, Some("dns-tcp"), "127.0.0.1:5002")],
        kubernetes: None,
    });
    for (name, expected) in [
        ("DNS_SERVICE_HOST", "127.0.0.1"),
        ("DNS_SERVICE_PORT", "5001"),
        ("DNS_PORT", "udp://127.0.0.1:5001"),
        ("DNS_PORT_53_UDP", "udp://127.0.0.1:5001"),
        ("DNS_PORT_53_UDP_PROTO", "udp"),
        ("DNS_PORT_53_UDP_PORT", "5001"),
        ("DNS_PORT_53_TCP", "tcp://127.0.0.1:5002"),
        ("DNS_PORT_53_TCP_PORT", "5002"),
        ("DNS_PORT_53_TCP_ADDR", "127.0.0.1"),
    ] {
        assert_eq!(value(&environment, name), expected, "{name}");
    }
}

#[test]
fn bytes_that_are_no_text_survive() {
    let agent = parse_environ(b"RAW=\xff\xfe\n\0");
    let environment = Environment::compute(&Inputs {
        agent: &agent,
        container: &Container::default(),
        namespace: "n",
        keys: &SourceKeys::new(),
        original: None,
        listeners: &[],
        kubernetes: None,
    });
    assert_eq!(environment.for_program().collect::<Vec<_>>(), [("RAW", &b"\xff\xfe\n"[..])]);
    let json: serde_json::Value = serde_json::from_str(&environment.to_json()).unwrap();
    assert_eq!(json, json!({"RAW": [255, 254, 10]}));
    let again: Environment =
        serde_json::from_str(&serde_json::to_string(&environment).unwrap()).unwrap();
    assert_eq!(again, environment);
}

#[test]
fn values_do_not_reach_logs() {
    let environment = computed(&keys(), None, None);
    assert!(!format!("{environment:?}").contains("s3cret"));
}

#[test]
fn a_project_sets_variables_over_the_containers() {
    let mut environment = Environment::default();
    environment.set("B", Bytes::Text("1".into()), Origin::Literal);
    environment.set("A", Bytes::Text("x".into()), Origin::Project { secret: true });
    environment.set("B", Bytes::Text("2".into()), Origin::Project { secret: false });
    environment.set("B", Bytes::Text("3".into()), Origin::Project { secret: false });
    let names: Vec<&str> =
        environment.variables.iter().map(|variable| variable.name.as_str()).collect();
    assert_eq!(names, ["A", "B"]);
    let b = environment.get("B").unwrap();
    assert_eq!(
        (&b.value, &b.cluster_value),
        (&Bytes::Text("3".into()), &Some(Bytes::Text("1".into())))
    );
    assert!(environment.get("A").unwrap().is_secret() && !b.is_secret());
    environment.leave("B");
    environment.leave("C");
    assert_eq!(environment.for_program().map(|(name, _)| name).collect::<Vec<_>>(), ["A"]);
}

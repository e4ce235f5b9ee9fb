use super::*;

fn hosts() -> Vec<HostName> {
    ["db.example.com", "mail.example.host"].map(|host| host.parse().unwrap()).to_vec()
}

fn token(text: &str) -> Token {
    let template = Template::parse(text, &hosts()).unwrap();
    let [Piece::Token(token)] = template.0.as_slice() else { panic!("{template:?}") };
    token.clone()
}

#[test]
fn tokens_of_each_kind() {
    let service = |name: &str, namespace: Option<&str>, port: Option<&str>, part| Token::Service {
        name: name.into(),
        namespace: namespace.map(str::to_owned),
        port: port.map(str::to_owned),
        part,
    };
    assert_eq!(token("${service:catalogue}"), service("catalogue", None, None, Part::Host));
    assert_eq!(token("${service:catalogue.port}"), service("catalogue", None, None, Part::Port));
    assert_eq!(token("${service:db.billing.ip}"), service("db", Some("billing"), None, Part::Ip));
    assert_eq!(token("${service:db.host.host}"), service("db", Some("host"), None, Part::Host));
    assert_eq!(
        token("${service:db.billing:sql.address}"),
        service("db", Some("billing"), Some("sql"), Part::Address)
    );
    assert_eq!(token("${service:db:5432}"), service("db", None, Some("5432"), Part::Host));
    let host =
        |host: &str, port, part| Token::ExternalHost { host: host.parse().unwrap(), port, part };
    assert_eq!(token("${externalHost:db.example.com}"), host("db.example.com", None, Part::Host));
    assert_eq!(
        token("${externalHost:DB.example.com:5432.port}"),
        host("db.example.com", Some(5432), Part::Port)
    );
    assert_eq!(
        token("${externalHost:mail.example.host}"),
        host("mail.example.host", None, Part::Host)
    );
    assert_eq!(token("${volume:/etc//shop/}"), Token::Volume(VolumeRef::Path("/etc/shop".into())));
    assert_eq!(
        token("${volume:default-token-*}"),
        Token::Volume(VolumeRef::Name("default-token-*".into()))
    );
    assert_eq!(token("${env:DB_USER}"), Token::Variable("DB_USER".into()));
}

#[test]
fn what_surrounds_a_token_stays() {
    let template = Template::parse("http://${service:a.address}/$x/$${y}$$", &[]).unwrap();
    assert_eq!(template.tokens().count(), 1);
    let filled = template.fill(|_| Ok::<_, ()>("A".into())).unwrap();
    assert_eq!(filled, "http://A/$x/${y}$$");
    assert_eq!(template.to_string(), "http://${service:a.address}/$x/$${y}$$");
    assert_eq!(Template::parse("", &[]).unwrap(), Template::default());
}

#[test]
fn dollars_before_a_token_can_be_said() {
    for (text, filled) in [
        ("$${env:A}", "${env:A}"),
        ("$$${env:A}", "$5"),
        ("$$$${env:A}", "$${env:A}"),
        ("$$$$$${env:A}$", "$$${env:A}$"),
        ("$$$$${env:A}$$", "$$5$$"),
        ("${env:A}$${env:A}", "5${env:A}"),
        ("$${$${", "${${"),
    ] {
        let template = Template::parse(text, &[]).unwrap();
        assert_eq!(template.fill(|_| Ok::<_, ()>("5".into())).unwrap(), filled, "{text}");
        assert_eq!(template.to_string(), text);
    }
}

#[test]
fn what_is_no_token() {
    for (text, at, what) in [
        ("${HOME}", 0, "is no token"),
        ("ä ${sevice:a}", 2, "is no token"),
        ("${service:}", 0, "says no name"),
        ("${service:A}", 0, "'A' for a name"),
        ("${service:a.b.c}", 0, "'b.c' for a name"),
        ("${service:a:b.c}", 0, "for a port"),
        ("x${service:a", 1, "no }"),
        ("${externalHost:other.example.com}", 0, "db.example.com, mail.example.host"),
        ("${externalHost:db.example.com:0}", 0, "for a port"),
        ("${volume:/etc/../shadow}", 0, ".."),
        ("${volume:a b}", 0, "no volume"),
    ] {
        let error = Template::parse(text, &hosts()).unwrap_err();
        assert_eq!(error.at, at, "{text}");
        assert!(error.message.contains(what), "{text}: {}", error.message);
    }
}

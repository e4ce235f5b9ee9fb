//! Takes out of a text what must not go into an issue.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// What stands for a secret.
const GONE: &str = "[redacted]";

/// Tokens and passwords by their form. What was logged should have none; this is for what plugins and servers wrote.
static SECRETS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        // A JSON Web Token.
        r"eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*",
        // A header.
        r"(?i)(?:bearer|basic)\s+[A-Za-z0-9+/_=.~-]{6,}",
        // Something that is named as one.
        r#"(?i)(?P<keep>[\w-]*(?:token|secret|password|passwd|api[_-]?key|access[_-]?key|credential)s?["']?\s*[:=]\s*["']?)[^\s"',;}]{3,}"#,
        // The user's part of an address.
        r"(?P<keep>[a-z][a-z0-9+.-]*://)[^/\s@]+@",
        // A private key or a certificate.
        r"-----BEGIN [A-Z ]+-----[\s\S]*?(?:-----END [A-Z ]+-----|\z)",
        // Long base64, as the data of a kubeconfig.
        r"[A-Za-z0-9+/]{60,}={0,2}",
    ]
    .iter()
    .map(|pattern| Regex::new(pattern).expect("the patterns are constants, and a test compiles them"))
    .collect()
});

static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"https?://(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)")
        .expect("the pattern is a constant, and a test compiles it")
});

/// Who somebody is: as an API server names whom it refuses, and addresses of mail.
static PEOPLE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?P<keep>\b[Uu]ser \\?")[^"\\]+|[\w.%+-]+@(?:[\w-]+\.)+[A-Za-z]{2,}"#)
        .expect("the pattern is a constant, and a test compiles it")
});

/// Takes secrets, servers, people and this user's home out of texts.
#[derive(Debug)]
pub struct Redactor {
    servers: Vec<String>,
    contexts: Vec<(Regex, String)>,
    home: Option<String>,
}

impl Redactor {
    /// Takes out these: `servers` are addresses of API servers, `contexts` the names that tell whose the clusters are.
    pub fn new<'a>(
        servers: impl Iterator<Item = &'a str>,
        contexts: impl Iterator<Item = &'a str>,
    ) -> Self {
        let home = std::env::home_dir().map(|home| home.display().to_string());
        let home = home.filter(|home| home.len() > 1);
        // The longest first, so that no name is taken for a part of another.
        let servers = servers.filter_map(host).collect::<BTreeSet<String>>();
        let mut servers: Vec<String> = servers.into_iter().collect();
        servers.sort_by_key(|name| std::cmp::Reverse(name.len()));
        Self { servers, contexts: self::contexts(contexts), home }
    }

    /// The text without them.
    pub fn redact(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in SECRETS.iter() {
            let put = |found: &Captures<'_>| {
                let keep = found.name("keep").map_or("", |keep| keep.as_str());
                let at = if found[0].ends_with('@') { "@" } else { "" };
                format!("{keep}{GONE}{at}")
            };
            text = secret.replace_all(&text, put).into_owned();
        }
        // Before the servers: a context is often named after one.
        for (name, stands_for) in &self.contexts {
            let put = |found: &Captures<'_>| {
                let around = |group: &str| found.name(group).map_or("", |found| found.as_str());
                format!("{}{stands_for}{}", around("before"), around("after"))
            };
            // Twice: of two names with one character between them, the first takes it.
            text = name.replace_all(&text, put).into_owned();
            text = name.replace_all(&text, put).into_owned();
        }
        let put = |found: &Captures<'_>| {
            format!("{}[user]", found.name("keep").map_or("", |keep| keep.as_str()))
        };
        text = PEOPLE.replace_all(&text, put).into_owned();
        for (number, server) in self.servers.iter().enumerate() {
            text = text.replace(server.as_str(), &format!("[server {}]", number + 1));
        }
        text = ADDRESS
            .replace_all(&text, |found: &Captures<'_>| {
                let scheme = found[0].split("//").next().unwrap_or_default().to_owned();
                format!("{scheme}//[host]")
            })
            .into_owned();
        match &self.home {
            Some(home) => text.replace(home.as_str(), "~"),
            None => text,
        }
    }
}

/// What stands for each context: the names of clusters tell whose they are. Whole words only: one that is called `a` is no part of others.
fn contexts<'a>(names: impl Iterator<Item = &'a str>) -> Vec<(Regex, String)> {
    let mut names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    let mut numbered: Vec<(usize, &str)> = (1..).zip(names).collect();
    numbered.sort_by_key(|(_, name)| std::cmp::Reverse(name.len()));
    // What a name may be made of.
    const IN_A_NAME: &str = r"\p{L}\p{N}_.@/:-";
    let pattern = |name: &str| {
        let name = regex::escape(name);
        // A sentence may end with one.
        format!("(?m)(?P<before>^|[^{IN_A_NAME}]){name}(?P<after>[.:]?(?:$|[^{IN_A_NAME}]))")
    };
    let made = numbered.into_iter().filter_map(|(number, name)| {
        Some((Regex::new(&pattern(name)).ok()?, format!("[context {number}]")))
    });
    made.collect()
}

/// The host of an address.
fn host(server: &str) -> Option<String> {
    let rest = server.split_once("://").map_or(server, |(_, rest)| rest);
    let authority = rest.split('/').next()?;
    let authority = authority.rsplit('@').next()?;
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?,
        None => authority.split(':').next()?,
    };
    // "localhost" and the like say nothing, and are parts of other words.
    (host.contains(['.', ':']) && !host.starts_with("127.")).then(|| host.to_owned())
}

#[cfg(test)]
fn of_servers(servers: &[&str]) -> Redactor {
    let servers = servers.iter().filter_map(|server| host(server)).collect();
    let contexts = contexts(["work", "gke_acme_prod", "ada@prod.example.com"].into_iter());
    Redactor { servers, contexts, home: Some("/home/ada".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_goes() {
        let redactor = of_servers(&["https://api.prod.example.com:6443"]);
        for (text, expected) in [
            ("Authorization: Bearer abcdef123456", "Authorization: [redacted]"),
            ("token: s3cr3t-value next", "token: [redacted] next"),
            (
                r#"{"password":"hunter22","user":"ada"}"#,
                r#"{"password":"[redacted]","user":"ada"}"#,
            ),
            ("AWS_SECRET_ACCESS_KEY=abc/def123", "AWS_SECRET_ACCESS_KEY=[redacted]"),
            ("got eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl!", "got [redacted]!"),
            ("https://ada:pw@proxy.corp:3128/x", "https://[redacted]@proxy.corp:3128/x"),
            ("dial api.prod.example.com:6443 refused", "dial [server 1]:6443 refused"),
            ("GET https://10.1.2.3:6443/api", "GET https://[host]:6443/api"),
            ("/home/ada/.kube/config is fine", "~/.kube/config is fine"),
            (
                r#"pods is forbidden: User "ada@corp.example" cannot list"#,
                r#"pods is forbidden: User "[user]" cannot list"#,
            ),
            (r#"{"message":"User \"ada\" cannot"}"#, r#"{"message":"User \"[user]\" cannot"}"#),
            ("signed in as ada.l@corp.example.", "signed in as [user]."),
            (
                "deployment/orders in namespace shop is what it was.",
                "deployment/orders in namespace shop is what it was.",
            ),
            ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----.", "[redacted]."),
        ] {
            assert_eq!(redactor.redact(text), expected);
        }
        let data = "TUlJQ".repeat(20);
        assert_eq!(redactor.redact(&format!("data {data}")), "data [redacted]");
    }

    #[test]
    fn names_of_contexts_go() {
        let redactor = of_servers(&[]);
        for (text, expected) in [
            ("work: 3 services", "[context 3]: 3 services"),
            ("it works, work work.", "it works, [context 3] [context 3]."),
            ("of gke_acme_prod (v1.20)", "of [context 2] (v1.20)"),
            ("\"ada@prod.example.com\" is away", "\"[context 1]\" is away"),
            ("homework at network-work", "homework at network-work"),
            ("a\nwork\nb", "a\n[context 3]\nb"),
        ] {
            assert_eq!(redactor.redact(text), expected);
        }
    }

    #[test]
    fn the_host_of_a_server() {
        assert_eq!(host("https://[fd00::1]:6443").as_deref(), Some("fd00::1"));
        assert_eq!(host("https://a.b:1/c").as_deref(), Some("a.b"));
        assert_eq!(host("https://127.0.0.1:6443"), None);
        assert_eq!(host("https://localhost:6443"), None);
    }
}

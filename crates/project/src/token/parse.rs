//! What stands in a token.

use towline_machine::HostName;

use super::{PARTS, Part, Token, VolumeRef};

const KINDS: [&str; 4] = ["service", "externalHost", "volume", "env"];

impl Token {
    /// Understands what stands between `${` and `}`; the error is a clause that follows the token.
    pub(super) fn parse(text: &str, hosts: &[HostName]) -> Result<Self, String> {
        let kinds = || {
            format!(
                "is no token: those are {}; a plain ${{ is written $${{",
                KINDS.map(|kind| format!("${{{kind}:…}}")).join(", ")
            )
        };
        let (kind, body) = text.split_once(':').ok_or_else(kinds)?;
        if body.is_empty() {
            return Err(format!("says no name after {kind}:"));
        }
        match kind {
            "service" => service(body),
            "externalHost" => external_host(body, hosts),
            "volume" => Ok(Self::Volume(volume(body)?)),
            "env" => Ok(Self::Variable(body.to_owned())),
            _ => Err(kinds()),
        }
    }
}

fn service(body: &str) -> Result<Token, String> {
    let (name, port) = match body.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (body, None),
    };
    // The part stands at the end, behind the port where there is one. A port's name has no dots.
    let (name, port, part) = match port {
        Some(port) => {
            let (port, part) = split_part(port);
            (name, Some(port.to_owned()), part)
        }
        None => {
            let (name, part) = split_part(name);
            (name, None, part)
        }
    };
    if let Some(port) = &port
        && (port.is_empty()
            || !port.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
    {
        return Err(format!(
            "has '{port}' for a port: a number or a name is expected, then perhaps .host, .port, .address or .ip"
        ));
    }
    let (name, namespace) = match name.split_once('.') {
        Some((name, namespace)) => (name, Some(namespace)),
        None => (name, None),
    };
    for label in [Some(name), namespace].into_iter().flatten() {
        if !is_label(label) {
            return Err(format!(
                "has '{label}' for a name: NAME or NAME.NAMESPACE is expected, then perhaps :PORT, then perhaps .host, .port, .address or .ip"
            ));
        }
    }
    Ok(Token::Service {
        name: name.to_owned(),
        namespace: namespace.map(str::to_owned),
        port,
        part: part.unwrap_or_default(),
    })
}

fn external_host(body: &str, hosts: &[HostName]) -> Result<Token, String> {
    let known =
        |name: &str| hosts.iter().find(|host| host.as_str() == name.to_ascii_lowercase()).cloned();
    let (name, port) = match body.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (body, None),
    };
    let (host, port, part) = match port {
        Some(port) => {
            let (port, part) = split_part(port);
            let number = port.parse::<u16>().ok().filter(|number| *number > 0);
            (
                known(name),
                Some(
                    number
                        .ok_or_else(|| format!("has '{port}' for a port: a number is expected"))?,
                ),
                part,
            )
        }
        // `.host` is a top-level domain too.
        None => match known(name) {
            Some(host) => (Some(host), None, None),
            None => {
                let (name, part) = split_part(name);
                (known(name), None, part)
            }
        },
    };
    let host = host.ok_or_else(|| match hosts {
        [] => "is not among externalHosts: the file names none".to_owned(),
        hosts => {
            let all: Vec<&str> = hosts.iter().map(HostName::as_str).collect();
            format!("is not among externalHosts: {}", all.join(", "))
        }
    })?;
    Ok(Token::ExternalHost { host, port, part: part.unwrap_or_default() })
}

fn volume(body: &str) -> Result<VolumeRef, String> {
    if !body.starts_with('/') {
        return match VolumeRef::is_name(body) {
            true => Ok(VolumeRef::Name(body.to_owned())),
            false => Err("is no volume: the container's path, which begins with /, or the volume's name is expected".to_owned()),
        };
    }
    if body.split('/').any(|part| part == "..") {
        return Err("has .. in its path".to_owned());
    }
    let parts: Vec<&str> =
        body.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    Ok(VolumeRef::Path(format!("/{}", parts.join("/"))))
}

impl VolumeRef {
    /// Whether `text` can be a [`VolumeRef::Name`].
    pub(crate) fn is_name(text: &str) -> bool {
        !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.*".contains(&byte))
    }
}

fn split_part(text: &str) -> (&str, Option<Part>) {
    let found = PARTS.iter().find_map(|(name, part)| {
        let before = text.strip_suffix(name)?.strip_suffix('.')?;
        (!before.is_empty()).then_some((before, *part))
    });
    found.map_or((text, None), |(before, part)| (before, Some(part)))
}

/// A label of DNS (RFC 1123), as Kubernetes names services and namespaces.
pub(crate) fn is_label(text: &str) -> bool {
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=63).contains(&text.len())
        && text.bytes().all(|byte| alphanumeric(byte) || byte == b'-')
        && text.bytes().next().is_some_and(alphanumeric)
        && text.bytes().last().is_some_and(alphanumeric)
}

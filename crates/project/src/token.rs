//! Tokens in values: `${service:catalogue.host}` and the like.
//!
//! | token | what it becomes |
//! |---|---|
//! | `${service:NAME[.NAMESPACE][:PORT][.PART]}` | the service as this machine reaches it |
//! | `${externalHost:NAME[:PORT][.PART]}` | the same of a host outside the cluster |
//! | `${volume:/MOUNT/PATH}`, `${volume:NAME}` | the directory or file on this machine |
//! | `${env:NAME}` | the session's variable of that name |
//!
//! PORT is a number or the service's name for it, PART one of `host` (the default), `port`, `address` (both), `ip`.
//!
//! `$${` is a plain `${`. Right before `${` two `$` are one, so that a `$` can stand before a token: `$$${env:PRICE}`.

mod parse;

use std::fmt;

use towline_machine::HostName;

pub(crate) use self::parse::is_label;

/// A value with its tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template(pub Vec<Piece>);

/// A part of a [`Template`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// As it stands.
    Text(String),
    /// To be replaced.
    Token(Token),
}

/// What stands for a value that is known only in the session.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Token {
    /// A service as this machine reaches it.
    Service {
        /// Its name.
        name: String,
        /// Its namespace; none: the target's.
        namespace: Option<String>,
        /// Which of its ports, by number or name.
        port: Option<String>,
        /// What of it.
        part: Part,
    },
    /// A host outside the cluster as this machine reaches it.
    ExternalHost {
        /// Its name.
        host: HostName,
        /// Which of its ports.
        port: Option<u16>,
        /// What of it.
        part: Part,
    },
    /// A volume, or what is in one.
    Volume(VolumeRef),
    /// A variable of the session, before the project's own.
    Variable(String),
}

/// What of a service or a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Part {
    /// Its name, where names lead to it, else its address.
    #[default]
    Host,
    /// Its port on this machine.
    Port,
    /// Host and port.
    Address,
    /// Its address on this machine.
    Ip,
}

/// Which volume.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum VolumeRef {
    /// By a path in the container: where it is mounted, or below.
    Path(String),
    /// By the pod's name for it; `*` stands for any characters.
    Name(String),
}

/// A token makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TokenError {
    /// Which, as it stands.
    pub token: String,
    /// Where in the value it begins, in characters from 0 on.
    pub at: usize,
    /// What is wrong.
    pub message: String,
}

const PARTS: [(&str, Part); 4] =
    [("host", Part::Host), ("port", Part::Port), ("address", Part::Address), ("ip", Part::Ip)];

impl Template {
    /// Understands a value. `hosts` are the hosts outside the cluster that the file names.
    ///
    /// # Errors
    /// When what stands between `${` and `}` is no token.
    pub fn parse(text: &str, hosts: &[HostName]) -> Result<Self, TokenError> {
        let (mut pieces, mut plain, mut rest, mut at) = (Vec::new(), String::new(), text, 0);
        while let Some(start) = rest.find("${") {
            let before = &rest[..start];
            at += before.chars().count();
            // Two $ before it are one, and one that is left over makes it plain.
            let dollars = before.len() - before.trim_end_matches('$').len();
            let before = &before[..before.len() - dollars.div_ceil(2)];
            if dollars % 2 == 1 {
                plain.push_str(before);
                plain.push_str("${");
                (rest, at) = (&rest[start + 2..], at + 2);
                continue;
            }
            plain.push_str(before);
            let failed =
                |token: &str, message: String| TokenError { token: token.to_owned(), at, message };
            let Some(length) = rest[start..].find('}') else {
                return Err(failed(
                    &rest[start..],
                    "a token begins with ${ here and has no } after it; a plain ${ is written $${"
                        .to_owned(),
                ));
            };
            let token = &rest[start..=start + length];
            let parsed = Token::parse(&token[2..token.len() - 1], hosts)
                .map_err(|message| failed(token, format!("{token} {message}")))?;
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Token(parsed));
            (rest, at) = (&rest[start + length + 1..], at + token.chars().count());
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self(pieces))
    }

    /// The tokens.
    pub fn tokens(&self) -> impl Iterator<Item = &Token> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Token(token) => Some(token),
            Piece::Text(_) => None,
        })
    }

    /// The value, with what `of` makes of each token.
    ///
    /// # Errors
    /// That of the first token that has none.
    pub fn fill<E>(&self, of: impl Fn(&Token) -> Result<String, E>) -> Result<String, E> {
        let pieces = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => Ok(text.clone()),
            Piece::Token(token) => of(token),
        });
        pieces.collect()
    }
}

/// As it is written in `towline.yaml`.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, piece) in self.0.iter().enumerate() {
            match piece {
                Piece::Text(text) => {
                    let before_token = matches!(self.0.get(index + 1), Some(Piece::Token(_)));
                    f.write_str(&escaped(text, before_token))?;
                }
                Piece::Token(token) => token.fmt(f)?,
            }
        }
        Ok(())
    }
}

/// A text so that it is read as it stands: `${` becomes `$${`, and each `$` right before that or before a token becomes two.
fn escaped(text: &str, before_token: bool) -> String {
    let doubled = |text: &str| {
        let dollars = text.len() - text.trim_end_matches('$').len();
        format!("{text}{}", "$".repeat(dollars))
    };
    let mut parts: Vec<&str> = text.split("${").collect();
    let last = parts.pop().unwrap_or_default();
    let mut escaped: String = parts.iter().map(|part| doubled(part) + "$${").collect();
    escaped += &if before_token { doubled(last) } else { last.to_owned() };
    escaped
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = |part: Part| {
            PARTS.iter().find(|(_, known)| *known == part).map_or("host", |(name, _)| name)
        };
        match self {
            Self::Service { name, namespace, port, part } => {
                write!(f, "${{service:{name}")?;
                if let Some(namespace) = namespace {
                    write!(f, ".{namespace}")?;
                }
                if let Some(port) = port {
                    write!(f, ":{port}")?;
                }
                write!(f, ".{}}}", named(*part))
            }
            Self::ExternalHost { host, port, part } => {
                write!(f, "${{externalHost:{host}")?;
                if let Some(port) = port {
                    write!(f, ":{port}")?;
                }
                write!(f, ".{}}}", named(*part))
            }
            Self::Volume(VolumeRef::Path(text) | VolumeRef::Name(text)) => {
                write!(f, "${{volume:{text}}}")
            }
            Self::Variable(name) => write!(f, "${{env:{name}}}"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

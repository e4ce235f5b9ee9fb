//! A path that stays below where it begins.

use std::fmt;

/// A relative path of plain names; empty: the directory itself. Any bytes, as Linux has it, but `/` and zero in a name.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Inside(Vec<u8>);

/// The bytes are not such a path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{}' is not a path below a directory: it must not be absolute, and have no '..', '.', empty name or zero byte", .0.escape_ascii())]
pub struct NotInside(Vec<u8>);

/// The longest name of a file on Linux (limits.h, NAME_MAX).
const LONGEST_NAME: usize = 255;

/// The longest path that Linux takes (limits.h, PATH_MAX), and so the deepest that somebody can have made by it.
const LONGEST: usize = 4096;

impl Inside {
    /// The directory itself.
    pub const fn top() -> Self {
        Self(Vec::new())
    }

    /// Takes `bytes` if they are such a path.
    ///
    /// # Errors
    /// When they are not.
    pub fn parse(bytes: impl Into<Vec<u8>>) -> Result<Self, NotInside> {
        let bytes = bytes.into();
        let plain = |name: &[u8]| {
            !name.is_empty() && name != b"." && name != b".." && name.len() <= LONGEST_NAME
        };
        let good = bytes.is_empty()
            || (bytes.len() < LONGEST
                && !bytes.contains(&0)
                && bytes.split(|b| *b == b'/').all(plain));
        if good { Ok(Self(bytes)) } else { Err(NotInside(bytes)) }
    }

    /// The entry `name` of this directory.
    ///
    /// # Errors
    /// When `name` is no single plain name.
    pub fn join(&self, name: &[u8]) -> Result<Self, NotInside> {
        if name.is_empty() || name.contains(&b'/') {
            return Err(NotInside(name.to_vec()));
        }
        let mut bytes = self.0.clone();
        if !bytes.is_empty() {
            bytes.push(b'/');
        }
        bytes.extend_from_slice(name);
        Self::parse(bytes)
    }

    /// Whether it is the directory itself.
    pub fn is_top(&self) -> bool {
        self.0.is_empty()
    }

    /// The names, from the top.
    pub fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split(|b| *b == b'/').filter(|name| !name.is_empty())
    }

    /// The directory that it is in, and its name there; none for the top.
    pub fn split(&self) -> Option<(Self, &[u8])> {
        if self.is_top() {
            return None;
        }
        match self.0.iter().rposition(|b| *b == b'/') {
            Some(at) => Some((Self(self.0[..at].to_vec()), &self.0[at + 1..])),
            None => Some((Self::top(), &self.0)),
        }
    }

    /// Whether it is `outer` or something below it.
    pub fn is_within(&self, outer: &Self) -> bool {
        let rest = self.0.strip_prefix(outer.0.as_slice());
        outer.is_top() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
    }

    /// How many names it has.
    pub fn depth(&self) -> usize {
        self.names().count()
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether a link that stands here and says `target` leads to something below the top, whatever other such links are there: `..` may only
    /// stand at its beginning (behind a name that is itself a link it would lead elsewhere), and not more often than there are directories above.
    pub fn keeps_inside(&self, target: &[u8]) -> bool {
        if target.is_empty() || target.starts_with(b"/") || target.contains(&0) {
            return false;
        }
        let names = target.split(|b| *b == b'/').filter(|name| !matches!(*name, b"" | b"."));
        let (mut up, mut down) = (0, false);
        for name in names {
            match name {
                b".." if down => return false,
                b".." => up += 1,
                _ => down = true,
            }
        }
        up < self.depth()
    }
}

impl fmt::Display for Inside {
    /// As text for people: what is no UTF-8, and what would move a terminal's cursor, is escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for character in chunk.valid().chars() {
                if character.is_control() {
                    write!(f, "{}", character.escape_default())?;
                } else {
                    write!(f, "{character}")?;
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_leaves_is_refused() {
        for bad in ["/", "/etc", "..", "a/..", "a/../b", ".", "a/./b", "a//b", "a/", "a\0b"] {
            assert!(Inside::parse(bad).is_err(), "{bad:?}");
        }
        assert!(Inside::parse(vec![b'a'; 256]).is_err());
        for good in ["", "a", "a/b", "..a", "a..", "...", "a\nb", " "] {
            assert!(Inside::parse(good).is_ok(), "{good:?}");
        }
        let top = Inside::top();
        assert!(top.join(b"a/b").is_err() && top.join(b"..").is_err() && top.join(b"").is_err());
        assert_eq!(top.join(b"a").unwrap().join(b"b").unwrap().as_bytes(), b"a/b");
        let deep = Inside::parse("a/b").unwrap();
        assert_eq!(deep.split(), Some((Inside::parse("a").unwrap(), b"b".as_slice())));
        assert_eq!(
            Inside::parse(b"a\n\xff\x1b[".to_vec()).unwrap().to_string(),
            "a\\n\\xff\\u{1b}["
        );
    }

    #[test]
    fn links_that_stay() {
        let keeps =
            |at: &str, target: &str| Inside::parse(at).unwrap().keeps_inside(target.as_bytes());
        for (at, target) in [
            ("l", "a"),
            ("l", "a/b"),
            ("d/l", "../a"),
            ("d/e/l", "../../a"),
            ("l", "./a"),
            ("l", "."),
            ("d/l", ".."),
        ] {
            assert!(keeps(at, target), "{at} → {target}");
        }
        for (at, target) in [
            ("l", "/etc/shadow"),
            ("l", ".."),
            ("l", "../x"),
            ("d/l", "../../x"),
            ("d/l", "a/../b"),
            ("l", ""),
            ("l", "./../x"),
            ("l", "a\0"),
        ] {
            assert!(!keeps(at, target), "{at} → {target}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_or_refused(bytes: Vec<u8>) {
            if let Ok(path) = Inside::parse(bytes.clone()) {
                prop_assert_eq!(path.as_bytes(), bytes.as_slice());
                prop_assert!(path.names().all(|name| name != b".." && name != b"."));
                prop_assert!(!path.to_string().chars().any(char::is_control));
            }
        }
    }
}

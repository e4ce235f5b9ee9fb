//! The directories that are still to be read.

use towline_beneath::Inside;

/// The most bytes of names: some hundred thousand directories. The agent's whole memory is limited to 64 MiB.
const MOST: usize = 8 << 20;

/// Directories by the directory that they are in, the deepest last. A million may stand beside each other, so only their names are kept, each with a
/// zero byte behind it.
#[derive(Default)]
pub(super) struct Pending {
    levels: Vec<Level>,
    bytes: usize,
}

struct Level {
    above: Inside,
    names: Vec<u8>,
}

impl Pending {
    /// Notes the directory `name` in `above`; `false` where there is no room for it.
    pub(super) fn push(&mut self, above: &Inside, name: &[u8]) -> bool {
        if self.bytes + name.len() >= MOST {
            return false;
        }
        self.bytes += name.len() + 1;
        if self.levels.last().is_none_or(|level| level.above != *above) {
            self.levels.push(Level { above: above.clone(), names: Vec::new() });
        }
        if let Some(level) = self.levels.last_mut() {
            level.names.extend_from_slice(name);
            level.names.push(0);
        }
        true
    }

    /// The one that was noted last.
    pub(super) fn pop(&mut self) -> Option<Inside> {
        loop {
            let level = self.levels.last_mut()?;
            let Some((_, names)) = level.names.split_last() else {
                self.levels.pop();
                continue;
            };
            let begin = names.iter().rposition(|b| *b == 0).map_or(0, |zero| zero + 1);
            let path = level.above.join(&names[begin..]);
            self.bytes -= level.names.len() - begin;
            level.names.truncate(begin);
            // It was one when it was noted.
            if let Ok(path) = path {
                return Some(path);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_last_comes_first_and_nothing_is_lost() {
        let top = Inside::top();
        let mut pending = Pending::default();
        assert!(pending.push(&top, b"a") && pending.push(&top, b"b c"));
        assert_eq!(pending.pop().unwrap().to_string(), "b c");
        let b = Inside::parse("b c").unwrap();
        assert!(pending.push(&b, b"d") && pending.push(&b, b"e"));
        let rest: Vec<String> =
            std::iter::from_fn(|| pending.pop()).map(|p| p.to_string()).collect();
        assert_eq!(rest, ["b c/e", "b c/d", "a"]);
        assert_eq!(pending.bytes, 0);
    }

    #[test]
    fn there_is_an_end_to_what_is_kept() {
        let (top, name) = (Inside::top(), [b'x'; 255]);
        let mut pending = Pending::default();
        let kept = std::iter::repeat_with(|| pending.push(&top, &name)).take_while(|kept| *kept);
        let kept = kept.count();
        assert_eq!(kept, MOST / 256);
        assert_eq!(std::iter::from_fn(|| pending.pop()).count(), kept);
    }
}

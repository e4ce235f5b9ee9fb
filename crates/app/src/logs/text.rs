//! What is shown of a line: readable text, whatever came.

use super::lines::RawLine;

/// The most that is shown of a line, in characters.
const LONGEST: usize = 10_000;

/// The text of a line, and how long it was where it was cut. Colours and other escape sequences are taken out, control characters shown as pictures,
/// and what is not UTF-8 as `U+FFFD`.
pub(super) fn clean(line: RawLine<'_>) -> (Box<str>, Option<u64>) {
    let whole = line.length == line.bytes.len() as u64;
    let bytes = line.bytes.strip_suffix(b"\r").filter(|_| whole).unwrap_or(line.bytes);
    let plain = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t');
    if whole && bytes.len() <= LONGEST && bytes.iter().all(plain) {
        return (String::from_utf8_lossy(bytes).into(), None);
    }
    let stripped = if bytes.contains(&0x1b) {
        anstream::adapter::strip_bytes(bytes).into_vec()
    } else {
        bytes.to_vec()
    };
    let text = String::from_utf8_lossy(&stripped);
    let mut characters = text.chars();
    let shown: String = characters.by_ref().take(LONGEST).map(picture).collect();
    let cut = !whole || characters.next().is_some();
    (shown.into_boxed_str(), cut.then_some(line.length))
}

/// A control character as its picture (Unicode's "Control Pictures"); those of ISO 6429 and of writing direction, which have none, as `U+FFFD`.
fn picture(character: char) -> char {
    match character {
        '\t' => '\t',
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(character)).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        // An override of the direction would run on into the rest of the window.
        '\u{80}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(bytes: &[u8]) -> String {
        let (text, cut) = clean(RawLine { bytes, length: bytes.len() as u64 });
        assert_eq!(cut, None);
        text.into()
    }

    #[test]
    fn text_is_readable_whatever_came() {
        assert_eq!(shown(b"plain\ttext\r"), "plain\ttext");
        assert_eq!(shown("grün 🚢 שלום".as_bytes()), "grün 🚢 שלום");
        assert_eq!(shown(b"\x1b[1;31merror:\x1b[0m no"), "error: no");
        assert_eq!(shown(b"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\"), "link");
        assert_eq!(shown(b"a\0b\x07c\x7fd\re"), "a\u{2400}b\u{2407}c\u{2421}d\u{240d}e");
        assert_eq!(shown(b"\xff\xfe ok"), "\u{fffd}\u{fffd} ok");
        assert_eq!(shown("a\u{202e}b".as_bytes()), "a\u{fffd}b");
    }

    #[test]
    fn long_lines_are_cut_at_a_character_and_say_so() {
        let long = "ü".repeat(10_001);
        let (text, cut) = clean(RawLine { bytes: long.as_bytes(), length: 20_002 });
        assert_eq!((text.chars().count(), cut), (LONGEST, Some(20_002)));
        let (text, cut) = clean(RawLine { bytes: b"beginning", length: 1_000_000 });
        assert_eq!((&*text, cut), ("beginning", Some(1_000_000)));
        let exact = "x".repeat(LONGEST);
        assert_eq!(shown(exact.as_bytes()), exact);
    }

    #[test]
    fn random_bytes_do_no_harm() {
        let noise: Vec<u8> =
            (0..40_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let (text, _) = clean(RawLine { bytes: &noise, length: noise.len() as u64 });
        assert!(text.chars().all(|c| c == '\t' || !c.is_control()));
    }
}

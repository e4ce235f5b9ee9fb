//! A process's command and its arguments, for people.

/// How many characters are shown.
const LONGEST: usize = 160;

/// One line, the arguments with blanks in quotes; cut where it is very long, and without control characters. None where there are no words.
pub(crate) fn shown(words: &[String]) -> Option<String> {
    if words.is_empty() {
        return None;
    }
    let word = |word: &String| {
        let plain = !word.is_empty() && !word.contains([' ', '\'', '"', '\t', '\n']);
        if plain { word.clone() } else { format!("'{word}'") }
    };
    let line = words.iter().map(word).collect::<Vec<_>>().join(" ");
    let shown = |char: char| match char {
        '\n' | '\t' | '\r' => ' ',
        char if char.is_control() => '\u{fffd}',
        char => char,
    };
    let line: String = line.chars().map(shown).collect();
    if line.chars().count() <= LONGEST {
        return Some(line);
    }
    Some(line.chars().take(LONGEST - 1).chain(['…']).collect())
}

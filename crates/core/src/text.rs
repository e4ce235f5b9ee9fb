//! Words for people: what the parts of a message become once it is shown.

/// With a capital at its beginning.
pub fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// An error's words as a sentence: with a capital at the beginning and a stop at the end, if it has none.
pub fn sentence(text: &str) -> String {
    let stop = if text.ends_with('.') { "" } else { "." };
    capitalised(text) + stop
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_begins_and_ends() {
        assert_eq!(sentence("the port is taken"), "The port is taken.");
        assert_eq!(sentence("Ended."), "Ended.");
        assert_eq!(capitalised("ßtraße and é"), "SStraße and é");
        assert_eq!(capitalised("élan"), "Élan");
        assert_eq!((capitalised(""), sentence("")), (String::new(), ".".to_owned()));
    }
}

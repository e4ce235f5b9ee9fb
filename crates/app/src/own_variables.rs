//! Variables that the shell has set for its own process, which began anew with them; they are not meant for the programs that it starts.

/// Lists the names of those variables, separated by spaces.
pub const OWN_VARIABLES: &str = "TOWLINE_OWN_VARIABLES";

/// The names of those variables, and of the one that lists them.
pub(crate) fn own_variables() -> Vec<String> {
    let Ok(list) = std::env::var(OWN_VARIABLES) else { return Vec::new() };
    named(&list)
}

fn named(list: &str) -> Vec<String> {
    list.split_whitespace().chain([OWN_VARIABLES]).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_its_own_too() {
        assert_eq!(named("A B"), ["A", "B", OWN_VARIABLES]);
        assert_eq!(named(""), [OWN_VARIABLES]);
    }
}

//! `$(NAME)` in a value of the pod's spec, as the kubelet expands it (`third_party/forked/golang/expansion` in the Kubernetes sources).

/// Expands `input`. A reference that `lookup` does not know stays as it stands; `$$` is one `$`.
pub(super) fn expand<'a>(input: &[u8], lookup: impl Fn(&str) -> Option<&'a [u8]>) -> Vec<u8> {
    let mut output = Vec::with_capacity(input.len());
    let mut rest = input;
    while let Some((first, after)) = rest.split_first() {
        match (first, after.first()) {
            (b'$', Some(b'$')) => {
                output.push(b'$');
                rest = &after[1..];
            }
            (b'$', Some(b'(')) => match after.iter().position(|byte| *byte == b')') {
                Some(end) => {
                    let name = std::str::from_utf8(&after[1..end]).ok();
                    match name.and_then(&lookup) {
                        Some(value) => output.extend_from_slice(value),
                        None => output.extend_from_slice(&rest[..end + 2]),
                    }
                    rest = &after[end + 1..];
                }
                None => {
                    output.extend_from_slice(b"$(");
                    rest = &after[1..];
                }
            },
            _ => {
                output.push(*first);
                rest = after;
            }
        }
    }
    output
}

/// Whether `input` holds a reference at all.
pub(super) fn refers(input: &str) -> bool {
    input.contains("$(")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_the_kubelet_does() {
        let lookup = |name: &str| match name {
            "A" => Some(&b"1"[..]),
            "EMPTY" => Some(&b""[..]),
            "REFERS" => Some(&b"$(A)"[..]),
            _ => None,
        };
        // The first column after the kubelet's own table, expansion_test.go.
        for (input, expected) in [
            ("$(A)", "1"),
            ("___$(A)___", "___1___"),
            ("$(A)$(A)", "11"),
            ("$(EMPTY)x", "x"),
            ("$(REFERS)", "$(A)"),
            ("$(NONE)", "$(NONE)"),
            ("$()", "$()"),
            ("$$(A)", "$(A)"),
            ("$$$(A)", "$1"),
            ("$$$$(A)", "$$(A)"),
            ("$(A", "$(A"),
            ("$", "$"),
            ("a$", "a$"),
            ("$A ${A}", "$A ${A}"),
            ("$ (A)", "$ (A)"),
            ("$((A))", "$((A))"),
            ("\n$(A)ä", "\n1ä"),
        ] {
            let output = expand(input.as_bytes(), lookup);
            assert_eq!(String::from_utf8_lossy(&output), expected, "{input}");
        }
    }
}

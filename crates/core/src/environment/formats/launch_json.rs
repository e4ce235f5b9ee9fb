//! A configuration for VS Code's `launch.json`.

use serde_json::json;

use super::left_out;
use crate::environment::{Environment, as_bytes};

/// An entry of `configurations` with the environment; the debugger's own settings are the user's to add. Comments are allowed in that file.
///
/// VS Code replaces `${…}` in values, and knows no way to write it literally; `${command:…}` would even run something. Such values are left out.
pub fn launch_json(environment: &Environment, title: &str) -> String {
    let mut comments = String::new();
    let mut variables = serde_json::Map::new();
    for variable in environment.variables.iter().filter(|variable| !variable.stays_local) {
        let name = variable.name.as_str();
        match std::str::from_utf8(as_bytes(&variable.value)) {
            Err(_) => comments += &left_out("//", name, "its value is not UTF-8"),
            Ok(value) if value.contains("${") => {
                comments += &left_out("//", name, "VS Code would replace ${…} in it");
            }
            Ok(value) => drop(variables.insert(name.to_owned(), json!(value))),
        }
    }
    let configuration = json!({ "name": title, "request": "launch", "env": variables });
    let text = serde_json::to_string_pretty(&configuration)
        .expect("text keys and text values are always JSON");
    format!("// Add \"type\" and \"program\" as your debugger wants them.\n{comments}{text}\n")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::environment::formats::fixture::{AWKWARD, awkward};

    #[test]
    fn values_are_json_and_nothing_is_replaced_in_them() {
        let text = launch_json(&awkward(), "orders (Towline)");
        let json: String = text.lines().filter(|line| !line.starts_with("//")).collect();
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read["name"], "orders (Towline)");
        for (index, value) in AWKWARD.iter().enumerate() {
            let found = read["env"].get(format!("V_{index:04}"));
            let expected = (!value.contains("${")).then_some(*value);
            assert_eq!(found.and_then(serde_json::Value::as_str), expected);
        }
        assert!(text.contains("// V_0010 is left out"), "{text}");
    }
}

//! Label selectors.

use std::collections::BTreeMap;

use serde_json::Value;

/// Whether a service with this selector takes pods with these labels. An empty selector takes none.
pub fn selects(selector: &BTreeMap<String, String>, labels: &BTreeMap<String, String>) -> bool {
    !selector.is_empty() && selector.iter().all(|(key, value)| labels.get(key) == Some(value))
}

/// A service's selector as the API's query parameter.
pub(super) fn equality(selector: &BTreeMap<String, String>) -> String {
    selector.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}

/// A workload's selector (`matchLabels`, `matchExpressions`) as the API's query parameter.
pub(super) fn to_query(selector: &Value) -> String {
    let labels = selector["matchLabels"].as_object().into_iter().flatten();
    let labels = labels.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()));
    let expressions = selector["matchExpressions"].as_array().into_iter().flatten();
    let expressions = expressions.map(|expression| {
        let key = expression["key"].as_str().unwrap_or_default();
        let values: Vec<&str> = expression["values"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        match expression["operator"].as_str() {
            Some("NotIn") => format!("{key} notin ({})", values.join(",")),
            Some("Exists") => key.to_owned(),
            Some("DoesNotExist") => format!("!{key}"),
            _ => format!("{key} in ({})", values.join(",")),
        }
    });
    labels.chain(expressions).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_service_takes_pods_that_have_all_its_labels() {
        let pod = labels(&[("app", "orders"), ("tier", "back")]);
        assert!(selects(&labels(&[("app", "orders")]), &pod));
        assert!(!selects(&labels(&[("app", "orders"), ("tier", "front")]), &pod));
        assert!(!selects(&labels(&[]), &pod));
    }

    #[test]
    fn a_workloads_selector_becomes_a_query() {
        let selector = json!({"matchLabels": {"app": "x"}, "matchExpressions": [
            {"key": "a", "operator": "In", "values": ["1", "2"]},
            {"key": "b", "operator": "NotIn", "values": ["3"]},
            {"key": "c", "operator": "Exists"},
            {"key": "d", "operator": "DoesNotExist"},
        ]});
        assert_eq!(to_query(&selector), "app=x,a in (1,2),b notin (3),c,!d");
    }
}

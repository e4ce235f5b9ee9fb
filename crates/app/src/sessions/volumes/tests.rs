#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;

fn known(handling: &str, more: serde_json::Value) -> volumes::Volume {
    let mut volume = json!({
        "name": "data", "mount_path": "/data", "kind": "claim", "source": "orders", "read_only": false,
        "sub_path": null, "handling": handling, "local": "/run/x/root/data", "files": 0, "bytes": 0,
        "fresh_at": null, "changed_at": null, "measured": null, "error": null,
    });
    for (key, value) in more.as_object().unwrap() {
        volume[key] = value.clone();
    }
    serde_json::from_value(volume).unwrap()
}

#[test]
fn how_a_volume_stands() {
    let state = |handling, more| state(&known(handling, more), None);
    assert_eq!(state("left", json!({})), VolumeState::Left);
    assert_eq!(state("copied", json!({})), VolumeState::Waiting);
    assert_eq!(state("on_demand", json!({})), VolumeState::OnDemand);
    let times = json!({"fresh_at": "1970-01-01T00:00:09Z", "changed_at": "1970-01-01T00:00:02Z", "files": 2, "bytes": 7});
    assert_eq!(state("copied", times.clone()), VolumeState::Fresh { since: 2_000 });
    let fetched = VolumeState::Fetched { at: 9_000, files: 2, bytes: 7 };
    assert_eq!(state("on_demand", times), fetched);
}

#[test]
fn a_place_is_told_only_where_something_is() {
    let shown = |more| shown(&known("on_demand", more), None).path;
    assert_eq!(shown(json!({})), None);
    let fetched = json!({"fresh_at": "1970-01-01T00:00:09Z"});
    assert_eq!(shown(fetched).as_deref(), Some("/run/x/root/data"));
}

//! The way back: what Towline changed in a workload, field by field, with what was there before.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::edit::token;
use crate::names::ORIGINAL_ANNOTATION;
use crate::record::annotation;

/// The version of the annotation's format that this version of Towline writes, and the only one that it reads.
const VERSION: u32 = 1;

/// What stands in [`ORIGINAL_ANNOTATION`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Original {
    v: u32,
    /// The container's name. Its place in the list may change while the session lasts, its name not.
    pub(crate) container: String,
    /// The changes in the order in which they were made; undone in the reverse order.
    pub(crate) fields: Vec<Field>,
    /// A bare pod's manifest, as it is to be created again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pod: Option<Value>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Field {
    #[serde(rename = "in")]
    pub(crate) place: Place,
    /// A JSON pointer, relative to the place.
    pub(crate) at: String,
    #[serde(flatten)]
    pub(crate) change: Change,
}

/// What a field's pointer is relative to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Place {
    /// The container of that name.
    Container,
    /// The pod template, or the pod itself where it is bare.
    Template,
    /// The workload.
    Workload,
}

/// What was done. Each value may be absent, which is not the same as `null`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "did", rename_all = "lowercase")]
pub(crate) enum Change {
    /// The field was given another value, or was removed.
    Set {
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        was: Option<Value>,
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        is: Option<Value>,
    },
    /// An empty map or list was made, to hold a later change.
    Made {
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        was: Option<Value>,
    },
    /// An item was appended to a list.
    Appended { item: Value },
}

// Without this, serde reads `null` as an absent value.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// The annotation cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum OriginalError {
    /// It is not the JSON that Towline writes.
    #[error("the annotation {ORIGINAL_ANNOTATION} cannot be read, it has been edited: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// A later version of Towline wrote it.
    #[error(
        "the annotation {ORIGINAL_ANNOTATION} has version {0}, this Towline knows version {VERSION} only; restore with the version that made the session"
    )]
    Version(u32),
}

impl Original {
    pub(crate) fn new(container: &str, fields: Vec<Field>) -> Self {
        Self { v: VERSION, container: container.to_owned(), fields, pod: None }
    }

    /// Reads the workload's annotation; `None` where there is none.
    pub(crate) fn of(workload: &Value) -> Option<Result<Self, OriginalError>> {
        annotation(workload, ORIGINAL_ANNOTATION).map(Self::parse)
    }

    fn parse(text: &str) -> Result<Self, OriginalError> {
        #[derive(Deserialize)]
        struct Version {
            v: u32,
        }
        let Version { v } = serde_json::from_str(text)?;
        if v != VERSION {
            return Err(OriginalError::Version(v));
        }
        Ok(serde_json::from_str(text)?)
    }

    pub(crate) fn to_annotation(&self) -> String {
        serde_json::to_string(self).expect("keys are strings, so it is always JSON")
    }

    /// Where the container is in `workload` now; `None` when it has been renamed or removed.
    pub(crate) fn container_pointer(&self, workload: &Value) -> Option<String> {
        container_pointer(workload, template_pointer(workload), &self.container)
    }
}

impl Field {
    /// The field's pointer from the document's root; `None` where the container is gone.
    pub(crate) fn pointer(&self, template: &str, container: Option<&str>) -> Option<String> {
        let base = match self.place {
            Place::Container => container?,
            Place::Template => template,
            Place::Workload => "",
        };
        Some(format!("{base}{}", self.at))
    }

    /// Whether the field is as Towline left it.
    pub(crate) fn stands(&self, workload: &Value, container: Option<&str>) -> bool {
        let Some(pointer) = self.pointer(template_pointer(workload), container) else {
            return false;
        };
        match &self.change {
            Change::Set { is, .. } => workload.pointer(&pointer) == is.as_ref(),
            Change::Made { .. } => true,
            Change::Appended { item } => workload
                .pointer(&pointer)
                .and_then(Value::as_array)
                .is_some_and(|list| list.contains(item)),
        }
    }

    /// The field as people write it: `containers[orders].image`.
    pub(crate) fn path(&self, container: &str) -> String {
        human_path(self.place, &self.at, container)
    }
}

/// A pointer as people write it.
pub(crate) fn human_path(place: Place, at: &str, container: &str) -> String {
    let mut path = match place {
        Place::Container => format!("containers[{container}]"),
        Place::Template => "template".to_owned(),
        Place::Workload => String::new(),
    };
    for part in at.split('/').skip(1) {
        let key = part.replace("~1", "/").replace("~0", "~");
        if key.contains(['.', '/']) {
            path.push_str(&format!("[{key}]"));
            continue;
        }
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(&key);
    }
    path
}

/// Where the pod template is: a bare pod is its own.
pub(crate) fn template_pointer(workload: &Value) -> &'static str {
    if workload.pointer("/spec/template").is_some() { "/spec/template" } else { "" }
}

/// Where the container of that name is.
pub(crate) fn container_pointer(workload: &Value, template: &str, name: &str) -> Option<String> {
    let containers = workload.pointer(&format!("{template}/spec/containers"))?.as_array()?;
    let index = containers.iter().position(|container| container["name"] == name)?;
    Some(format!("{template}/spec/containers/{index}"))
}

/// The pointer, relative to an object, of one of its labels.
pub(crate) fn label_pointer(label: &str) -> String {
    format!("/metadata/labels/{}", token(label))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn absent_and_null_stay_apart() {
        let set = |was| Field {
            place: Place::Container,
            at: "/args".into(),
            change: Change::Set { was, is: Some(json!([])) },
        };
        let original = Original::new("orders", vec![set(None), set(Some(Value::Null))]);
        assert_eq!(Original::parse(&original.to_annotation()).unwrap(), original);
    }

    #[test]
    fn another_version_is_refused_by_its_number() {
        let error = Original::parse(r#"{"v":7,"fields":"of another shape"}"#).unwrap_err();
        assert!(matches!(error, OriginalError::Version(7)), "{error}");
    }

    #[test]
    fn a_path_reads_as_people_write_it() {
        let path = |place, at| human_path(place, at, "orders");
        assert_eq!(path(Place::Container, "/image"), "containers[orders].image");
        assert_eq!(
            path(Place::Template, "/metadata/labels/towline.dev~1session"),
            "template.metadata.labels[towline.dev/session]"
        );
        assert_eq!(
            path(Place::Workload, "/metadata/annotations/a.b~1c"),
            "metadata.annotations[a.b/c]"
        );
    }
}

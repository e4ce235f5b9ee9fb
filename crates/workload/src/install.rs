//! The patch that puts the agent in a container's place.

use json_patch::Patch;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::agent_container::{AGENT, NONROOT};
use crate::edit::{Edit, EditError, token};
use crate::names::{ORIGINAL_ANNOTATION, SESSION_ANNOTATION, SESSION_LABEL};
use crate::original::{
    Change, Field, Original, Place, container_pointer, human_path, label_pointer, template_pointer,
};
use crate::{AgentContainer, SessionRecord, is_installed};

/// The most that all annotations of an object may take, keys and values together, in bytes (apimachinery's
/// `TotalAnnotationSizeLimitB`).
const ANNOTATIONS_LIMIT: usize = 256 * 1024;

/// What [`install`] would do.
#[derive(Clone, Debug)]
pub struct Installation {
    /// The change. It begins with a test of `uid` and `resourceVersion`, so it fails when the workload has changed since it was read:
    /// read it again then, and begin anew.
    pub patch: Patch,
    /// The workload with the change made.
    pub desired: Value,
    /// The way back, as it stands in the annotation.
    pub original: Original,
    /// The change as people read it.
    pub changes: Vec<FieldChange>,
}

/// One field that changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldChange {
    /// Where: `containers[orders].image`.
    pub path: String,
    /// What is there; `None` where nothing is.
    pub before: Option<Value>,
    /// What will be there; `None` where the field goes away.
    pub after: Option<Value>,
}

/// Why the agent cannot be put in the container's place. Nothing has been changed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// A session is there already.
    #[error(
        "{} is already redirected by {} on {} since {}; stop that session, restore the workload, or take it over",
        .0.container, .0.user, .0.host, .0.started
    )]
    AlreadyInstalled(Box<SessionRecord>),
    /// The container's name is not one of the pod's.
    #[error("there is no container '{name}'; choose one of: {}", .available.join(", "))]
    NoContainer {
        /// The name that was asked for.
        name: String,
        /// The names that there are.
        available: Vec<String>,
    },
    /// A pod that a controller made: the controller would make another in its place.
    #[error("the pod belongs to {0}; redirect that instead")]
    Owned(String),
    /// A pod that a node's kubelet made from a file.
    #[error(
        "the pod is a static pod of node {0}, which the API cannot change; choose another workload"
    )]
    Static(String),
    /// The way back does not fit beside the annotations that are there.
    #[error(
        "the original of the workload does not fit in its annotations: they would take {0} bytes, Kubernetes allows {ANNOTATIONS_LIMIT}; remove large annotations first"
    )]
    TooLarge(usize),
    /// The object has not the shape of its kind.
    #[error(transparent)]
    Malformed(#[from] EditError),
}

/// Computes the patch that puts `agent` in the place of `container`, with the way back in the same write.
///
/// The container's image, command, arguments and pull policy become the agent's; its probes and lifecycle hooks go, because they ask for
/// the program that is not there any more. Everything else of the pod stays. Not for a bare pod: see [`crate::bare_pod`].
///
/// # Errors
/// As [`InstallError`] says.
pub fn install(
    workload: &Value,
    container: &str,
    agent: &AgentContainer,
    record: &SessionRecord,
) -> Result<Installation, InstallError> {
    if let Some(record) = is_installed(workload) {
        return Err(InstallError::AlreadyInstalled(Box::new(record)));
    }
    let mut installer = Installer::new(workload.clone(), container)?;
    installer.edit.test("/metadata/uid");
    installer.edit.test("/metadata/resourceVersion");
    installer.replace_container(agent)?;
    installer.label(&record.id)?;
    installer.ensure(Place::Workload, "/metadata/annotations", json!({}))?;
    installer.finish(record, None)
}

/// The second patch that is needed where an admission webhook changed what the first one wrote (a registry rewritten in the image, say):
/// it notes in the way back what really stands in the workload now, so that it is known as Towline's and restored. `None`: not needed.
pub fn adopt_admitted(returned: &Value) -> Option<Patch> {
    let mut original = Original::of(returned)?.ok()?;
    let container = original.container_pointer(returned);
    let template = template_pointer(returned);
    let mut changed = false;
    for field in &mut original.fields {
        let Some(pointer) = field.pointer(template, container.as_deref()) else { continue };
        let Change::Set { is, .. } = &mut field.change else { continue };
        let stands = returned.pointer(&pointer).cloned();
        changed |= *is != stands;
        *is = stands;
    }
    if !changed {
        return None;
    }
    let mut edit = Edit::new(returned.clone());
    edit.test("/metadata/uid");
    edit.test("/metadata/resourceVersion");
    edit.put(&annotation_pointer(ORIGINAL_ANNOTATION), json!(original.to_annotation())).ok()?;
    Some(edit.finish().0)
}

pub(crate) struct Installer {
    pub(crate) edit: Edit,
    name: String,
    template: &'static str,
    container: String,
    fields: Vec<Field>,
    changes: Vec<FieldChange>,
}

impl Installer {
    pub(crate) fn new(workload: Value, name: &str) -> Result<Self, InstallError> {
        let template = template_pointer(&workload);
        let Some(container) = container_pointer(&workload, template, name) else {
            let containers = workload.pointer(&format!("{template}/spec/containers"));
            let available = containers.and_then(Value::as_array).into_iter().flatten();
            return Err(InstallError::NoContainer {
                name: name.to_owned(),
                available: available
                    .filter_map(|container| container["name"].as_str().map(str::to_owned))
                    .collect(),
            });
        };
        Ok(Self {
            edit: Edit::new(workload),
            name: name.to_owned(),
            template,
            container,
            fields: Vec::new(),
            changes: Vec::new(),
        })
    }

    pub(crate) fn replace_container(&mut self, agent: &AgentContainer) -> Result<(), EditError> {
        let here = Place::Container;
        self.set(here, "/image", Some(json!(agent.image)))?;
        self.set(here, "/imagePullPolicy", Some(json!(agent.image_pull_policy.as_str())))?;
        self.set(here, "/command", Some(json!([AGENT])))?;
        self.set(here, "/args", Some(json!(agent.args)))?;
        for hook in ["/livenessProbe", "/readinessProbe", "/startupProbe", "/lifecycle"] {
            self.set(here, hook, None)?;
        }
        if self.needs_a_user() {
            self.ensure(here, "/securityContext", json!({}))?;
            self.set(here, "/securityContext/runAsUser", Some(json!(NONROOT)))?;
        }
        let Some(secret) = &agent.pull_secret else { return Ok(()) };
        self.append(Place::Template, "/spec/imagePullSecrets", json!({ "name": secret }))
    }

    pub(crate) fn label(&mut self, session: &str) -> Result<(), EditError> {
        self.ensure(Place::Template, "/metadata", json!({}))?;
        self.ensure(Place::Template, "/metadata/labels", json!({}))?;
        self.set(Place::Template, &label_pointer(SESSION_LABEL), Some(json!(session)))
    }

    /// Writes the annotations; the workload's annotations must be a map by now.
    pub(crate) fn finish(
        mut self,
        record: &SessionRecord,
        pod: Option<&Value>,
    ) -> Result<Installation, InstallError> {
        let mut original = Original::new(&self.name, std::mem::take(&mut self.fields));
        original.pod = pod.cloned();
        let record = record.to_annotation();
        self.changes.push(FieldChange {
            path: human_path(Place::Workload, &annotation_pointer(SESSION_ANNOTATION), ""),
            before: None,
            after: Some(json!(record)),
        });
        self.changes.push(FieldChange {
            path: human_path(Place::Workload, &annotation_pointer(ORIGINAL_ANNOTATION), ""),
            before: None,
            after: Some(json!("(the way back)")),
        });
        self.edit.put(&annotation_pointer(SESSION_ANNOTATION), json!(record))?;
        self.edit.put(&annotation_pointer(ORIGINAL_ANNOTATION), json!(original.to_annotation()))?;
        let (patch, desired) = self.edit.finish();
        let size = annotations_size(&desired);
        if size > ANNOTATIONS_LIMIT {
            return Err(InstallError::TooLarge(size));
        }
        Ok(Installation { patch, desired, original, changes: self.changes })
    }

    // The kubelet refuses to start a container with runAsNonRoot whose user is known to the image alone, and not by number.
    fn needs_a_user(&self) -> bool {
        let effective = |key: &str| {
            let own = self.edit.get(&format!("{}/securityContext/{key}", self.container));
            let pod = self.edit.get(&format!("{}/spec/securityContext/{key}", self.template));
            own.filter(|value| !value.is_null()).or(pod.filter(|value| !value.is_null()))
        };
        effective("runAsNonRoot") == Some(&Value::Bool(true)) && effective("runAsUser").is_none()
    }

    fn pointer(&self, place: Place, at: &str) -> String {
        match place {
            Place::Container => format!("{}{at}", self.container),
            Place::Template => format!("{}{at}", self.template),
            Place::Workload => at.to_owned(),
        }
    }

    fn set(&mut self, place: Place, at: &str, value: Option<Value>) -> Result<(), EditError> {
        let pointer = self.pointer(place, at);
        let was = self.edit.get(&pointer).cloned();
        if was == value {
            return Ok(());
        }
        self.edit.set(&pointer, value.clone())?;
        self.changes.push(FieldChange {
            path: human_path(place, at, &self.name),
            before: was.clone(),
            after: value.clone(),
        });
        self.fields.push(Field {
            place,
            at: at.to_owned(),
            change: Change::Set { was, is: value },
        });
        Ok(())
    }

    /// Makes `empty` where nothing (or null) is.
    pub(crate) fn ensure(&mut self, place: Place, at: &str, empty: Value) -> Result<(), EditError> {
        let pointer = self.pointer(place, at);
        let was = self.edit.get(&pointer).cloned();
        if was.as_ref().is_some_and(|value| !value.is_null()) {
            return Ok(());
        }
        self.edit.put(&pointer, empty)?;
        self.fields.push(Field { place, at: at.to_owned(), change: Change::Made { was } });
        Ok(())
    }

    fn append(&mut self, place: Place, at: &str, item: Value) -> Result<(), EditError> {
        let pointer = self.pointer(place, at);
        let before = self.edit.get(&pointer).cloned();
        let list = before.as_ref().and_then(Value::as_array);
        if list.is_some_and(|list| list.contains(&item)) {
            return Ok(());
        }
        self.ensure(place, at, json!([]))?;
        self.edit.put(&format!("{pointer}/-"), item.clone())?;
        self.changes.push(FieldChange {
            path: human_path(place, at, &self.name),
            after: self.edit.get(&pointer).cloned(),
            before,
        });
        self.fields.push(Field { place, at: at.to_owned(), change: Change::Appended { item } });
        Ok(())
    }
}

pub(crate) fn annotation_pointer(name: &str) -> String {
    format!("/metadata/annotations/{}", token(name))
}

fn annotations_size(object: &Value) -> usize {
    let annotations = object.pointer("/metadata/annotations").and_then(Value::as_object);
    let entry = |(key, value): (&String, &Value)| key.len() + value.as_str().map_or(0, str::len);
    annotations.into_iter().flatten().map(entry).sum()
}

//! A JSON document that is changed step by step, while the steps are kept as a JSON Patch.

use json_patch::{
    AddOperation, Patch, PatchOperation, RemoveOperation, ReplaceOperation, TestOperation,
};
use jsonptr::PointerBuf;
use serde_json::Value;

/// The document does not have the shape that its kind has.
#[derive(Debug, thiserror::Error)]
#[error("the object cannot be changed at {at}, it does not have the expected shape: {source}")]
pub struct EditError {
    at: String,
    #[source]
    source: Box<json_patch::PatchError>,
}

pub(crate) struct Edit {
    document: Value,
    operations: Vec<PatchOperation>,
}

impl Edit {
    pub(crate) fn new(document: Value) -> Self {
        Self { document, operations: Vec::new() }
    }

    pub(crate) fn get(&self, at: &str) -> Option<&Value> {
        self.document.pointer(at)
    }

    /// Makes the patch fail unless the document has, at `at`, what it has now; nothing there: no condition.
    pub(crate) fn test(&mut self, at: &str) {
        let Some(value) = self.get(at).cloned() else { return };
        self.operations.push(PatchOperation::Test(TestOperation { path: pointer(at), value }));
    }

    pub(crate) fn put(&mut self, at: &str, value: Value) -> Result<(), EditError> {
        let path = pointer(at);
        self.apply(if self.get(at).is_some() {
            PatchOperation::Replace(ReplaceOperation { path, value })
        } else {
            PatchOperation::Add(AddOperation { path, value })
        })
    }

    /// Removes what is at `at`, if anything is.
    pub(crate) fn remove(&mut self, at: &str) -> Result<(), EditError> {
        if self.get(at).is_none() {
            return Ok(());
        }
        self.apply(PatchOperation::Remove(RemoveOperation { path: pointer(at) }))
    }

    /// Puts `value` or, where it is `None`, removes.
    pub(crate) fn set(&mut self, at: &str, value: Option<Value>) -> Result<(), EditError> {
        match value {
            Some(value) => self.put(at, value),
            None => self.remove(at),
        }
    }

    pub(crate) fn finish(self) -> (Patch, Value) {
        (Patch(self.operations), self.document)
    }

    fn apply(&mut self, operation: PatchOperation) -> Result<(), EditError> {
        json_patch::patch(&mut self.document, std::slice::from_ref(&operation)).map_err(
            |source| EditError { at: operation.path().to_string(), source: Box::new(source) },
        )?;
        self.operations.push(operation);
        Ok(())
    }
}

/// One token of a JSON pointer (RFC 6901, section 3).
pub(crate) fn token(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn pointer(at: &str) -> PointerBuf {
    PointerBuf::parse(at).expect("pointers are made here, from constants, indices and escaped keys")
}

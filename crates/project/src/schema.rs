//! The JSON schema of `towline.yaml`, for editors. `docs/towline.schema.json` is this; a test sees that it is current.

use serde_json::Value;

use crate::raw::File;

/// The schema.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(File);
    // Described as a whole by the type that it is made of; editors show the file's own sentence.
    schema.insert("$id".to_owned(), "towline.schema.json".into());
    schema.to_value()
}

use crate::arguments::{RestoreArguments, StatusArguments};
use crate::failure::Failure;
pub(crate) async fn status(_arguments: &StatusArguments) -> Result<(), Failure> { Ok(()) }
pub(crate) async fn restore(_arguments: &RestoreArguments) -> Result<(), Failure> { Ok(()) }

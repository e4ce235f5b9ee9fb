//! User and password for a registry, as `docker login` has left them.

use std::env;
use std::path::PathBuf;

use docker_credential::{CredentialRetrievalError, DockerCredential};
use oci_client::secrets::RegistryAuth;
use towline_core::report::Code;

use crate::failure::Failure;

/// Docker's own registry has another name in Docker's configuration than in references.
const DOCKER_HUB: (&str, &str) = ("index.docker.io", "https://index.docker.io/v1/");

/// What the credential helpers of Docker say on standard output when they have nothing for a registry (docker-credential-helpers, `credentials/error.go`).
const NOT_FOUND: &str = "credentials not found in native keychain";

/// What to log in to `registry` with. Nobody has logged in: anonymously.
pub(super) fn for_registry(registry: &str) -> Result<RegistryAuth, Failure> {
    let Some(config) = config_file().filter(|file| file.exists()) else {
        return Ok(RegistryAuth::Anonymous);
    };
    let key =
        if registry == DOCKER_HUB.0 || registry == "docker.io" { DOCKER_HUB.1 } else { registry };
    let failed = |why: &str| {
        Failure::new(
            Code::Input,
            format!("no credentials for {registry} from {}: {why}", config.display()),
        )
        .with_hint(format!("log in again: `docker login {registry}`"))
    };
    match docker_credential::get_credential(key) {
        Ok(DockerCredential::UsernamePassword(user, password)) => {
            Ok(RegistryAuth::Basic(user, password))
        }
        Ok(DockerCredential::IdentityToken(_)) => Err(failed(
            "it holds an identity token, which Towline cannot use; a user with password or access token is needed",
        )),
        Err(
            CredentialRetrievalError::NoCredentialConfigured
            | CredentialRetrievalError::ConfigNotFound,
        ) => Ok(RegistryAuth::Anonymous),
        Err(CredentialRetrievalError::HelperFailure { stdout, .. })
            if stdout.trim() == NOT_FOUND =>
        {
            Ok(RegistryAuth::Anonymous)
        }
        // Standard output is left out: a helper that fails halfway may have written a password there.
        Err(CredentialRetrievalError::HelperFailure { helper, stderr, .. }) => {
            Err(failed(&format!("the credential helper docker-credential-{helper} failed"))
                .with_detail(stderr))
        }
        Err(CredentialRetrievalError::HelperCommunicationError) => Err(failed(
            "its credential helper cannot be started, or does not listen; is docker-credential-… on PATH?",
        )),
        Err(error) => Err(failed(&error.to_string())),
    }
}

fn config_file() -> Option<PathBuf> {
    let home = || Some(PathBuf::from(env::var_os("HOME")?).join(".docker"));
    env::var_os("DOCKER_CONFIG")
        .map(PathBuf::from)
        .or_else(home)
        .map(|directory| directory.join("config.json"))
}

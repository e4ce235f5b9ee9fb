//! `towline agent push`: the agent's image into a registry, by the OCI distribution protocol.

use std::error::Error;
use std::fs;
use std::time::Duration;

use oci_client::client::{Certificate, CertificateEncoding, ClientConfig, ClientProtocol};
use oci_client::errors::{OciDistributionError, OciErrorCode};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference, RegistryOperation};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use towline_core::report::{Code, causes};
use towline_image::{Blob, Image, index};

use super::{Done, credentials, images};
use crate::arguments::{Format, PushArguments};
use crate::failure::Failure;
use crate::output;
use crate::progress::Progress;

const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// Between two bytes of an answer. Registries may take a while to store a layer.
const READ_LIMIT: Duration = Duration::from_secs(60);

pub(super) async fn run(arguments: &PushArguments) -> Result<(), Failure> {
    let reference = reference(&arguments.reference)?;
    let images = images(&arguments.source, &reference.whole())?;
    let auth = credentials::for_registry(reference.resolve_registry())?;
    let upload = Upload {
        client: client(arguments)?,
        reference,
        anonymous: auth == RegistryAuth::Anonymous,
    };
    let mut progress = Progress::new(arguments.output.output);
    progress.step(&format!("logging in to {}", upload.reference.resolve_registry()));
    upload
        .client
        .auth(&upload.reference, &auth, RegistryOperation::Push)
        .await
        .map_err(|error| upload.explain(&error, arguments))?;
    let digest = upload.images(&images, &mut progress).await.map_err(|error| {
        progress.failed();
        upload.explain(&error, arguments)
    })?;
    progress.done();
    let reference = upload.reference.whole();
    match arguments.output.output {
        Format::Text => output::print(format!("{reference}@{digest}\n").as_bytes()),
        Format::Json => output::json(&Done {
            reference,
            digest,
            architectures: images.iter().map(|image| image.architecture().as_str()).collect(),
        }),
    }
    Ok(())
}

fn reference(text: &str) -> Result<Reference, Failure> {
    let invalid = |why: &str| {
        Failure::new(Code::Input, format!("'{text}' is no reference to push to: {why}")).with_hint(
            "give it as REGISTRY/NAME:TAG, such as registry.example.com/tools/towline-agent:1",
        )
    };
    let reference: Reference =
        text.parse().map_err(|error: oci_client::ParseError| invalid(&error.to_string()))?;
    if reference.digest().is_some() {
        return Err(invalid("it names a digest, which only the pushed image decides"));
    }
    // What the parser adds where a reference names no tag is a tag that moves.
    let has_tag = text.rsplit('/').next().is_some_and(|last| last.contains(':'));
    let tag = if has_tag { reference.tag().unwrap_or_default() } else { env!("CARGO_PKG_VERSION") };
    Ok(Reference::with_tag(
        reference.registry().to_owned(),
        reference.repository().to_owned(),
        tag.to_owned(),
    ))
}

fn client(arguments: &PushArguments) -> Result<Client, Failure> {
    // The HTTP client is built without a choice of its own. Refused only if somebody has chosen already, and nobody else does.
    drop(rustls::crypto::ring::default_provider().install_default());
    let config = ClientConfig {
        protocol: if arguments.plain_http { ClientProtocol::Http } else { ClientProtocol::Https },
        accept_invalid_certificates: arguments.insecure,
        // An agent is a few megabytes: one request, which every registry knows.
        use_monolithic_push: true,
        extra_root_certificates: authorities(arguments)?,
        connect_timeout: Some(CONNECT_LIMIT),
        read_timeout: Some(READ_LIMIT),
        user_agent: concat!("towline/", env!("CARGO_PKG_VERSION")),
        ..ClientConfig::default()
    };
    Client::try_from(config)
        .map_err(|error| Failure::new(Code::Internal, format!("cannot set up HTTP: {error}")))
}

fn authorities(arguments: &PushArguments) -> Result<Vec<Certificate>, Failure> {
    let Some(file) = &arguments.ca else { return Ok(Vec::new()) };
    let broken = |why: String| Failure::new(Code::Input, format!("--ca {}: {why}", file.display()));
    let pem = fs::read(file).map_err(|error| broken(error.to_string()))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let found = found.map_err(|error| broken(format!("no PEM certificates: {error}")))?;
    if found.is_empty() {
        return Err(broken("it holds no certificate (-----BEGIN CERTIFICATE-----)".to_owned()));
    }
    let certificate = |der: &CertificateDer<'_>| Certificate {
        encoding: CertificateEncoding::Der,
        data: der.to_vec(),
    };
    Ok(found.iter().map(certificate).collect())
}

struct Upload {
    client: Client,
    reference: Reference,
    anonymous: bool,
}

impl Upload {
    /// Uploads `images`, the manifest last, so that nobody pulls half an image. Returns the digest that the tag then stands for.
    async fn images(
        &self,
        images: &[Image],
        progress: &mut Progress,
    ) -> Result<String, OciDistributionError> {
        for image in images {
            progress.step(&format!("uploading the image for {}", image.architecture()));
            for layer in image.layers() {
                self.blob(layer.blob()).await?;
            }
            self.blob(image.config()).await?;
        }
        progress.step(&format!("tagging {}", self.reference.whole()));
        if let [image] = images {
            return self.manifest(&self.reference, image.manifest()).await;
        }
        for image in images {
            let digest = image.manifest().digest().to_string();
            self.manifest(&self.reference.clone_with_digest(digest), image.manifest()).await?;
        }
        self.manifest(&self.reference, &index(images)).await
    }

    async fn blob(&self, blob: &Blob) -> Result<(), OciDistributionError> {
        let digest = blob.digest().to_string();
        if self.client.blob_exists(&self.reference, &digest).await? {
            return Ok(());
        }
        self.client.push_blob(&self.reference, blob.bytes().to_vec(), &digest).await.map(drop)
    }

    async fn manifest(
        &self,
        reference: &Reference,
        manifest: &Blob,
    ) -> Result<String, OciDistributionError> {
        let media_type = header(manifest.media_type());
        self.client.push_manifest_raw(reference, manifest.bytes().to_vec(), media_type).await?;
        Ok(manifest.digest().to_string())
    }

    fn explain(&self, error: &OciDistributionError, arguments: &PushArguments) -> Failure {
        let registry = self.reference.resolve_registry();
        let chain = causes(error).unwrap_or_default();
        let last = chain.lines().last().map_or_else(|| error.to_string(), str::to_owned);
        let failed = |code, why: &str| {
            Failure::new(code, format!("cannot push to {}: {why}", self.reference.whole()))
        };
        let failure = if is_denied(error) {
            let failure = if self.anonymous {
                failed(
                    Code::Unauthorized,
                    "the registry wants a user and a password, and none is known here",
                )
            } else {
                failed(
                    Code::Unauthorized,
                    "the registry does not accept the user and password, or they may not push there",
                )
            };
            failure.with_hint(format!("log in with `docker login {registry}`"))
        } else if let OciDistributionError::RequestError(request) = error
            && request.status().is_none()
        {
            failed(Code::Unreachable, &last).with_hint(hint(request, arguments))
        } else {
            failed(Code::Api, &error.to_string())
        };
        if chain.is_empty() { failure } else { failure.with_detail(chain) }
    }
}

fn hint(error: &(dyn Error + 'static), arguments: &PushArguments) -> &'static str {
    match tls_error(error) {
        Some(rustls::Error::InvalidCertificate(_)) => {
            "if you trust that registry, name its authority with --ca FILE"
        }
        Some(rustls::Error::InvalidMessage(_)) => {
            "that is not TLS; if the registry speaks plain HTTP, say --plain-http"
        }
        _ if arguments.plain_http => "see that it runs, and that it speaks HTTP without TLS",
        _ => "see that the registry's name and port are right, and that it runs",
    }
}

fn header(media_type: &'static str) -> http::HeaderValue {
    http::HeaderValue::from_static(media_type)
}

/// The TLS error among an error's causes. `io::Error` shows the source of what it is made of, not that itself: it is looked into.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let direct = error.downcast_ref::<rustls::Error>();
    let inside =
        || error.downcast_ref::<std::io::Error>()?.get_ref().and_then(|inner| tls_error(inner));
    direct.or_else(inside).or_else(|| tls_error(error.source()?))
}

fn is_denied(error: &OciDistributionError) -> bool {
    match error {
        OciDistributionError::AuthenticationFailure(_)
        | OciDistributionError::UnauthorizedError { .. } => true,
        OciDistributionError::ServerError { code, .. } => matches!(code, 401 | 403),
        OciDistributionError::RequestError(error) => {
            error.status().is_some_and(|status| matches!(status.as_u16(), 401 | 403))
        }
        OciDistributionError::RegistryError { envelope, .. } => envelope
            .errors
            .iter()
            .any(|error| matches!(error.code, OciErrorCode::Unauthorized | OciErrorCode::Denied)),
        _ => false,
    }
}

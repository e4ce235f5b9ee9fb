//! A namespace of its own for each test, deleted with everything in it at the end.

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::Namespace as KubeNamespace;
use kube::api::{Api, DynamicObject, ObjectMeta, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::discovery::ApiResource;
use kube::runtime::wait::await_condition;
use kube::{Client, Config};
use serde_json::Value;

use crate::{LIMIT, setting};

/// A client with the administrator's rights.
///
/// # Errors
/// When the kubeconfig is missing or wrong.
pub async fn admin() -> Result<Client> {
    of(&setting("TOWLINE_TEST_KUBECONFIG")?).await
}

async fn of(path: &str) -> Result<Client> {
    let kubeconfig = Kubeconfig::read_from(path).with_context(|| format!("reading {path}"))?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    Ok(Client::try_from(config)?)
}

/// A namespace that a test has for itself.
pub struct Namespace {
    /// Its name.
    pub name: String,
    /// A client with the administrator's rights.
    pub client: Client,
    /// Where the `towline` of this test keeps what it keeps, so that it finds nothing of the user's or of another test's.
    pub home: tempfile::TempDir,
    kubeconfig: String,
}

impl Namespace {
    /// Makes one; the name begins with `prefix`.
    ///
    /// # Errors
    /// When the cluster says no.
    pub async fn create(prefix: &str) -> Result<Self> {
        let name = format!("{prefix}-{:08x}", rand::random::<u32>());
        Self::create_in(&setting("TOWLINE_TEST_KUBECONFIG")?, name).await
    }

    /// Makes one of this name in the cluster of this kubeconfig.
    ///
    /// # Errors
    /// When the cluster says no.
    pub async fn create_in(kubeconfig: &str, name: String) -> Result<Self> {
        let client = of(kubeconfig).await?;
        let namespace = KubeNamespace {
            metadata: ObjectMeta { name: Some(name.clone()), ..ObjectMeta::default() },
            ..KubeNamespace::default()
        };
        Api::<KubeNamespace>::all(client.clone())
            .create(&PostParams::default(), &namespace)
            .await?;
        // Pods are refused until the controller has made the default service account.
        let accounts =
            Api::<k8s_openapi::api::core::v1::ServiceAccount>::namespaced(client.clone(), &name);
        let exists = |account: Option<&k8s_openapi::api::core::v1::ServiceAccount>| {
            account.is_some_and(|account| {
                account.secrets.as_ref().is_some_and(|secrets| !secrets.is_empty())
            })
        };
        tokio::time::timeout(LIMIT, await_condition(accounts, "default", exists))
            .await
            .context("the default service account did not come")??;
        let home = tempfile::tempdir()?;
        // Tests run beside each other on one machine, whose hosts file is nobody's to change; those of names have one of their own.
        let settings = home.path().join("towline");
        std::fs::create_dir(&settings)?;
        std::fs::write(settings.join("settings.yaml"), "names: variables\n")?;
        Ok(Self { name, client, home, kubeconfig: kubeconfig.to_owned() })
    }

    /// An [`Api`] for a kind known only by its resource.
    pub fn dynamic(&self, resource: &ApiResource) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.name, resource)
    }

    /// A typed [`Api`] in this namespace.
    pub fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client.clone(), &self.name)
    }

    /// Creates or updates every document of `manifests` (JSON values) by server-side apply.
    ///
    /// # Errors
    /// When the cluster says no.
    pub async fn apply(&self, manifests: impl IntoIterator<Item = Value>) -> Result<()> {
        for mut manifest in manifests {
            spell_out_protocols(&mut manifest);
            let object: DynamicObject = serde_json::from_value(manifest)?;
            let types = object.types.clone().context("a manifest without apiVersion and kind")?;
            let name = object.metadata.name.clone().context("a manifest without a name")?;
            let gvk = kube::core::GroupVersionKind::try_from(&types)?;
            let api = self.dynamic(&ApiResource::from_gvk(&gvk));
            api.patch(&name, &PatchParams::apply("tests").force(), &Patch::Apply(&object))
                .await
                .with_context(|| format!("applying {} {name}", types.kind))?;
        }
        Ok(())
    }

    /// The kubeconfig's path, for programs.
    ///
    /// # Errors
    /// When the harness is not set up.
    pub fn kubeconfig(&self) -> Result<String> {
        Ok(self.kubeconfig.clone())
    }
}

/// Adds `protocol: TCP` to the ports that say none: before Kubernetes 1.22 server-side apply does not know that default, and it is part of the list's key.
fn spell_out_protocols(manifest: &mut Value) {
    match manifest {
        Value::Array(items) => items.iter_mut().for_each(spell_out_protocols),
        Value::Object(fields) => {
            for (name, field) in fields {
                if name == "ports" {
                    for port in
                        field.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut)
                    {
                        port.entry("protocol").or_insert_with(|| "TCP".into());
                    }
                }
                spell_out_protocols(field);
            }
        }
        _ => {}
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // Left where a test failed and somebody wants to look.
        if std::thread::panicking() && std::env::var_os("TOWLINE_TEST_KEEP").is_some() {
            return;
        }
        let Ok(kubeconfig) = self.kubeconfig() else { return };
        let _ = std::process::Command::new("kubectl")
            .args(["--kubeconfig", &kubeconfig, "delete", "namespace", &self.name, "--wait=false"])
            .output();
    }
}

//! Two clusters at once, the second with a domain of its own. `cargo xtask test cluster` brings that one up for these.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::process::Command;
use towline_cluster_tests::eventually;
use towline_cluster_tests::here::{free_port, source};
use towline_cluster_tests::hosts::{BEFORE, OwnHosts};
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::setting;
use towline_cluster_tests::towline::{Connected, run};

/// One machine and its user, and the same application in a namespace of the same name in both clusters. Its answers say which pod gave them.
struct Two {
    machine: OwnHosts,
    first: Namespace,
    second: Namespace,
}

impl Two {
    async fn begin() -> Result<Self> {
        let name = format!("two-{:08x}", rand::random::<u32>());
        let kubeconfigs =
            [setting("TOWLINE_TEST_KUBECONFIG")?, setting("TOWLINE_TEST_SECOND_KUBECONFIG")?];
        let deploy = async |kubeconfig: &str| {
            let namespace = Namespace::create_in(kubeconfig, name.clone()).await?;
            tokio::try_join!(namespace.http_app("web", 1), namespace.http_app("catalogue", 1))?;
            anyhow::Ok(namespace)
        };
        let (first, second) = tokio::try_join!(deploy(&kubeconfigs[0]), deploy(&kubeconfigs[1]))?;
        Ok(Self { machine: OwnHosts::new().await?, first, second })
    }

    /// `towline` for one of the clusters. Its sessions know of the other's: the user has one journal.
    fn towline(&self, namespace: &Namespace, arguments: &[&str]) -> Result<Command> {
        let mut command = self.machine.towline(namespace, arguments)?;
        for directory in ["XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME"] {
            command.env(directory, self.first.home.path());
        }
        Ok(command)
    }

    async fn connect(
        &self,
        namespace: &Namespace,
        arguments: &[&str],
        program: &[&str],
    ) -> Result<Connected> {
        let mapping = format!("http:{}", free_port().await?);
        let mut all = vec!["deployment/web", "--port", &mapping];
        all.extend(arguments);
        let all = namespace.connect_arguments(&all, program);
        let mut session = Connected::start(self.towline(namespace, &all)?)?;
        session.event("connected").await?;
        Ok(session)
    }

    /// The plan's checks, as outcome, message and fix; and whether it can be connected.
    async fn plan(
        &self,
        namespace: &Namespace,
        arguments: &[&str],
    ) -> Result<(Vec<[String; 3]>, bool)> {
        let mut all = vec!["plan", "deployment/web", "-n", &namespace.name, "-o", "json"];
        all.extend(arguments);
        let finished = run(self.towline(namespace, &all)?).await?;
        let plan: Value = serde_json::from_str(&finished.stdout)
            .with_context(|| format!("no plan: {finished:?}"))?;
        let part = |check: &Value, name: &str| check[name].as_str().unwrap_or_default().to_owned();
        let checks = plan["checks"].as_array().context("checks")?.iter();
        let checks =
            checks.map(|check| ["outcome", "message", "fix"].map(|name| part(check, name)));
        Ok((checks.collect(), finished.status.success()))
    }

    async fn end(self) -> Result<()> {
        ensure!(self.machine.content()? == BEFORE, "{}", self.machine.content()?);
        self.first.nothing_left().await?;
        self.second.nothing_left().await
    }
}

/// What the service `catalogue` answers in a cluster.
async fn answer(namespace: &Namespace) -> Result<String> {
    let pods = namespace.pods("catalogue").await?;
    let name = pods.first().and_then(|pod| pod.metadata.name.clone()).context("a pod")?;
    Ok(format!("cluster {name}"))
}

#[tokio::test]
#[ignore = "needs a second cluster"]
async fn a_cluster_has_its_own_domain() -> Result<()> {
    let domain = setting("TOWLINE_TEST_SECOND_DOMAIN")?;
    let two = Two::begin().await?;
    let (machine, home) = (&two.machine, &two.second.name);
    let mut session = two.connect(&two.second, &["--hosts"], &[]).await?;
    let expected = answer(&two.second).await?;
    let full = format!("catalogue.{home}.svc.{domain}");
    for name in ["catalogue", &format!("catalogue.{home}.svc"), &full] {
        let got = machine.get(&format!("http://{name}/")).await?;
        ensure!(got == expected, "{name}: {got}");
    }
    let usual = format!("catalogue.{home}.svc.cluster.local");
    ensure!(machine.look_up(&usual).await?.is_empty(), "no pod of this cluster knows {usual}");
    session.stop().await?;
    two.end().await
}

#[tokio::test]
#[ignore = "needs a second cluster"]
async fn a_name_belongs_to_the_session_that_has_it_first() -> Result<()> {
    let domain = setting("TOWLINE_TEST_SECOND_DOMAIN")?;
    let two = Two::begin().await?;
    let (machine, home) = (&two.machine, &two.first.name);
    let mut one = two.connect(&two.first, &["--hosts"], &[]).await?;
    let (of_first, of_second) = (answer(&two.first).await?, answer(&two.second).await?);

    // Unasked, the second session is not begun.
    let (checks, possible) = two.plan(&two.second, &["--hosts"]).await?;
    let blocked: Vec<_> = checks.iter().filter(|[outcome, ..]| outcome == "blocked").collect();
    let [[_, message, fix]] = blocked.as_slice() else { bail!("{checks:#?}") };
    ensure!(!possible && message.contains("catalogue"), "{message}");
    ensure!(message.contains("somewhere else, for your session on deployment/web"), "{message}");
    ensure!(fix.contains("--without-taken-names") && fix.contains("--mount --no-admin"), "{fix}");

    // Told to, it does without, and says so.
    let without = ["--hosts", "--without-taken-names"];
    let (checks, possible) = two.plan(&two.second, &without).await?;
    let warned = |part: &str| {
        checks.iter().any(|[outcome, message, _]| outcome == "warning" && message.contains(part))
    };
    ensure!(
        possible && warned("and stay so") && warned("another cluster's API server"),
        "{checks:#?}"
    );
    let mut other = two.connect(&two.second, &without, &[]).await?;
    let own = format!("http://catalogue.{home}.svc.{domain}/");
    for (url, expected) in [
        ("http://catalogue/".to_owned(), &of_first),
        (format!("http://catalogue.{home}.svc.cluster.local/"), &of_first),
        (own.clone(), &of_second),
    ] {
        let got = machine.get(&url).await?;
        ensure!(got == *expected, "{url}: {got}\n{}", machine.content()?);
    }
    the_variables_lead_to_its_own(machine, &mut other, &of_second).await?;

    // With the first session only its own names go.
    one.stop().await?;
    ensure!(machine.look_up("catalogue").await?.is_empty(), "a name has changed hands unasked");
    ensure!(machine.get(&own).await? == of_second);
    other.stop().await?;
    two.end().await
}

/// The session's environment: its own cluster's service, and its own cluster's API server with TLS verified.
async fn the_variables_lead_to_its_own(
    machine: &OwnHosts,
    session: &mut Connected,
    answer: &str,
) -> Result<()> {
    const PROGRAM: &str = r#"
import json, os, ssl, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
host, port = os.environ["CATALOGUE_SERVICE_HOST"], os.environ["CATALOGUE_SERVICE_PORT"]
print(opener.open(f"http://{host}:{port}/", timeout=20).read().decode())
host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
assert host != "kubernetes.default.svc", host
trusted = ssl.create_default_context(cafile=os.environ["TOWLINE_KUBERNETES_CA"])
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusted))
assert json.load(opener.open(f"https://{host}:{port}/version", timeout=20))["major"] == "1"
"#;
    let connected = session.find("connected", |_| true).await?;
    let file = connected["env_file"].as_str().context("an env file")?;
    let variables = source(Path::new(file)).await?;
    let mut python = machine.command("python3")?;
    let output = python.args(["-c", PROGRAM]).envs(&variables).output().await?;
    let said = String::from_utf8_lossy(&output.stderr);
    let told = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success() && told.trim() == answer, "{told}{said}");
    Ok(())
}

#[tokio::test]
#[ignore = "needs a second cluster"]
async fn commands_with_hosts_files_of_their_own_each_have_every_name() -> Result<()> {
    const ASK: &str = r#"
import signal, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
print(opener.open("http://catalogue/", timeout=20).read().decode(), flush=True)
signal.pause()
"#;
    let two = Two::begin().await?;
    let program = ["python3", "-u", "-c", ASK];
    let mut sessions = Vec::new();
    for namespace in [&two.first, &two.second] {
        let session = two.connect(namespace, &["--mount", "--no-admin"], &program).await?;
        sessions.push((session, answer(namespace).await?));
    }
    for (session, expected) in &sessions {
        eventually("the program's answer", || async {
            Ok(session.stderr().contains(expected).then_some(()))
        })
        .await
        .with_context(|| session.told())?;
    }
    ensure!(two.machine.content()? == BEFORE, "this machine's hosts file is nobody's to change");
    for (mut session, _) in sessions {
        session.stop().await?;
    }
    two.end().await
}

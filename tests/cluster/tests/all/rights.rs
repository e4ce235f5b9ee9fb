//! A user with no other rights than the role that `towline rbac` prints, and users with less.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::PostParams;
use serde_json::{Value, json};
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::towline::Connected;
use towline_cluster_tests::{app, here, local};

/// A developer who is known to the cluster by a token.
struct Developer {
    ns: Namespace,
    kubeconfig: PathBuf,
    /// What bears Towline's name in the namespace without a session: the role itself.
    role: BTreeSet<String>,
}

impl Developer {
    /// Makes one with the role that `towline rbac` prints, after an administrator has edited the text, and `change` has had each of its rules; it
    /// says whether the rule stays.
    async fn create(
        name: &str,
        edit: impl Fn(&str) -> String,
        change: impl Fn(&mut Value) -> bool,
    ) -> Result<Self> {
        let ns = Namespace::create(name).await?;
        ns.kubectl(&["create", "serviceaccount", "developer"]).await?;
        let user = format!("system:serviceaccount:{}:developer", ns.name);
        let printed = ns.run(&["rbac", "-n", &ns.name, "--user", &user]).await?;
        ensure!(printed.status.success(), "{printed:?}");
        let parse = ["create", "--dry-run=client", "-o", "json", "-f", "-"];
        let text = ns.kubectl_with(&parse, edit(&printed.stdout).as_bytes()).await?;
        let mut objects = Vec::new();
        for object in serde_json::Deserializer::from_str(&text).into_iter::<Value>() {
            match object? {
                Value::Object(mut list) if list.get("kind") == Some(&"List".into()) => {
                    objects.extend(
                        list["items"].as_array_mut().map(std::mem::take).unwrap_or_default(),
                    );
                }
                single => objects.push(single),
            }
        }
        for object in &mut objects {
            if let Some(rules) = object["rules"].as_array_mut() {
                rules.retain_mut(|rule| change(rule));
            }
        }
        ns.kubectl_apply(objects).await?;

        // Not by `kubectl create token`: Debian's kubectl is older than that.
        let request = serde_json::from_value(json!({"spec": {"expirationSeconds": 3600}}))?;
        let accounts = ns.api::<ServiceAccount>();
        let granted =
            accounts.create_token_request("developer", &PostParams::default(), &request).await?;
        let token = json!({"token": granted.status.context("a token")?.token});
        let kubeconfig =
            ns.kubeconfig_with("developer", |config| config["users"][0]["user"] = token).await?;
        let role = ns.left().await?.into_iter().collect();
        Ok(Self { ns, kubeconfig, role })
    }

    async fn plan(&self, target: &str) -> Result<Value> {
        let finished = self
            .ns
            .run_with(&self.kubeconfig, &["plan", target, "-n", &self.ns.name, "-o", "json"])
            .await?;
        ensure!(finished.status.success(), "{finished:?}");
        Ok(serde_json::from_str(&finished.stdout)?)
    }

    /// A session on `target` around the local program.
    async fn connect(&self, target: &str, more: &[&str]) -> Result<Connected> {
        let port = here::free_port().await?.to_string();
        let mapping = format!("8080:{port}");
        let arguments = [&[target, "--port", &mapping], more].concat();
        let program = ["/usr/bin/python3", "-c", local::PROGRAM, &port];
        let mut command = self.ns.towline(&self.ns.connect_arguments(&arguments, &program))?;
        command.env("KUBECONFIG", &self.kubeconfig);
        let mut session = Connected::start(command)?;
        session.event("connected").await?;
        Ok(session)
    }

    /// Nothing but the role bears Towline's name.
    async fn nothing_left(&self) -> Result<()> {
        towline_cluster_tests::eventually("nothing of Towline left but the role", || async {
            let left: BTreeSet<String> = self.ns.left().await?.into_iter().collect();
            ensure!(left == self.role, "left: {left:?}");
            Ok(Some(()))
        })
        .await
    }
}

fn as_printed(text: &str) -> String {
    text.to_owned()
}

fn concerns(rule: &Value, resources: &[&str]) -> bool {
    let listed = rule["resources"].as_array().into_iter().flatten();
    listed.filter_map(Value::as_str).any(|resource| resources.contains(&resource))
}

#[tokio::test]
async fn the_printed_role_is_enough() -> Result<()> {
    let developer = Developer::create("role", as_printed, |_| true).await?;
    let ns = &developer.ns;
    futures::try_join!(ns.http_app("web", 1), ns.http_app("backend", 1))?;
    let before = ns.workload("Deployment", "web").await?;

    let plan = developer.plan("web").await?;
    ensure!(plan["restorer"] == true, "{plan:#}");
    let complaints: Vec<&Value> = plan["checks"]
        .as_array()
        .context("checks")?
        .iter()
        .filter(|check| {
            check["outcome"] != "passed"
                && check["title"].to_string().to_lowercase().contains("right")
        })
        .collect();
    ensure!(complaints.is_empty(), "a right is missing: {complaints:?}");
    ns.run_with(&developer.kubeconfig, &["services", "-n", &ns.name]).await?;

    let mut session = developer.connect("web", &[]).await?;
    ns.answered_by_local("web").await.with_context(|| session.told())?;
    let service = format!("backend.{}", ns.name);
    let added = session.seen().iter().find(|event| event["service"] == *service);
    let backend =
        added.and_then(|event| event["local"].as_str()).context("no listener for the backend")?;
    let output = tokio::process::Command::new("curl")
        .args(["--silent", "--max-time", "10", backend])
        .output()
        .await?;
    let answer = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(answer.starts_with("cluster backend-"), "outbound: {answer}");
    session.stop().await?;
    ensure!(ns.workload("Deployment", "web").await? == before, "it is not what it was");
    developer.nothing_left().await?;

    let mut session = developer.connect("web", &["--lease", "5s"]).await?;
    session.signal("KILL")?;
    session.end().await?;
    developer.nothing_left().await?;
    ensure!(ns.workload("Deployment", "web").await? == before, "it is not what it was");
    ns.ready("web", 1).await
}

#[tokio::test]
async fn the_printed_role_is_enough_for_every_kind() -> Result<()> {
    // What lets a developer read secrets stands in comments; for bare pods the administrator takes the sign away.
    let uncomment = |text: &str| text.replace("  # - {", "  - {");
    let developer = Developer::create("kinds-role", uncomment, |_| true).await?;
    let ns = &developer.ns;
    let http = [app::container(app::HTTP, 8080)];
    let mut pod = app::template("pod", &http);
    pod["apiVersion"] = "v1".into();
    pod["kind"] = "Pod".into();
    pod["metadata"]["name"] = "pod".into();
    let workloads = [
        ("StatefulSet", "set", app::workload("StatefulSet", "set", Some(1), &http)),
        ("DaemonSet", "daemon", app::workload("DaemonSet", "daemon", None, &http)),
        ("ReplicaSet", "replica", app::workload("ReplicaSet", "replica", Some(1), &http)),
        ("Pod", "pod", pod),
    ];
    let developer = &developer;
    futures::future::try_join_all(workloads.map(|(kind, name, manifest)| async move {
        ns.apply([manifest, app::service(name, 80, "http")]).await?;
        ns.ready(name, 1).await?;
        let before = ns.workload(kind, name).await?;
        let mut session =
            developer.connect(&format!("{}/{name}", kind.to_lowercase()), &[]).await?;
        ns.answered_by_local(name).await.with_context(|| session.told())?;
        session.stop().await?;
        let now = ns.workload(kind, name).await?;
        ensure!(now == before, "{kind} is not what it was\nbefore: {before}\nnow: {now}");
        ns.ready(name, 1).await
    }))
    .await?;
    developer.nothing_left().await
}

#[tokio::test]
async fn without_the_restorers_rights_it_warns_and_goes_on() -> Result<()> {
    let without =
        |rule: &mut Value| !concerns(rule, &["jobs", "roles", "rolebindings", "serviceaccounts"]);
    let developer = Developer::create("no-restorer", as_printed, without).await?;
    let ns = &developer.ns;
    ns.http_app("web", 1).await?;
    let before = ns.workload("Deployment", "web").await?;

    let plan = developer.plan("web").await?;
    ensure!(plan["restorer"] == false, "{plan:#}");
    let warned = plan["checks"]
        .as_array()
        .context("checks")?
        .iter()
        .any(|check| check["outcome"] == "warning" && check.to_string().contains("jobs"));
    ensure!(warned, "what is lost is not told: {:#}", plan["checks"]);
    let finished = ns.run_with(&developer.kubeconfig, &["plan", "web", "-n", &ns.name]).await?;
    ensure!(
        finished.status.success() && finished.stdout.contains("jobs"),
        "for people: {finished:?}"
    );

    let mut session = developer.connect("web", &[]).await?;
    ns.answered_by_local("web").await.with_context(|| session.told())?;
    let jobs = ns.kubectl(&["get", "jobs", "-o", "name"]).await?;
    ensure!(jobs.is_empty(), "a restorer without the rights for it: {jobs}");
    session.stop().await?;
    ensure!(ns.workload("Deployment", "web").await? == before, "it is not what it was");
    developer.nothing_left().await
}

#[tokio::test]
async fn a_missing_right_is_found_before_anything_is_changed() -> Result<()> {
    let without = |rule: &mut Value| {
        if concerns(rule, &["deployments"])
            && let Some(verbs) = rule["verbs"].as_array_mut()
        {
            verbs.retain(|verb| verb != "patch");
        }
        !concerns(rule, &["pods/portforward"])
    };
    let developer = Developer::create("no-patch", as_printed, without).await?;
    let ns = &developer.ns;
    ns.http_app("web", 1).await?;
    let before = ns.fingerprint().await?;
    let missing = ["patch deployments", "pods/portforward"];
    let plan = ns.run_with(&developer.kubeconfig, &["plan", "web", "-n", &ns.name]).await?;
    ensure!(plan.status.code() == Some(4), "{plan:?}");
    let connect = ["connect", "web", "-n", &ns.name, "-o", "json"];
    let refused = ns.run_with(&developer.kubeconfig, &connect).await?;
    let report = refused.refused("forbidden", 4, &[&ns.name])?.to_string();
    // All that is missing at once, not one after the other.
    for right in missing {
        ensure!(plan.stdout.contains(right), "'{right}' is not in the plan: {}", plan.stdout);
        ensure!(report.contains(right), "'{right}' is not told: {report}");
    }
    ensure!(report.contains("towline rbac"), "what to do: {report}");
    ns.unchanged(&before).await
}

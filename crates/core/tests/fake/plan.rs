//! Targets and plans.

use serde_json::{Value, json};
use tempfile::TempDir;
use towline_core::cluster::{Cluster, Options};
use towline_core::plan::{Outcome, Plan, PlanError};
use towline_core::report::{Code, Explain};
use towline_core::request::{Names, Request};

use crate::open::{kubeconfig, write};
use crate::server::Server;
use crate::world::{DEPLOYMENTS, LEASES, World};

async fn cluster(server: &Server) -> Cluster {
    let directory = TempDir::new().unwrap();
    let kubeconfig = Some(write(&directory, "config", &kubeconfig(&server.url, "{}")));
    Cluster::open(Options { kubeconfig, ..Options::default() }).await.unwrap()
}

fn request(target: &str) -> Request {
    // The hosts file and the ports of the machine that the tests run on are not theirs to say.
    Request { names: Names::Variables, ..Request::new(target.parse().unwrap()) }
}

async fn plan(world: World, request: &Request) -> Result<Plan, PlanError> {
    let server = world.start().await;
    Plan::make(&cluster(&server).await, request).await
}

/// `outcome title: message`, one for each check of that outcome.
fn told(plan: &Plan, outcome: Outcome) -> Vec<String> {
    let checks = plan.checks.iter().filter(|check| check.outcome == outcome);
    checks.map(|check| format!("{}: {}", check.title, check.message)).collect()
}

#[tokio::test]
async fn a_target_leads_to_its_workload() {
    let server = World::default().start().await;
    let cluster = cluster(&server).await;
    for (target, workload) in [
        ("orders", "deployment/orders"),
        ("service/orders", "deployment/orders"),
        ("deployment/orders", "deployment/orders"),
        ("pod/orders-1-a", "deployment/orders"),
        ("rs/orders-1", "deployment/orders"),
        ("catalogue", "statefulset/catalogue"),
        ("pod/catalogue-0", "statefulset/catalogue"),
        ("ds/twice", "daemonset/twice"),
        ("lone", "pod/lone"),
    ] {
        let mut asked = request(target);
        asked.container = Some("main".to_owned());
        let plan = Plan::make(&cluster, &asked).await.unwrap();
        assert_eq!(format!("{}/{}", plan.workload.kind, plan.workload.name), workload, "{target}");
    }
}

#[tokio::test]
async fn a_target_that_cannot_be_is_answered_with_the_reason() {
    let server = World::default().start().await;
    let cluster = cluster(&server).await;
    let mut lines = Vec::new();
    for target in [
        "ordrs",
        "deploy/nope",
        "twice",
        "both",
        "asleep",
        "deploy/asleep",
        "canary",
        "pod/canary-1-a",
        "nobody",
        "byhand",
        "outside",
        "meshed",
        "paused",
    ] {
        let report = Plan::make(&cluster, &request(target)).await.unwrap_err().explain();
        let code = serde_json::to_value(report.code).unwrap();
        let hint = report.hint.unwrap_or_default();
        lines.push(format!(
            "{target}\n  {}\n  {}\n  {hint}",
            code.as_str().unwrap(),
            report.message
        ));
    }
    for (container, port) in [("prox", None), ("proxy", Some("http")), ("main", Some("15001"))] {
        let mut request = request("meshed");
        request.container = Some(container.to_owned());
        request.ports = port.into_iter().map(|port| port.parse().unwrap()).collect();
        let report = Plan::make(&cluster, &request).await.unwrap_err().explain();
        lines.push(format!(
            "meshed {container} {port:?}\n  {}\n  {}",
            report.message,
            report.hint.unwrap()
        ));
    }
    for (namespace, namespaces) in [("shp", vec![]), ("shop", vec!["nowhere".to_owned()])] {
        let request =
            Request { namespace: Some(namespace.to_owned()), namespaces, ..request("orders") };
        let report = Plan::make(&cluster, &request).await.unwrap_err().explain();
        assert_eq!(report.code, Code::NamespaceUnknown);
        lines.push(format!("{namespace}\n  {}\n  {}", report.message, report.hint.unwrap()));
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn a_plan_only_reads() {
    let server = World::default().start().await;
    Plan::make(&cluster(&server).await, &request("orders")).await.unwrap();
    let mut tried = 0;
    for request in server.seen.lock().unwrap().iter() {
        match request.method.as_str() {
            "GET" => {}
            "POST" => assert!(request.path.ends_with("/selfsubjectaccessreviews"), "{request:?}"),
            "PATCH" => {
                assert!(request.query.contains("dryRun=All"), "{request:?}");
                tried += 1;
            }
            _ => panic!("{request:?}"),
        }
    }
    assert_eq!(tried, 1);
}

#[tokio::test]
async fn a_plan_tells_all_that_will_be() {
    let mut asked = request("orders");
    asked.ports = vec!["http:43210".parse().unwrap()];
    let mut plan = plan(World::default(), &asked).await.unwrap();
    assert!(plan.agent.args[2].ends_with(&plan.key.digest().to_string()));
    assert_eq!(plan.container, "main", "by the service's port");
    // This machine's ports are not the test's to say.
    plan.checks.retain(|check| check.title != "local port");
    let mut shown = serde_json::to_value(&plan).unwrap();
    for random in ["session", "record", "cluster", "control_port", "fields", "base", "agent"] {
        shown.as_object_mut().unwrap().remove(random);
    }
    let text =
        serde_json::to_string_pretty(&shown).unwrap().replace(plan.session.as_str(), "SESSION");
    insta::assert_snapshot!(text);
    let paths: Vec<&str> = plan.fields.iter().map(|field| field.path.as_str()).collect();
    assert!(paths.contains(&"containers[main].image"), "{paths:?}");
}

#[tokio::test]
async fn missing_rights_are_in_the_way_or_cost_something() {
    let denied = ["patch deployments", "create jobs", "create pods/exec"].into();
    let plan = plan(World { denied, ..World::default() }, &request("orders")).await.unwrap();
    assert_eq!(
        told(&plan, Outcome::Blocked),
        ["rights: You may not patch deployments.apps in namespace shop."]
    );
    assert_eq!(plan.blockers().next().unwrap().code, Some(Code::Forbidden));
    assert!(!plan.restorer);
    assert!(plan.objects.iter().all(|object| object.kind != "Job"), "{:?}", plan.objects);
    let warnings = told(&plan, Outcome::Warning).join("\n");
    assert!(warnings.contains("The cluster will not restore the workload by itself"), "{warnings}");
    assert!(warnings.contains("You may not create pods/exec in namespace shop"), "{warnings}");
}

#[tokio::test]
async fn what_admission_refuses_is_known_before() {
    let refusal = Some("admission webhook \"images\" denied the request: only registry.example");
    let plan = plan(World { refusal, ..World::default() }, &request("orders")).await.unwrap();
    let blocked = told(&plan, Outcome::Blocked);
    assert!(blocked[0].contains("only registry.example"), "{blocked:?}");
}

fn session() -> Value {
    json!({"id": "0123456789ab", "user": "ada", "host": "lovelace", "started": "2026-01-02T03:04:05Z", "container": "main", "toolVersion": "0.1.0"})
}

fn lease(renewed: jiff::Timestamp) -> Value {
    let renewed = renewed.strftime("%Y-%m-%dT%H:%M:%S.000000Z").to_string();
    json!({
        "metadata": {"name": "towline-deploy-orders", "namespace": "shop", "annotations": {"towline.dev/session": session().to_string()}},
        "spec": {"holderIdentity": "0123456789ab", "leaseDurationSeconds": 120, "renewTime": renewed},
    })
}

#[tokio::test]
async fn a_second_session_is_refused_unless_it_takes_over() {
    let world =
        || World { more: vec![(LEASES, lease(jiff::Timestamp::now()))], ..World::default() };
    let mut asked = request("orders");
    let refused = plan(world(), &asked).await.unwrap();
    assert_eq!(refused.occupied_by.as_ref().unwrap().user, "ada");
    let check = refused.blockers().next().unwrap();
    assert_eq!(check.code, Some(Code::Busy));
    assert!(
        check.message.contains("redirected by ada on lovelace since 2026-01-02 03:04:05 UTC"),
        "{check:?}"
    );
    asked.take_over = true;
    let plan = plan(world(), &asked).await.unwrap();
    assert_eq!(plan.blockers().count(), 0);
    assert!(plan.occupied_by.is_some());
}

#[tokio::test]
async fn an_occupied_workload_is_planned_as_it_was_before() {
    // The agent of another session is in it.
    let server = World::default().start().await;
    let first = Plan::make(&cluster(&server).await, &request("orders")).await.unwrap();
    let installed = towline_workload::install(&first.base, "main", &first.agent, &first.record)
        .unwrap()
        .desired;
    let mut occupied = installed;
    occupied["metadata"]["name"] = json!("orders2");
    let more = vec![(DEPLOYMENTS, occupied)];
    let mut asked = request("deploy/orders2");
    asked.take_over = true;
    asked.container = Some("main".to_owned());
    let second = plan(World { more, ..World::default() }, &asked).await.unwrap();
    let image = second.fields.iter().find(|field| field.path == "containers[main].image").unwrap();
    assert_eq!(image.before, Some(json!("shop:1")));
    assert_eq!(second.occupied_by.unwrap().id, first.session.to_string());
}

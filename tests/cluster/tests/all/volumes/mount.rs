//! `--mount`: the volumes at their own paths, for a user without any rights.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::setting;
use towline_cluster_tests::towline::{Connected, Finished, run};

use super::scene::deploy;

/// Nobody on this machine.
pub(crate) const USER: u32 = 54_321;

/// What the program sees, and that it is still itself.
const LOOK: &str = r#"
cat /etc/shop/greeting /etc/towline-test/app.yaml /etc/shop-keys/password
cat /var/run/secrets/kubernetes.io/serviceaccount/namespace
echo " user $(id -u) group $(ps -o pgid= -p $$ | tr -d ' ') is $$"
echo mine > /data/mine && ls /data
test "$(cat "$TOWLINE_ROOT/data/mine")" = mine && echo same
test -r /etc/passwd && test -d /usr/bin && pwd
touch /etc/towline-test-file 2>/dev/null || echo not writable
exit 7
"#;

/// `THROUGH towline ARGUMENTS` as that user, with the namespace's surroundings.
pub(crate) fn as_user(ns: &Namespace, through: &[&str], arguments: &[&str]) -> Result<Command> {
    let home = ns.home.path();
    let kubeconfig = home.join("kubeconfig");
    fs::copy(ns.kubeconfig()?, &kubeconfig)?;
    fs::set_permissions(&kubeconfig, fs::Permissions::from_mode(0o600))?;
    give(home)?;
    let user = USER.to_string();
    let mut command = Command::new("setpriv");
    command.args(["--reuid", &user, "--regid", &user, "--clear-groups"]);
    command.args(through).arg(setting("TOWLINE_TEST_CLI")?).args(arguments);
    ns.surroundings(&mut command)?;
    command.env("KUBECONFIG", &kubeconfig).env("HOME", home).env_remove("USER");
    command.current_dir("/").stdin(Stdio::null()).kill_on_drop(true);
    Ok(command)
}

fn give(path: &Path) -> Result<()> {
    chown(path, Some(USER), Some(USER))?;
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            give(&entry?.path())?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_program_without_rights_sees_them_at_their_own_paths() -> Result<()> {
    let ns = Namespace::create("volumes-mount").await?;
    deploy(&ns).await?;
    let arguments =
        ns.connect_arguments(&["deployment/web", "-c", "main", "--mount"], &["sh", "-c", LOOK]);
    let Finished { status, stdout, stderr } = run(as_user(&ns, &[], &arguments)?).await?;
    ensure!(status.code() == Some(7), "{status}\n{stdout}\n{stderr}");
    let told: Vec<&str> = stderr.lines().collect();
    let told = told.join("\n");
    let first = format!("helloa: 1\np'w\n{} user {USER} group ", ns.name);
    ensure!(told.contains(&first), "{told}");
    let line = told.lines().find(|line| line.contains(" group ")).context("the group")?;
    let words: Vec<&str> = line.rsplit(' ').collect();
    ensure!(words[0] == words[2], "a group of its own: {line}");
    ensure!(told.contains("\nmine\nsame\n/\nnot writable"), "{told}");
    for path in ["/etc/shop", "/etc/towline-test", "/data", "/data-read-only", "/var/run/mixed"] {
        ensure!(!Path::new(path).exists(), "{path} was made on this machine");
    }
    Ok(())
}

#[tokio::test]
async fn a_signal_ends_the_program_and_refreshes_are_seen() -> Result<()> {
    let ns = Namespace::create("volumes-mount-live").await?;
    deploy(&ns).await?;
    // Ends by itself as soon as it sees the new text.
    const AWAIT: &str =
        "echo started; until grep -q evening /etc/shop/greeting; do sleep 0.1; done; kill -TERM $$";
    let arguments =
        ns.connect_arguments(&["deployment/web", "-c", "main", "--mount"], &["sh", "-c", AWAIT]);
    let mut session = Connected::start(as_user(&ns, &[], &arguments)?)?;
    session.event("connected").await?;
    let patch = r#"{"data": {"greeting": "good evening"}}"#;
    ns.kubectl(&["patch", "configmap", "settings", "--type=merge", "-p", patch]).await?;
    session.find("volume_refreshed", |event| event["mount"] == "/etc/shop").await?;
    let (end, status) = session.outcome().await?;
    ensure!((end.as_str(), status.code()) == ("stopped", Some(128 + 15)), "{end} {status}");
    Ok(())
}

#[tokio::test]
async fn without_user_namespaces_it_is_told_before_anything_is_changed() -> Result<()> {
    let ns = Namespace::create("volumes-mount-no").await?;
    deploy(&ns).await?;
    let before = ns.workload("Deployment", "web").await?;
    let arguments = ns.connect_arguments(&["deployment/web", "-c", "main", "--mount"], &["true"]);
    // In a user namespace in which no further one may be made, as on a machine whose administrator forbids them.
    const FORBID: &str = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$@\"";
    let unshare = ["unshare", "--user", "--map-current-user", "--keep-caps"];
    let through = [unshare.as_slice(), &["sh", "-c", FORBID, "sh"]].concat();
    let command = as_user(&ns, &through, &arguments)?;
    let Finished { status, stdout, stderr } = run(command).await?;
    ensure!(status.code() == Some(2), "{status}\n{stdout}\n{stderr}");
    ensure!(stdout.contains("--mount is not possible on this machine"), "{stdout}\n{stderr}");
    ns.back("Deployment", "web", &before, 1).await
}

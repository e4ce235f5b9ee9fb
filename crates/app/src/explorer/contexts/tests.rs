#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use super::*;

const LIMIT: Duration = Duration::from_secs(10);

fn kubeconfig(context: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- name: c\n  cluster: {{server: 'https://one.example:6443'}}\n\
         users:\n- name: u\n  user: {{exec: {{apiVersion: client.authentication.k8s.io/v1, command: get-token}}}}\n\
         contexts:\n- name: {context}\n  context: {{cluster: c, user: u}}\n"
    )
}

fn settings(files: &[&Path]) -> Preferences {
    Preferences {
        theme: Default::default(),
        mode: Default::default(),
        lease_seconds: 120,
        kubeconfig_files: files.iter().map(|file| file.display().to_string()).collect(),
        notifications: true,
        log_level: Default::default(),
        contexts: Vec::new(),
        file: String::new(),
        log_directory: String::new(),
        problem: None,
    }
}

fn names(contexts: &Contexts) -> Vec<String> {
    contexts.current().contexts.into_iter().map(|context| context.name).collect()
}

async fn until(outbox: &Outbox, mut fits: impl FnMut() -> bool) {
    let mut changed = outbox.changed();
    let wait = async {
        while !fits() {
            changed.changed().await.unwrap();
        }
    };
    tokio::time::timeout(LIMIT, wait).await.expect("the change shows");
}

#[tokio::test]
async fn a_file_that_is_edited_replaced_broken_mended_and_removed_shows_each_time() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("config");
    fs::write(&file, kubeconfig("one")).unwrap();
    let outbox = Outbox::new();
    let (_settings, receiver) = watch::channel(settings(&[&file]));
    let contexts = Contexts::watch(outbox.clone(), receiver);
    assert_eq!(names(&contexts), ["one"]);
    assert_eq!(contexts.find("one").unwrap().plugin.as_deref(), Some("get-token"));

    fs::write(&file, kubeconfig("two")).unwrap();
    until(&outbox, || names(&contexts) == ["two"]).await;

    let other = home.path().join(".config.swp");
    fs::write(&other, kubeconfig("three")).unwrap();
    fs::rename(&other, &file).unwrap();
    until(&outbox, || names(&contexts) == ["three"]).await;

    fs::write(&file, &kubeconfig("four")[..150]).unwrap();
    until(&outbox, || !contexts.current().broken.is_empty()).await;

    fs::write(&file, kubeconfig("five")).unwrap();
    until(&outbox, || names(&contexts) == ["five"]).await;

    fs::remove_file(&file).unwrap();
    until(&outbox, || contexts.current().error.is_some()).await;
    assert_eq!(contexts.current().error.unwrap().code, "kubeconfig_missing");
}

#[tokio::test]
async fn a_file_that_appears_later_in_a_directory_that_appears_later() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join(".kube/deep/config");
    let outbox = Outbox::new();
    let (_settings, receiver) = watch::channel(settings(&[&file]));
    let contexts = Contexts::watch(outbox.clone(), receiver);
    assert!(contexts.current().error.is_some());
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    // Past the moment at which the new directory is noticed, as when a person does it.
    tokio::time::sleep(3 * SETTLE).await;
    fs::write(&file, kubeconfig("late")).unwrap();
    until(&outbox, || names(&contexts) == ["late"]).await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_is_followed_to_its_file() {
    let home = tempfile::tempdir().unwrap();
    let real = home.path().join("dotfiles/kube");
    fs::create_dir(home.path().join("dotfiles")).unwrap();
    fs::create_dir(home.path().join(".kube")).unwrap();
    fs::write(&real, kubeconfig("one")).unwrap();
    let link = home.path().join(".kube/config");
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let outbox = Outbox::new();
    let (_settings, receiver) = watch::channel(settings(&[&link]));
    let contexts = Contexts::watch(outbox.clone(), receiver);
    fs::write(&real, kubeconfig("two")).unwrap();
    until(&outbox, || names(&contexts) == ["two"]).await;
}

#[tokio::test]
async fn other_files_in_the_settings_are_read_at_once() {
    let home = tempfile::tempdir().unwrap();
    let (one, two) = (home.path().join("one"), home.path().join("two"));
    fs::write(&one, kubeconfig("one")).unwrap();
    fs::write(&two, kubeconfig("two")).unwrap();
    let outbox = Outbox::new();
    let (sender, receiver) = watch::channel(settings(&[&one]));
    let contexts = Contexts::watch(outbox.clone(), receiver);
    sender.send(settings(&[&one, &two])).unwrap();
    until(&outbox, || names(&contexts) == ["one", "two"]).await;
    assert_eq!(contexts.listed_files(), [one, two]);
}

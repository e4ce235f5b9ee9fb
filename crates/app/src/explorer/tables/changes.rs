//! How objects come into the tables, and go.

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::DynamicObject;
use towline_core::look::{self, Scope};
use towline_workload::Kind;

use super::entries::{Name, PodEntry, ServiceEntry, WorkloadEntry};
use super::{Feed, Object, Resource, Tables, tally};
use crate::view::TableKind;

impl Tables {
    pub(super) fn put(&mut self, object: Object, generation: u32) {
        let name = self.pool.name(object.meta());
        match object {
            Object::Service(service) => {
                let mut entry = ServiceEntry::new(*service, generation);
                entry.tally = tally::of(&entry, tally::pods_of(&self.pods, &name.0));
                self.services.insert(name, entry);
                self.touch(TableKind::Services);
            }
            Object::Workload(kind, object) => self.put_workload(kind, name, &object, generation),
            Object::Pod(pod) => self.put_pod(name, &pod, generation),
        }
    }

    fn put_workload(&mut self, kind: Kind, name: Name, object: &DynamicObject, generation: u32) {
        let Some(owner) = look::controller(object.owner_references()) else {
            let entry = WorkloadEntry::new(kind, object, generation, &mut self.pool);
            self.workloads.insert((name, kind), entry);
            return self.touch(TableKind::Workloads);
        };
        if kind == Kind::ReplicaSet {
            let owner = format!("{}/{}", owner.kind.to_lowercase(), owner.name);
            let owner = self.pool.words.of(owner);
            let before = self.sets.insert(name.clone(), (owner.clone(), generation));
            // Pods show what is above their ReplicaSet.
            if before.is_none_or(|(before, _)| before != owner) {
                self.touch(TableKind::Pods);
            }
        }
        if self.workloads.remove(&(name, kind)).is_some() {
            self.touch(TableKind::Workloads);
        }
    }

    fn put_pod(&mut self, name: Name, pod: &Pod, generation: u32) {
        let entry = PodEntry::new(pod, generation, &mut self.pool);
        let key = (name, Kind::Pod);
        let bare = look::controller(pod.owner_references()).is_none();
        if bare {
            let workload = WorkloadEntry::of_pod(pod, &entry, generation);
            self.workloads.insert(key.clone(), workload);
            self.touch(TableKind::Workloads);
        } else if self.workloads.remove(&key).is_some() {
            self.touch(TableKind::Workloads);
        }
        let before = self.pods.get(&key.0);
        if tally::change(&mut self.services, &key.0.0, before, Some(&entry)) {
            self.touch(TableKind::Services);
        }
        self.pods.insert(key.0, entry);
        self.touch(TableKind::Pods);
    }

    pub(super) fn remove(&mut self, object: &Object) {
        let name = self.pool.name(object.meta());
        match object {
            Object::Service(_) => {
                self.services.remove(&name);
                self.touch(TableKind::Services);
            }
            Object::Workload(kind, _) => {
                self.sets.remove(&name);
                if self.workloads.remove(&(name, *kind)).is_some() {
                    self.touch(TableKind::Workloads);
                }
            }
            Object::Pod(_) => self.remove_pod(name),
        }
    }

    fn remove_pod(&mut self, name: Name) {
        let Some(before) = self.pods.remove(&name) else { return };
        if tally::change(&mut self.services, &name.0, Some(&before), None) {
            self.touch(TableKind::Services);
        }
        if self.workloads.remove(&(name, Kind::Pod)).is_some() {
            self.touch(TableKind::Workloads);
        }
        self.touch(TableKind::Pods);
    }

    /// Forgets what the feed has brought, but for what it has brought in `generation`.
    pub(super) fn sweep(&mut self, feed: &Feed, generation: Option<u32>) {
        let inside = |namespace: &str| match &feed.scope {
            Scope::Namespace(name) => **name == *namespace,
            Scope::All => true,
        };
        let gone = |namespace: &str, seen: u32| inside(namespace) && Some(seen) != generation;
        let before = [self.services.len(), self.workloads.len(), self.sets.len()];
        match feed.resource {
            Resource::Services => self.services.retain(|name, row| !gone(&name.0, row.seen)),
            Resource::Workloads(kind) => {
                self.workloads.retain(|(name, of), row| *of != kind || !gone(&name.0, row.seen));
                if kind == Kind::ReplicaSet {
                    self.sets.retain(|name, (_, seen)| !gone(&name.0, *seen));
                }
            }
            Resource::Pods => {
                let all = self.pods.iter().filter(|(name, pod)| gone(&name.0, pod.seen));
                let all: Vec<Name> = all.map(|(name, _)| name.clone()).collect();
                all.into_iter().for_each(|name| self.remove_pod(name));
            }
        }
        let after = [self.services.len(), self.workloads.len(), self.sets.len()];
        let touched = [TableKind::Services, TableKind::Workloads, TableKind::Pods];
        for (table, _) in touched
            .into_iter()
            .zip(before.iter().zip(after))
            .filter(|(_, (before, after))| *before != after)
        {
            self.touch(table);
        }
    }
}

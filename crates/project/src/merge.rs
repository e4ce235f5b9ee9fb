//! A project's part of a request.

use towline_core::request::{Program as StartedBy, Request};

use crate::Project;

impl Project {
    /// Puts what the file says into a request; what it does not say stays. The caller puts the command line's words over it afterwards.
    pub fn fill(&self, request: &mut Request) {
        fn over<T: Clone>(place: &mut T, value: Option<&T>) {
            if let Some(value) = value {
                *place = value.clone();
            }
        }
        fn list<T: Clone>(place: &mut Vec<T>, values: &[T]) {
            if !values.is_empty() {
                *place = values.to_vec();
            }
        }
        over(&mut request.target, self.target.as_ref());
        over(&mut request.namespace, self.namespace.clone().map(Some).as_ref());
        over(&mut request.container, self.container.clone().map(Some).as_ref());
        list(&mut request.ports, &self.ports);
        list(&mut request.namespaces, &self.namespaces);
        list(&mut request.external_hosts, &self.external_hosts);
        list(&mut request.exclude, &self.exclude);
        over(&mut request.names, self.names.as_ref());
        over(&mut request.volumes, self.volumes.as_ref());
        over(&mut request.reconnect, self.reconnect.as_ref());
        over(&mut request.timeout, self.timeout.as_ref());
        over(&mut request.lease, self.lease.as_ref());
        over(&mut request.agent_image, self.agent_image.clone().map(Some).as_ref());
        over(&mut request.pull_secret, self.pull_secret.clone().map(Some).as_ref());
        if self.program.is_some() {
            request.program = StartedBy::StartedByTowline;
        }
    }
}

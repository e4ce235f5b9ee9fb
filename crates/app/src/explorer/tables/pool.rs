//! What many objects have alike is kept once: 5,000 pods of 500 workloads have 500 sets of labels.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use kube::api::ObjectMeta;

use super::entries::{Containers, Name};

/// The labels of a pod.
pub(super) type Labels = BTreeMap<String, String>;

/// Below this many values nobody looks for those that are no longer needed.
const FEW: usize = 64;

/// The values that the objects of a cluster share.
#[derive(Default)]
pub(super) struct Pool {
    /// Namespaces, nodes, states, owners.
    pub(super) words: Values<str>,
    pub(super) labels: Values<Labels>,
    pub(super) containers: Values<Containers>,
}

impl Pool {
    /// Namespace and name of an object; only namespaces are shared.
    pub(super) fn name(&mut self, object: &ObjectMeta) -> Name {
        let namespace = self.words.of(object.namespace.as_deref().unwrap_or_default());
        (namespace, object.name.as_deref().unwrap_or_default().into())
    }

    /// A word that is not always there.
    pub(super) fn word(&mut self, word: Option<&str>) -> Option<Arc<str>> {
        word.map(|word| self.words.of(word))
    }
}

/// Values of one type, each once.
pub(super) struct Values<T: ?Sized> {
    known: HashSet<Arc<T>>,
    /// With so many, those that nobody has any more are let go.
    full: usize,
}

impl<T: ?Sized> Default for Values<T> {
    fn default() -> Self {
        Self { known: HashSet::new(), full: FEW }
    }
}

impl<T: ?Sized + Eq + Hash> Values<T> {
    /// The kept value that is equal to this one.
    pub(super) fn of<V>(&mut self, value: V) -> Arc<T>
    where
        V: Borrow<T> + Into<Arc<T>>,
    {
        if let Some(known) = self.known.get(value.borrow()) {
            return known.clone();
        }
        if self.known.len() >= self.full {
            self.known.retain(|value| Arc::strong_count(value) > 1);
            self.known.shrink_to(FEW);
            // So a value is looked at twice at most until it is needed again or gone: the work stays in proportion to what comes.
            self.full = FEW.max(2 * self.known.len());
        }
        let value: Arc<T> = value.into();
        self.known.insert(value.clone());
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_are_one() {
        let mut words = Values::<str>::default();
        let (shop, again) = (words.of("shop"), words.of("shop"));
        assert!(Arc::ptr_eq(&shop, &again));
        assert_eq!(&*words.of("bank"), "bank");
        let mut labels = Values::<Labels>::default();
        let orders = Labels::from([("app".to_owned(), "orders".to_owned())]);
        let (one, two) = (labels.of(orders.clone()), labels.of(orders));
        assert!(Arc::ptr_eq(&one, &two));
        assert!(labels.of(Labels::new()).is_empty());
    }

    #[test]
    fn what_nobody_has_any_more_goes() {
        let mut words = Values::<str>::default();
        let kept: Vec<_> = (0..100).map(|number| words.of(format!("kept {number}"))).collect();
        for number in 0..10_000 {
            drop(words.of(format!("passing {number}")));
        }
        assert!(words.known.len() <= 2 * kept.len() + FEW, "{}", words.known.len());
        for value in &kept {
            assert!(Arc::ptr_eq(value, &words.of(&**value)));
        }
    }
}

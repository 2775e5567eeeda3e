//! Who takes part, in attach order, so that one who comes or goes costs the same among ten and among a thousand.

use std::fmt;

use rpds::{HashTrieMapSync, RedBlackTreeMapSync};

use crate::id::PluginId;

/// A plugin's place in the attach order of its scope. Whoever stays keeps it, and nobody who comes later is given it
/// again: it tells one stay of a plugin from the next. (What is taken back has not been: its places are given again.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place(u64);

/// Those who take part, in the order in which they attach, or did. A changed copy shares all that has not changed.
#[derive(Clone, Default)]
pub(crate) struct Order {
    plugins: RedBlackTreeMapSync<Place, PluginId>,
    places: HashTrieMapSync<PluginId, Place>,
    /// The place of whoever comes next.
    next: Place,
}

impl Order {
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &PluginId> {
        self.plugins.values()
    }

    /// All of them, with their places.
    pub(super) fn places(&self) -> impl DoubleEndedIterator<Item = (Place, &PluginId)> {
        self.plugins.iter().map(|(place, plugin)| (*place, plugin))
    }

    pub(crate) fn contains(&self, plugin: &PluginId) -> bool {
        self.places.contains_key(plugin)
    }

    pub(crate) fn place_of(&self, plugin: &PluginId) -> Option<Place> {
        self.places.get(plugin).copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.places.size()
    }

    /// Whether the same plugins take part in `other`, in whatever order.
    pub(super) fn has_the_same_plugins_as(&self, other: &Self) -> bool {
        self.len() == other.len() && self.differing(other).next().is_none()
    }

    /// Those who take part either here or in `other`.
    pub(super) fn differing<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a PluginId> {
        let lacking = |one: &'a Self, other: &'a Self| one.iter().filter(|plugin| !other.contains(plugin));
        let is_another = !std::ptr::eq(self, other);
        is_another.then(|| lacking(self, other).chain(lacking(other, self))).into_iter().flatten()
    }

    /// Puts `plugin` after all the others.
    pub(super) fn come(&mut self, plugin: &PluginId) {
        let place = self.next;
        self.next = Place(place.0 + 1);
        self.plugins.insert_mut(place, plugin.clone());
        self.places.insert_mut(plugin.clone(), place);
    }

    pub(super) fn go(&mut self, plugin: &PluginId) {
        if let Some(place) = self.place_of(plugin) {
            self.plugins.remove_mut(&place);
            self.places.remove_mut(plugin);
        }
    }
}

impl PartialEq for Order {
    /// The same plugins, each at the same place.
    fn eq(&self, other: &Self) -> bool {
        self.plugins == other.plugins
    }
}
impl Eq for Order {}

impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

//! Who is attached in a scope.

use std::mem;

use smallvec::SmallVec;

use super::attached::Attached;
use crate::plan::Place;

/// Some who come or go together. Mostly it is one.
pub(super) type Few<C> = SmallVec<[Box<Attached<C>>; 1]>;

/// Those who are attached, by their places, which is the order in which they attached. To find one of a thousand costs
/// some comparisons of numbers, and so does to find those few of whom a change wants something.
pub(super) struct Crew<C> {
    /// With their places beside them: who looks for one of many does not visit the others.
    members: Vec<(Place, Box<Attached<C>>)>,
    /// The places of those who want to be told of new settings.
    listeners: Vec<Place>,
    /// How many have services with a life of their own.
    living: usize,
}

impl<C> Default for Crew<C> {
    fn default() -> Self {
        Self { members: Vec::new(), listeners: Vec::new(), living: 0 }
    }
}

impl<C> Crew<C> {
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Attached<C>> {
        self.members.iter().map(|(_, attached)| &**attached)
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    pub(super) fn get(&self, place: Place) -> Option<&Attached<C>> {
        Some(&self.members[self.find(place)?].1)
    }

    /// The places of those who want to be told of new settings, in order.
    pub(super) fn listeners(&self) -> &[Place] {
        &self.listeners
    }

    /// Whether anybody has services with a life of their own.
    pub(super) fn has_living_services(&self) -> bool {
        self.living > 0
    }

    /// Whether nobody wants anything of a change that leaves everything as it is. Services with a life of their own do: one
    /// that did not come back is tried again.
    pub(super) fn wants_nothing(&self) -> bool {
        self.listeners.is_empty() && !self.has_living_services()
    }

    /// Those who have services with a life of their own.
    pub(super) fn with_living_services(&self) -> impl DoubleEndedIterator<Item = &Attached<C>> {
        let members: &[_] = if self.living > 0 { &self.members } else { &[] };
        members.iter().map(|(_, attached)| &**attached).filter(|attached| attached.has_living_services())
    }

    /// Makes room for those who come.
    pub(super) fn expect(&mut self, rising: &[Box<Attached<C>>]) {
        self.members.reserve_exact(rising.len());
        self.listeners.reserve_exact(rising.iter().filter(|attached| attached.listens()).count());
    }

    /// Takes somebody in, at its place.
    pub(super) fn insert(&mut self, attached: Box<Attached<C>>) {
        let place = attached.place;
        self.living += usize::from(attached.has_living_services());
        if attached.listens() {
            let at = end_or(&self.listeners, |other| *other < place);
            self.listeners.insert(at, place);
        }
        let at = end_or(&self.members, |(other, _)| *other < place);
        self.members.insert(at, (place, attached));
    }

    /// Lets somebody go.
    pub(super) fn remove(&mut self, place: Place) -> Option<Box<Attached<C>>> {
        let at = self.find(place)?;
        if let Some(listener) = position(&self.listeners, place, |other| *other) {
            self.listeners.remove(listener);
        }
        let (_, attached) = self.members.remove(at);
        self.living -= usize::from(attached.has_living_services());
        Some(attached)
    }

    /// Takes those off the list of listeners who have turned out not to listen.
    pub(super) fn forget_the_deaf(&mut self) {
        let mut listeners = mem::take(&mut self.listeners);
        listeners.retain(|place| self.get(*place).is_some_and(Attached::listens));
        listeners.shrink_to_fit(); // whoever has not written the hook never listens again
        self.listeners = listeners;
    }

    fn find(&self, place: Place) -> Option<usize> {
        position(&self.members, place, |(other, _)| *other)
    }
}

/// Which of them is at `place`.
fn position<T>(all: &[T], place: Place, place_of: impl Fn(&T) -> Place) -> Option<usize> {
    let at = end_or(all, |other| place_of(other) <= place).checked_sub(1)?;
    (place_of(&all[at]) == place).then_some(at)
}

/// How many come `before`. Whoever comes is the last, and those who go do so last in, first out: the end is tried first.
fn end_or<T>(all: &[T], before: impl Fn(&T) -> bool) -> usize {
    match all.last() {
        Some(last) if !before(last) => all.partition_point(before),
        _ => all.len(),
    }
}

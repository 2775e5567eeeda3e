use std::ptr;

use crate::{
    id::SlotId,
    slot::{Key, hash},
};

/// What is kept for each of some slots. Slots bring their hashes along, so a lookup hashes nothing.
///
/// Nothing is taken out by itself, so it needs nothing but a place to look first and the places after it.
pub(super) struct Slots<V> {
    entries: Vec<Entry<V>>,
    /// Where the entries are, each near the place that its hash says. Their number is a power of two, and at least half
    /// of them are free, or a search would not end; or there are none, as there are no entries.
    places: Vec<u32>,
}

struct Entry<V> {
    slot: SlotId,
    hash: u64,
    value: V,
}

const FREE: u32 = u32::MAX;

impl<V> Entry<V> {
    /// Whether it is that of `key`. Mostly its id and the one asked for are one constant.
    #[inline]
    fn is_of(&self, key: Key<'_>) -> bool {
        let text = self.slot.as_str();
        ptr::eq(text, key.text) || self.hash == key.hash && text == key.text
    }
}

impl<V> Default for Slots<V> {
    fn default() -> Self {
        Self { entries: Vec::new(), places: Vec::new() }
    }
}

impl<V> Slots<V> {
    #[inline]
    pub(super) fn get(&self, key: Key<'_>) -> Option<&V> {
        self.likely_position(key).or_else(|| self.position(key)).map(|position| self.at(position))
    }

    /// Where [`at`](Self::at) finds what is kept for a slot.
    pub(super) fn position(&self, key: Key<'_>) -> Option<usize> {
        let mut place = self.first_place(key)?;
        loop {
            let position = self.places[place] as usize;
            let entry = self.entries.get(position)?; // nothing is kept where a place is free
            if entry.is_of(key) {
                return Some(position);
            }
            place = (place + 1) & (self.places.len() - 1);
        }
    }

    /// The same, but only for whoever came first to its place, as most did: small enough to be inlined.
    #[inline]
    pub(super) fn likely_position(&self, key: Key<'_>) -> Option<usize> {
        let position = self.places[self.first_place(key)?] as usize;
        self.entries.get(position)?.is_of(key).then_some(position)
    }

    #[inline]
    fn first_place(&self, key: Key<'_>) -> Option<usize> {
        Some(key.hash as usize & self.places.len().checked_sub(1)?)
    }

    #[inline]
    pub(super) fn at(&self, position: usize) -> &V {
        &self.entries[position].value
    }

    /// Keeps something for a slot for which nothing is kept yet, and says where.
    pub(super) fn add(&mut self, slot: SlotId, value: V) -> usize {
        let position = self.entries.len();
        self.entries.push(Entry { hash: hash(slot.as_str()), slot, value });
        if self.entries.len() * 2 > self.places.len() {
            self.make_places(self.entries.len());
        } else {
            self.settle(position);
        }
        position
    }

    /// Makes places for so many entries, and settles those that there are.
    fn make_places(&mut self, entries: usize) {
        self.places = vec![FREE; entries.next_power_of_two() * 2];
        (0..self.entries.len()).for_each(|position| self.settle(position));
    }

    /// Gives an entry the first free place.
    fn settle(&mut self, position: usize) {
        let around = self.places.len() - 1;
        let mut place = self.entries[position].hash as usize & around;
        while self.places[place] != FREE {
            place = (place + 1) & around;
        }
        self.places[place] = position as u32;
    }

    /// The slots, as they were added.
    pub(super) fn iter(&self) -> impl Iterator<Item = &SlotId> {
        self.entries.iter().map(|entry| &entry.slot)
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

impl<V> FromIterator<(SlotId, V)> for Slots<V> {
    fn from_iter<I: IntoIterator<Item = (SlotId, V)>>(slots: I) -> Self {
        let entry = |(slot, value): (SlotId, V)| Entry { hash: hash(slot.as_str()), slot, value };
        let mut all = Self { entries: slots.into_iter().map(entry).collect(), places: Vec::new() };
        if !all.entries.is_empty() {
            all.make_places(all.entries.len());
        }
        all
    }
}

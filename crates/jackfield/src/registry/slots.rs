use crate::{
    id::SlotId,
    slot::{Hashed, hash},
};

/// What is kept for each of some slots. Slots bring their hashes along, so a lookup hashes nothing.
///
/// It only grows, so it needs nothing but a place to look first and the places after it.
pub(super) struct Slots<V> {
    entries: Vec<Entry<V>>,
    /// Where the entries are, each near the place that its hash says. Their number is a power of two, and at least half
    /// of them are free, or a search would not end.
    places: Vec<u32>,
}

struct Entry<V> {
    hash: u64,
    slot: SlotId,
    value: V,
}

const FREE: u32 = u32::MAX;

impl<V> Default for Slots<V> {
    fn default() -> Self {
        Self { entries: Vec::new(), places: vec![FREE] }
    }
}

impl<V> Slots<V> {
    #[inline]
    pub(super) fn get(&self, slot: Hashed<'_>) -> Option<&V> {
        self.position(slot).map(|position| self.at(position))
    }

    /// Where [`at`](Self::at) finds what is kept for `slot`.
    #[inline]
    pub(super) fn position(&self, slot: Hashed<'_>) -> Option<usize> {
        let around = self.places.len() - 1;
        let mut place = slot.hash as usize & around;
        loop {
            let entry = self.entries.get(self.places[place] as usize)?; // nothing is kept where a place is free
            if entry.hash == slot.hash && entry.slot == *slot.id {
                return Some(self.places[place] as usize);
            }
            place = (place + 1) & around;
        }
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
            self.places = vec![FREE; self.entries.len().next_power_of_two() * 2];
            (0..=position).for_each(|position| self.settle(position));
        } else {
            self.settle(position);
        }
        position
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
        let mut all = Self::default();
        for (slot, value) in slots {
            all.add(slot, value);
        }
        all
    }
}

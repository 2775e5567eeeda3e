//! What is known of each session, shared between one moment and the next.

use std::sync::Arc;

use rpds::RedBlackTreeMapSync;

use super::SessionKey;

/// How many sessions that were opened one after the other are kept in one piece.
const TOGETHER: u64 = 16;

/// Something of every session, in the order of their creation. Cheap to clone: a changed copy shares all that has not
/// changed, so that one session more or less costs much the same beside ten and beside ten thousand.
///
/// Most changes concern all sessions, so what is copied is copied by the piece and not one by one.
#[derive(Clone)]
pub(crate) struct BySession<T> {
    pieces: RedBlackTreeMapSync<u64, Arc<Vec<(SessionKey, T)>>>,
    size: usize,
}

impl<T> Default for BySession<T> {
    fn default() -> Self {
        Self { pieces: RedBlackTreeMapSync::new_sync(), size: 0 }
    }
}

impl<T> BySession<T> {
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.size == 0
    }

    pub(crate) fn get(&self, key: SessionKey) -> Option<&T> {
        let piece = self.pieces.get(&piece_of(key))?;
        Some(&piece[find(piece, key).ok()?].1)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (SessionKey, &T)> {
        self.pieces.values().flat_map(|piece| piece.iter().map(|(key, value)| (*key, value)))
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &T> {
        self.iter().map(|(_, value)| value)
    }
}

impl<T: Clone> FromIterator<(SessionKey, T)> for BySession<T> {
    fn from_iter<I: IntoIterator<Item = (SessionKey, T)>>(all: I) -> Self {
        let mut map = Self::default();
        map.extend(all);
        map
    }
}

impl<T: Clone> BySession<T> {
    /// Keeps `value` for a session, in place of what was kept.
    pub(crate) fn insert_mut(&mut self, key: SessionKey, value: T) {
        self.extend([(key, value)]);
    }

    /// The same for several, which costs least when they come in order.
    pub(crate) fn extend(&mut self, all: impl IntoIterator<Item = (SessionKey, T)>) {
        let mut all = all.into_iter().peekable();
        while let Some(number) = all.peek().map(|(key, _)| piece_of(*key)) {
            if !self.pieces.contains_key(&number) {
                self.pieces.insert_mut(number, Arc::default());
            }
            let Some(piece) = self.pieces.get_mut(&number).map(Arc::make_mut) else { return }; // it is there
            while let Some((key, value)) = all.next_if(|(key, _)| piece_of(*key) == number) {
                match find(piece, key) {
                    Ok(at) => piece[at].1 = value,
                    Err(at) => {
                        piece.insert(at, (key, value));
                        self.size += 1;
                    }
                }
            }
        }
    }

    pub(crate) fn remove_mut(&mut self, key: SessionKey) {
        if self.get(key).is_none() {
            return; // and nothing is copied
        }
        let Some(piece) = self.pieces.get_mut(&piece_of(key)) else { return };
        let piece = Arc::make_mut(piece);
        piece.retain(|(other, _)| *other != key);
        self.size -= 1;
        if piece.is_empty() {
            self.pieces.remove_mut(&piece_of(key));
        }
    }
}

fn piece_of(key: SessionKey) -> u64 {
    key.0 / TOGETHER
}

/// Where it is, or would be.
fn find<T>(piece: &[(SessionKey, T)], key: SessionKey) -> Result<usize, usize> {
    piece.binary_search_by_key(&key, |(other, _)| *other)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::{collection::vec, prelude::*};

    use super::{BySession, SessionKey};

    const KEYS: u64 = 70;

    /// Some to keep something for, in whatever order, and one to forget.
    fn step() -> impl Strategy<Value = (Vec<(u64, u32)>, u64)> {
        (vec((0..KEYS, any::<u32>()), 0..40), 0..KEYS)
    }

    fn all(map: &BySession<u32>) -> Vec<u32> {
        map.values().copied().collect()
    }

    proptest! {
        #[test]
        fn it_is_a_map_whose_copies_stay_as_they_were(steps in vec(step(), 1..100)) {
            let (mut map, mut model) = (BySession::default(), BTreeMap::new());
            for (news, key) in steps {
                let (before, was) = (map.clone(), all(&map));
                map.extend(news.iter().map(|(key, value)| (SessionKey(*key), *value)));
                model.extend(news);
                map.remove_mut(SessionKey(key));
                model.remove(&key);
                prop_assert_eq!(all(&map), model.values().copied().collect::<Vec<_>>());
                prop_assert_eq!((map.size(), map.is_empty()), (model.len(), model.is_empty()));
                (0..KEYS).try_for_each(|key| {
                    prop_assert_eq!(map.get(SessionKey(key)), model.get(&key));
                    Ok(())
                })?;
                prop_assert_eq!(all(&before), was);
            }
        }
    }
}

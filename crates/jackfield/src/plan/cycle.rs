//! Who needs whom, and who needs each other.

use std::collections::BTreeMap;

use super::roster::Cast;

/// The needs of plugins among each other, by their places in a list.
pub(super) struct Needs {
    of: Vec<Vec<usize>>,
}

impl Needs {
    /// Those of the plugins of these ranks, which ascend.
    pub(super) fn among(cast: &Cast, ranks: &[usize]) -> Self {
        let place = |(_, rank): (_, Option<usize>)| ranks.binary_search(&rank?).ok();
        Self { of: ranks.iter().map(|rank| cast.needs(*rank).filter_map(place).collect()).collect() }
    }

    pub(super) fn of(&self, place: usize) -> &[usize] {
        &self.of[place]
    }

    /// For each place, the number of its cycle; whoever is in none has a number alone. (Tarjan's strongly connected
    /// components, with a stack of our own: a chain of needs may be longer than a thread's stack is deep.)
    pub(super) fn cycles(&self) -> Vec<usize> {
        const NEW: usize = usize::MAX;
        let count = self.of.len();
        let (mut index, mut low, mut cycle) = (vec![NEW; count], vec![0; count], vec![NEW; count]);
        let (mut visited, mut cycles) = (0, 0);
        let mut open = Vec::new();
        for root in 0..count {
            let mut path = vec![(root, 0)];
            while let Some((place, step)) = path.pop() {
                if step == 0 {
                    if index[place] != NEW {
                        continue;
                    }
                    (index[place], low[place]) = (visited, visited);
                    visited += 1;
                    open.push(place);
                }
                if let Some(needed) = self.of[place].get(step) {
                    path.push((place, step + 1));
                    if index[*needed] == NEW {
                        path.push((*needed, 0));
                    } else if cycle[*needed] == NEW {
                        low[place] = low[place].min(index[*needed]);
                    }
                    continue;
                }
                if low[place] == index[place] {
                    while let Some(member) = open.pop() {
                        cycle[member] = cycles;
                        if member == place {
                            break;
                        }
                    }
                    cycles += 1;
                }
                if let Some((parent, _)) = path.last()
                    && cycle[place] == NEW
                {
                    low[*parent] = low[*parent].min(low[place]);
                }
            }
        }
        cycle
    }

    /// The members of every cycle, each as their places; somebody who needs itself is one.
    pub(super) fn members(&self) -> Vec<Vec<usize>> {
        let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (place, cycle) in self.cycles().into_iter().enumerate() {
            members.entry(cycle).or_default().push(place);
        }
        let is_cycle = |members: &Vec<usize>| match members[..] {
            [alone] => self.of[alone].contains(&alone),
            _ => true,
        };
        members.into_values().filter(is_cycle).collect()
    }
}

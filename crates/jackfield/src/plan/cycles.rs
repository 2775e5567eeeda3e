//! Who needs each other.

use std::collections::BTreeMap;

use super::Declaration;
use crate::id::PluginId;

/// Every group of `plugins` in which each needs every other, by way of others or not, and everybody who needs itself.
/// Members are in the order in which they were added. Nothing here recurses: how deep plugins need each other is not
/// ours to say.
pub(super) fn cycles(plugins: &[&Declaration]) -> Vec<Vec<PluginId>> {
    let places: BTreeMap<&PluginId, usize> =
        plugins.iter().enumerate().map(|(place, plugin)| (plugin.manifest.id(), place)).collect();
    let mut needs: Vec<Vec<usize>> = Vec::with_capacity(plugins.len());
    let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); plugins.len()];
    for (place, plugin) in plugins.iter().enumerate() {
        let dependencies = plugin.manifest.dependencies().iter();
        needs.push(dependencies.filter_map(|id| places.get(id).copied()).collect());
        needs[place].iter().for_each(|dependency| needed_by[*dependency].push(place));
    }

    // Whoever is left last on a walk along the needs is first on the walk back, and reaches exactly its own group.
    let mut left = Vec::with_capacity(plugins.len());
    let mut seen = vec![false; plugins.len()];
    (0..plugins.len()).for_each(|from| walk(from, &needs, &mut seen, &mut left));
    let mut seen = vec![false; plugins.len()];
    let mut groups = Vec::new();
    for from in left.into_iter().rev() {
        let mut group = Vec::new();
        walk(from, &needed_by, &mut seen, &mut group);
        let is_cycle = group.len() > 1 || group.iter().any(|place| needs[*place].contains(place));
        if is_cycle {
            group.sort_unstable();
            groups.push(group);
        }
    }
    groups.sort_unstable();
    let name = |place: usize| plugins[place].manifest.id().clone();
    groups.into_iter().map(|group| group.into_iter().map(name).collect()).collect()
}

/// Visits all that can be reached from `from` and has not been seen, and notes them in the order in which it leaves them.
fn walk(from: usize, arrows: &[Vec<usize>], seen: &mut [bool], left: &mut Vec<usize>) {
    if std::mem::replace(&mut seen[from], true) {
        return;
    }
    let mut trail = vec![(from, 0)];
    while let Some((place, next)) = trail.last_mut() {
        match arrows[*place].get(*next) {
            Some(to) => {
                *next += 1;
                if !std::mem::replace(&mut seen[*to], true) {
                    trail.push((*to, 0));
                }
            }
            None => {
                left.push(*place);
                trail.pop();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Declaration, PluginId, cycles};
    use crate::{manifest::Manifest, plan::ScopeKind};

    #[test]
    fn plugins_may_need_each_other_deeper_than_any_stack() {
        // F-43
        const DEPTH: usize = 100_000;
        let id = |n: usize| PluginId::parse(&format!("p{}", n % DEPTH)).unwrap();
        let declaration = |n| {
            let manifest = Manifest::of(id(n)).depends_on_id(id(n + 1));
            Declaration { manifest, scope: ScopeKind::Global, offers: Vec::new() }
        };
        let ring: Vec<Declaration> = (0..DEPTH).map(declaration).collect();
        let ring: Vec<&Declaration> = ring.iter().collect();
        assert_eq!(cycles(&ring).iter().map(Vec::len).collect::<Vec<_>>(), [DEPTH]);
        assert!(cycles(&ring[1..]).is_empty());
    }
}

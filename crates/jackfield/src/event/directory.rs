use std::{
    any::{Any, TypeId},
    hash::{Hash, Hasher},
    sync::{Arc, OnceLock},
};

use crate::event::table::{Shelf, Table};

/// Finds the table of a message type with plain loads: no lock, no read-modify-write.
///
/// A tree that only grows, four branches to a node, the way given by the hash of the type. It has a node for each
/// type that ever had a handler or a topic; there are as many as the program has such types, so it stays.
#[derive(Default)]
pub(super) struct Directory {
    root: Branch,
}

type Branch = OnceLock<Box<Node>>;

struct Node {
    key: TypeId,
    shelf: Arc<dyn Shelf>,
    branches: [Branch; 4],
}

impl Directory {
    /// The table for handlers `H`, if there is one.
    pub(super) fn find<H: Clone + Send + Sync + 'static>(&self) -> Option<&Table<H>> {
        let shelf: &dyn Any = &**self.node::<H>().ok()?;
        shelf.downcast_ref()
    }

    /// The table for handlers `H`, made if need be.
    pub(super) fn find_or_add<H: Clone + Send + Sync + 'static>(&self) -> Arc<Table<H>> {
        loop {
            match self.node::<H>() {
                Ok(shelf) => return downcast(shelf),
                Err(end) => end.get_or_init(|| {
                    let shelf: Arc<Table<H>> = Arc::default();
                    Box::new(Node { key: TypeId::of::<H>(), shelf, branches: Default::default() })
                }),
            };
        }
    }

    /// All tables, in no particular order.
    pub(super) fn shelves(&self) -> impl Iterator<Item = &dyn Shelf> {
        let mut ahead: Vec<&Branch> = vec![&self.root];
        std::iter::from_fn(move || {
            loop {
                if let Some(node) = ahead.pop()?.get() {
                    ahead.extend(&node.branches);
                    return Some(&*node.shelf);
                }
            }
        })
    }

    /// The shelf of `H`, or the end of the branch where it would hang.
    fn node<H: 'static>(&self) -> Result<&Arc<dyn Shelf>, &Branch> {
        let key = TypeId::of::<H>();
        let mut way = hash(key);
        let mut branch = &self.root;
        while let Some(node) = branch.get() {
            if node.key == key {
                return Ok(&node.shelf);
            }
            branch = &node.branches[(way & 3) as usize];
            way >>= 2;
        }
        Err(branch)
    }
}

fn downcast<H: Clone + Send + Sync + 'static>(shelf: &Arc<dyn Shelf>) -> Arc<Table<H>> {
    let shelf: Arc<dyn Any + Send + Sync> = shelf.clone();
    match shelf.downcast() {
        Ok(table) => table,
        Err(_) => unreachable!("the directory is keyed by type"),
    }
}

/// A type's id is a hash already, and is taken as it is.
#[inline]
fn hash(key: TypeId) -> u64 {
    struct AsItIs(u64);
    impl Hasher for AsItIs {
        fn write(&mut self, bytes: &[u8]) {
            for byte in bytes {
                self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
            }
        }
        #[inline]
        fn write_u64(&mut self, value: u64) {
            self.0 = value;
        }
        fn finish(&self) -> u64 {
            self.0
        }
    }
    let mut hasher = AsItIs(0);
    key.hash(&mut hasher);
    hasher.finish()
}

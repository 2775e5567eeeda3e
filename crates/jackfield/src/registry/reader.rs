use std::{any::type_name, fmt, sync::Arc};

use super::{Registry, ResolveError, erased::Erased, slots::Slots};
use crate::slot::{Key, Slot, Wanted as _};

/// A registry for somebody who looks up often: it remembers what it gave until a change.
///
/// [`get`](Self::get) lends whoever wins now. While nothing has changed, that costs an atomic read and a lookup of its
/// own, and touches nothing that is shared; a [`Registry`] pays for its being shared with four atomic writes, two of them to
/// the service's own count. That is why looking takes `&mut self`: have one for each place that looks things up.
///
/// What it gave it keeps alive until it is asked again after a change, or [forgets](Self::forget), or is dropped. So a
/// factory makes one service for it after each change, and not one at each lookup.
///
/// ```
/// # use jackfield::prelude::*;
/// # const ANSWER: Slot<u32> = Slot::new("deep.answer");
/// # struct Deep;
/// # impl Plugin for Deep {
/// #     fn manifest(&self) -> Manifest { Manifest::new("deep") }
/// #     fn register(&self, services: &mut Registrar<'_>) { services.provide(ANSWER).value(Arc::new(42)) }
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// # let runtime = PluginRuntime::builder().plugin(Deep).init().await?;
/// let session = runtime.create_session("ada").await?;
/// let mut services = session.reader();
/// for _ in 0..100 {
///     assert_eq!(**services.get(ANSWER)?, 42);
/// }
/// # Ok(())
/// # }
/// ```
pub struct Reader {
    registry: Registry,
    /// The generation of the registry that everything found belongs to.
    seen: u64,
    found: Slots<Found>,
}

struct Found {
    service: Erased,
    type_name: &'static str,
}

impl Reader {
    pub(super) fn new(registry: Registry) -> Self {
        let seen = registry.generation();
        Self { registry, seen, found: Slots::default() }
    }

    /// The service that wins `slot` now. Clone it to keep it.
    ///
    /// # Errors
    ///
    /// As [`Registry::resolve`].
    #[inline(always)] // or the room for an error is passed from frame to frame, which takes as long as the lookup
    pub fn get<T: ?Sized + Send + Sync + 'static>(&mut self, slot: Slot<T>) -> Result<&Arc<T>, ResolveError> {
        if self.seen == self.registry.generation()
            && let Some(position) = self.found.likely_position(slot.key)
        {
            return self.found.at(position).lend(slot.key);
        }
        self.look_further(slot.key).map_err(|error| *error)
    }

    /// Lets go of all that it gave.
    pub fn forget(&mut self) {
        self.found.clear();
    }

    /// For what is not known yet, and for the few whose first place another took. Both what it is given and what it returns
    /// fit into registers, or [`get`](Self::get) would prepare memory for them each time.
    #[inline(never)]
    fn look_further<T: ?Sized + Send + Sync + 'static>(
        &mut self,
        key: Key<'static>,
    ) -> Result<&Arc<T>, Box<ResolveError>> {
        let generation = self.registry.generation();
        if self.seen != generation {
            self.forget();
            self.seen = generation;
        }
        let position = match self.found.position(key) {
            Some(position) => position,
            None => {
                let service = Erased::new(self.registry.look_up::<T>(key)?);
                self.found.add(key.to_id(), Found { service, type_name: type_name::<T>() })
            }
        };
        self.found.at(position).lend(key).map_err(Box::new)
    }
}

impl Found {
    #[inline]
    fn lend<T: ?Sized + Send + Sync + 'static>(&self, key: Key<'static>) -> Result<&Arc<T>, ResolveError> {
        self.service.borrow().ok_or_else(|| self.wrong_type::<T>(key))
    }

    #[cold]
    fn wrong_type<T: ?Sized>(&self, key: Key<'static>) -> ResolveError {
        ResolveError::WrongType { slot: key.to_id(), expected: type_name::<T>(), found: self.type_name }
    }
}

impl Clone for Reader {
    /// Another one for the same registry, which remembers nothing yet.
    fn clone(&self) -> Self {
        Self::new(self.registry.clone())
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Reader").field(&self.registry).finish()
    }
}

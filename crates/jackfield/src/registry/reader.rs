use std::{any::type_name, fmt, sync::Arc};

use super::{Registry, ResolveError, erased::Erased, slots::Slots};
use crate::{foreign::Foreign, slot::Slot};

/// A registry for somebody who looks up often: it remembers what it gave until a change.
///
/// [`get`](Self::get) lends whoever wins now. While nothing has changed, that costs an atomic read and a lookup of its
/// own, and touches nothing that is shared; a [`Registry`] pays for its being shared with three writes to memory that all
/// threads see. That is why looking takes `&mut self`: have one for each place that looks things up.
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
    service: Foreign<Erased>,
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
        let generation = self.registry.generation();
        if self.seen != generation {
            self.start_again(generation);
        }
        let position = match self.found.position(slot.hashed(&slot.id())) {
            Some(position) => position,
            None => self.look_up(slot)?,
        };
        let found = self.found.at(position);
        match found.service.borrow() {
            Some(service) => Ok(service),
            None => Err(wrong_type(slot, found)),
        }
    }

    /// Lets go of all that it gave.
    pub fn forget(&mut self) {
        self.found.clear();
    }

    #[cold]
    fn start_again(&mut self, generation: u64) {
        self.forget();
        self.seen = generation;
    }

    #[cold]
    fn look_up<T: ?Sized + Send + Sync + 'static>(&mut self, slot: Slot<T>) -> Result<usize, ResolveError> {
        let service = Foreign::new(Erased::new(self.registry.resolve(slot)?));
        Ok(self.found.add(slot.id(), Found { service, type_name: type_name::<T>() }))
    }
}

#[cold]
fn wrong_type<T: ?Sized>(slot: Slot<T>, found: &Found) -> ResolveError {
    ResolveError::WrongType { slot: slot.id(), expected: type_name::<T>(), found: found.type_name }
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

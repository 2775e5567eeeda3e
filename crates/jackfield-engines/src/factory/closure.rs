//! The seed's contract: a function of `(store, events)` that returns a destroyer.

use super::{
    Engine, EngineContext, EngineError, EngineFactory, EngineUpdate, Prepared, ProjectStore, Synced,
};
use crate::events::EventDispatcher;
use crate::id::EngineId;
use futures_util::future::{BoxFuture, FutureExt};
use std::fmt;
use std::sync::Arc;

/// An engine from a closure: called with the store and the events to start it, and what it returns is called
/// to destroy it.
///
/// For small engines and for tests. Whatever such an engine follows it follows itself, by subscribing in the
/// store. Both closures run on the manager's task and must not block for long; a panic in either is contained.
///
/// ```
/// use jackfield_engines::engine_fn;
///
/// let factory = engine_fn("blink", |store, _events| {
///     let light = store.compiler.is_compiling.subscribe(|compiling| println!("compiling: {compiling}"));
///     move || drop(light)
/// });
/// assert_eq!(factory.id().as_str(), "blink");
/// ```
pub fn engine_fn<F, D>(id: impl Into<EngineId>, create: F) -> Arc<dyn EngineFactory>
where
    F: Fn(ProjectStore, EventDispatcher) -> D + Send + Sync + 'static,
    D: FnOnce() + Send + 'static,
{
    let create = Arc::new(move |store, events| Box::new(create(store, events)) as Destroyer);
    Arc::new(Closure { id: id.into(), create })
}

type Destroyer = Box<dyn FnOnce() + Send>;
type Create = dyn Fn(ProjectStore, EventDispatcher) -> Destroyer + Send + Sync;

struct Closure {
    id: EngineId,
    create: Arc<Create>,
}

impl EngineFactory for Closure {
    fn id(&self) -> EngineId {
        self.id.clone()
    }

    fn prepare(&self, cx: EngineContext) -> BoxFuture<'_, Result<Box<dyn Prepared>, EngineError>> {
        let create = Arc::clone(&self.create);
        async move { Ok(Box::new(Ready { create, cx }) as Box<dyn Prepared>) }.boxed()
    }
}

struct Ready {
    create: Arc<Create>,
    cx: EngineContext,
}

impl Prepared for Ready {
    fn start(self: Box<Self>) -> BoxFuture<'static, Result<Box<dyn Engine>, EngineError>> {
        async move {
            let destroy = (self.create)(self.cx.store, self.cx.events);
            Ok(Box::new(Running(Some(destroy))) as Box<dyn Engine>)
        }
        .boxed()
    }
}

struct Running(Option<Destroyer>);

impl Engine for Running {
    fn sync(&mut self, _: EngineUpdate) -> BoxFuture<'_, Result<Synced, EngineError>> {
        async { Ok(Synced::Done) }.boxed()
    }

    fn stop(mut self: Box<Self>) -> BoxFuture<'static, ()> {
        async move { self.destroy() }.boxed()
    }
}

impl Running {
    fn destroy(&mut self) {
        if let Some(destroy) = self.0.take() {
            destroy();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.destroy();
    }
}

impl fmt::Debug for Closure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Closure").field("id", &self.id).finish_non_exhaustive()
    }
}

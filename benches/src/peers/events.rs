use std::{convert::Infallible, hint::black_box, sync::Arc};

use bevy_ecs::prelude::{Event, On, World};
use cordis_core::Routing;
use rutis::host::CtxHost;

use crate::{fixture::awaiting, measure::Contender};

/// Those that have nothing but events, or a world of which they are part.
pub(crate) fn in_process(handlers: usize) -> [Contender<'static>; 3] {
    let nuts = match handlers {
        1 => nuts::<1>(),
        10 => nuts::<10>(),
        _ => nuts::<100>(),
    };
    [bevy(handlers), nuts, tokio_broadcast(handlers)]
}

/// Those that are plugin runtimes.
pub(crate) fn of_runtimes(tokio: &tokio::runtime::Runtime, handlers: usize) -> [Contender<'_>; 2] {
    [rutis(tokio, handlers), cordis(tokio, handlers)]
}

#[derive(Event)]
struct Ping(u64);

fn bevy(handlers: usize) -> Contender<'static> {
    let mut world = World::new();
    for _ in 0..handlers {
        world.add_observer(|mut ping: On<Ping>| ping.0 += 1);
    }
    world.flush();
    Contender::each("bevy_ecs", move || world.trigger(Ping(black_box(1)))).doing(handlers)
}

/// Activities live on the thread for ever, one to a type; so do their subscriptions. A type of message for each number
/// of handlers keeps them apart.
struct Activity<const N: usize>;
struct Message<const N: usize>(u64);

fn nuts<const N: usize>() -> Contender<'static> {
    let activity = ::nuts::new_activity(Activity::<N>);
    for _ in 0..N {
        activity.subscribe_mut(|_, message: &mut Message<N>| message.0 += 1);
    }
    Contender::each("nuts", || ::nuts::publish(Message::<N>(black_box(1)))).doing(N)
}

/// A channel whose receivers each take the event, as tasks that wait for it would.
fn tokio_broadcast(handlers: usize) -> Contender<'static> {
    let (sender, _) = tokio::sync::broadcast::channel(16);
    let mut receivers: Vec<_> = (0..handlers).map(|_| sender.subscribe()).collect();
    let emit = move || {
        sender.send(black_box(1_u64)).expect("there are receivers");
        receivers.iter_mut().map(|receiver| receiver.try_recv().expect("an event")).sum::<u64>()
    };
    Contender::each("tokio broadcast", emit).doing(handlers)
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Pinged;
impl rutis::Event for Pinged {
    const NAME: &'static str = "bench/ping";
    type Value = u64;
}

fn rutis(tokio: &tokio::runtime::Runtime, handlers: usize) -> Contender<'static> {
    let root = rutis::Ctx::root_with(tokio.handle().clone());
    for _ in 0..handlers {
        root.on_sync::<Pinged>(|_, _| Ok(None)).expect("a listener");
    }
    let event = Arc::new(Pinged);
    let emit = move || root.bail::<Pinged>(Arc::clone(&event)).expect("no listener fails");
    Contender::each("rutis", emit).doing(handlers)
}

impl cordis_core::Event for Pinged {
    const NAME: &'static str = "bench/ping";
    type Args = usize;
    type Output = usize;
}

fn cordis(tokio: &tokio::runtime::Runtime, handlers: usize) -> Contender<'_> {
    let entered = tokio.enter();
    let context = cordis_core::Context::new();
    for _ in 0..handlers {
        let listener = cordis_core::event::observer_sync(|_, _| Ok::<(), Infallible>(()));
        context.on::<Pinged, _>(listener).expect("a listener");
    }
    drop(entered);
    let emit = awaiting(tokio, async move || {
        context.emit::<Pinged>(Routing::Unscoped, black_box(1)).await.expect("no listener fails");
    });
    Contender::new("cordis-core", emit).doing(handlers)
}

use std::ops::ControlFlow;

use crate::event::{
    core::Core,
    dispatch::{Faulty, Paused, asynchronous, run, run_first},
    envelope::Envelope,
    handler::Handler,
    list::View,
    observer::{Flight, MessageKind, Outcome},
};

/// What a kind of message is to a dispatch: when its handlers have done, and what that is called.
pub(crate) trait Course<M, R> {
    const KIND: MessageKind;
    type End;
    fn verdict(reply: R, envelope: &Envelope<M>) -> ControlFlow<Self::End>;
    fn outcome(end: &Option<Self::End>) -> Outcome<'static>;
}

/// Takes an envelope through its handlers; if it is `watched`, with those who watch it looking on.
pub(crate) async fn deliver<C, M, R>(
    core: &Core,
    view: View<'_, Handler<M, R>>,
    envelope: &mut Envelope<M>,
    watched: bool,
) -> Faulty<Option<C::End>>
where
    C: Course<M, R>,
    M: Send + 'static,
{
    if !watched {
        return run(view, envelope, C::verdict).await;
    }
    let flight = Flight::new(core.taps(), C::KIND, envelope);
    let ran = run(view, flight.envelope, C::verdict).await;
    flight.land(&ran, C::outcome);
    ran
}

/// The same without waiting for anything.
#[inline(always)] // or results are copied from frame to frame, which takes longer than a handler
pub(crate) fn deliver_sync<C, M, R>(
    core: &Core,
    view: View<'_, Handler<M, R>>,
    envelope: &mut Envelope<M>,
    watched: bool,
) -> Faulty<Option<C::End>>
where
    C: Course<M, R>,
    M: Send + 'static,
{
    if watched {
        at_once_watched::<C, M, R>(core, view, envelope)
    } else {
        at_once::<C, M, R>(view, envelope)
    }
}

#[cold]
#[inline(never)]
fn at_once_watched<C, M, R>(
    core: &Core,
    view: View<'_, Handler<M, R>>,
    envelope: &mut Envelope<M>,
) -> Faulty<Option<C::End>>
where
    C: Course<M, R>,
    M: Send + 'static,
{
    let flight = Flight::new(core.taps(), C::KIND, envelope);
    let ran = at_once::<C, M, R>(view, flight.envelope);
    flight.land(&ran, C::outcome);
    ran
}

#[inline(always)] // as above
fn at_once<C: Course<M, R>, M, R>(
    view: View<'_, Handler<M, R>>,
    envelope: &mut Envelope<M>,
) -> Faulty<Option<C::End>> {
    match run_first(view, envelope, C::verdict)? {
        Paused::No(end) => Ok(end),
        Paused::Before(position) => Err(asynchronous(view, position)),
    }
}

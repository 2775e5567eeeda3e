use std::{any::type_name, fmt, ops::ControlFlow, sync::Arc};

use crate::{
    event::{
        BusClosed, Cause, Core, Course, Envelope, Fault, Faulty, MessageKind, Outcome, deliver, deliver_sync,
    },
    request::{Remedy, Request, RequestError, RequestHandler},
};

/// A request about to be made; from [`Bus::inquiry`](crate::Bus::inquiry).
#[must_use = "nobody is asked until `send` or one of its kin is called"]
pub struct Inquiry<'a, Q> {
    core: &'a Core,
    request: Q,
    identifier: Option<Arc<str>>,
}

impl<'a, Q: Request> Inquiry<'a, Q> {
    pub(super) fn new(core: &'a Core, request: Q) -> Self {
        Self { core, request, identifier: None }
    }

    /// Addresses it: the general handlers are asked, and those of exactly `identifier`.
    pub fn to(mut self, identifier: impl Into<Arc<str>>) -> Self {
        self.identifier = Some(identifier.into());
        self
    }

    /// As [`Bus::request`](crate::Bus::request).
    ///
    /// # Errors
    ///
    /// There is no handler, or all of them conceded; a handler failed or panicked; the bus is closed.
    ///
    /// # Cancel safety
    ///
    /// As [`Bus::request`](crate::Bus::request).
    pub async fn send(self) -> Result<Q::Response, RequestError> {
        let lists = self.core.lists::<RequestHandler<Q>>(self.identifier.as_deref());
        let lists = lists.map_err(|BusClosed| closed::<Q>())?;
        let mut envelope = Envelope::new(self.request, self.identifier);
        let watched = self.core.is_observed();
        let ran = deliver::<Requests, _, _>(self.core, lists.view(), &mut envelope, watched).await;
        arrive(self.core, ran, envelope, lists.view().is_empty())
    }

    /// As [`Bus::request_optional`](crate::Bus::request_optional).
    ///
    /// # Errors
    ///
    /// A handler failed or panicked; the bus is closed.
    ///
    /// # Cancel safety
    ///
    /// As [`Bus::request`](crate::Bus::request).
    pub async fn send_optional(self) -> Result<Option<Q::Response>, RequestError> {
        optional(self.send().await)
    }

    /// As [`Bus::request_sync`](crate::Bus::request_sync).
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), or it was the turn of an asynchronous handler.
    pub fn send_sync(self) -> Result<Q::Response, RequestError> {
        let reach = self.core.reach::<RequestHandler<Q>>(self.identifier.as_deref());
        let reach = reach.map_err(|BusClosed| closed::<Q>())?;
        let mut envelope = Envelope::new(self.request, self.identifier);
        let watched = self.core.is_observed();
        let ran = deliver_sync::<Requests, _, _>(self.core, reach.view(), &mut envelope, watched);
        arrive(self.core, ran, envelope, reach.view().is_empty())
    }

    /// As [`Bus::request_optional_sync`](crate::Bus::request_optional_sync).
    ///
    /// # Errors
    ///
    /// As [`send_optional`](Self::send_optional), or it was the turn of an asynchronous handler.
    pub fn send_optional_sync(self) -> Result<Option<Q::Response>, RequestError> {
        optional(self.send_sync())
    }
}

/// Requests go from handler to handler until one claims them.
struct Requests;

impl<Q, R> Course<Q, Option<R>> for Requests {
    const KIND: MessageKind = MessageKind::Request;
    type End = R;

    fn verdict(reply: Option<R>, _: &Envelope<Q>) -> ControlFlow<R> {
        reply.map_or(ControlFlow::Continue(()), ControlFlow::Break)
    }

    fn outcome(response: &Option<R>) -> Outcome<'static> {
        if response.is_some() { Outcome::Answered } else { Outcome::Unanswered }
    }
}

fn closed<Q>() -> RequestError {
    RequestError::Closed { request: type_name::<Q>() }
}

fn arrive<Q: Request>(
    core: &Core,
    ran: Faulty<Option<Q::Response>>,
    envelope: Envelope<Q>,
    nobody_asked: bool,
) -> Result<Q::Response, RequestError> {
    let (request, response) = (type_name::<Q>(), type_name::<Q::Response>());
    match ran {
        Ok(Some(answer)) => Ok(answer),
        Ok(None) => {
            let identifier = envelope.shared_identifier().cloned();
            if nobody_asked {
                let mismatch = core.table::<RequestHandler<Q>>().is_some_and(|table| !table.is_empty());
                return Err(RequestError::NotWired { request, response, identifier, mismatch });
            }
            let remedy = Remedy::RequestOptional;
            let conceded = RequestError::AllConceded { request, response, identifier, remedy };
            envelope.into_inner().when_conceded().ok_or(conceded)
        }
        Err(fault) => {
            let Fault { handler, cause } = *fault;
            Err(match cause {
                Cause::Asynchronous => RequestError::Asynchronous { request, handler },
                Cause::Failed(source) => RequestError::Failed { request, handler, source },
                Cause::Panicked(message) => RequestError::Panicked { request, handler, message },
            })
        }
    }
}

/// That nobody answered is no error then; everything else still is.
fn optional<R>(answer: Result<R, RequestError>) -> Result<Option<R>, RequestError> {
    match answer {
        Ok(response) => Ok(Some(response)),
        Err(error) if error.is_unanswered() => Ok(None),
        Err(error) => Err(error),
    }
}

impl<Q: fmt::Debug> fmt::Debug for Inquiry<'_, Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inquiry")
            .field("request", &self.request)
            .field("identifier", &self.identifier)
            .finish_non_exhaustive()
    }
}

//! What authors of plugins test them with. Behind the feature `testing`, for dev-dependencies:
//! `jackfield = { version = "…", features = ["testing"] }`.
//!
//! * [`StubSession`], [`StubGlobal`]: a scope made by hand, with a real registry and a real bus, in which nothing happens
//!   by itself. Hooks are called by the test, one at a time.
//! * [`StubConfig`]: a [`Live`](crate::Live) configuration that the test writes.
//! * [`Diary`]: what plugins did in a real runtime, in the order in which they did it; and what they shall fail at.
//!   [`Probe`] is a plugin with nothing but a diary.
//! * [`Harness`]: switches, configures, fails and closes plugins in random order, and finds what they leave behind.
//!
//! One hook, alone:
//!
//! ```
//! use jackfield::{prelude::*, testing::{StubConfig, StubSession}};
//!
//! trait Voice: Send + Sync {
//!     fn say(&self) -> String;
//! }
//! const VOICE: Slot<dyn Voice> = Slot::new("voice");
//!
//! #[derive(Default, Deserialize, JsonSchema, PartialEq)]
//! #[serde(default)]
//! struct EchoConfig {
//!     times: usize,
//! }
//! struct Say(String);
//!
//! struct Echo;
//! impl Plugin for Echo {
//!     fn manifest(&self) -> Manifest {
//!         Manifest::new("echo").config::<EchoConfig>()
//!     }
//!     async fn attach(&self, cx: &SessionContext) -> PluginResult {
//!         let (voice, config) = (cx.resolve(VOICE)?, cx.config::<EchoConfig>()?);
//!         cx.on(move |say: &mut Envelope<Say>| say.0 = voice.say().repeat(config.load().times));
//!         Ok(())
//!     }
//! }
//!
//! struct Parrot;
//! impl Voice for Parrot {
//!     fn say(&self) -> String {
//!         "polly ".to_owned()
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! # use jackfield::BoxError;
//! let session = StubSession::default();
//! session.fake(VOICE, Arc::new(Parrot));
//! let config = StubConfig::new(EchoConfig { times: 2 });
//! let cx = session.context_with(&Echo, &config);
//!
//! Echo.attach(&cx).await?;
//! assert_eq!(session.bus().emit_sync(Say(String::new()))?.0, "polly polly ");
//! config.set(EchoConfig { times: 1 });
//! assert_eq!(session.bus().emit_sync(Say(String::new()))?.0, "polly ");
//!
//! Echo.detach(&cx).await?;
//! cx.release().await;
//! assert_eq!(session.bus().subscriptions(), 0);
//! # Ok(())
//! # }
//! ```

mod fault;
mod witness;
mod diary;
mod probe;
mod stub;
mod harness;

pub use self::{
    diary::Diary,
    fault::Fault,
    harness::{Harness, LeftBehind, Step},
    probe::Probe,
    stub::{StubConfig, StubContext, StubGlobal, StubScope, StubSession, settings_change},
};

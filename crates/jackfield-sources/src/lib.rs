//! Where settings come from, and how they are written back.
//!
//! * [`Source`]: delivers a text now and whenever it changes. One reader each; dropping it ends all it started.
//! * [`FileSource`]: a file that is watched, however its editor saves it.
//! * [`FileChanges`]: files of any kind that belong together; tells when one of them has changed.
//! * [`FakeSource`]: the source tests use; what a [`FakePusher`] pushes comes out.
//! * [`write_atomically`]: replaces a file so that a reader sees the old text or the new one.
//!
//! A source delivers text and does not know what it means: reading it as settings, and refusing it, is its
//! reader's part.
//!
//! ```
//! use jackfield_sources::{FileSource, Source, write_atomically};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let path = dir.path().join("settings.toml");
//! write_atomically(&path, "engine = 'audio'")?;
//!
//! let mut source = FileSource::new(&path)?;
//! let first = source.next().await.ok_or("the runtime is shutting down")??;
//! assert_eq!(first.text, "engine = 'audio'");
//!
//! write_atomically(&path, "engine = 'midi'")?;
//! let second = source.next().await.ok_or("the runtime is shutting down")??;
//! assert_eq!(second.text, "engine = 'midi'");
//! # Ok(())
//! # }
//! ```

mod error;
mod links;
mod source;
mod fake;
mod watch;
mod file;
mod changes;
mod write;

pub use crate::{
    changes::FileChanges,
    error::SourceError,
    fake::{FakePusher, FakeSource},
    file::FileSource,
    source::{Document, Origin, Source, Update},
    write::{WriteError, write_atomically},
};

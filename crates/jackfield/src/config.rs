//! Typed configuration: read once, when a change is planned, and followed live from then on.

use std::{
    any::{Any, TypeId, type_name},
    fmt,
    sync::Arc,
};

use arc_swap::ArcSwap;
use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::{
    foreign::contain,
    settings::{ConfigTable, DocumentPath, Problem},
};

/// What a configuration type must be able to do. Implemented for every type that can.
///
/// It is read from an object that may be empty, so give it defaults: `#[serde(default, deny_unknown_fields)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a configuration",
    note = "derive `serde::Deserialize`, `schemars::JsonSchema` and `PartialEq` for it"
)]
pub trait Configuration: DeserializeOwned + JsonSchema + PartialEq + Send + Sync + 'static {}
impl<C: DeserializeOwned + JsonSchema + PartialEq + Send + Sync + 'static> Configuration for C {}

/// A configuration that was read: only its spec and its handles know the type.
pub(crate) type AnyConfig = Arc<dyn Any + Send + Sync>;

/// The type of a configuration, for those who do not know it: its name, its schema, and how to read one.
#[derive(Clone, Copy)]
pub struct ConfigSpec {
    type_id: TypeId,
    type_name: fn() -> &'static str,
    schema: fn() -> Schema,
    read: fn(&DocumentPath, &ConfigTable) -> Result<AnyConfig, Problem>,
    cell: fn(AnyConfig) -> Arc<dyn ConfigCell>,
}

impl ConfigSpec {
    pub(crate) fn of<C: Configuration>() -> Self {
        Self {
            type_id: TypeId::of::<C>(),
            type_name: type_name::<C>,
            schema: schema_of::<C>,
            read: read::<C>,
            cell: |config| Arc::new(TypedCell::<C>::new(expect(config))),
        }
    }

    /// The name of the type.
    pub fn type_name(&self) -> &'static str {
        (self.type_name)()
    }

    /// The JSON schema of the type.
    ///
    /// # Cost
    ///
    /// The schema is made anew at every call.
    pub fn schema(&self) -> Schema {
        (self.schema)()
    }

    /// Whether both are of one type.
    pub(crate) fn is_of_type_of(&self, other: &Self) -> bool {
        self.type_id == other.type_id
    }

    pub(crate) fn read(&self, path: &DocumentPath, table: &ConfigTable) -> Result<AnyConfig, Problem> {
        let read = contain(|| (self.read)(path, table));
        read.unwrap_or_else(|message| {
            Err(Problem::new(path.clone(), format!("reading it panicked: {message}")))
        })
    }

    pub(crate) fn cell(&self, config: AnyConfig) -> Arc<dyn ConfigCell> {
        (self.cell)(config)
    }
}

impl fmt::Debug for ConfigSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ConfigSpec").field(&self.type_name()).finish()
    }
}

fn schema_of<C: Configuration>() -> Schema {
    schemars::SchemaGenerator::default().into_root_schema_for::<C>()
}

fn read<C: Configuration>(path: &DocumentPath, table: &ConfigTable) -> Result<AnyConfig, Problem> {
    match serde_path_to_error::deserialize::<_, C>(serde_json::Value::Object(table.clone())) {
        Ok(config) => Ok(Arc::new(config)),
        Err(error) => {
            let mut place = path.clone();
            for segment in error.path() {
                use serde_path_to_error::Segment;
                match segment {
                    Segment::Map { key } => place = place.join(key),
                    Segment::Seq { index } => place = place.join(index.to_string()),
                    Segment::Enum { variant } => place = place.join(variant),
                    Segment::Unknown => {}
                }
            }
            Err(Problem::new(place, error.into_inner().to_string()))
        }
    }
}

fn expect<C: Configuration>(config: AnyConfig) -> Arc<C> {
    match config.downcast() {
        Ok(config) => config,
        Err(_) => unreachable!("a configuration is read by the spec that made its cell"),
    }
}

/// Where one configuration lives while its owner runs. The runtime writes it, handles read it.
pub(crate) trait ConfigCell: Send + Sync {
    /// Puts `config` in force. What it returns was, and is for the caller to drop: that is its owner's code.
    fn replace(&self, config: AnyConfig) -> AnyConfig;
    fn load(&self) -> AnyConfig;
    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

struct TypedCell<C> {
    current: ArcSwap<C>,
    generation: watch::Sender<u64>,
}

impl<C: Configuration> TypedCell<C> {
    fn new(config: Arc<C>) -> Self {
        Self { current: ArcSwap::new(config), generation: watch::Sender::new(0) }
    }
}

impl<C: Configuration> ConfigCell for TypedCell<C> {
    fn replace(&self, config: AnyConfig) -> AnyConfig {
        let old = self.current.swap(expect(config));
        self.generation.send_modify(|generation| *generation += 1);
        old
    }

    fn load(&self) -> AnyConfig {
        self.current.load_full()
    }

    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

/// A typed, validated configuration that follows the settings.
///
/// Every value it ever shows was read and accepted before the change that brought it began; there is no invalid one.
/// Clones follow the same configuration.
///
/// # Lifetime
///
/// It may outlive its plugin: it then keeps the last value.
pub struct Live<C> {
    cell: Arc<TypedCell<C>>,
    seen: watch::Receiver<u64>,
}

impl<C: Configuration> Live<C> {
    pub(crate) fn of(cell: Arc<dyn ConfigCell>) -> Option<Self> {
        let cell: Arc<TypedCell<C>> = cell.as_any().downcast().ok()?;
        let seen = cell.generation.subscribe();
        Some(Self { cell, seen })
    }

    /// The configuration in force. It never waits and takes no lock: an atomic read, and an `Arc` cloned.
    pub fn load(&self) -> Arc<C> {
        self.cell.current.load_full()
    }

    /// Waits until the configuration has been set anew since this handle was made or last waited.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is missed by giving up and waiting again.
    pub async fn changed(&mut self) {
        // The sender lives in the cell, which this handle keeps alive.
        if self.seen.changed().await.is_err() {
            unreachable!("the cell is alive as long as its handles");
        }
    }
}

impl<C> Clone for Live<C> {
    fn clone(&self) -> Self {
        Self { cell: Arc::clone(&self.cell), seen: self.seen.clone() }
    }
}

impl<C: fmt::Debug> fmt::Debug for Live<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Live").field(&self.cell.current.load()).finish()
    }
}

//! Typed configuration: read once, when a change is planned, and followed live from then on.

use std::{
    any::{Any, TypeId, type_name},
    fmt,
    sync::Arc,
};

use arc_swap::ArcSwap;
use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::watch;

use crate::{
    foreign::contain,
    settings::{ConfigTable, DocumentPath, Problem, Problems},
};

mod limits;

use limits::Limits;

/// What a configuration type must be able to do. Implemented for every type that can.
///
/// It is read from an object that may be empty, so give it defaults: `#[serde(default, deny_unknown_fields)]`. What its
/// schema demands besides, such as `#[schemars(range(min = 1, max = 8))]`, is checked too. A configuration that equals
/// the one in force is no change, however it is written.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a configuration",
    note = "derive `serde::Deserialize`, `schemars::JsonSchema` and `PartialEq` for it"
)]
pub trait Configuration: DeserializeOwned + JsonSchema + PartialEq + Send + Sync + 'static {}
impl<C: DeserializeOwned + JsonSchema + PartialEq + Send + Sync + 'static> Configuration for C {}

/// A configuration that was read: only its spec and its handles know the type.
pub(crate) type AnyConfig = Arc<dyn Any + Send + Sync>;

/// The type of a configuration, for those who do not know it: its name, its schema, and how to read one.
///
/// Cheap to clone.
#[derive(Clone)]
pub struct ConfigSpec {
    type_id: TypeId,
    type_name: fn() -> &'static str,
    schema: fn() -> Schema,
    limits: Arc<Limits>,
    read: fn(&DocumentPath, &Value) -> Result<AnyConfig, Problem>,
    are_equal: fn(&AnyConfig, &AnyConfig) -> bool,
    cell: fn(AnyConfig) -> Arc<dyn ConfigCell>,
}

impl ConfigSpec {
    pub(crate) fn of<C: Configuration>() -> Self {
        Self {
            type_id: TypeId::of::<C>(),
            type_name: type_name::<C>,
            schema: schema_of::<C>,
            limits: Arc::default(),
            read: read::<C>,
            are_equal: are_equal::<C>,
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

    /// Reads the configuration that is written at `path`, or says all that is wrong with it.
    pub(crate) fn read(&self, path: &DocumentPath, table: &ConfigTable) -> Result<AnyConfig, Problems> {
        let value = Value::Object(table.clone());
        let read = contain(|| match (self.read)(path, &value) {
            Ok(config) => match self.limits.broken(self.schema, path, &value) {
                broken if broken.is_empty() => Ok(config),
                broken => Err(broken),
            },
            Err(first) => {
                let others = self.limits.besides(&first, self.schema, path, &value);
                Err(std::iter::once(first).chain(others).collect())
            }
        });
        let panicked = |message| Problem::new(path.clone(), format!("reading it panicked: {message}"));
        read.unwrap_or_else(|message| Err(vec![panicked(message)])).map_err(Problems)
    }

    /// Whether both configurations, which this read, say the same. If comparing them panics, they do not.
    pub(crate) fn are_equal(&self, one: &AnyConfig, other: &AnyConfig) -> bool {
        contain(|| (self.are_equal)(one, other)).unwrap_or(false)
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

fn are_equal<C: Configuration>(one: &AnyConfig, other: &AnyConfig) -> bool {
    one.downcast_ref::<C>().is_some_and(|one| other.downcast_ref() == Some(one))
}

fn read<C: Configuration>(path: &DocumentPath, value: &Value) -> Result<AnyConfig, Problem> {
    match serde_path_to_error::deserialize::<_, C>(value) {
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

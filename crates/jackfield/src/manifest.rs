use crate::{
    config::{ConfigSpec, Configuration},
    id::PluginId,
};

/// A mark on a plugin that changes whether it is on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize)]
pub struct FeatureFlag(std::borrow::Cow<'static, str>);

impl FeatureFlag {
    /// Always on; settings cannot switch it off.
    pub const LOCKED: Self = Self::new("locked");
    /// Off unless settings switch it on.
    pub const EXPERIMENTAL: Self = Self::new("experimental");

    /// A flag of the application's own: carried along, without meaning to the runtime.
    pub const fn new(name: &'static str) -> Self {
        Self(std::borrow::Cow::Borrowed(name))
    }

    /// The flag's name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

/// What a plugin says of itself before anything runs.
///
/// ```
/// use jackfield::{FeatureFlag, Manifest};
///
/// let manifest = Manifest::new("formal").depends_on("casual").flag(FeatureFlag::EXPERIMENTAL);
/// assert!(!manifest.is_enabled_by_default());
/// ```
#[derive(Clone, Debug)]
pub struct Manifest {
    id: PluginId,
    about: Option<&'static str>,
    former: Vec<PluginId>,
    dependencies: Vec<PluginId>,
    flags: Vec<FeatureFlag>,
    config: Option<ConfigSpec>,
}

impl Manifest {
    /// A plugin of this name, without dependencies, flags or configuration.
    ///
    /// # Panics
    ///
    /// If `id` is malformed; see [`PluginId::new`].
    #[track_caller]
    pub fn new(id: &'static str) -> Self {
        Self::of(PluginId::new(id))
    }

    /// The same for an id that is only known when the program runs.
    pub fn of(id: PluginId) -> Self {
        let (former, dependencies, flags) = (Vec::new(), Vec::new(), Vec::new());
        Self { id, about: None, former, dependencies, flags, config: None }
    }

    /// One line for people: what the plugin is for.
    #[must_use]
    pub fn about(mut self, line: &'static str) -> Self {
        self.about = Some(line);
        self
    }

    /// A name that the plugin had before: settings that use it mean this plugin, and are stored with the new name.
    ///
    /// # Panics
    ///
    /// If `id` is malformed; see [`PluginId::new`].
    #[must_use]
    #[track_caller]
    pub fn formerly(mut self, id: &'static str) -> Self {
        self.former.push(PluginId::new(id));
        self
    }

    /// Takes part only while `plugin` does, and attaches after it.
    ///
    /// # Panics
    ///
    /// If `plugin` is malformed; see [`PluginId::new`].
    #[must_use]
    #[track_caller]
    pub fn depends_on(self, plugin: &'static str) -> Self {
        self.depends_on_id(PluginId::new(plugin))
    }

    /// The same for an id that is only known when the program runs.
    #[must_use]
    pub fn depends_on_id(mut self, plugin: PluginId) -> Self {
        if !self.dependencies.contains(&plugin) {
            self.dependencies.push(plugin);
        }
        self
    }

    /// Adds a flag.
    #[must_use]
    pub fn flag(mut self, flag: FeatureFlag) -> Self {
        self.flags.push(flag);
        self
    }

    /// Says of which type the plugin's own configuration is. A configuration that does not fit is refused before
    /// anything changes.
    #[must_use]
    pub fn config<C: Configuration>(mut self) -> Self {
        self.config = Some(ConfigSpec::of::<C>());
        self
    }

    /// The plugin's name.
    pub fn id(&self) -> &PluginId {
        &self.id
    }

    /// What the plugin is for.
    pub fn description(&self) -> Option<&'static str> {
        self.about
    }

    /// The names that the plugin had before.
    pub fn former_ids(&self) -> &[PluginId] {
        &self.former
    }

    /// The plugins without which this one does not take part.
    pub fn dependencies(&self) -> &[PluginId] {
        &self.dependencies
    }

    /// The flags.
    pub fn flags(&self) -> &[FeatureFlag] {
        &self.flags
    }

    /// The type of the plugin's own configuration, if it has one.
    pub fn config_spec(&self) -> Option<&ConfigSpec> {
        self.config.as_ref()
    }

    /// Whether settings cannot switch the plugin off.
    pub fn is_locked(&self) -> bool {
        self.flags.contains(&FeatureFlag::LOCKED)
    }

    /// Whether the plugin is on when settings do not mention it.
    pub fn is_enabled_by_default(&self) -> bool {
        self.is_locked() || !self.flags.contains(&FeatureFlag::EXPERIMENTAL)
    }
}

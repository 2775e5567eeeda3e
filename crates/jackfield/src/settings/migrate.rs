//! Documents outlive programs: a step for each version, from the one before.

use std::{collections::BTreeMap, fmt, sync::Arc};

use super::{ConfigTable, DocumentPath, Problem, Problems, RuntimeSettings, read};

type Step = Arc<dyn Fn(&mut ConfigTable) -> Result<(), Problem> + Send + Sync>;

/// How documents of earlier versions of an application are brought up to date before they are read.
///
/// The version is the application's own, and stands at the top of the document: `version = 3`. One that says none is of
/// version 0. For a plugin that only changed its name, [`Manifest::formerly`](crate::Manifest::formerly) is enough.
///
/// ```
/// use jackfield::{Migrations, PluginId};
/// use serde_json::json;
///
/// // Version 1 wrote the bell's volume in percent.
/// let migrations = Migrations::to(2).step(1, |document| {
///     if let Some(volume) = document.get_mut("plugins").and_then(|plugins| plugins.pointer_mut("/bell/config/volume")) {
///         *volume = json!(volume.as_f64().unwrap_or(100.0) / 100.0);
///     }
///     Ok(())
/// });
/// let (settings, _) = migrations.read_toml("version = 1\nplugins.bell.config.volume = 50")?;
/// assert_eq!(settings.plugin_config(&PluginId::new("bell"))["volume"], 0.5);
/// assert_eq!(settings.version, Some(2));
/// # Ok::<(), jackfield::Problems>(())
/// ```
#[derive(Clone, Default)]
pub struct Migrations {
    version: Option<u64>,
    steps: BTreeMap<u64, Step>,
}

impl Migrations {
    /// Documents are to be of this version.
    pub fn to(version: u64) -> Self {
        Self { version: Some(version), steps: BTreeMap::new() }
    }

    /// Brings a document of version `from` to the next one. A version without a step is like the next.
    #[must_use]
    pub fn step(
        mut self,
        from: u64,
        migrate: impl Fn(&mut ConfigTable) -> Result<(), Problem> + Send + Sync + 'static,
    ) -> Self {
        self.steps.insert(from, Arc::new(migrate));
        self
    }

    /// Reads a TOML document of any version up to the present one; beside the settings, the keys that mean nothing
    /// and are likely a mistake.
    ///
    /// # Errors
    ///
    /// Every problem at once, each with its path, and with its line and column where the document has it.
    pub fn read_toml(&self, text: &str) -> Result<(RuntimeSettings, Problems), Problems> {
        let read = read::toml(text).and_then(|document| self.read(document));
        match read {
            Ok((settings, notes)) => Ok((settings, notes.located_in_toml(text))),
            Err(problems) => Err(problems.located_in_toml(text)),
        }
    }

    /// The same for a JSON document; paths instead of lines.
    ///
    /// # Errors
    ///
    /// Every problem at once, each with its path.
    pub fn read_json(&self, text: &str) -> Result<(RuntimeSettings, Problems), Problems> {
        read::json(text).and_then(|document| self.read(document))
    }

    fn read(&self, mut document: ConfigTable) -> Result<(RuntimeSettings, Problems), Problems> {
        self.bring_up_to_date(&mut document).map_err(|problem| Problems(vec![problem]))?;
        read::document(&document)
    }

    fn bring_up_to_date(&self, document: &mut ConfigTable) -> Result<(), Problem> {
        let Some(present) = self.version else { return Ok(()) };
        // A version that is no number is for the reader to find.
        let version = match document.get("version") {
            None => 0,
            Some(version) => match version.as_u64() {
                Some(version) => version,
                None => return Ok(()),
            },
        };
        if version > present {
            let message = format!("the document is of version {version}, and this program knows {present}");
            let problem = Problem::new(DocumentPath::new(["version"]), message);
            return Err(problem.remedy("use the newer program, or go back to a file that this one wrote"));
        }
        for (_, step) in self.steps.range(version..present) {
            step(document)?;
        }
        document.insert("version".to_owned(), present.into());
        Ok(())
    }
}

impl fmt::Debug for Migrations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Migrations")
            .field("version", &self.version)
            .field("steps", &self.steps.keys())
            .finish()
    }
}

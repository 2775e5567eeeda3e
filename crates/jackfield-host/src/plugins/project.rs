//! Loads the project that plays.

use std::{path::PathBuf, sync::Arc};

use jackfield::{DocumentPath, Problem, Problems, SettingsChange, prelude::*};
use jackfield_engines::{ENGINES, EngineRegistry, EngineSettings, Engines, Project, ProjectError};

use crate::{failure::chain, plugins::Said, workplace::Workplace};

/// The plugin `project`: loads a project, and has it played.
#[derive(Debug)]
pub(crate) struct ProjectLoader {
    workplace: Workplace,
    engine: Option<String>,
}

/// Its configuration.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ProjectLoaderConfig {
    /// The project's file or directory, from where the settings file lies. Without it, what the command line names.
    file: Option<PathBuf>,
    /// The engine to play it with, instead of the one that the project asks for.
    engine: Option<String>,
}

impl ProjectLoader {
    pub(crate) fn new(workplace: Workplace, engine: Option<String>) -> Self {
        Self { workplace, engine }
    }

    fn load(&self, config: &ProjectLoaderConfig, engines: &Engines) -> Result<Arc<Project>, BoxError> {
        let project = self.workplace.load(config.file.as_deref()).map_err(|error| match config.file {
            Some(_) => wrong("file", &error),
            None => Said(error.to_string()).into(),
        })?;
        Ok(match self.engine.as_ref().or(config.engine.as_ref()) {
            Some(engine) => with_engine(&project, engine, &engines.store().runtime_registry.get()),
            None => project,
        })
    }
}

impl Plugin for ProjectLoader {
    fn manifest(&self) -> Manifest {
        let manifest = Manifest::new("project").about("loads the project that plays");
        manifest.depends_on("engine-manager").config::<ProjectLoaderConfig>()
    }

    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        let engines = cx.resolve(ENGINES)?;
        let project = self.load(&cx.config::<ProjectLoaderConfig>()?.load(), &engines)?;
        play(&engines, project).await?;
        cx.at_detach(async move {
            engines.stop().await;
            Ok(())
        });
        Ok(())
    }

    async fn settings_changed(&self, cx: &SessionContext, change: &SettingsChange) -> PluginResult {
        if change.config_changed() {
            let engines = cx.resolve(ENGINES)?;
            let project = self.load(&cx.config::<ProjectLoaderConfig>()?.load(), &engines)?;
            play(&engines, project).await?;
        }
        Ok(())
    }
}

/// Has the project played. If it cannot be, says so by the file that it came from.
async fn play(engines: &Engines, project: Arc<Project>) -> PluginResult {
    let file = project.path.as_ref().map_or_else(|| project.name.clone(), |path| path.display().to_string());
    match engines.play(project).await {
        Ok(_) => Ok(()),
        Err(error) => Err(Said(format!("{file}: {}", chain(&*error))).into()),
    }
}

/// A problem with one value of the plugin's own configuration, so that whoever has the text can say where.
fn wrong(key: &str, error: &ProjectError) -> BoxError {
    let path = DocumentPath::new(["plugins", "project", "config", key]);
    Problems(vec![Problem::new(path, error.to_string())]).into()
}

/// The same project, asking for another engine: with what it says for that one, or else with that one's defaults.
fn with_engine(project: &Project, engine: &str, registry: &EngineRegistry) -> Arc<Project> {
    let id =
        |name: &str| registry.get(name).map_or_else(|| name.to_owned(), |engine| engine.id().to_string());
    let mut project = project.clone();
    let config = &mut project.config;
    if config.selected().is_none_or(|settings| id(&settings.runtime) != id(engine)) {
        let meant = config.runtime_settings.iter().position(|settings| id(&settings.runtime) == id(engine));
        config.selected_runtime = meant.unwrap_or_else(|| {
            let settings = EngineSettings { runtime: engine.to_owned(), ..EngineSettings::default() };
            config.runtime_settings.push(settings);
            config.runtime_settings.len() - 1
        });
    }
    Arc::new(project)
}

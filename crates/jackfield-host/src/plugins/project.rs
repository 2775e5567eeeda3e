//! Loads the project that plays.

use std::{path::PathBuf, sync::Arc};

use jackfield::{DocumentPath, Problem, Problems, SettingsChange, prelude::*};
use jackfield_engines::{
    ENGINES, EngineError, EngineRegistry, EngineSettings, Engines, Mishap, Project, SwitchError,
};

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
        let project =
            self.workplace.load(config.file.as_deref()).map_err(|error| wrong(config, error.to_string()))?;
        Ok(match self.engine.as_ref().or(config.engine.as_ref()) {
            Some(engine) => with_engine(&project, engine, &engines.store().runtime_registry.get()),
            None => project,
        })
    }
}

/// Plays what `config` says; and says, if it cannot be played, which file that is.
async fn play(project: Arc<Project>, config: &ProjectLoaderConfig, engines: &Engines) -> PluginResult {
    let path = project.path.as_ref().map_or_else(|| project.name.clone(), |path| path.display().to_string());
    match engines.play(project).await {
        Ok(_) => Ok(()),
        Err(error) => Err(wrong(config, format!("{path}: {}", reason(&error)))),
    }
}

/// What is wrong with a program is said as it is, as the other commands say it; all else with the engine it befell.
fn reason(error: &BoxError) -> String {
    match error.downcast_ref::<Arc<SwitchError>>().map(|error| &**error) {
        Some(SwitchError::Prepare { source: Mishap::Failed(EngineError::Program { source }), .. }) => {
            chain(&**source)
        }
        _ => chain(&**error),
    }
}

impl Plugin for ProjectLoader {
    fn manifest(&self) -> Manifest {
        let manifest = Manifest::new("project").about("loads the project that plays");
        manifest.depends_on("engine-manager").config::<ProjectLoaderConfig>()
    }

    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        let engines = cx.resolve(ENGINES)?;
        let config = cx.config::<ProjectLoaderConfig>()?.load();
        play(self.load(&config, &engines)?, &config, &engines).await?;
        cx.at_detach(async move {
            engines.stop().await;
            Ok(())
        });
        Ok(())
    }

    async fn settings_changed(&self, cx: &SessionContext, change: &SettingsChange) -> PluginResult {
        if change.config_changed() {
            let engines = cx.resolve(ENGINES)?;
            let config = cx.config::<ProjectLoaderConfig>()?.load();
            play(self.load(&config, &engines)?, &config, &engines).await?;
        }
        Ok(())
    }
}

/// A problem with the file that plays. If the configuration names it, it is one of that, so that whoever has the text
/// can say where.
fn wrong(config: &ProjectLoaderConfig, said: String) -> BoxError {
    if config.file.is_none() {
        return Said(said).into();
    }
    let path = DocumentPath::new(["plugins", "project", "config", "file"]);
    Problems(vec![Problem::new(path, said)]).into()
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

//! Loads the project that plays, and again when it is edited.

use std::{path::PathBuf, sync::Arc};

use jackfield::{Bus, DocumentPath, Problem, Problems, SettingsChange, prelude::*};
use jackfield_engines::{
    ENGINES, EngineError, EngineRegistry, EngineSettings, Engines, Mishap, Project, SwitchError,
};

use jackfield_sources::FileChanges;
use tokio::sync::watch;

use crate::{
    failure::chain,
    plugins::{Notice, Said},
    workplace::Workplace,
};

/// The plugin `project`: loads a project, and has it played; and takes it up anew whenever its files change.
#[derive(Clone, Debug)]
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
    /// Whether to leave the project as it was loaded when its files change.
    ignore_edits: bool,
}

impl ProjectLoader {
    pub(crate) fn new(workplace: Workplace, engine: Option<String>) -> Self {
        Self { workplace, engine }
    }

    fn load(&self, config: &ProjectLoaderConfig, engines: &Engines) -> Result<Arc<Project>, BoxError> {
        let project =
            self.workplace.load(config.file.as_deref()).map_err(|error| wrong(config, error.to_string()))?;
        Ok(self.with_engine(project, config, engines))
    }

    /// The project, asking for the engine that somebody has named, if anybody has.
    fn with_engine(
        &self,
        project: Arc<Project>,
        config: &ProjectLoaderConfig,
        engines: &Engines,
    ) -> Arc<Project> {
        match self.engine.as_ref().or(config.engine.as_ref()) {
            Some(engine) => with_engine(&project, engine, &engines.store().runtime_registry.get()),
            None => project,
        }
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
        Some(
            SwitchError::Prepare { source: Mishap::Failed(EngineError::Program { source }), .. }
            | SwitchError::Sync { source: Mishap::Failed(EngineError::Program { source }), .. },
        ) => chain(&**source),
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
        let (files, edited) = watch::channel(Vec::new());
        let tell = move |project: &Option<Arc<Project>>| {
            let found = project.as_ref().map(|project| project.files()).unwrap_or_default();
            files.send_if_modified(|files| std::mem::replace(files, found.clone()) != found);
        };
        tell(&engines.store().project.get());
        cx.hold(engines.store().project.subscribe(move |project| tell(project)));
        let edits = Edits {
            loader: self.clone(),
            engines: Arc::clone(&engines),
            bus: cx.bus().clone(),
            config: cx.config()?,
        };
        cx.spawn(edits.follow(edited));
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

/// Whoever takes up a project whose files have changed.
struct Edits {
    loader: ProjectLoader,
    engines: Arc<Engines>,
    bus: Bus,
    config: Live<ProjectLoaderConfig>,
}

impl Edits {
    /// Watches the files of the project that plays.
    async fn follow(self, mut files: watch::Receiver<Vec<PathBuf>>) {
        loop {
            let watched = files.borrow_and_update().clone();
            let Ok(mut changes) = FileChanges::of(&watched).map(FileChanges::from_now) else {
                return; // there is no current directory to start from
            };
            if self.is_outdated() {
                changes = changes.having_changed();
            }
            loop {
                tokio::select! {
                    another = files.changed() => match another {
                        // It may have been tried only, and taken back.
                        Ok(()) if *files.borrow_and_update() == watched => {}
                        Ok(()) => break,
                        Err(_) => return,
                    },
                    told = changes.changed() => match told {
                        true => self.take_up().await,
                        false => return,
                    },
                }
            }
        }
    }

    /// Whether the project that plays was edited between being read and being watched, which nobody would tell.
    fn is_outdated(&self) -> bool {
        let config = self.config.load();
        let playing = self.engines.store().project.get();
        let Some((playing, path)) =
            playing.as_deref().and_then(|playing| Some((playing, playing.path.as_ref()?)))
        else {
            return false; // there is nothing to edit
        };
        let is_another =
            |there: Project| *self.loader.with_engine(Arc::new(there), &config, &self.engines) != *playing;
        !config.ignore_edits && Project::load(path).map_or(true, is_another)
    }

    async fn take_up(&self) {
        let config = self.config.load();
        if config.ignore_edits {
            return;
        }
        let loaded = self.loader.load(&config, &self.engines);
        let played = match loaded {
            Ok(project) => play(project, &config, &self.engines).await,
            Err(error) => Err(error),
        };
        let said = match played {
            Ok(()) => "project: following the edit".to_owned(),
            Err(error) => format!("project: refused; the last good one plays on\n  {error}"),
        };
        self.bus.emit_sync(Notice(said)).ok(); // an error means that the session closes
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

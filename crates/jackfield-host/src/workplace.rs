use std::{
    env, fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
};

use jackfield_engines::{Project, ProjectError};

use crate::failure::{Failure, Outcome};

/// The demonstration, so that the installed program has something to play.
const BUILT_IN: (&str, &str) =
    ("first-light", include_str!("../../../projects/first-light/first-light.project.json"));

/// Where the demonstration lies in the repository.
const DEMONSTRATION: &str = "projects/first-light";

/// Where a run takes its project and its settings from, and where it puts what it records.
#[derive(Clone, Debug)]
pub(crate) struct Workplace {
    /// What to play unless the settings name another project; `None` is the built-in one.
    project: Option<PathBuf>,
    /// The settings file. It need not exist yet.
    pub(crate) settings: PathBuf,
}

impl Workplace {
    /// The place of `project`: a file, a directory, or nothing, which is the demonstration.
    pub(crate) fn new(project: Option<PathBuf>, settings: Option<PathBuf>) -> Outcome<Self> {
        let demonstration = Path::new(DEMONSTRATION);
        let project = project.or_else(|| demonstration.is_dir().then(|| demonstration.to_owned()));
        let settings = match (settings, &project) {
            (Some(settings), _) if !settings.is_file() => {
                let what = if settings.exists() { "is not a file" } else { "there is no such file" };
                return Err(Failure::input(format!("{}: {what}; check the path", settings.display())));
            }
            (Some(settings), _) => settings,
            (None, Some(project)) if project.is_dir() => project.join("jackfield.toml"),
            (None, Some(project)) => project.with_file_name("jackfield.toml"),
            (None, None) => PathBuf::from("jackfield.toml"),
        };
        Ok(Self { project, settings })
    }

    /// A path in the settings: relative ones start where the settings file lies.
    pub(crate) fn resolve(&self, path: &Path) -> PathBuf {
        self.settings.parent().map_or_else(|| path.to_owned(), |directory| directory.join(path))
    }

    /// The project: the one that the settings name, or else the one of this place.
    pub(crate) fn load(&self, named: Option<&Path>) -> Result<Arc<Project>, ProjectError> {
        let named = named.map(|path| self.resolve(path));
        match named.as_ref().or(self.project.as_ref()) {
            Some(path) => Project::load(path),
            None => Project::from_json(BUILT_IN.0, BUILT_IN.1),
        }
        .map(Arc::new)
    }

    /// The settings' text; nothing where there is no file yet.
    pub(crate) fn settings_text(&self) -> Outcome<Option<String>> {
        match fs::read_to_string(&self.settings) {
            Ok(text) => Ok(Some(text)),
            // Below a file there is nothing either; what is said about the project tells more.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            Err(error) => {
                let path = self.settings.display();
                Err(Failure::input(format!(
                    "{path}: cannot be read: {error}; mend its permissions or its encoding"
                )))
            }
        }
    }

    /// The settings file as a person would type it.
    pub(crate) fn shown_settings(&self) -> String {
        let here = env::current_dir().ok();
        let within = here.as_ref().and_then(|here| self.settings.strip_prefix(here).ok());
        within.unwrap_or(&self.settings).display().to_string()
    }
}

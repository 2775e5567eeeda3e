//! Turns the program's variables, as the settings say.

use std::collections::BTreeMap;

use jackfield::{DocumentPath, Problem, Problems, SettingsChange, prelude::*};
use jackfield_engines::{ENGINES, Engines, KnobError};

/// The plugin `knobs`: each entry of its configuration is a variable of the program, and the value it shall have.
#[derive(Debug)]
pub(crate) struct Knobs;

/// Its configuration: `"filter.cutoff" = 1200`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct KnobsConfig(BTreeMap<String, f64>);

impl Plugin for Knobs {
    fn manifest(&self) -> Manifest {
        let manifest = Manifest::new("knobs").about("turns the program's variables, as the settings say");
        manifest.depends_on("project").config::<KnobsConfig>()
    }

    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        let engines = cx.resolve(ENGINES)?;
        turn(&engines, &KnobsConfig::default(), &cx.config::<KnobsConfig>()?.load())?;
        cx.at_detach(async move {
            // The program may be gone; then there is nothing to give back.
            drop(engines.console().knobs().replace(BTreeMap::new()));
            Ok(())
        });
        Ok(())
    }

    async fn settings_changed(&self, cx: &SessionContext, change: &SettingsChange) -> PluginResult {
        let Some((old, new)) = change.config::<KnobsConfig>() else { return Ok(()) };
        turn(&*cx.resolve(ENGINES)?, &old, &new)
    }
}

/// Turns all knobs to where `new` has them; or leaves all where `old` has them, if one cannot be turned.
fn turn(engines: &Engines, old: &KnobsConfig, new: &KnobsConfig) -> PluginResult {
    let knobs = engines.console().knobs();
    let errors = knobs.replace(new.0.clone());
    if errors.is_empty() {
        return Ok(());
    }
    drop(knobs.replace(old.0.clone())); // they could be turned there before
    Err(Problems(errors.iter().map(problem).collect()).into())
}

fn problem(error: &KnobError) -> Problem {
    Problem::new(DocumentPath::new(["plugins", "knobs", "config", error.id()]), error.to_string())
}

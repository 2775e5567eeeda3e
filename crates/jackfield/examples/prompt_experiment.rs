//! An experiment takes the place of a tried prompt, and steps back when its settings say so.

use std::sync::OnceLock;

use jackfield::{Context, Service, prelude::*};

/// What a language model is told before the conversation begins.
trait Prompt: Send + Sync {
    fn text(&self, user: &str) -> String;
}
const PROMPT: Slot<dyn Prompt> = Slot::new("chat.prompt");

struct Tried;
impl Prompt for Tried {
    fn text(&self, user: &str) -> String {
        format!("You help {user}.")
    }
}

struct Prompts;
impl Plugin for Prompts {
    fn manifest(&self) -> Manifest {
        Manifest::new("prompts").about("the prompt that everybody gets")
    }
    fn register(&self, services: &mut Registrar<'_>) {
        services.provide(PROMPT).singleton(|_| Arc::new(Tried));
    }
}

#[derive(Deserialize, JsonSchema, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct ExperimentConfig {
    /// How many of a hundred users take part.
    share: u64,
    style: String,
}
impl Default for ExperimentConfig {
    fn default() -> Self {
        Self { share: 100, style: "briefly".to_owned() }
    }
}

/// Builds on the prompt that it outranks: looked up when it begins, and anew whenever either of the two comes back.
#[derive(Default)]
struct Trial(OnceLock<(Live<ExperimentConfig>, Arc<dyn Prompt>)>);
impl Service for Trial {
    fn attach(&self, cx: &Context) -> PluginResult {
        let parts = (cx.config()?, cx.resolve_after(PROMPT)?);
        self.0.set(parts).map_err(|_| "a trial begins once")?;
        Ok(())
    }
}
impl Prompt for Trial {
    fn text(&self, user: &str) -> String {
        let Some((config, tried)) = self.0.get() else { return String::new() };
        let config = config.load();
        if bucket(user) < config.share {
            format!("{} Answer {}.", tried.text(user), config.style)
        } else {
            tried.text(user)
        }
    }
}

struct Experiment;
impl Plugin for Experiment {
    fn manifest(&self) -> Manifest {
        // Experimental: nobody takes part in it until settings say so.
        Manifest::new("experiment").depends_on("prompts").flag(FeatureFlag::EXPERIMENTAL)
    }
    fn register(&self, services: &mut Registrar<'_>) {
        let offer = services.provide(PROMPT).priority(Priority::ELEVATED).config::<ExperimentConfig>();
        offer.stateful(|_| Ok(Arc::new(Trial::default())), |trial| trial);
    }
}

/// From 0 to 99, always the same for one user.
fn bucket(user: &str) -> u64 {
    user.bytes().map(u64::from).sum::<u64>() % 100
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let runtime = PluginRuntime::builder().plugin(Prompts).plugin(Experiment).init().await?;
    let session = runtime.create_session("ada").await?;
    let ask = || -> Result<String, BoxError> { Ok(session.resolve(PROMPT)?.text("Ada")) };
    println!("{}", ask()?); //> You help Ada.

    // Everybody takes part.
    let on = RuntimeSettings::from_toml("plugins.experiment.enabled = true")?;
    println!("{}", runtime.update_settings(on).await?); //> + experiment   (settings)   chat.prompt: prompts → experiment
    println!("{}", ask()?); //> You help Ada. Answer briefly.

    // Half of the users do, and Ada is in the other half: the service steps back for her, and keeps the slot.
    println!("{}", bucket("Ada")); //> 62
    let half = "plugins.experiment.enabled = true\nservices.'experiment:chat.prompt'.config.share = 50";
    let half = RuntimeSettings::from_toml(half)?;
    println!("{}", runtime.update_settings(half.clone()).await?); //> ~ experiment   (settings)   chat.prompt share: default → 50
    println!("{}", ask()?); //> You help Ada.

    // It stays on, and gives the slot away.
    let behind = half.with(|settings| {
        let pin = "experiment:chat.prompt".parse().map(|pin| settings.service_mut(pin));
        if let Ok(entry) = pin {
            entry.priority = Some(Priority::LOW);
        }
    });
    println!("{}", runtime.update_settings(behind).await?); //> ~ chat.prompt   (settings)   experiment → prompts
    println!("{}", ask()?); //> You help Ada.

    // It is over.
    let over = runtime.settings().with(|settings| settings.disable("experiment"));
    println!("{}", runtime.update_settings(over).await?); //> - experiment   (settings)
    println!("{}", ask()?); //> You help Ada.

    runtime.shutdown().await?;
    Ok(())
}

//! Settings, as a runtime takes them.

use jackfield::{FailurePolicy, FeatureFlag, UnknownReferences, prelude::*};
use tokio::runtime::Builder;

pub(crate) const WORDS: &[&str] = &[
    "[plugins.base]\n",
    "[plugins.lead]\n",
    "[plugins.bass]\n",
    "[plugins.lab]\n",
    "[plugins.nobody]\n",
    "[services.'lead:voice']\n",
    "[services.'bass:voice']\n",
    "[services.'*:voice']\n",
    "[services.'lab:voice']\n",
    "enabled = false\n",
    "enabled = true\n",
    "priority = 900\n",
    "priority = -1\n",
    "config.loud = 3\n",
    "config.loud = 'x'\n",
    "config.names = ['a']\n",
    "config.deep.er = 1\n",
];

trait Voice: Send + Sync {}
const VOICE: Slot<dyn Voice> = Slot::new("voice");

#[derive(Default, Deserialize, JsonSchema, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct Tone {
    #[schemars(range(min = 0, max = 10))]
    loud: u8,
    names: Vec<String>,
}

struct Sounding(#[expect(dead_code, reason = "kept as long as the service is there")] Live<Tone>);
impl Voice for Sounding {}

/// Everybody depends on it, and it has a configuration.
struct Base;
impl GlobalPlugin for Base {
    fn manifest(&self) -> Manifest {
        Manifest::new("base").config::<Tone>()
    }
}

/// Competes for the one slot.
struct Player(&'static str, Option<FeatureFlag>, i64);
impl Plugin for Player {
    fn manifest(&self) -> Manifest {
        let manifest = Manifest::new(self.0).depends_on("base").config::<Tone>();
        match &self.1 {
            Some(flag) => manifest.flag(flag.clone()),
            None => manifest,
        }
    }

    fn register(&self, services: &mut Registrar<'_>) {
        let offer = services.provide(VOICE).priority(Priority::new(self.2));
        offer.configured(|config| Arc::new(Sounding(config)));
    }
}

/// A TOML document.
pub(crate) fn run(input: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(input) else { return false };
    let Ok(settings) = RuntimeSettings::from_toml(text) else { return false };
    let tokio = Builder::new_current_thread().enable_time().build();
    let tokio = tokio.unwrap_or_else(|error| panic!("{error}"));
    for policy in [UnknownReferences::Reject, UnknownReferences::Skip] {
        tokio.block_on(change(&settings, policy));
    }
    true
}

async fn change(settings: &RuntimeSettings, policy: UnknownReferences) {
    let builder =
        PluginRuntime::builder().unknown_references(policy).failure_policy(FailurePolicy::default());
    let builder = builder
        .plugin(Base)
        .plugin(Player("lead", None, 500))
        .plugin(Player("bass", None, 400))
        .plugin(Player("lab", Some(FeatureFlag::EXPERIMENTAL), 900));
    let runtime = builder.init().await.unwrap_or_else(|error| panic!("{error}"));
    let session = runtime.create_session("fuzz").await.unwrap_or_else(|error| panic!("{error}"));
    match runtime.plan(settings) {
        Err(problems) => {
            assert!(!problems.0.is_empty(), "refused without a reason");
            for problem in &problems.0 {
                assert!(!problem.message.is_empty() && !problem.path.keys().is_empty(), "{problem:?}");
            }
            assert!(runtime.update_settings(settings.clone()).await.is_err());
            assert_eq!(*runtime.settings(), RuntimeSettings::default(), "nothing has happened");
        }
        Ok(plan) => {
            let same = runtime.plan(settings).map(|plan| plan.hash());
            assert_eq!(same, Ok(plan.hash()));
            assert_eq!(plan.to_string().is_empty(), plan.to_string().trim().is_empty());
            let applied = runtime.apply(plan).await;
            applied.unwrap_or_else(|error| panic!("{error}"));
            let again = runtime.plan(settings).unwrap_or_else(|error| panic!("{error}"));
            assert!(again.is_empty(), "{again}");
        }
    }
    drop(session);
    runtime.shutdown().await.unwrap_or_else(|error| panic!("{error}"));
}

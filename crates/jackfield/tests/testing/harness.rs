//! Plugins that leave something behind are found and named; those that do not are left alone.

use std::sync::Mutex;

use jackfield::{
    AnyPlugin, GlobalContext, GlobalPlugin, Hook, IntoPlugin,
    prelude::*,
    testing::{Fault, Harness, LeftBehind, Step},
};
use proptest::{collection::vec, prelude::*};

struct Tick;
trait Voice: Send + Sync {}
const VOICE: Slot<dyn Voice> = Slot::new("voice");

#[derive(Default, Deserialize, JsonSchema, PartialEq)]
#[serde(default)]
struct Volume {
    level: u8,
}
struct Speaker {
    _volume: Live<Volume>,
}
impl Voice for Speaker {}

/// Does a bit of everything, and cleans up.
struct Tidy;
impl Plugin for Tidy {
    fn manifest(&self) -> Manifest {
        Manifest::new("tidy").config::<Volume>()
    }
    fn register(&self, services: &mut Registrar<'_>) {
        services.provide(VOICE).configured(|volume| Arc::new(Speaker { _volume: volume }));
    }
    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        let mut volume = cx.config::<Volume>()?;
        cx.on(|_: &mut Envelope<Tick>| ());
        cx.spawn(async move {
            loop {
                volume.changed().await;
            }
        });
        Ok(())
    }
}

/// Lives in the global scope, and cleans up.
struct Clock;
impl GlobalPlugin for Clock {
    fn manifest(&self) -> Manifest {
        Manifest::new("clock")
    }
    async fn attach(&self, cx: &GlobalContext) -> PluginResult {
        cx.on(|_: &mut Envelope<Tick>| ());
        Ok(())
    }
}

/// Leaves behind what its test says. Needs `tidy`, which is not to be blamed.
#[derive(Default)]
struct Leaky {
    what: Leak,
    kept: Mutex<Vec<Box<dyn Send>>>,
}
#[derive(Clone, Copy, Default, PartialEq)]
enum Leak {
    #[default]
    Nothing,
    Subscription,
    GlobalSubscription,
    Task,
    Service,
    Piling,
    OnlyAfterAFailure,
    Failing,
}
impl Plugin for Leaky {
    fn manifest(&self) -> Manifest {
        Manifest::new("leaky").depends_on("tidy")
    }
    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        let listen = |scope: &jackfield::Scope| scope.bus().on(|_: &mut Envelope<Tick>| ());
        match self.what {
            Leak::Subscription => self.keep(listen(cx)?),
            Leak::GlobalSubscription => self.keep(listen(cx.global_scope())?),
            Leak::Service => self.keep(cx.resolve(VOICE)?),
            Leak::Failing => return Err("no".into()),
            Leak::Task => {
                #[expect(clippy::disallowed_methods, reason = "which is why")]
                drop(tokio::spawn(std::future::pending::<()>()));
            }
            _ => {}
        }
        Ok(())
    }
    async fn settings_changed(&self, cx: &SessionContext, _: &SettingsChange) -> PluginResult {
        if self.what == Leak::Piling {
            cx.on(|_: &mut Envelope<Tick>| ());
        }
        Ok(())
    }
    async fn detach(&self, cx: &SessionContext) -> PluginResult {
        if self.what == Leak::OnlyAfterAFailure && cx.held() == 0 {
            self.keep(cx.bus().on(|_: &mut Envelope<Tick>| ())?);
        }
        Ok(())
    }
}
impl Leaky {
    fn keep(&self, what: impl Send + 'static) {
        self.kept.lock().unwrap().push(Box::new(what));
    }
}

/// Needs `leaky`, and is not to be blamed for it.
struct Bystander;
impl Plugin for Bystander {
    fn manifest(&self) -> Manifest {
        Manifest::new("bystander").depends_on("leaky")
    }
}

fn harness(what: Leak) -> Harness {
    let plugins = move || -> Vec<AnyPlugin<(), ()>> {
        let leaky = Leaky { what, ..Leaky::default() };
        vec![Bystander.into_plugin(), Clock.into_plugin(), Tidy.into_plugin(), leaky.into_plugin()]
    };
    Harness::new(plugins)
        .watches(VOICE)
        .variation("louder", |settings| settings.configure("tidy", "level", 9))
        .variation("softer", |settings| settings.configure("tidy", "level", 1))
        .uses(|session| drop(session.bus().emit_sync(Tick).unwrap()))
}

#[track_caller]
fn caught(what: Leak, finding: &str) -> LeftBehind {
    let left = harness(what).run(1).unwrap_err();
    assert!(left.findings.iter().any(|found| found.contains(finding)), "{left}");
    left
}

#[test]
fn plugins_that_clean_up_pass() {
    harness(Leak::Nothing).check(0..40);
}

#[test]
fn a_subscription_left_on_a_bus_is_blamed_on_its_plugin() {
    let left = caught(Leak::Subscription, "`leaky` leaves 1 subscription on the bus of the session");
    assert_eq!(left.findings.len(), 1, "{left}");
    let left =
        caught(Leak::GlobalSubscription, "`leaky` leaves 1 subscription on the bus of the global scope");
    assert_eq!(left.findings.len(), 1, "{left}");
}

#[test]
fn a_task_that_goes_on_is_blamed_on_its_plugin() {
    let left = caught(Leak::Task, "`leaky` leaves 1 task running when it is switched off");
    assert_eq!(left.findings.len(), 1, "{left}");
}

#[test]
fn a_service_that_outlives_its_session_is_named() {
    caught(Leak::Service, "the service of `tidy` in `voice` outlives session");
}

#[test]
fn what_piles_up_with_every_change_of_settings_is_blamed_on_its_plugin() {
    caught(Leak::Piling, "`leaky` keeps 1 more in session");
}

#[test]
fn a_hook_that_fails_by_itself_is_told() {
    let left = caught(Leak::Failing, "plugin `leaky` failed to attach in session `1`: no");
    assert!(left.steps.is_empty(), "opening a session at the end is enough: {left}");
}

#[test]
fn the_report_has_few_steps_and_the_seed_and_can_be_played_again() {
    let harness = harness(Leak::OnlyAfterAFailure);
    let left = (0..).find_map(|seed| harness.run(seed).err()).unwrap();
    let text = left.to_string();
    assert!(text.contains("again: harness.run("), "{text}");
    assert!(left.steps.len() < 5, "{text}");
    let again = harness.play(&left.steps).unwrap_err();
    assert_eq!(again.findings, left.findings);
}

#[test]
fn a_seed_always_means_the_same() {
    assert_eq!(Step::random(7, 40), Step::random(7, 40));
    assert_ne!(Step::random(7, 40), Step::random(8, 40));
    let text = |seed| harness(Leak::Subscription).run(seed).unwrap_err().to_string();
    assert_eq!(text(3), text(3));
}

fn step() -> impl Strategy<Value = Step> {
    let fault = prop_oneof![Just(Fault::Error), Just(Fault::Panic), Just(Fault::Hang)];
    let hook = prop_oneof![Just(Hook::Attach), Just(Hook::Detach), Just(Hook::SettingsChanged)];
    prop_oneof![
        Just(Step::Open),
        (0..4usize).prop_map(Step::Close),
        (0..3usize).prop_map(Step::Toggle),
        (0..3usize, hook, fault).prop_map(|(plugin, hook, fault)| Step::Fail { plugin, hook, fault }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn steps_may_come_from_a_strategy(steps in vec(step(), 0..30)) {
        prop_assert!(harness(Leak::Nothing).play(&steps).is_ok());
    }
}

#[test]
fn an_application_may_have_data_of_its_own_which_must_not_outlive_its_session() {
    struct Keeper(Mutex<Vec<Arc<u8>>>);
    impl Plugin<String, u8> for Keeper {
        fn manifest(&self) -> Manifest {
            Manifest::new("keeper")
        }
        async fn attach(&self, cx: &SessionContext<String, u8>) -> PluginResult {
            self.0.lock().unwrap().push(Arc::clone(cx.data()));
            Ok(())
        }
    }
    let plugins = || vec![Keeper(Mutex::default()).into_plugin()];
    let left = Harness::with_data(plugins, || "town".to_owned(), || 8).play(&[]).unwrap_err();
    assert_eq!(left.findings, ["the session's data outlives session `1`: somebody keeps it"]);
}

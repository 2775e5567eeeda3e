//! Plugins that say one thing and then another, or cannot be asked at all.

use std::sync::atomic::{AtomicUsize, Ordering};

use jackfield::{AddError, BoxError, InitError, ResolveError, prelude::*};
use jackfield_testkit::{Diary, Probe};
use serde::Deserializer;

use super::{Bomb, Handle, bounded, settings};

#[derive(Default, Deserialize, JsonSchema, PartialEq)]
#[serde(default)]
struct Apples {
    apples: u8,
}
#[derive(Default, Deserialize, JsonSchema, PartialEq)]
#[serde(default)]
struct Pears {
    pears: u8,
}

const FRUIT: Slot<u8> = Slot::new("fruit");
const MORE: Slot<u8> = Slot::new("more");

/// Declares one thing when it is added, and another from then on.
struct Fickle(AtomicUsize, fn(usize, &mut Registrar<'_>));
impl Plugin for Fickle {
    fn manifest(&self) -> Manifest {
        Manifest::new("fickle")
    }
    fn register(&self, services: &mut Registrar<'_>) {
        (self.1)(self.0.fetch_add(1, Ordering::Relaxed), services);
    }
}

#[test]
fn a_plugin_must_declare_the_same_each_time() {
    let ways: [fn(usize, &mut Registrar<'_>); 5] = [
        |time, services| match time {
            0 => services.provide(FRUIT).configured(|_: Live<Apples>| Arc::new(0)),
            _ => services.provide(FRUIT).configured(|_: Live<Pears>| Arc::new(0)),
        },
        |time, services| match time {
            0 => services.provide(FRUIT).value(Arc::new(0)),
            _ => services.provide(FRUIT).configured(|_: Live<Pears>| Arc::new(0)),
        },
        |time, services| match time {
            0 => services.provide(FRUIT).value(Arc::new(0)),
            _ => services.provide(FRUIT).priority(Priority::HIGH).value(Arc::new(0)),
        },
        |time, services| {
            if time == 0 {
                services.provide(FRUIT).value(Arc::new(0));
            }
        },
        |time, services| {
            services.provide(FRUIT).value(Arc::new(0));
            if time > 0 {
                services.provide(MORE).value(Arc::new(0));
            }
        },
    ];
    for way in ways {
        bounded(move || async move {
            let fickle = Fickle(AtomicUsize::default(), way);
            let runtime = PluginRuntime::builder().plugin(fickle).init().await.unwrap();
            let error = runtime.create_session("one").await.unwrap_err();
            assert!(error.to_string().contains("when added"), "{error}");
            runtime.update_settings(settings("plugins.fickle.enabled = false")).await.unwrap();
            runtime.create_session("two").await.unwrap().close().await.unwrap();
        });
    }
}

/// A configuration that panics when it is read.
#[derive(Default, JsonSchema, PartialEq)]
struct Cursed;
impl<'de> Deserialize<'de> for Cursed {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("do not read this aloud")
    }
}
struct Tomb;
impl Plugin for Tomb {
    fn manifest(&self) -> Manifest {
        Manifest::new("tomb").config::<Cursed>().flag(FeatureFlag::EXPERIMENTAL)
    }
}

#[test]
fn a_configuration_that_panics_when_it_is_read_is_a_problem_of_the_settings() {
    bounded(|| async {
        let runtime = PluginRuntime::builder().plugin(Tomb).init().await.unwrap();
        let open = settings("plugins.tomb.enabled = true");
        let expected = "plugins.tomb.config: reading it panicked: do not read this aloud";
        assert_eq!(runtime.plan(&open).unwrap_err().to_string(), expected);
        let error = runtime.update_settings(open).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        runtime.update_settings(settings("")).await.unwrap();
    });
}

/// Panics while it is asked what it is, or what it offers, with something in its hands.
struct Nervous(&'static str);
impl Plugin for Nervous {
    fn manifest(&self) -> Manifest {
        assert!(self.0 != "manifest", "who am I?");
        Manifest::new("nervous")
    }
    fn register(&self, services: &mut Registrar<'_>) {
        for slot in [FRUIT, MORE] {
            let captured = Bomb("what a builder captured");
            services.provide(slot).capability(Bomb("a capability")).singleton(move |_| {
                let _ = &captured;
                Arc::new(0)
            });
        }
        assert!(self.0 != "register", "what do I have?");
    }
}

#[tokio::test]
async fn a_plugin_that_panics_when_it_is_asked_is_not_added() {
    for (question, message) in [("manifest", "who am I?"), ("register", "what do I have?")] {
        let error = PluginRuntime::builder().plugin(Nervous(question)).init().await.unwrap_err();
        let InitError::Plugin(AddError::Panicked { message: said }) = error else { panic!("{error}") };
        assert_eq!(said, message);
    }
}

/// As `Nervous`, but only once it is to come up.
struct StageFright(AtomicUsize);
impl Plugin for StageFright {
    fn manifest(&self) -> Manifest {
        Manifest::new("stage-fright")
    }
    fn register(&self, services: &mut Registrar<'_>) {
        Nervous("").register(services);
        assert!(self.0.fetch_add(1, Ordering::Relaxed) == 0, "not in front of all these people");
    }
}

#[test]
fn a_registration_that_is_rejected_may_panic_on_its_way_out() {
    bounded(|| async {
        let plugin = StageFright(AtomicUsize::default());
        let runtime = PluginRuntime::builder().plugin(plugin).init().await.unwrap();
        for name in ["one", "two"] {
            let error = runtime.create_session(name).await.unwrap_err();
            assert!(error.to_string().contains("in front of all"), "{error}");
        }
        runtime.shutdown().await.unwrap();
    });
}

const SELF: Slot<u8> = Slot::new("self");

/// Its builders need themselves, panic, and look at the runtime that waits for them.
struct Introvert(Handle, &'static str);
impl Plugin for Introvert {
    fn manifest(&self) -> Manifest {
        Manifest::new("introvert").flag(FeatureFlag::EXPERIMENTAL)
    }
    fn register(&self, services: &mut Registrar<'_>) {
        let (runtime, way) = (self.0.clone(), self.1);
        services.provide(SELF).lazy(move |resolver| {
            if way == "itself" {
                return Ok(resolver.resolve(SELF)?);
            }
            let runtime = runtime.lock().unwrap().clone().ok_or("no runtime yet")?;
            let seen = runtime.global().resolve(SELF).is_ok() || !runtime.status().scopes[1].slots.is_empty();
            Ok::<_, BoxError>(Arc::new(u8::from(seen)))
        });
        services.provide(MORE).singleton(|resolver| match resolver.resolve(SELF) {
            Ok(found) => found,
            Err(error) => panic!("{error}"),
        });
    }
}

#[test]
fn a_builder_may_ask_for_itself_and_look_around() {
    bounded(|| async {
        for (way, outcome) in [("itself", Err("it needs itself to be built")), ("around", Ok(0))] {
            let handle = Handle::default();
            let plugin = Introvert(handle.clone(), way);
            let runtime = PluginRuntime::builder().plugin(plugin).init().await.unwrap();
            *handle.lock().unwrap() = Some(runtime.clone());
            let session = runtime.create_session("one").await.unwrap();
            let change = runtime.update_settings(settings("[plugins.introvert]")).await;
            match outcome {
                Ok(built) => {
                    assert_eq!(*session.resolve(MORE).unwrap(), built, "the new view is not out yet");
                }
                Err(reason) => {
                    assert!(change.unwrap_err().to_string().contains(reason));
                    assert!(matches!(session.resolve(MORE), Err(ResolveError::NotRegistered { .. })));
                }
            }
            runtime.shutdown().await.unwrap();
        }
    });
}

#[test]
fn a_key_is_never_used_again_even_if_its_session_never_opened() {
    bounded(|| async {
        let diary = Diary::default();
        let runtime = PluginRuntime::builder().plugin(Probe::new("a", &diary)).init().await.unwrap();
        let one = runtime.create_session("one").await.unwrap();
        diary.inject("a", jackfield::Hook::Attach, jackfield_testkit::Fault::Error);
        let error = runtime.create_session("two").await.unwrap_err();
        let jackfield::ChangeError::Reverted { failures } = error else { panic!("{error}") };
        diary.heal();
        let three = runtime.create_session("three").await.unwrap();
        assert_ne!(one.scope().name(), three.scope().name());
        assert_ne!(one.key(), three.key());
        let jackfield::ScopeName::Session { key, .. } = &failures[0].scope else { panic!("not a session") };
        assert_ne!(*key, three.key());
    });
}

use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use jackfield::{Context, Service, prelude::*};
use jackfield_testkit::{Diary, Probe};

use crate::cast::{Part, Player, id, open, player, settings};

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct Tone {
    level: i64,
    gain: f64,
    muted: bool,
    name: Option<String>,
    steps: Vec<u8>,
    filter: Filter,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(default)]
struct Filter {
    cutoff: f64,
}

const TONE: Slot<Live<Tone>> = Slot::new("tone");

/// Offers its own configuration as a service.
fn tone(id: &'static str, priority: Priority) -> Part {
    Part::new(id).registers(move |services| services.provide(TONE).priority(priority).configured(Arc::new))
}

async fn one_tone(toml: &str) -> (PluginRuntime, Session, Live<Tone>) {
    let (runtime, session) = open(vec![tone("a", Priority::NORMAL)], toml).await;
    let live = Live::clone(&session.resolve(TONE).unwrap());
    (runtime, session, live)
}

struct Named(Diary);
impl Service for Named {
    fn attach(&self, cx: &Context) -> PluginResult {
        self.0.write(format!("{}:{}", cx.plugin(), cx.slot().ok_or("a service has a slot")?));
        Ok(())
    }
}

#[tokio::test]
async fn a_service_learns_from_its_context_whose_it_is_and_for_which_slot() {
    // R-CFG-01
    const LEFT: Slot<Named> = Slot::new("left");
    const RIGHT: Slot<Named> = Slot::new("right");
    let diary = Diary::default();
    let named = diary.clone();
    let band = Part::new("band")
        .registers(move |services| {
            for slot in [LEFT, RIGHT] {
                let diary = named.clone();
                services
                    .provide(slot)
                    .stateful(move |_| Ok(Arc::new(Named(diary.clone()))), |service| service);
            }
        })
        .attaches(|cx| cx.slot().map_or(Ok(()), |_| Err("a plugin has no slot".into())));
    let _open = open(vec![band], "").await;
    assert_eq!(diary.take(), "band:left band:right");
}

#[tokio::test]
async fn a_service_has_its_own_configuration_or_else_that_of_the_wildcard_and_never_a_mixture() {
    // R-CFG-02
    let parts = vec![tone("a", Priority::HIGH), tone("b", Priority::NORMAL)];
    let toml = "services.'a:tone'.config.level = 1\nservices.'*:tone'.config = { level = 2, gain = 0.5 }";
    let (_runtime, session) = open(parts, toml).await;
    let a = session.resolve(TONE).unwrap().load();
    assert_eq!((a.level, a.gain), (1, 0.0));
    let b = session.resolve_after(&id("a"), TONE).unwrap().load();
    assert_eq!((b.level, b.gain), (2, 0.5));
}

#[tokio::test]
async fn whatever_way_a_service_is_made_it_may_be_configured() {
    // R-CFG-03
    const LAZY: Slot<Live<Tone>> = Slot::new("lazy");
    const FACTORY: Slot<i64> = Slot::new("factory");
    let part = Part::new("a").registers(|services| {
        services.provide(LAZY).configured_lazy(|_, config| Ok(Arc::new(config)));
        services
            .provide(FACTORY)
            .configured_factory(|_, config: Live<Tone>| Ok(Arc::new(config.load().level)));
    });
    let (runtime, session) = open(vec![part], "services.'a:factory'.config.level = 1").await;
    assert_eq!(*session.resolve(FACTORY).unwrap(), 1);
    let next = "services.'a:factory'.config.level = 2\nservices.'a:lazy'.config.level = 3";
    runtime.update_settings(settings(next)).await.unwrap();
    assert_eq!(*session.resolve(FACTORY).unwrap(), 2);
    assert_eq!(session.resolve(LAZY).unwrap().load().level, 3);
}

#[tokio::test]
async fn a_configuration_that_says_the_same_is_not_handed_over_again() {
    // R-CFG-03, R-CFG-19, F-38
    let (runtime, _session, mut live) =
        one_tone("services.'a:tone'.config = { level = 1, gain = 2.0, steps = [1, 2] }").await;
    let reordered = "services.'a:tone'.config = { steps = [1, 2], gain = 2.0, level = 1 }\n[plugins.a]";
    runtime.update_settings(settings(reordered)).await.unwrap();
    assert!(live.changed().now_or_never().is_none(), "the order of keys means nothing");
    runtime.update_settings(settings(&reordered.replace("[1, 2]", "[2, 1]"))).await.unwrap();
    assert!(live.changed().now_or_never().is_some(), "that of a list does");
    assert_eq!(live.load().steps, [2, 1]);
}

#[tokio::test]
async fn a_service_of_which_settings_say_nothing_is_left_alone() {
    // R-CFG-05
    let (runtime, _session, mut live) = one_tone("").await;
    runtime.update_settings(settings("plugins.a.config.x = 1")).await.unwrap();
    assert!(live.changed().now_or_never().is_none());
    assert_eq!(*live.load(), Tone::default());
}

#[tokio::test]
async fn what_somebody_does_to_their_copy_of_the_settings_reaches_nobody_else() {
    // R-CFG-06, R-CFG-12, R-SET-08, R-SER-06, F-23
    let mut mine = settings("services.'a:tone'.config = { level = 1, filter.cutoff = 5 }");
    let (runtime, session, live) = one_tone("").await;
    runtime.update_settings(mine.clone()).await.unwrap();
    let pin: jackfield::Pin = "a:tone".parse().unwrap();
    mine.service_mut(pin.clone()).config.insert("level".to_owned(), 9.into());
    let mut read = runtime.settings().service_config(&pin);
    read["filter"]["cutoff"] = 9.into();
    session.settings().service_config(&pin).clear();
    assert_eq!((live.load().level, live.load().filter.cutoff), (1, 5.0));
    assert_eq!(runtime.settings().service_config(&pin)["filter"]["cutoff"], 5);
}

#[tokio::test]
async fn when_a_change_is_done_every_service_has_its_configuration_whether_or_not_it_is_asked_for() {
    // R-CFG-07
    let kept = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&kept);
    let part = Part::new("a").registers(move |services| {
        let keep = Arc::clone(&keep);
        services.provide(TONE).configured(move |config| {
            *keep.lock().unwrap() = Some(Live::clone(&config));
            Arc::new(config)
        });
    });
    let (runtime, _session) = open(vec![part], "services.'a:tone'.config.level = 1").await;
    let live: Live<Tone> = kept.lock().unwrap().clone().unwrap();
    assert_eq!(live.load().level, 1);
    runtime.update_settings(settings("services.'*:tone'.config.level = 2")).await.unwrap();
    assert_eq!(live.load().level, 2);
}

#[tokio::test]
async fn all_services_are_built_and_configured_before_the_first_one_attaches() {
    // R-CFG-08
    const SLOTS: [Slot<Player>; 2] = [Slot::new("one"), Slot::new("two")];
    let diary = Diary::default();
    let part = |id: &'static str, slot| {
        let diary = diary.clone();
        Part::new(id).registers(move |services| {
            let diary = diary.clone();
            services.provide(slot).stateful(
                move |_| {
                    diary.write("built");
                    Ok(Arc::new(Player { name: "one", diary: diary.clone() }))
                },
                |player| player,
            );
        })
    };
    let _open = open(vec![part("a", SLOTS[0]), part("b", SLOTS[1])], "").await;
    assert_eq!(diary.take(), "built built +one +one");
}

#[tokio::test]
async fn whoever_stays_is_told_and_whoever_comes_or_goes_is_not() {
    // R-CFG-10, J-09
    let diary = Diary::default();
    let builder = ["stays", "goes", "comes"]
        .into_iter()
        .fold(PluginRuntime::builder(), |builder, id| builder.plugin(Probe::new(id, &diary)));
    let runtime = builder.settings(settings("plugins.comes.enabled = false")).init().await.unwrap();
    let _session = runtime.create_session("one").await.unwrap();
    diary.take();
    runtime.update_settings(settings("plugins.goes.enabled = false")).await.unwrap();
    assert_eq!(diary.take(), "-goes .goes +comes ~stays");
}

#[tokio::test]
async fn what_was_is_told_as_plain_values_and_never_comes_back_to_life() {
    // R-CFG-11, R-CTX-05, R-CTX-08, F-24
    let notes = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&notes);
    let part = tone("a", Priority::NORMAL).hears(move |cx, change| {
        let pin = "a:tone".parse()?;
        let (old, new) =
            (change.old_settings().service_config(&pin), change.new_settings().service_config(&pin));
        noted.lock().unwrap().push((
            old["level"].clone(),
            new["level"].clone(),
            cx.resolve(TONE)?.load().level,
        ));
        Ok(())
    });
    let (runtime, session) = open(vec![part], "services.'a:tone'.config.level = 1").await;
    let service = session.resolve(TONE).unwrap();
    runtime.update_settings(settings("services.'a:tone'.config.level = 2")).await.unwrap();
    assert_eq!(*notes.lock().unwrap(), [(1.into(), 2.into(), 2)], "the context is the living one");
    assert_eq!(service.load().level, 2, "and looking at what was has not brought it back");
}

#[tokio::test]
async fn a_value_of_another_type_is_refused_at_its_place_and_never_bent_to_fit() {
    // R-CFG-13, R-CFG-14, R-CFG-15, R-CFG-16, R-CFG-17, J-08
    let (runtime, _session, _live) = one_tone("").await;
    let wrong = |value: &str| {
        let next = settings(&format!("services.'a:tone'.config.{value}"));
        runtime.plan(&next).unwrap_err().0.iter().map(|problem| problem.path.to_string()).collect::<String>()
    };
    for (value, place) in [
        ("name = 5", "name"),
        ("level = 1.5", "level"),
        ("level = '1'", "level"),
        ("gain = '0.5'", "gain"),
        ("muted = 'true'", "muted"),
        ("muted = 1", "muted"),
        ("steps = [1, 'x', 3]", "steps.1"),
        ("steps = 1", "steps"),
        ("filter = 1", "filter"),
        ("filter.cutoff = 'high'", "filter.cutoff"),
    ] {
        assert_eq!(wrong(value), format!("services.\"a:tone\".config.{place}"), "{value}");
    }
}

#[tokio::test]
async fn a_value_of_its_type_is_read_as_it_stands() {
    // R-CFG-13, R-CFG-14, R-CFG-15, R-CFG-16, R-CFG-17
    let toml = "level = -3\ngain = 2\nmuted = true\nname = 'lead'\nsteps = [1, 2]\nfilter.cutoff = 0.5";
    let (_runtime, _session, live) = one_tone(&format!("[services.'a:tone'.config]\n{toml}")).await;
    let expected = Tone {
        level: -3,
        gain: 2.0, // any number is a number
        muted: true,
        name: Some("lead".to_owned()),
        steps: vec![1, 2],
        filter: Filter { cutoff: 0.5 },
    };
    assert_eq!(*live.load(), expected);
}

#[tokio::test]
async fn what_is_absent_has_the_types_default_and_what_was_written_can_be_read_as_it_was() {
    // R-CFG-18, F-39
    let json =
        r#"{"services": {"a:tone": {"config": {"steps": [7], "name": null, "filter": {"cutoff": 3.0}}}}}"#;
    let part = tone("a", Priority::NORMAL);
    let written = RuntimeSettings::from_json(json).unwrap();
    let runtime = PluginRuntime::builder().plugin(part).settings(written).init().await.unwrap();
    let session = runtime.create_session("one").await.unwrap();
    let tone = session.resolve(TONE).unwrap().load();
    assert_eq!((tone.level, &tone.name, tone.filter.cutoff), (0, &None, 3.0));
    let config = runtime.settings().service_config(&"a:tone".parse().unwrap());
    assert_eq!(config.keys().collect::<Vec<_>>(), ["steps", "name", "filter"]);
    assert!(config["name"].is_null());
}

#[tokio::test]
async fn a_player_is_configured_by_nobody_and_plays_all_the_same() {
    // R-CFG-05
    const PLAYER: Slot<Player> = Slot::new("player");
    let diary = Diary::default();
    let plays = diary.clone();
    let part = Part::new("a").registers(move |services| player(services, PLAYER, "one", &plays));
    let (runtime, _session) = open(vec![part], "").await;
    runtime.update_settings(settings("services.'a:player'.config.x = 1")).await.unwrap();
    assert_eq!(diary.take(), "+one", "it asks for no configuration, and does not notice");
}

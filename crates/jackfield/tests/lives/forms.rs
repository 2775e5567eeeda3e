use std::sync::Arc;

use jackfield::{SlotId, prelude::*};
use jackfield_testkit::Diary;
use serde_json::json;

use crate::cast::{Part, id, open, settings};

/// How a voice sounds.
#[derive(Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(default)]
struct VoiceConfig {
    /// How loud it is, in decibels.
    #[schemars(range(min = -60.0, max = 0.0))]
    volume: f64,
    #[schemars(title = "Parts per bar", range(min = 1, max = 16))]
    parts: u8,
    muted: bool,
    register: Register,
    greeting: String,
    echo: Echo,
}

#[derive(Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Register {
    Soprano,
    Bass,
}

#[derive(Debug, Default, Deserialize, JsonSchema, PartialEq, serde::Serialize)]
#[serde(default)]
struct Echo {
    delay: f64,
}

impl Default for VoiceConfig {
    fn default() -> Self {
        Self {
            volume: -6.0,
            parts: 4,
            muted: false,
            register: Register::Bass,
            greeting: "ah".to_owned(),
            echo: Echo { delay: 0.5 },
        }
    }
}
impl serde::Serialize for VoiceConfig {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let register = if self.register == Register::Bass { "bass" } else { "soprano" };
        let Self { volume, parts, muted, greeting, echo, .. } = self;
        json!({ "volume": volume, "parts": parts, "muted": muted, "register": register, "greeting": greeting, "echo": echo })
            .serialize(serializer)
    }
}

const VOICE: Slot<Live<VoiceConfig>> = Slot::new("choir.voice");
const PLAIN: Slot<str> = Slot::new("choir.plain");

/// Its service says so when it is built, which nobody does who draws a form.
fn choir(diary: &Diary) -> Part {
    let built = diary.clone();
    Part::of(Manifest::new("choir").config::<Echo>()).registers(move |services| {
        let built = built.clone();
        services.provide(VOICE).configured_lazy(move |_, config| {
            built.write("built");
            Ok(Arc::new(config))
        });
        services.provide(PLAIN).value("la".into());
    })
}

#[tokio::test]
async fn what_can_be_edited_is_found_among_the_winners_without_building_anything() {
    // R-UIC-01, R-UIC-08, J-08
    let diary = Diary::default();
    let (runtime, session) = open(vec![choir(&diary)], "").await;
    let editable: Vec<SlotId> = session
        .slots()
        .into_iter()
        .filter(|slot| {
            session.winner(slot).is_some_and(|winner| runtime.config_spec(&winner, Some(slot)).is_some())
        })
        .collect();
    assert_eq!(editable, [VOICE.id()]);
    assert!(runtime.config_spec(&id("choir"), None).unwrap().type_name().ends_with("Echo"));
    assert!(runtime.config_spec(&id("nobody"), None).is_none());
    assert_eq!(diary.take(), "");
}

#[tokio::test]
async fn a_schema_says_all_that_a_form_needs() {
    // R-UIC-01, R-UIC-02, R-UIC-03, R-UIC-04, R-UIC-05, J-08
    let (runtime, _session) = open(vec![choir(&Diary::default())], "").await;
    let schema = runtime.config_spec(&id("choir"), Some(&VOICE.id())).unwrap().schema().to_value();
    assert_eq!(schema["description"], "How a voice sounds.");
    let field = |key: &str| &schema["properties"][key];
    let keys: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["volume", "parts", "muted", "register", "greeting", "echo"], "as they were declared");
    assert_eq!(field("volume")["description"], "How loud it is, in decibels.");
    assert_eq!([&field("volume")["minimum"], &field("volume")["maximum"]], [-60.0, 0.0]);
    assert_eq!(field("volume")["default"], -6.0);
    assert_eq!([&field("parts")["title"], &field("parts")["type"]], ["Parts per bar", "integer"]);
    assert_eq!(field("muted")["type"], "boolean");
    assert_eq!(field("greeting")["type"], "string");
    assert_eq!(schema["$defs"]["Register"]["enum"], json!(["soprano", "bass"]));
    assert_eq!(schema["$defs"]["Echo"]["properties"]["delay"]["type"], "number");
}

#[tokio::test]
async fn a_form_reads_writes_and_resets_a_value_where_the_service_reads_it() {
    // R-UIC-05, R-UIC-06, R-UIC-07, F-39
    let (runtime, session) = open(vec![choir(&Diary::default())], "").await;
    let live = Live::clone(&session.resolve(VOICE).unwrap());
    let pin: jackfield::Pin = "choir:choir.voice".parse().unwrap();
    let written = || runtime.settings().service_config(&pin).get("echo").cloned();
    assert_eq!((written(), live.load().echo.delay), (None, 0.5), "the default is not written down");

    let set = runtime.settings().with(|settings| {
        settings.service_mut(pin.clone()).config.insert("echo".to_owned(), json!({ "delay": 0.9 }));
    });
    runtime.update_settings(set).await.unwrap();
    assert_eq!((written(), live.load().echo.delay), (Some(json!({ "delay": 0.9 })), 0.9));
    runtime.update_settings(settings("services.'choir:choir.voice'.config.echo.delay = 0.7")).await.unwrap();
    assert_eq!(live.load().echo.delay, 0.7, "a dotted path is a path");

    let reset = runtime.settings().with(|settings| {
        settings.service_mut(pin.clone()).config.remove("echo");
    });
    runtime.update_settings(reset).await.unwrap();
    assert_eq!((written(), live.load().echo.delay), (None, 0.5));
}

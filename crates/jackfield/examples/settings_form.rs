//! A page of settings made from what plugins say of themselves: labels from capabilities, fields from the schemas of
//! the winners' configurations. No service is built for it.

use jackfield::{Namespace, prelude::*};
use serde::Serialize;
use serde_json::Value;

trait Effect: Send + Sync {
    fn play(&self) -> String;
}
const ECHO: Slot<dyn Effect> = Slot::new("effect.echo");
const REVERB: Slot<dyn Effect> = Slot::new("effect.reverb");
const EFFECTS: Namespace = Namespace::new("effect");

/// What a page shows for a candidate.
struct Label {
    title: &'static str,
    costs: u8,
}

#[derive(Deserialize, JsonSchema, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct EchoConfig {
    /// How often it is heard
    times: u8,
    /// Whether it gets softer
    fade: bool,
}
impl Default for EchoConfig {
    fn default() -> Self {
        Self { times: 3, fade: true }
    }
}

/// Written too, so that the schema can say what it is at first.
#[derive(Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Room {
    #[default]
    Hall,
    Church,
}
#[derive(Default, Deserialize, JsonSchema, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct ReverbConfig {
    /// Where it seems to be
    room: Room,
    /// How much of it
    amount: f32,
}

struct Built(String);
impl Effect for Built {
    fn play(&self) -> String {
        self.0.clone()
    }
}

struct Basic;
impl Plugin for Basic {
    fn manifest(&self) -> Manifest {
        Manifest::new("basic")
    }
    fn register(&self, services: &mut Registrar<'_>) {
        let echo = services.provide(ECHO).capability(Label { title: "Echo", costs: 1 });
        echo.config::<EchoConfig>().lazy(|_| {
            println!("an echo is built");
            Ok(Arc::new(Built("hello hello".to_owned())))
        });
        let reverb = services.provide(REVERB).capability(Label { title: "Room", costs: 2 });
        reverb.config::<ReverbConfig>().lazy(|_| {
            println!("a room is built");
            Ok(Arc::new(Built("hello".to_owned())))
        });
    }
}

/// Has an echo without settings, which costs more and wins.
struct Studio;
impl Plugin for Studio {
    fn manifest(&self) -> Manifest {
        Manifest::new("studio").flag(FeatureFlag::EXPERIMENTAL)
    }
    fn register(&self, services: &mut Registrar<'_>) {
        let echo = services.provide(ECHO).priority(Priority::ELEVATED);
        echo.capability(Label { title: "Tape echo", costs: 9 }).lazy(|_| {
            println!("a tape echo is built");
            Ok(Arc::new(Built("hello hello...".to_owned())))
        });
    }
}

/// The page: every slot of effects with its candidates, and a form for whoever wins it.
fn page(runtime: &PluginRuntime, session: &Session) {
    for slot in session.slots_in(&EFFECTS) {
        for (_, plugin, label) in
            session.capabilities_in::<Label>(&EFFECTS).iter().filter(|(of, ..)| *of == slot)
        {
            let mark = if session.winner(&slot).as_ref() == Some(plugin) { "(x)" } else { "( )" };
            println!("{mark} {} ({plugin}), costs {}", label.title, label.costs);
        }
        let spec = session.winner(&slot).and_then(|winner| runtime.config_spec(&winner, Some(&slot)));
        match spec {
            Some(spec) => fields(spec.schema().as_value()).iter().for_each(|field| println!("    {field}")),
            None => println!("    nothing to set"),
        }
    }
}

/// One line for each property of a schema.
fn fields(schema: &Value) -> Vec<String> {
    let Some(properties) = schema["properties"].as_object() else { return Vec::new() };
    let field = |(name, property): (&String, &Value)| {
        let described = property["description"].as_str().unwrap_or(name);
        let reference = property["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
        let kind = reference.and_then(|pointer| schema.pointer(pointer)).unwrap_or(property);
        let input = match (kind["enum"].as_array(), kind["type"].as_str()) {
            (Some(choices), _) => choices.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" | "),
            (None, Some("boolean")) => "on | off".to_owned(),
            (None, Some("integer")) => format!("{} to {}", kind["minimum"], kind["maximum"]),
            (None, kind) => kind.unwrap_or("anything").to_owned(),
        };
        format!("{described}: {input}, at first {}", property["default"])
    };
    properties.iter().map(field).collect()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let runtime = PluginRuntime::builder().plugin(Basic).plugin(Studio).init().await?;
    let session = runtime.create_session("mixer").await?;
    page(&runtime, &session);
    //> (x) Echo (basic), costs 1
    //>     How often it is heard: 0 to 255, at first 3
    //>     Whether it gets softer: on | off, at first true
    //> (x) Room (basic), costs 2
    //>     Where it seems to be: hall | church, at first "hall"
    //>     How much of it: number, at first 0.0

    runtime.update_settings(runtime.settings().with(|settings| settings.enable("studio"))).await?;
    page(&runtime, &session);
    //> (x) Tape echo (studio), costs 9
    //> ( ) Echo (basic), costs 1
    //>     nothing to set
    //> (x) Room (basic), costs 2
    //>     Where it seems to be: hall | church, at first "hall"
    //>     How much of it: number, at first 0.0

    // Only now is anything built.
    println!("{}", session.resolve(ECHO)?.play());
    //> a tape echo is built
    //> hello hello...
    runtime.shutdown().await?;
    Ok(())
}

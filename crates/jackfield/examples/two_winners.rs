//! Sessions of one runtime in which different candidates win the same slot.

use jackfield::{NewSession, prelude::*};

trait Storage: Send + Sync {
    fn save(&self, what: &str) -> String;
}
const STORAGE: Slot<dyn Storage> = Slot::new("notes.storage");

#[derive(Default, Deserialize, JsonSchema, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct CloudConfig {
    region: String,
}

struct InMemory;
impl Storage for InMemory {
    fn save(&self, what: &str) -> String {
        format!("{what} is kept until the end")
    }
}
struct InCloud(Live<CloudConfig>);
impl Storage for InCloud {
    fn save(&self, what: &str) -> String {
        format!("{what} is on its way to {}", self.0.load().region)
    }
}

struct Memory;
impl Plugin for Memory {
    fn manifest(&self) -> Manifest {
        Manifest::new("memory")
    }
    fn register(&self, services: &mut Registrar<'_>) {
        services.provide(STORAGE).priority(Priority::LOW).singleton(|_| Arc::new(InMemory));
    }
}
struct Cloud;
impl Plugin for Cloud {
    fn manifest(&self) -> Manifest {
        Manifest::new("cloud")
    }
    fn register(&self, services: &mut Registrar<'_>) {
        services.provide(STORAGE).configured(|config| Arc::new(InCloud(config)));
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let settings = RuntimeSettings::from_toml("services.'cloud:notes.storage'.config.region = 'Oslo'")?;
    let runtime = PluginRuntime::builder().plugin(Memory).plugin(Cloud).settings(settings).init().await?;

    // Ada takes the settings as they are. Bob wants nothing to leave the house, Cem lives elsewhere.
    let ada = runtime.create_session("ada").await?;
    let private = RuntimeSettings::from_toml("services.'memory:notes.storage'.priority = 1000")?;
    let bob = runtime.create_session(NewSession::new("bob", ()).overlay(private)).await?;
    let far = RuntimeSettings::from_toml("services.'cloud:notes.storage'.config.region = 'Izmir'")?;
    let cem = runtime.create_session(NewSession::new("cem", ()).overlay(far)).await?;
    for session in [&ada, &bob, &cem] {
        println!("{}: {}", session.name(), session.resolve(STORAGE)?.save("it"));
    }
    //> ada: it is on its way to Oslo
    //> bob: it is kept until the end
    //> cem: it is on its way to Izmir

    // What everybody has changes; what each session has on top stays on top.
    let moved = runtime.settings().with(|settings| {
        if let Ok(pin) = "cloud:notes.storage".parse() {
            settings.service_mut(pin).config.insert("region".to_owned(), "Bergen".into());
        }
    });
    // Bob has it too, second in line. Cem has a region of his own.
    println!("{}", runtime.plan(&moved)?);
    //> in session `ada`:
    //> ~ cloud   (settings)   notes.storage region: "Oslo" → "Bergen"
    //> in session `bob`:
    //> ~ cloud   (settings)   notes.storage region: "Oslo" → "Bergen"
    runtime.update_settings(moved).await?;
    println!("{}", ada.resolve(STORAGE)?.save("it")); //> it is on its way to Bergen
    println!("{}", cem.resolve(STORAGE)?.save("it")); //> it is on its way to Izmir

    // Bob changes his mind, and nobody else notices.
    println!("{}", bob.update_overlay(RuntimeSettings::default()).await?);
    //> ~ notes.storage   (settings)   memory → cloud
    println!("{}", bob.resolve(STORAGE)?.save("it")); //> it is on its way to Bergen

    runtime.shutdown().await?;
    Ok(())
}

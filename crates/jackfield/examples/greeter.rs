//! Two plugins compete for one slot; settings decide, while the program runs.

use jackfield::prelude::*;

trait Greeter: Send + Sync {
    fn greet(&self, name: &str) -> String;
}
const GREETER: Slot<dyn Greeter> = Slot::new("chat.greeter");

/// Somebody came in. Handlers may add to what is said.
struct Hello {
    name: String,
    text: String,
}

struct Friend;
impl Greeter for Friend {
    fn greet(&self, name: &str) -> String {
        format!("Hi {name}!")
    }
}

struct Casual;
impl Plugin for Casual {
    fn manifest(&self) -> Manifest {
        Manifest::new("casual").about("says hi")
    }
    fn register(&self, services: &mut Registrar<'_>) {
        services.provide(GREETER).singleton(|_| Arc::new(Friend));
    }
}

#[derive(Default, Deserialize, JsonSchema, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct FormalConfig {
    title: Option<String>,
}

struct Butler(Live<FormalConfig>);
impl Greeter for Butler {
    fn greet(&self, name: &str) -> String {
        match &self.0.load().title {
            Some(title) => format!("Good evening, {title} {name}."),
            None => format!("Good evening, {name}."),
        }
    }
}

struct Formal;
impl Plugin for Formal {
    fn manifest(&self) -> Manifest {
        Manifest::new("formal").about("says good evening").depends_on("casual")
    }
    fn register(&self, services: &mut Registrar<'_>) {
        services.provide(GREETER).priority(Priority::ELEVATED).configured(|config| Arc::new(Butler(config)));
    }
    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        let outranked = cx.resolve_after(GREETER)?;
        cx.on(move |hello: &mut Envelope<Hello>| {
            let aside = outranked.greet(&hello.name);
            hello.text.push_str(&format!(" (The butler winks: {aside})"));
        });
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let settings = RuntimeSettings::from_toml("services.'formal:chat.greeter'.config.title = 'Countess'")?;
    let runtime = PluginRuntime::builder().plugin(Formal).plugin(Casual).settings(settings).init().await?;
    let session = runtime.create_session("ada").await?;
    welcome(&session)?; //> Good evening, Countess Ada. (The butler winks: Hi Ada!)

    let next = runtime.settings().with(|settings| settings.disable("formal"));
    println!("{}", runtime.plan(&next)?); //> - formal   (settings)   chat.greeter: formal → casual
    let report = runtime.update_settings(next).await?;
    println!("generation {}", report.generation); //> generation 3
    welcome(&session)?; //> Hi Ada!

    let back = runtime.settings().with(|settings| settings.enable("formal"));
    println!("{}", runtime.update_settings(back).await?); //> + formal   (settings)   chat.greeter: casual → formal
    welcome(&session)?; //> Good evening, Countess Ada. (The butler winks: Hi Ada!)

    runtime.shutdown().await?;
    Ok(())
}

fn welcome(session: &Session) -> Result<(), BoxError> {
    let text = session.resolve(GREETER)?.greet("Ada");
    let hello = session.bus().emit_sync(Hello { name: "Ada".to_owned(), text })?;
    println!("{}", hello.text);
    Ok(())
}

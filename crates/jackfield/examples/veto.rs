//! A message goes through a pipeline of plugins, each of which may change it or stop it.

use jackfield::prelude::*;

/// A message on its way out.
#[derive(Debug)]
struct Post {
    from: &'static str,
    text: String,
    /// Why it was stopped.
    veto: Option<&'static str>,
}

/// First of all, blanks go.
struct Trim;
impl Plugin for Trim {
    fn manifest(&self) -> Manifest {
        Manifest::new("trim")
    }
    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        let first = cx.handler().priority(Priority::HIGH);
        first.on(|post: &mut Envelope<Post>| post.text = post.text.trim().to_owned());
        Ok(())
    }
}

#[derive(Default, Deserialize, JsonSchema, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct ModerationConfig {
    banned: Vec<String>,
    muted: Vec<String>,
}

/// Then moderation, which changes some messages and stops others.
struct Moderation;
impl Plugin for Moderation {
    fn manifest(&self) -> Manifest {
        Manifest::new("moderation").config::<ModerationConfig>()
    }
    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        let rules = cx.config::<ModerationConfig>()?;
        let second = cx.handler().priority(Priority::ELEVATED);
        second.on(move |post: &mut Envelope<Post>| {
            let rules = rules.load(); // those in force now, not when the plugin attached
            if rules.muted.iter().any(|name| name == post.from) {
                post.veto = Some("muted");
                return post.stop_as_is(); // nobody after this one sees the message
            }
            for word in &rules.banned {
                post.text = post.text.replace(word.as_str(), "***");
            }
            if post.text.is_empty() {
                let from = post.from;
                post.stop(Post { from, text: "(nothing)".to_owned(), veto: Some("empty") });
            }
        });
        Ok(())
    }
}

/// At last, whoever is there reads it.
struct Board;
impl Plugin for Board {
    fn manifest(&self) -> Manifest {
        Manifest::new("board")
    }
    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        cx.on(|post: &mut Envelope<Post>| println!("{}: {}", post.from, post.text));
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let settings = RuntimeSettings::from_toml(
        "[plugins.moderation.config]
         banned = ['drat']
         muted = ['troll']",
    )?;
    // The order in which they are added does not matter: their priorities say who comes first.
    let runtime = PluginRuntime::builder()
        .plugin(Board)
        .plugin(Moderation)
        .plugin(Trim)
        .settings(settings)
        .init()
        .await?;
    let session = runtime.create_session("forum").await?;
    let post = async |from, text: &str| {
        let post = session.bus().emit(Post { from, text: text.to_owned(), veto: None }).await?;
        if post.is_stopped() {
            println!("{} was stopped: {}", post.from, post.veto.unwrap_or("no reason"));
        }
        Ok::<_, BoxError>(())
    };

    post("ada", "  hello  ").await?; //> ada: hello
    post("bob", "oh drat").await?; //> bob: oh ***
    post("cem", "   ").await?; //> cem was stopped: empty
    post("troll", "hello").await?; //> troll was stopped: muted

    // A pardon, while the pipeline is running.
    let pardon =
        |settings: &mut RuntimeSettings| settings.configure("moderation", "muted", Vec::<String>::new());
    runtime.update_settings(runtime.settings().with(pardon)).await?;
    post("troll", "hello").await?; //> troll: hello

    // Without moderation, everything else stays in its place.
    runtime.update_settings(runtime.settings().with(|settings| settings.disable("moderation"))).await?;
    post("bob", " drat ").await?; //> bob: drat

    runtime.shutdown().await?;
    Ok(())
}

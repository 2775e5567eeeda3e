//! A settings file that is older than the program, and knows things that the program does not.

use jackfield::{Migrations, prelude::*};

#[derive(Default, Deserialize, JsonSchema, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct BellConfig {
    /// From 0 to 1. Until version 1 of the file it was in percent.
    volume: f64,
}

struct Bell;
impl Plugin for Bell {
    fn manifest(&self) -> Manifest {
        Manifest::new("bell").formerly("doorbell").config::<BellConfig>()
    }
    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        println!("the bell rings at {}", cx.config::<BellConfig>()?.load().volume);
        Ok(())
    }
}

const FILE: &str = r#"
version = 1
theme = "dark"               # of a newer program, or of another part of this one

[plugins.doorbell]           # the name that the plugin had then
colour = "brass"
config = { volume = 50 }
"#;

fn migrations() -> Migrations {
    Migrations::to(2).step(1, |document| {
        // Documents are migrated before they are read, and speak of plugins by the names they had then.
        let volume =
            document.get_mut("plugins").and_then(|plugins| plugins.pointer_mut("/doorbell/config/volume"));
        if let Some(volume) = volume {
            *volume = (volume.as_f64().unwrap_or(100.0) / 100.0).into();
        }
        Ok(())
    })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let (settings, notes) = migrations().read_toml(FILE)?;
    // No errors: whoever wrote this may have meant something by it.
    println!("{notes}");
    //> 3:1: theme: `theme` means nothing here; known here: version, plugins, services
    //> 6:1: plugins.doorbell.colour: `colour` means nothing here; configuration belongs under `plugins.doorbell.config`

    let runtime = PluginRuntime::builder().plugin(Bell).settings(settings).init().await?;
    let session = runtime.create_session("hall").await?; //> the bell rings at 0.5

    // Written back, it is a file of the present version, with the plugin's present name, and nothing is lost.
    print!("{}", runtime.settings().to_toml());
    //> version = 2
    //> theme = "dark"
    //>
    //> [plugins.bell]
    //> enabled = true
    //> colour = "brass"
    //>
    //> [plugins.bell.config]
    //> volume = 0.5
    //>
    //> [services]

    // A file of a program that is newer still is refused, and says so.
    if let Err(problems) = migrations().read_toml("version = 3") {
        println!("{problems}");
    }
    //> 1:1: version: the document is of version 3, and this program knows 2; use the newer program, or go back to a file that this one wrote
    drop(session);
    runtime.shutdown().await?;
    Ok(())
}

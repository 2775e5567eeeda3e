//! Lazy services with a life of their own that somebody looks up in the middle of a change which is then taken back.

use std::sync::Arc;

use jackfield::{ChangeError, Context, Service, prelude::*};
use jackfield_testkit::Diary;

const LAZY: Slot<Lazy> = Slot::new("lazy");

struct Lazy(Diary);
impl Service for Lazy {
    fn attach(&self, _: &Context) -> PluginResult {
        self.0.write("+lazy");
        Ok(())
    }
    async fn detach(&self, _: &Context) -> PluginResult {
        self.0.write("-lazy");
        Ok(())
    }
}

/// Offers the lazy service, and may need somebody.
struct Owner(Diary, Option<&'static str>);
impl Plugin for Owner {
    fn manifest(&self) -> Manifest {
        self.1.iter().fold(Manifest::new("owner"), |manifest, need| manifest.depends_on(need))
    }
    fn register(&self, services: &mut Registrar<'_>) {
        let diary = self.0.clone();
        services.provide(LAZY).stateful_lazy(move |_| Ok(Arc::new(Lazy(diary.clone()))), |lazy| lazy);
    }
}

/// Looks the service up, and fails.
struct Curious;
impl Plugin for Curious {
    fn manifest(&self) -> Manifest {
        Manifest::new("curious")
    }
    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        cx.resolve(LAZY)?;
        Err("it has seen enough".into())
    }
}

fn settings(toml: &str) -> RuntimeSettings {
    RuntimeSettings::from_toml(toml).unwrap()
}

#[tokio::test]
async fn a_service_ends_whose_plugin_never_came_to_attach() {
    // R-SES-05, R-STF-12, R-STF-18
    let diary = Diary::default();
    let owner = Owner(diary.clone(), Some("curious"));
    let runtime = PluginRuntime::builder().plugin(Curious).plugin(owner).init().await.unwrap();
    let error = runtime.create_session("one").await.unwrap_err();
    assert!(matches!(error, ChangeError::Reverted { .. }));
    assert_eq!(diary.take(), "+lazy -lazy");
}

#[tokio::test]
async fn a_service_ends_that_only_the_change_had_enabled() {
    // R-SET-17, R-SET-19, R-STF-18
    let diary = Diary::default();
    let off = settings("plugins.curious.enabled = false\nservices.'owner:lazy'.enabled = false");
    let owner = Owner(diary.clone(), None);
    let builder = PluginRuntime::builder().plugin(owner).plugin(Curious).settings(off);
    let runtime = builder.init().await.unwrap();
    let session = runtime.create_session("one").await.unwrap();
    let error = runtime.update_settings(settings("")).await.unwrap_err();
    assert!(matches!(error, ChangeError::Reverted { .. }));
    assert_eq!(diary.take(), "+lazy -lazy");
    session.close().await.unwrap();
    assert_eq!(diary.take(), "");
}

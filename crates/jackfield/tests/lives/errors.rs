use jackfield::{
    AddError, BoxError, ChangeError, EmitError, Failure, Hook, HookError, InitError, InvalidPin, Pin,
    PluginId, ResolveError, prelude::*,
};

use crate::cast::{Beat, OutOfTune, Part, fails, open, settings, start};

#[tokio::test]
async fn a_failure_says_where_who_when_and_with_what() {
    // R-ERR-01, R-ERR-02
    let part = || Part::new("a").attaches(|_| fails("no air"));
    let global = PluginRuntime::builder().plugin(part().once()).init().await.unwrap_err();
    let runtime = start(vec![part(), Part::new("b").attaches(|_| fails("no water"))], "").await;
    let session = runtime.create_session("one").await.unwrap_err();
    assert_eq!(
        global.to_string(),
        "the runtime did not start: the change was taken back:\nplugin `a` failed to attach in global: no air"
    );
    assert_eq!(
        session.to_string(),
        "the change was taken back:\nplugin `a` failed to attach in session `one`: no air\n\
         plugin `b` failed to attach in session `one`: no water"
    );
    let InitError::Settings(ChangeError::Reverted { failures }) = global else { panic!("{global}") };
    let Failure { scope, plugin, slot: None, hook: Hook::Attach, .. } = &failures[0] else { panic!() };
    assert_eq!((scope.to_string().as_str(), plugin.as_str()), ("global", "a"));
}

#[test]
fn the_parts_of_a_life_have_names_that_programs_may_rely_on() {
    // R-ERR-02, R-ERR-04
    let hooks =
        [Hook::Register, Hook::Build, Hook::Attach, Hook::SettingsChanged, Hook::Detach, Hook::Release];
    assert_eq!(
        serde_json::to_value(hooks).unwrap(),
        serde_json::json!(["register", "build", "attach", "settings-changed", "detach", "release"])
    );
}

#[tokio::test]
async fn each_kind_of_misuse_has_a_kind_of_error() {
    // R-ERR-06
    const NOTHING: Slot<str> = Slot::new("nothing");
    let (runtime, session) = open(vec![Part::new("a")], "").await;
    let twice = PluginRuntime::builder().plugin(Part::new("a")).plugin(Part::new("a").once());
    assert!(matches!(twice.init().await, Err(InitError::Plugin(AddError::Duplicate { .. }))));
    assert!(matches!(
        runtime.add_plugin(Part::new("a")).await,
        Err(ChangeError::Plugin(AddError::Duplicate { .. }))
    ));
    assert!(matches!(session.resolve(NOTHING), Err(ResolveError::NotRegistered { .. })));
    assert!(matches!(
        runtime.update_settings(settings("[plugins.nobody]")).await,
        Err(ChangeError::Refused(_))
    ));
    assert!(matches!(
        runtime.remove_plugin(&PluginId::new("nobody")).await,
        Err(ChangeError::NoSuchPlugin { .. })
    ));
    assert!(matches!("a".parse::<Pin>(), Err(InvalidPin { .. })));
    runtime.shutdown().await.unwrap();
    assert!(matches!(runtime.update_settings(settings("")).await, Err(ChangeError::Closed)));
}

#[tokio::test]
async fn the_bus_gives_a_handlers_error_as_it_was_also_to_a_hook() {
    // R-ERR-07
    let part = Part::new("a").attaches(|cx| {
        cx.on(|_: &mut Envelope<Beat>| -> Result<(), BoxError> { Err(OutOfTune("drum").into()) });
        Ok(())
    });
    let emits = Part::new("b").attaches(|cx| {
        cx.bus().emit_sync(Beat)?;
        Ok(())
    });
    let (runtime, session) = open(vec![part, emits], "plugins.b.enabled = false").await;
    let error = session.bus().emit_sync(Beat).err().unwrap().into_failure().unwrap();
    assert_eq!(*error.downcast::<OutOfTune>().unwrap(), OutOfTune("drum"));
    let error = runtime.update_settings(settings("")).await.unwrap_err();
    let ChangeError::Reverted { failures } = error else { panic!("{error}") };
    let HookError::Failed(error) = &failures[0].error else { panic!("{}", failures[0]) };
    assert!(matches!(error.downcast_ref(), Some(EmitError::Failed { .. })), "{error}");
    assert!(failures[0].to_string().ends_with(": drum is out of tune"), "{}", failures[0]);
}

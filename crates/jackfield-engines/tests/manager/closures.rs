//! The seed's own contract: a function of `(store, events)` that returns a destroyer.

use jackfield_engines::{
    Console, EngineEvent, EngineId, EngineManager, EngineRegistry, EventDispatcher, ProjectStore, engine_fn,
};
use std::sync::{Arc, Mutex};

#[tokio::test]
async fn a_closure_is_an_engine_and_what_it_returns_destroys_it() {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let factory = engine_fn("blink", {
        let calls = Arc::clone(&calls);
        move |store: ProjectStore, events: EventDispatcher| {
            calls.lock().unwrap().push("made".to_owned());
            events.dispatch(EngineEvent::Recovered { engine: EngineId::new("blink") });
            let follows = store.compiler.is_compiling.subscribe({
                let calls = Arc::clone(&calls);
                move |compiling| calls.lock().unwrap().push(format!("compiling {compiling}"))
            });
            let calls = Arc::clone(&calls);
            move || {
                drop(follows);
                calls.lock().unwrap().push("destroyed".to_owned());
            }
        }
    });
    let (store, events) =
        (ProjectStore::new(EngineRegistry::new([factory]), EngineId::new("blink")), EventDispatcher::new());
    let _heard = events.subscribe({
        let calls = Arc::clone(&calls);
        move |event| calls.lock().unwrap().push(format!("{event:?}"))
    });
    let manager = EngineManager::start(store.clone(), events, Console::new());
    assert!(manager.apply().await.is_applied());
    store.compiler.is_compiling.set(true);
    manager.close().await;
    store.compiler.is_compiling.set(true);
    let expected = ["made", r#"Recovered { engine: "blink" }"#, "compiling true", "destroyed"];
    assert_eq!(*calls.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_closure_that_panics_is_an_engine_that_did_not_start() {
    let factory = engine_fn("bad", |_, _| -> fn() { panic!("no") });
    let store = ProjectStore::new(EngineRegistry::new([factory]), EngineId::new("bad"));
    let manager = EngineManager::start(store, EventDispatcher::new(), Console::new());
    assert!(!manager.apply().await.is_applied());
    let reason = manager.status().borrow().failed.clone().unwrap().reason;
    assert_eq!(reason, "engine `bad` did not start: it panicked: no");
}

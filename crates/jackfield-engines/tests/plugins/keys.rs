//! What comes in over MIDI reaches programs of all engines.

use crate::stage::{Recorded, Stage, engines};
use jackfield_engines::{KeysPlugin, ManualClock, NullMidi, Project, Value, VirtualMidi};
use jackfield_testkit::fixtures;
use std::sync::Arc;
use std::time::Duration;

const LOOK: Duration = Duration::from_secs(2);
const ASK: Duration = Duration::from_millis(1);

fn new_abi() -> Arc<Project> {
    Arc::new(Project::load(fixtures::path("new-abi/new-abi.wasm")).unwrap())
}

// E.4, J-29: new-abi binds port 0 to `onKey`
#[tokio::test]
async fn keys_are_heard_by_an_audio_program_and_by_nobody_when_the_plugin_is_off() {
    let (near, far) = VirtualMidi::pair(&["keys", "others"]);
    let near = Arc::new(near);
    let (clock, device) = (ManualClock::new(), Recorded::default());
    let keys = KeysPlugin::with_clock(near.clone(), Arc::new(clock.clone()));
    let stage = Stage::of(engines(&device).plugin(keys), &new_abi()).await;
    let console = stage.engines.console();
    // A struck key picks its remainder by 6, and a step of the tune, seven times a second, its own: 0 at first.
    let degree = console.gauges().watch("tune:degree").unwrap();
    let press = |port, key: u8| {
        let heard = far.send(port, &[0x90, key, 100]);
        clock.advance(ASK);
        device.play(0, 20);
        (heard, degree.read().map(Value::as_f64))
    };
    clock.advance(LOOK);
    assert_eq!(press("others", 70), (true, Some(0.0)), "the handler listens to the first port");
    assert_eq!(press("keys", 62), (true, Some(2.0)));
    stage.change(|s| s.disable("keys")).await.unwrap();
    assert!(near.take().is_empty(), "all of it was heard");
    far.send("keys", &[0x90, 64, 100]);
    assert_eq!(near.take().len(), 1, "nobody is connected any more");
    stage.session.close().await.unwrap();
}

#[tokio::test]
async fn without_any_port_it_waits_and_ends_at_once() {
    let keys = KeysPlugin::with_clock(Arc::new(NullMidi), Arc::new(ManualClock::new()));
    let stage = Stage::of(engines(&Recorded::default()).plugin(keys), &new_abi()).await;
    stage.session.close().await.unwrap();
}

use jackfield_engines::{Console, EngineId, Playing};

#[test]
fn an_engine_that_goes_late_does_not_take_away_what_the_next_one_shows() {
    let console = Console::new();
    let late = console.show(Playing::new(EngineId::new("audio"), 48_000.0));
    let shown = console.show(Playing::new(EngineId::new("worker"), 50.0));
    drop(late);
    assert_eq!(
        console.playing().borrow().as_ref().map(|playing| playing.engine.as_str().to_owned()).as_deref(),
        Some("worker")
    );
    drop(shown);
    assert_eq!(*console.playing().borrow(), None);
}

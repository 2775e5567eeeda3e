use jackfield_engines::Field;
use std::sync::{Arc, Mutex};

type Calls = Arc<Mutex<Vec<String>>>;

fn note(calls: &Calls, name: &'static str) -> impl Fn(&i32) + Send + Sync + use<> {
    let calls = Arc::clone(calls);
    move |value| calls.lock().unwrap().push(format!("{name} {value}"))
}

fn taken(calls: &Calls) -> Vec<String> {
    std::mem::take(&mut *calls.lock().unwrap())
}

// (g)
#[test]
fn setting_notifies_in_the_order_of_subscription_also_when_the_value_is_equal() {
    let (field, calls) = (Field::new(1), Calls::default());
    let _guards = [field.subscribe(note(&calls, "one")), field.subscribe(note(&calls, "two"))];
    assert_eq!(taken(&calls), [""; 0]);
    field.set(1);
    assert_eq!(taken(&calls), ["one 1", "two 1"]);
}

// (g)
#[test]
fn a_subscription_to_a_value_hears_of_every_setting_that_fits() {
    let (field, calls) = (Field::new(0), Calls::default());
    let _guard = field.subscribe_to_value(|value| *value == 0, note(&calls, "zero"));
    for value in [1, 0, 0] {
        field.set(value);
    }
    assert_eq!(taken(&calls), ["zero 0", "zero 0"]);
}

#[test]
fn a_subscription_ends_when_it_is_dropped() {
    let (field, calls) = (Field::new(0), Calls::default());
    drop(field.subscribe(note(&calls, "gone")));
    field.set(1);
    assert_eq!(taken(&calls), [""; 0]);
}

#[test]
fn a_subscriber_may_end_another_and_itself_while_it_is_called() {
    let (field, calls) = (Field::new(0), Calls::default());
    let guards: Arc<Mutex<Vec<_>>> = Arc::default();
    let first = field.subscribe({
        let (guards, noted) = (Arc::clone(&guards), note(&calls, "first"));
        move |value| {
            noted(value);
            let guards = std::mem::take(&mut *guards.lock().unwrap());
            drop(guards);
        }
    });
    guards.lock().unwrap().extend([first, field.subscribe(note(&calls, "second"))]);
    field.set(1);
    field.set(2);
    assert_eq!(taken(&calls), ["first 1"]);
}

#[test]
fn what_is_set_within_a_subscriber_runs_nested_and_the_rest_get_the_value_that_is_there_then() {
    let (field, calls) = (Field::new(0), Calls::default());
    let again = field.clone();
    let _guards = [
        field.subscribe(move |value| {
            if *value == 1 {
                again.set(2);
            }
        }),
        field.subscribe(note(&calls, "seen")),
    ];
    field.set(1);
    assert_eq!(taken(&calls), ["seen 2", "seen 2"]);
}

#[test]
fn who_subscribes_within_a_subscriber_is_served_from_the_next_setting_on() {
    let (field, calls) = (Field::new(0), Calls::default());
    let kept: Arc<Mutex<Vec<_>>> = Arc::default();
    let _guard = field.subscribe({
        let (field, calls, kept) = (field.clone(), Arc::clone(&calls), Arc::clone(&kept));
        move |value| {
            if *value == 1 {
                kept.lock().unwrap().push(field.subscribe(note(&calls, "late")));
            }
        }
    });
    field.set(1);
    assert_eq!(taken(&calls), [""; 0]);
    field.set(2);
    assert_eq!(taken(&calls), ["late 2"]);
}

// 8f4e stops at the first exception and gives it to the setter.
#[test]
fn a_subscriber_that_panics_harms_nobody_else() {
    let (field, calls) = (Field::new(0), Calls::default());
    let _guards = [field.subscribe(|_| panic!("no")), field.subscribe(note(&calls, "still"))];
    field.set(1);
    assert_eq!(taken(&calls), ["still 1"]);
}

#[test]
fn a_callback_that_holds_a_subscription_to_the_same_field_can_be_dropped() {
    let field = Field::new(0);
    let inner = field.subscribe(|_| {});
    drop(field.subscribe(move |_| {
        let _held = &inner;
    }));
    field.set(1);
}

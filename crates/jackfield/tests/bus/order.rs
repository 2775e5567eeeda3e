//! The order of handlers, against a model that sorts a list.

use jackfield::{Bus, Envelope, Priority, Request, Subscription};
use proptest::prelude::*;

/// Collects the numbers of the handlers that ran; as a request, every handler concedes.
type Ran = Vec<usize>;

struct Collect(Ran);

impl Request for Collect {
    type Response = Ran;

    fn when_conceded(self) -> Option<Ran> {
        Some(self.0)
    }
}

const ADDRESSES: [&str; 2] = ["x", "y"];

#[derive(Clone, Debug)]
enum Step {
    Add {
        priority: i64,
        address: Option<&'static str>,
    },
    /// Cancels one of the live handlers, if there are any.
    Cancel(prop::sample::Index),
    Emit {
        address: Option<&'static str>,
    },
}

fn address() -> impl Strategy<Value = Option<&'static str>> {
    prop::option::of(prop::sample::select(&ADDRESSES[..]))
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (-2..3_i64, address()).prop_map(|(priority, address)| Step::Add { priority, address }),
        2 => any::<prop::sample::Index>().prop_map(Step::Cancel),
        2 => address().prop_map(|address| Step::Emit { address }),
    ]
}

struct Live {
    number: usize,
    priority: i64,
    address: Option<&'static str>,
    _guards: [Subscription; 2],
}

/// What ought to run: a stable sort of the live handlers, which are in the order of registration.
fn expected(live: &[Live], address: Option<&str>) -> Ran {
    let mut reached: Vec<_> =
        live.iter().filter(|live| live.address.is_none() || live.address == address).collect();
    reached.sort_by_key(|live| (-live.priority, live.address.is_some()));
    reached.iter().map(|live| live.number).collect()
}

fn add(bus: &Bus, number: usize, priority: i64, address: Option<&'static str>) -> Live {
    let handler = || {
        let options = bus.handler().priority(Priority::new(priority));
        if let Some(address) = address { options.identifier(address) } else { options }
    };
    let event = handler().on(move |ran: &mut Envelope<Ran>| ran.push(number)).unwrap();
    let request = handler().on_request(move |collect: &mut Envelope<Collect>| {
        collect.0.push(number);
        None
    });
    Live { number, priority, address, _guards: [event, request.unwrap()] }
}

proptest! {
    #[test]
    fn handlers_run_in_the_documented_order(steps in prop::collection::vec(step(), 0..60)) {
        // R-BUS-04, R-BUS-05, R-BUS-08, R-BUS-09, R-BUS-12, R-REQ-02
        let bus = Bus::new();
        let mut topics = [None, Some("x"), Some("y")].map(|address| {
            let topic = bus.topic::<Ran>();
            (address, match address { Some(address) => topic.to(address), None => topic })
        });
        let mut live: Vec<Live> = Vec::new();
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Add { priority, address } => live.push(add(&bus, number, priority, address)),
                Step::Cancel(which) if !live.is_empty() => drop(live.remove(which.index(live.len()))),
                Step::Cancel(_) => {}
                Step::Emit { address } => {
                    let expected = expected(&live, address);
                    let mut emission = bus.emission(Ran::new());
                    let mut inquiry = bus.inquiry(Collect(Ran::new()));
                    if let Some(address) = address {
                        emission = emission.to(address);
                        inquiry = inquiry.to(address);
                    }
                    prop_assert_eq!(&*emission.send_sync().unwrap(), &expected);
                    let (_, topic) = topics.iter_mut().find(|(to, _)| *to == address).unwrap();
                    prop_assert_eq!(&*topic.emit_sync(Ran::new()).unwrap(), &expected);
                    prop_assert_eq!(inquiry.send_optional_sync().unwrap().unwrap_or_default(), expected);
                }
            }
            prop_assert_eq!(bus.subscriptions(), 2 * live.len());
        }
    }
}

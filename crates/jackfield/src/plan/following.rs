//! What is asked of a scope that runs something already.

use std::sync::Arc;

use super::{
    Demand, Desired, Steps,
    difference::{Differences, steps_between},
};
use crate::settings::Problem;

/// What a scope that runs `current` should run, which is the very same if it was asked for that, and what leads there.
pub(super) fn follow(
    demand: Demand,
    current: &Arc<Desired>,
    problems: &mut Vec<Problem>,
) -> (Arc<Steps>, Arc<Desired>) {
    let same = current.demand.as_ref().is_some_and(|asked| asked.is(&demand));
    if same && !current.falls_short {
        return (Arc::default(), Arc::clone(current)); // all that it holds follows from what was asked
    }
    let next = Desired::of(demand, current, problems);
    let steps = steps_between(current, &next, &Differences::anywhere(current, &next));
    (Arc::new(steps), Arc::new(next))
}

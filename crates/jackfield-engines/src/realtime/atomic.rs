// Where the tape's atomics come from, so that a model checker can put its own here.
pub(super) use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

use std::{cell::Cell, rc::Rc};

use jackfield::prelude::*;

struct Counter;
impl Plugin for Counter {
    fn manifest(&self) -> Manifest {
        Manifest::new("counter")
    }
    async fn attach(&self, _: &SessionContext) -> PluginResult {
        let count = Rc::new(Cell::new(0));
        std::future::ready(()).await;
        count.set(count.get() + 1);
        Ok(())
    }
}

fn main() {}

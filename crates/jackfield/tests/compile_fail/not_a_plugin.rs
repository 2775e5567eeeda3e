use jackfield::prelude::*;

struct Loose;

fn main() {
    let _ = PluginRuntime::builder().plugin(Loose);
}

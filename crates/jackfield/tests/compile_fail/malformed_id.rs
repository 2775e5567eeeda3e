use jackfield::prelude::*;

const VOICE: Slot<str> = Slot::new("Loud Voice");

fn main() {
    println!("{VOICE:?}");
}

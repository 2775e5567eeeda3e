use jackfield::prelude::*;

#[derive(Default, Deserialize, PartialEq)]
#[serde(default)]
struct Volume {
    level: f32,
}

struct Speaker;
impl Plugin for Speaker {
    fn manifest(&self) -> Manifest {
        Manifest::new("speaker").config::<Volume>()
    }
}

fn main() {}

use jackfield::prelude::*;

trait Voice: Send + Sync {}
const VOICE: Slot<dyn Voice> = Slot::new("voice");

struct NoVoice;
struct Mute;
impl Plugin for Mute {
    fn manifest(&self) -> Manifest {
        Manifest::new("mute")
    }
    fn register(&self, services: &mut Registrar<'_>) {
        services.provide(VOICE).singleton(|_| Arc::new(NoVoice));
    }
}

fn main() {}

use std::sync::Arc;

use bevy_ecs::prelude::World;
use rutis::host::CtxHost;

use crate::{
    fixture::Thing,
    measure::Contender,
    services::{Tag, a_hundred},
};

/// Everybody looks one of a hundred services up, and gets a share of it.
pub(crate) fn resolve(tokio: &tokio::runtime::Runtime) -> [Contender<'static>; 4] {
    [bevy(), dill(), cordis(tokio), rutis(tokio)]
}

fn thing() -> Arc<Thing> {
    Arc::new(Thing(1))
}

fn bevy() -> Contender<'static> {
    let mut world = World::new();
    macro_rules! insert {
        ($tens:literal $ones:literal) => {
            world.insert_resource(Tag::<{ $tens * 10 + $ones }>(thing()));
        };
    }
    a_hundred!(insert);
    Contender::each("bevy_ecs", move || Arc::clone(&world.resource::<Tag<50>>().0))
}

fn dill() -> Contender<'static> {
    let mut builder = dill::Catalog::builder();
    macro_rules! add {
        ($tens:literal $ones:literal) => {
            builder.add_value(Tag::<{ $tens * 10 + $ones }>(thing()));
        };
    }
    a_hundred!(add);
    let catalog = builder.build();
    Contender::each("dill", move || catalog.get_one::<Tag<50>>())
}

macro_rules! cordis_service {
    ($tens:literal $ones:literal) => {
        impl cordis_core::Service for Tag<{ $tens * 10 + $ones }> {
            const NAME: &'static str = concat!("things/", $tens, $ones);
        }
    };
}
a_hundred!(cordis_service);

fn cordis(tokio: &tokio::runtime::Runtime) -> Contender<'static> {
    let _entered = tokio.enter();
    let context = cordis_core::Context::new();
    macro_rules! provide {
        ($tens:literal $ones:literal) => {
            // Dropping what it gives takes nothing back.
            drop(context.provide(Arc::new(Tag::<{ $tens * 10 + $ones }>(thing()))).expect("a service"));
        };
    }
    a_hundred!(provide);
    Contender::each("cordis-core", move || context.try_service::<Tag<50>>().expect("a service"))
}

fn rutis(tokio: &tokio::runtime::Runtime) -> Contender<'static> {
    let root = rutis::Ctx::root_with(tokio.handle().clone());
    macro_rules! provide {
        ($tens:literal $ones:literal) => {
            root.provide(Tag::<{ $tens * 10 + $ones }>(thing())).expect("a service");
        };
    }
    a_hundred!(provide);
    Contender::each("rutis", move || root.get::<Tag<50>>().expect("a service"))
}

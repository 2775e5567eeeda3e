use std::convert::Infallible;

use cordis_core::{Context, PreparedChange, PreparedPlugin};
use rutis::host::CtxHost;

use crate::{fixture::awaiting, measure::Contender};

/// Everybody loads a plugin that does nothing, and takes it down again.
pub(crate) fn load_and_dispose(tokio: &tokio::runtime::Runtime) -> [Contender<'_>; 3] {
    [rutis(tokio), cordis(tokio), cordis_update(tokio)]
}

struct Empty;

impl rutis::Plugin for Empty {
    type Deps = ();
    async fn apply(&self, _: &rutis::Ctx, (): ()) -> rutis::Result {
        Ok(())
    }
}

fn rutis(tokio: &tokio::runtime::Runtime) -> Contender<'_> {
    let root = rutis::Ctx::root_with(tokio.handle().clone());
    let cycle = awaiting(tokio, async move || {
        let view = root.plugin(Empty);
        (&view).await.expect("it loads");
        view.dispose().await.expect("it is disposed");
    });
    Contender::new("rutis load + dispose", cycle)
}

impl cordis_core::Plugin for Empty {
    type Config = usize;
    type Input = usize;
    type PrepareError = Infallible;
    type ApplyError = Infallible;

    fn prepare(&self, config: usize) -> Result<usize, Infallible> {
        Ok(config)
    }

    async fn apply(&self, _: Context, _: &usize) -> Result<(), Infallible> {
        Ok(())
    }
}

fn cordis(tokio: &tokio::runtime::Runtime) -> Contender<'_> {
    let context = tokio.block_on(async { Context::new() });
    let cycle = awaiting(tokio, async move || {
        let handle = context.spawn(PreparedPlugin::from_input(Empty, 1)).await.expect("it starts");
        handle.dispose().await.expect("it is disposed");
    });
    Contender::new("cordis-core spawn + dispose", cycle)
}

fn cordis_update(tokio: &tokio::runtime::Runtime) -> Contender<'_> {
    let handle = tokio.block_on(async {
        let context = Context::new();
        context.spawn(PreparedPlugin::from_input(Empty, 0)).await.expect("it starts")
    });
    let mut input = 0;
    let cycle = awaiting(tokio, async move || {
        input += 1;
        handle.update(PreparedChange::from_input::<Empty>(input)).await.expect("it is updated")
    });
    Contender::new("cordis-core update", cycle)
}

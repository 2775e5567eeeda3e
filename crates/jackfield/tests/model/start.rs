//! How a play begins: some starts are refused or fail, and leave nothing.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use jackfield::{AddError, ChangeError, FailurePolicy, InitError, UnknownReferences};

use crate::{
    actor::enter,
    cast::{Cast, Doc, PARTS, Part},
    expected::Expected,
    oracle::Wanted,
    play::{Play, give},
    settle::{expect_story, who_fell},
    stage::Stage,
    steps::{At, Fault, Line, Patience, doc},
};

impl Play {
    /// Starts with these settings and these failures; if that comes to nothing, without them.
    pub(crate) async fn new(
        parts: Vec<Part>,
        policies: (UnknownReferences, FailurePolicy),
        (lines, faults, patience): (Vec<Line>, Vec<Fault>, Patience),
    ) -> Self {
        let cast = Cast { parts, here: (0..PARTS).collect(), removed: BTreeSet::new() };
        let doc = doc(&lines, &cast);
        let mut play = match Self::start(&cast, policies, doc, faults, patience).await {
            Some(play) => play,
            None => Self::start(&cast, policies, Doc::default(), Vec::new(), None).await.unwrap(),
        };
        play.look(0);
        play.open(Doc::default(), Vec::new(), None).await;
        play
    }

    async fn start(
        cast: &Cast,
        (unknown, policy): (UnknownReferences, FailurePolicy),
        settings: Doc,
        faults: Vec<Fault>,
        patience: Patience,
    ) -> Option<Self> {
        let stage = Stage::default();
        let builder = enter(cast, &stage).unknown_references(unknown).failure_policy(policy);
        let builder = builder.hook_deadline(Duration::from_secs(1)).settings(settings.settings());
        let (over_global, over) = Default::default();
        let wanted = Wanted { cast: cast.clone(), settings, over_global, over }.accepted(unknown);

        stage.set_faults(faults);
        let started = give(patience, builder.init()).await;
        tokio::time::sleep(Duration::from_secs(3600)).await;
        stage.set_faults(Vec::new());
        let (fired, log) = (stage.take_fired(), stage.take_log());
        let error = match started {
            Some(Ok(runtime)) => {
                let nothing = Expected::default();
                let wanted = wanted.unwrap();
                let planned = nothing.next(cast, &wanted.of(None), true, &BTreeSet::new());
                let fallen = who_fell(&fired, "global", &runtime.status().scopes[0], &planned);
                assert!(policy == FailurePolicy::Quarantine || fired.is_empty(), "{fired:?}");
                let global = planned.clone().without(cast, &fallen, true, &BTreeSet::new());
                expect_story(cast, &log, "global", &nothing, &planned, &global, fallen.is_empty());
                let (stream, news) = (runtime.settings_stream(), VecDeque::new());
                let (sessions, opened) = (Vec::new(), 0);
                let play =
                    Self { unknown, policy, stage, runtime, stream, news, wanted, global, sessions, opened };
                return Some(play);
            }
            Some(Err(error)) => Some(error),
            None => None,
        };
        match error {
            None => {} // nobody waited for it
            Some(InitError::Plugin(AddError::Panicked { .. })) => {
                assert!(fired.iter().any(|(_, _, at)| *at == At::Declare));
            }
            Some(InitError::Settings(ChangeError::Refused(_))) => assert!(wanted.is_none() && log.is_empty()),
            Some(InitError::Settings(ChangeError::Reverted { .. })) => {
                assert_eq!(policy, FailurePolicy::AllOrNothing, "it always starts");
                assert!(!fired.is_empty());
            }
            Some(error) => panic!("{error}"),
        }
        assert_eq!(stage.complaints(), [""; 0]);
        assert!(stage.present("global").is_empty() && stage.begun("global").is_empty());
        assert!(stage.is_deserted(), "a start that fails leaves nothing");
        None
    }
}

use std::{collections::BTreeSet, sync::Arc};

use super::{Desired, Plan, ScopeKind, ScopeName, UnknownReferences, difference::difference, normalise};
use crate::{
    id::PluginId,
    manifest::Manifest,
    registry::Offer,
    settings::{Problem, Problems, RuntimeSettings},
};

/// What is known of a plugin before it runs.
#[derive(Clone)]
pub(crate) struct Declaration {
    pub(crate) manifest: Manifest,
    pub(crate) scope: ScopeKind,
    pub(crate) offers: Vec<Offer>,
}

/// Everything a plan is made from, at one moment. Published after every change; planning reads it and waits for
/// nobody.
#[derive(Clone, Default)]
pub(crate) struct World {
    pub(crate) generation: u64,
    pub(crate) declarations: Arc<[Arc<Declaration>]>,
    pub(crate) unknown: UnknownReferences,
    pub(crate) settings: Arc<RuntimeSettings>,
    pub(crate) global: Arc<Desired>,
    pub(crate) sessions: Vec<SessionWorld>,
}

/// What a session runs.
#[derive(Clone)]
pub(crate) struct SessionWorld {
    pub(crate) name: ScopeName,
    pub(crate) current: Arc<Desired>,
}

impl World {
    /// What would make everything follow `settings`.
    pub(crate) fn plan(&self, settings: &RuntimeSettings) -> Result<Plan, Problems> {
        let mut problems = Vec::new();
        let (settings, skipped) = self.known(settings, &mut problems);
        let nobody = BTreeSet::new();
        let global = self.desired(ScopeKind::Global, &settings, &nobody, &self.global, &mut problems);
        let visible = global.attached();
        let mut scopes = vec![difference(ScopeName::Global, &self.global, Arc::new(global))];

        // Sessions that run the same want the same: it is computed once for all of them.
        let mut computed: Vec<(&Arc<Desired>, Arc<Desired>)> = Vec::new();
        for session in &self.sessions {
            let same = computed.iter().find(|(current, _)| Arc::ptr_eq(current, &session.current));
            let next = match same {
                Some((_, next)) => Arc::clone(next),
                None => {
                    let current = &session.current;
                    let next = Arc::new(self.desired(
                        ScopeKind::Session,
                        &settings,
                        &visible,
                        current,
                        &mut problems,
                    ));
                    computed.push((current, Arc::clone(&next)));
                    next
                }
            };
            scopes.push(difference(session.name.clone(), &session.current, next));
        }
        if self.sessions.is_empty() {
            // Nobody runs the session plugins, yet their configuration should be found wrong now.
            self.desired(ScopeKind::Session, &settings, &visible, &Desired::default(), &mut problems);
        }
        if !problems.is_empty() {
            return Err(Problems(problems));
        }
        Ok(Plan { scopes, skipped, generation: self.generation, settings: Arc::new(settings) })
    }

    /// What opens a session.
    pub(crate) fn plan_opening(&self, name: ScopeName) -> Result<Plan, Problems> {
        let mut problems = Vec::new();
        let (settings, skipped) = self.known(&self.settings, &mut problems);
        let (nothing, visible) = (Desired::default(), self.global.attached());
        let next = self.desired(ScopeKind::Session, &settings, &visible, &nothing, &mut problems);
        if !problems.is_empty() {
            return Err(Problems(problems));
        }
        let scopes = vec![difference(name, &nothing, Arc::new(next))];
        Ok(Plan { scopes, skipped, generation: self.generation, settings: Arc::clone(&self.settings) })
    }

    /// What closes everything `closes` names.
    pub(crate) fn plan_closing(&self, closes: impl Fn(&ScopeName) -> bool) -> Plan {
        let nothing = || Arc::new(Desired::default());
        let global = (ScopeName::Global, &self.global);
        let sessions = self.sessions.iter().map(|session| (session.name.clone(), &session.current));
        let scopes = std::iter::once(global)
            .chain(sessions)
            .filter(|(name, _)| closes(name))
            .map(|(name, current)| difference(name, current, nothing()))
            .collect();
        Plan {
            scopes,
            skipped: Vec::new(),
            generation: self.generation,
            settings: Arc::clone(&self.settings),
        }
    }

    /// `settings` without what nobody answers to, and what of that is passed over; what is not is a problem.
    fn known(
        &self,
        settings: &RuntimeSettings,
        problems: &mut Vec<Problem>,
    ) -> (RuntimeSettings, Vec<Problem>) {
        let (settings, unknown) = normalise::without_unknown(settings, &self.declarations);
        match self.unknown {
            UnknownReferences::Reject => problems.extend(unknown),
            UnknownReferences::Skip => return (settings, unknown),
            UnknownReferences::Ignore => {}
        }
        (settings, Vec::new())
    }

    fn desired(
        &self,
        kind: ScopeKind,
        settings: &RuntimeSettings,
        visible: &BTreeSet<PluginId>,
        current: &Desired,
        problems: &mut Vec<Problem>,
    ) -> Desired {
        Desired::of(kind, &self.declarations, settings, visible, current, problems)
    }
}

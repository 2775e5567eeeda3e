use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use super::{
    Demand, Desired, Plan, Remark, ScopeKind, ScopeName, ScopePlan, SessionKey, UnknownReferences,
    difference::difference, normalise,
};
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
    pub(crate) unknown: UnknownReferences,
    pub(crate) wishes: Wishes,
    pub(crate) global: Arc<Desired>,
    pub(crate) sessions: Vec<SessionWorld>,
}

/// What is wanted: which plugins there are, the settings, and what scopes have on top of them.
#[derive(Clone, Default)]
pub(crate) struct Wishes {
    pub(crate) declarations: Arc<[Arc<Declaration>]>,
    /// Plugins that were removed. What settings say of them waits for their return.
    pub(crate) removed: Arc<BTreeSet<PluginId>>,
    pub(crate) settings: Arc<RuntimeSettings>,
    pub(crate) global_overlay: Arc<RuntimeSettings>,
    pub(crate) session_overlays: Arc<std::collections::BTreeMap<SessionKey, Arc<RuntimeSettings>>>,
    /// What was said of the plugins before: to say it again with every change and every session would be noise.
    pub(crate) remarked: Arc<BTreeSet<Remark>>,
}

/// What a session runs.
#[derive(Clone)]
pub(crate) struct SessionWorld {
    pub(crate) key: SessionKey,
    pub(crate) name: ScopeName,
    pub(crate) current: Arc<Desired>,
}

impl Wishes {
    /// The same with other settings.
    pub(crate) fn with_settings(&self, settings: RuntimeSettings) -> Self {
        Self { settings: Arc::new(settings), ..self.clone() }
    }

    /// The same with another overlay of one scope.
    pub(crate) fn with_overlay(&self, scope: &ScopeName, overlay: RuntimeSettings) -> Self {
        let mut wishes = self.clone();
        match scope {
            ScopeName::Global => wishes.global_overlay = Arc::new(overlay),
            // Most sessions have nothing on top. All that remember these wishes share the map as long as it is left alone.
            ScopeName::Session { key, .. } if overlay.is_empty() => wishes.forget(*key),
            ScopeName::Session { key, .. } => {
                Arc::make_mut(&mut wishes.session_overlays).insert(*key, Arc::new(overlay));
            }
        }
        wishes
    }

    /// Forgets what a session had on top.
    pub(crate) fn forget(&mut self, key: SessionKey) {
        if self.session_overlays.contains_key(&key) {
            Arc::make_mut(&mut self.session_overlays).remove(&key);
        }
    }
}

impl World {
    /// What would make everything follow `wishes`.
    pub(crate) fn plan(&self, wishes: &Wishes) -> Result<Plan, Problems> {
        let mut problems = Vec::new();
        let (wishes, skipped) = self.known(wishes, &mut problems);
        let global = self.desired_global(&wishes, &mut problems);
        let visible = Arc::new(global.attached());
        let mut scopes = vec![difference(ScopeName::Global, &self.global, global)];
        scopes.extend(self.plan_sessions(&wishes, &visible, &mut problems));
        if self.sessions.is_empty() {
            // Nobody runs the session plugins, yet their configuration should be found wrong now.
            let demand = demand(ScopeKind::Session, &wishes, &Arc::default(), &visible);
            Desired::of(demand, &Desired::default(), &mut problems);
        }
        if !problems.is_empty() {
            return Err(Problems(problems));
        }
        Ok(self.plan_of(scopes, skipped, wishes))
    }

    /// What the sessions have to do for `wishes` when they see these global plugins.
    pub(crate) fn plan_sessions(
        &self,
        wishes: &Wishes,
        visible: &Arc<BTreeSet<PluginId>>,
        problems: &mut Vec<Problem>,
    ) -> Vec<ScopePlan> {
        // Sessions that run the same and have the same on top have the same to do: it is computed once for all of them.
        let nothing = Arc::default();
        let mut computed: HashMap<_, ScopePlan> = HashMap::new();
        let mut plans = Vec::with_capacity(self.sessions.len());
        for session in &self.sessions {
            let (current, overlay) =
                (&session.current, wishes.session_overlays.get(&session.key).unwrap_or(&nothing));
            let same = (Arc::as_ptr(current), Arc::as_ptr(overlay));
            let plan = computed.entry(same).or_insert_with(|| {
                let mut demand = demand(ScopeKind::Session, wishes, overlay, visible);
                current.demand.iter().for_each(|before| demand.still_quarantined(before));
                difference(session.name.clone(), current, Desired::following(demand, current, problems))
            });
            plans.push(ScopePlan { scope: session.name.clone(), ..plan.clone() });
        }
        plans
    }

    /// What opens a session with this on top of the settings.
    pub(crate) fn plan_opening(&self, name: ScopeName, overlay: RuntimeSettings) -> Result<Plan, Problems> {
        let mut problems = Vec::new();
        let wishes = self.wishes.with_overlay(&name, overlay);
        let (wishes, skipped) = self.known(&wishes, &mut problems);
        let nothing = Desired::default();
        let none = Arc::default();
        let overlay = match &name {
            ScopeName::Session { key, .. } => wishes.session_overlays.get(key).unwrap_or(&none),
            ScopeName::Global => &none,
        };
        let demand = demand(ScopeKind::Session, &wishes, overlay, &Arc::new(self.global.attached()));
        // Sessions are mostly opened one like the other.
        let like_it = self.sessions.last().filter(|session| session.current.is_as_opened_for(&demand));
        let next = match like_it {
            Some(session) => Arc::clone(&session.current),
            None => Arc::new(Desired::of(demand, &nothing, &mut problems)),
        };
        if !problems.is_empty() {
            return Err(Problems(problems));
        }
        let scopes = vec![difference(name, &nothing, next)];
        Ok(self.plan_of(scopes, skipped, wishes))
    }

    fn plan_of(&self, scopes: Vec<ScopePlan>, skipped: Vec<Problem>, mut wishes: Wishes) -> Plan {
        let found = scopes.iter().flat_map(|scope| &scope.next.remarks);
        let new: BTreeSet<Remark> =
            found.filter(|remark| !wishes.remarked.contains(*remark)).cloned().collect();
        if !new.is_empty() {
            Arc::make_mut(&mut wishes.remarked).extend(new.iter().cloned());
        }
        let remarks = new.into_iter().collect();
        Plan { scopes, skipped, remarks, generation: self.generation, wishes: Arc::new(wishes) }
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
        let wishes = Arc::new(self.wishes.clone());
        Plan { scopes, skipped: Vec::new(), remarks: Vec::new(), generation: self.generation, wishes }
    }

    fn desired_global(&self, wishes: &Wishes, problems: &mut Vec<Problem>) -> Arc<Desired> {
        let mut demand = demand(ScopeKind::Global, wishes, &wishes.global_overlay, &Arc::default());
        self.global.demand.iter().for_each(|before| demand.still_quarantined(before));
        Desired::following(demand, &self.global, problems)
    }

    /// `wishes` without what nobody answers to, and what of that is passed over; what is not is a problem.
    fn known(&self, wishes: &Wishes, problems: &mut Vec<Problem>) -> (Wishes, Vec<Problem>) {
        let mut unknown = Vec::new();
        let mut known = |settings: &Arc<RuntimeSettings>| {
            if settings.is_empty() {
                return Arc::clone(settings); // as most overlays are
            }
            let (known, found) = normalise::without_unknown(settings, &wishes.declarations, &wishes.removed);
            unknown.extend(found);
            if known == **settings { Arc::clone(settings) } else { Arc::new(known) }
        };
        let settings = known(&wishes.settings);
        let global_overlay = known(&wishes.global_overlay);
        let overlays = wishes.session_overlays.iter().map(|(key, overlay)| (*key, known(overlay)));
        let session_overlays = if wishes.session_overlays.is_empty() {
            Arc::clone(&wishes.session_overlays)
        } else {
            Arc::new(overlays.collect())
        };
        let wishes = Wishes { settings, global_overlay, session_overlays, ..wishes.clone() };
        match self.unknown {
            UnknownReferences::Reject => problems.extend(unknown),
            UnknownReferences::Skip => return (wishes, unknown),
            UnknownReferences::Ignore => {}
        }
        (wishes, Vec::new())
    }
}

fn demand(
    kind: ScopeKind,
    wishes: &Wishes,
    overlay: &Arc<RuntimeSettings>,
    visible: &Arc<BTreeSet<PluginId>>,
) -> Demand {
    let settings = if overlay.is_empty() {
        Arc::clone(&wishes.settings)
    } else {
        Arc::new(wishes.settings.overlaid(overlay))
    };
    let declarations = Arc::clone(&wishes.declarations);
    Demand { kind, declarations, settings, visible: Arc::clone(visible), quarantined: Default::default() }
}

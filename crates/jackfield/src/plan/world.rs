use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use super::{
    BySession, Demand, Desired, Order, Plan, Remark, Roster, ScopeKind, ScopeName, ScopePlan, SessionKey,
    UnknownReferences, following::follow, normalise,
};
use crate::{
    id::PluginId,
    settings::{Problem, Problems, RuntimeSettings},
};

/// Everything a plan is made from, at one moment. Published after every change; planning reads it and waits for
/// nobody.
#[derive(Clone, Default)]
pub(crate) struct World {
    pub(crate) generation: u64,
    pub(crate) unknown: UnknownReferences,
    pub(crate) wishes: Arc<Wishes>,
    /// The settings that were followed last. Those in force may be others, which were stored with nothing following.
    pub(crate) followed: Arc<RuntimeSettings>,
    pub(crate) global: Arc<Desired>,
    pub(crate) sessions: BySession<SessionWorld>,
}

/// What is wanted: which plugins there are, the settings, and what scopes have on top of them.
#[derive(Clone, Default)]
pub(crate) struct Wishes {
    pub(crate) declarations: Arc<Roster>,
    /// Plugins that were removed. What settings say of them waits for their return.
    pub(crate) removed: Arc<BTreeSet<PluginId>>,
    pub(crate) settings: Arc<RuntimeSettings>,
    pub(crate) global_overlay: Arc<RuntimeSettings>,
    pub(crate) session_overlays: BySession<Arc<RuntimeSettings>>,
    /// What was said of the plugins before: to say it again with every change and every session would be noise.
    pub(crate) remarked: Arc<BTreeSet<Remark>>,
}

/// What a session runs.
#[derive(Clone)]
pub(crate) struct SessionWorld {
    pub(crate) name: ScopeName,
    pub(crate) current: Arc<Desired>,
}

/// What is to close.
#[derive(Clone, Copy)]
pub(crate) enum Closing {
    Everything,
    Session(SessionKey),
}

impl Wishes {
    /// The same with these settings; the very same if they say nothing else.
    pub(crate) fn with_settings(self: &Arc<Self>, settings: RuntimeSettings) -> Arc<Self> {
        if *self.settings == settings {
            return Arc::clone(self);
        }
        Arc::new(Self { settings: Arc::new(settings), ..Self::clone(self) })
    }

    /// The same with another overlay of one scope.
    pub(crate) fn with_overlay(&self, scope: &ScopeName, overlay: Arc<RuntimeSettings>) -> Self {
        let mut wishes = self.clone();
        match scope {
            ScopeName::Global => wishes.global_overlay = overlay,
            // Most sessions have nothing on top.
            ScopeName::Session { key, .. } if overlay.is_empty() => wishes.forget(*key),
            ScopeName::Session { key, .. } => wishes.session_overlays.insert_mut(*key, overlay),
        }
        wishes
    }

    /// Forgets what a session had on top.
    pub(crate) fn forget(&mut self, key: SessionKey) {
        self.session_overlays.remove_mut(key);
    }
}

impl World {
    /// Notes what sessions run.
    pub(crate) fn note<'a>(
        &mut self,
        running: impl IntoIterator<Item = (SessionKey, &'a ScopeName, &'a Arc<Desired>)>,
    ) {
        self.sessions.extend(running.into_iter().map(|(key, name, current)| {
            (key, SessionWorld { name: name.clone(), current: Arc::clone(current) })
        }));
    }

    /// What would make everything follow `wishes`.
    pub(crate) fn plan(&self, wishes: &Arc<Wishes>) -> Result<Plan, Problems> {
        if self.is_as_wished(wishes) {
            return Ok(self.plan_to_stay());
        }
        let mut problems = Vec::new();
        let (wishes, skipped) = self.known(wishes, &mut problems);
        let global = self.plan_global(&wishes, &mut problems);
        let visible = Arc::clone(&global.next.order);
        let mut scopes = Vec::with_capacity(1 + self.sessions.size());
        scopes.push(global);
        scopes.extend(self.plan_sessions(&wishes, &visible, &mut problems));
        if self.sessions.is_empty() {
            // Nobody runs the session plugins, yet their configuration should be found wrong now.
            let (declarations, settings) = (&wishes.declarations, &wishes.settings);
            let demand = demand(ScopeKind::Session, declarations, settings, &Arc::default(), &visible);
            Desired::of(demand, &Desired::default(), &mut problems);
        }
        if !problems.is_empty() {
            return Err(Problems(problems));
        }
        Ok(self.plan_of(scopes, skipped, wishes))
    }

    /// Whether everything that runs follows from `wishes`, and nothing falls short of them. Where no session runs,
    /// nothing tells that of session plugins: what the settings say of them may have been good only with what was on top of
    /// them in a session that has closed.
    fn is_as_wished(&self, wishes: &Arc<Wishes>) -> bool {
        let mut running = self.sessions.values().map(|session| &session.current).chain([&self.global]);
        !self.sessions.is_empty()
            && Arc::ptr_eq(wishes, &self.wishes)
            && Arc::ptr_eq(&wishes.settings, &self.followed)
            && running.all(|current| current.is_as_asked())
    }

    /// A plan in which everything stays as it is.
    fn plan_to_stay(&self) -> Plan {
        let steps = Arc::default();
        let stay = |scope: ScopeName, current: &Arc<Desired>| ScopePlan {
            scope,
            steps: Arc::clone(&steps),
            next: Arc::clone(current),
        };
        let mut scopes = Vec::with_capacity(1 + self.sessions.size());
        scopes.push(stay(ScopeName::Global, &self.global));
        scopes.extend(self.sessions.values().map(|session| stay(session.name.clone(), &session.current)));
        self.plan_as_wished(scopes)
    }

    /// A plan for the wishes in force, of which there is nothing new to say.
    fn plan_as_wished(&self, scopes: Vec<ScopePlan>) -> Plan {
        let (skipped, remarks, generation) = (Vec::new(), Vec::new(), self.generation);
        Plan { scopes, skipped, remarks, generation, wishes: Arc::clone(&self.wishes) }
    }

    /// What the sessions have to do for `wishes` when they see these global plugins.
    pub(crate) fn plan_sessions(
        &self,
        wishes: &Wishes,
        visible: &Arc<Order>,
        problems: &mut Vec<Problem>,
    ) -> Vec<ScopePlan> {
        // Sessions that run the same and have the same on top have the same to do: it is computed once for all of them.
        let (settings, nothing) = (self.as_followed(&wishes.settings), Arc::default());
        let mut computed: HashMap<_, ScopePlan> = HashMap::new();
        let mut last: Option<(_, ScopePlan)> = None;
        let mut plans = Vec::with_capacity(self.sessions.size());
        for (key, session) in self.sessions.iter() {
            let current = &session.current;
            let overlay = wishes.session_overlays.get(key).unwrap_or(&nothing);
            let same = (Arc::as_ptr(current), Arc::as_ptr(overlay));
            // Mostly it is one session like the other.
            if let Some((_, plan)) = last.as_ref().filter(|(other, _)| *other == same) {
                plans.push(plan.of(&session.name));
                continue;
            }
            let plan = computed.entry(same).or_insert_with(|| {
                let mut demand = demand(ScopeKind::Session, &wishes.declarations, settings, overlay, visible);
                current.demand.iter().for_each(|before| demand.still_quarantined(before));
                let (steps, next) = follow(demand, current, problems);
                ScopePlan { scope: session.name.clone(), steps, next }
            });
            plans.push(plan.of(&session.name));
            last = Some((same, plan.clone()));
        }
        plans
    }

    /// What opens a session with this on top of the settings. Sessions are mostly opened one like the other, so it need
    /// not be thought out again if it is what the `last` one opened with.
    pub(crate) fn plan_opening(
        &self,
        name: ScopeName,
        overlay: RuntimeSettings,
        last: Option<&ScopePlan>,
    ) -> Result<Plan, Problems> {
        let mut problems = Vec::new();
        let (wishes, skipped) = self.known_with_one_more(&name, overlay, &mut problems);
        let none = Arc::default();
        let overlay = match &name {
            ScopeName::Session { key, .. } => wishes.session_overlays.get(*key).unwrap_or(&none),
            ScopeName::Global => &none,
        };
        let settings = self.as_followed(&wishes.settings);
        let demand = demand(ScopeKind::Session, &wishes.declarations, settings, overlay, &self.global.order);
        let opening = match last.filter(|last| last.next.is_as_opened_for(&demand)) {
            Some(last) => last.of(&name),
            None => {
                let (steps, next) = follow(demand, &Arc::default(), &mut problems);
                ScopePlan { scope: name, steps, next }
            }
        };
        if !problems.is_empty() {
            return Err(Problems(problems));
        }
        Ok(self.plan_of(vec![opening], skipped, wishes))
    }

    fn plan_of(&self, scopes: Vec<ScopePlan>, skipped: Vec<Problem>, mut wishes: Wishes) -> Plan {
        let found = scopes.iter().flat_map(|scope| scope.next.remarks.iter());
        let new: BTreeSet<Remark> =
            found.filter(|remark| !wishes.remarked.contains(*remark)).cloned().collect();
        if !new.is_empty() {
            Arc::make_mut(&mut wishes.remarked).extend(new.iter().cloned());
        }
        let remarks = new.into_iter().collect();
        Plan { scopes, skipped, remarks, generation: self.generation, wishes: Arc::new(wishes) }
    }

    /// What closes everything, or what `closing` names.
    pub(crate) fn plan_closing(&self, closing: Closing) -> Plan {
        let nothing = Arc::<Desired>::default();
        let close = |name: &ScopeName, current: &Desired| {
            let (scope, steps, next) = (name.clone(), Arc::clone(current.closing()), Arc::clone(&nothing));
            ScopePlan { scope, steps, next }
        };
        let close_session = |session: &SessionWorld| close(&session.name, &session.current);
        let scopes = match closing {
            Closing::Session(key) => self.sessions.get(key).map(close_session).into_iter().collect(),
            Closing::Everything => {
                let global = close(&ScopeName::Global, &self.global);
                std::iter::once(global).chain(self.sessions.values().map(close_session)).collect()
            }
        };
        self.plan_as_wished(scopes)
    }

    fn plan_global(&self, wishes: &Wishes, problems: &mut Vec<Problem>) -> ScopePlan {
        let settings = self.as_followed(&wishes.settings);
        let overlay = &wishes.global_overlay;
        let mut demand = demand(ScopeKind::Global, &wishes.declarations, settings, overlay, &Arc::default());
        self.global.demand.iter().for_each(|before| demand.still_quarantined(before));
        let (steps, next) = follow(demand, &self.global, problems);
        ScopePlan { scope: ScopeName::Global, steps, next }
    }

    /// `wishes` without what nobody answers to, and what of that is passed over; what is not is a problem.
    fn known(&self, wishes: &Wishes, problems: &mut Vec<Problem>) -> (Wishes, Vec<Problem>) {
        let mut unknown = Vec::new();
        let settings = self.known_settings(wishes, &mut unknown);
        let global_overlay =
            self.known_overlay(&wishes.global_overlay, &self.wishes.global_overlay, wishes, &mut unknown);
        let nothing = Arc::default();
        let session_overlays = (wishes.session_overlays.iter())
            .map(|(key, overlay)| {
                let in_force = self.wishes.session_overlays.get(key).unwrap_or(&nothing);
                (key, self.known_overlay(overlay, in_force, wishes, &mut unknown))
            })
            .collect();
        let wishes = Wishes { settings, global_overlay, session_overlays, ..wishes.clone() };
        (wishes, self.passed_over(unknown, problems))
    }

    /// The wishes in force with what a session that opens has on top of the settings, and what is passed over, as in
    /// [`known`](Self::known). What other sessions have on top was looked through when it came.
    fn known_with_one_more(
        &self,
        name: &ScopeName,
        overlay: RuntimeSettings,
        problems: &mut Vec<Problem>,
    ) -> (Wishes, Vec<Problem>) {
        let mut unknown = Vec::new();
        let settings = self.known_settings(&self.wishes, &mut unknown);
        let overlay = known(&Arc::new(overlay), &self.wishes, &mut unknown);
        let wishes = Wishes { settings, ..self.wishes.with_overlay(name, overlay) };
        (wishes, self.passed_over(unknown, problems))
    }

    /// The settings of `wishes` without what nobody answers to, which goes to `unknown`.
    fn known_settings(&self, wishes: &Wishes, unknown: &mut Vec<Problem>) -> Arc<RuntimeSettings> {
        let settings = &wishes.settings;
        if self.has_plugins_of(wishes) && self.follows(settings) {
            return Arc::clone(settings); // they have been looked through before
        }
        known(settings, wishes, unknown)
    }

    fn follows(&self, settings: &Arc<RuntimeSettings>) -> bool {
        Arc::ptr_eq(settings, &self.followed) || *settings == self.followed
    }

    /// `settings`; those that are followed themselves if they are equal, because what was made of them is known by them.
    fn as_followed<'a>(&'a self, settings: &'a Arc<RuntimeSettings>) -> &'a Arc<RuntimeSettings> {
        if self.follows(settings) { &self.followed } else { settings }
    }

    /// The same of what one scope has on top of the settings, and has `in_force`.
    fn known_overlay(
        &self,
        overlay: &Arc<RuntimeSettings>,
        in_force: &Arc<RuntimeSettings>,
        wishes: &Wishes,
        unknown: &mut Vec<Problem>,
    ) -> Arc<RuntimeSettings> {
        if self.has_plugins_of(wishes) && Arc::ptr_eq(overlay, in_force) {
            return Arc::clone(overlay);
        }
        known(overlay, wishes, unknown)
    }

    fn has_plugins_of(&self, wishes: &Wishes) -> bool {
        let mine = &self.wishes;
        Arc::ptr_eq(&mine.declarations, &wishes.declarations) && Arc::ptr_eq(&mine.removed, &wishes.removed)
    }

    /// What of `unknown` is passed over, and worth a word; or else it is among the `problems`.
    fn passed_over(&self, unknown: Vec<Problem>, problems: &mut Vec<Problem>) -> Vec<Problem> {
        match self.unknown {
            UnknownReferences::Reject => problems.extend(unknown),
            UnknownReferences::Skip => return unknown,
            UnknownReferences::Ignore => {}
        }
        Vec::new()
    }
}

/// `settings` without what nobody of `wishes` answers to, which goes to `unknown`.
fn known(
    settings: &Arc<RuntimeSettings>,
    wishes: &Wishes,
    unknown: &mut Vec<Problem>,
) -> Arc<RuntimeSettings> {
    if settings.is_empty() {
        return Arc::clone(settings); // as most overlays are
    }
    let (known, found) = normalise::without_unknown(settings, &wishes.declarations, &wishes.removed);
    unknown.extend(found);
    known
}

fn demand(
    kind: ScopeKind,
    declarations: &Arc<Roster>,
    settings: &Arc<RuntimeSettings>,
    overlay: &Arc<RuntimeSettings>,
    visible: &Arc<Order>,
) -> Demand {
    let settings =
        if overlay.is_empty() { Arc::clone(settings) } else { Arc::new(settings.overlaid(overlay)) };
    let (declarations, visible) = (Arc::clone(declarations), Arc::clone(visible));
    Demand { kind, declarations, settings, visible, quarantined: Default::default() }
}

impl ScopePlan {
    /// The same for another scope, which runs the same.
    fn of(&self, scope: &ScopeName) -> Self {
        Self { scope: scope.clone(), steps: Arc::clone(&self.steps), next: Arc::clone(&self.next) }
    }
}

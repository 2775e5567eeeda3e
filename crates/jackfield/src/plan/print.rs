use std::fmt;

use super::{ConfigChange, Plan, ScopePlan, Step, WinnerChange};
use crate::id::PluginId;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let busy: Vec<&ScopePlan> = self.scopes.iter().filter(|scope| !scope.is_empty()).collect();
        let mut lines = Vec::new();
        for scope in &busy {
            if busy.len() > 1 {
                lines.push(format!("in {}:", scope.scope));
            }
            lines.extend(scope_lines(scope));
        }
        lines.extend(self.skipped.iter().map(|problem| format!("! passed over: {problem}")));
        lines.extend(self.remarks.iter().map(|remark| format!("! {remark}")));
        if lines.is_empty() {
            lines.push("nothing to do".to_owned());
        }
        f.write_str(&lines.join("\n"))
    }
}

/// One line a step: who goes, who comes, who is configured anew; and on it the slots that change hands by it.
fn scope_lines(plan: &ScopePlan) -> Vec<String> {
    let mut lines = Vec::new();
    let mut untold: Vec<&WinnerChange> = plan.winners.iter().collect();
    let width = widest(plan);
    for (sign, steps) in [('-', &plan.downs), ('+', &plan.ups)] {
        for Step { plugin, cause, .. } in steps {
            let (its, others): (Vec<_>, Vec<_>) = untold.into_iter().partition(|change| {
                let hand = if sign == '-' { &change.from } else { &change.to };
                hand.as_ref() == Some(plugin)
            });
            untold = others;
            let slots: Vec<String> = its.into_iter().map(winner_text).collect();
            let line = format!("{sign} {plugin:width$}   ({cause})   {}", slots.join(", "));
            lines.push(line.trim_end().to_owned());
        }
    }
    for change in &plan.configs {
        lines.push(format!("~ {:width$}   (settings)   {}", change.plugin, config_text(change)));
    }
    for change in untold {
        let hands = format!("{} → {}", name(&change.from), name(&change.to));
        lines.push(format!("~ {:width$}   (settings)   {hands}", change.slot));
    }
    lines
}

fn widest(plan: &ScopePlan) -> usize {
    let steps = plan.downs.iter().chain(&plan.ups).map(|step| &step.plugin);
    let configs = plan.configs.iter().map(|change| &change.plugin);
    steps.chain(configs).map(|plugin| plugin.as_str().len()).max().unwrap_or(0)
}

fn winner_text(change: &WinnerChange) -> String {
    let name =
        |plugin: &Option<PluginId>| plugin.as_ref().map_or_else(|| "nobody".to_owned(), ToString::to_string);
    format!("{}: {} → {}", change.slot, name(&change.from), name(&change.to))
}

fn name(plugin: &Option<PluginId>) -> &str {
    plugin.as_ref().map_or("nobody", PluginId::as_str)
}

fn config_text(change: &ConfigChange) -> String {
    let value = |value: &Option<serde_json::Value>| {
        value.as_ref().map_or_else(|| "default".to_owned(), ToString::to_string)
    };
    let slot = change.slot.as_ref().map_or_else(String::new, |slot| format!("{slot} "));
    format!("{slot}{}: {} → {}", change.path, value(&change.from), value(&change.to))
}

use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

/// A port as a person names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PortName {
    /// Its place in the device's order, from 1.
    Number(u32),
    /// Its name, or a part of it, whatever the case.
    Named(String),
}

/// Which of a device's ports are used, and which numbers programs know them by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PortChoice {
    /// All of them, in the device's order. One that goes and comes back keeps its number.
    #[default]
    All,
    /// These: the first is number 1.
    These(Vec<PortName>),
}

impl PortChoice {
    /// These ports; all of them unless given.
    #[must_use]
    pub fn of(ports: Option<Vec<PortName>>) -> Self {
        ports.map_or(Self::All, Self::These)
    }
}

/// Which ports are chosen now; asked whenever is looked which there are.
pub(crate) type Chosen = Arc<dyn Fn() -> PortChoice + Send + Sync>;

/// The ports of one direction by number, as they come and go.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// The names that have been given a number, while all ports are used.
    known: Vec<String>,
}

impl Numbers {
    /// The ports that are there, by number: the first is number 1. `None` where one is missing.
    pub(super) fn assign(&mut self, choice: &PortChoice, present: &[String]) -> Vec<Option<String>> {
        match choice {
            PortChoice::All => {
                for name in present {
                    if !self.known.contains(name) {
                        self.known.push(name.clone());
                    }
                }
                self.known.iter().map(|name| present.contains(name).then(|| name.clone())).collect()
            }
            PortChoice::These(names) => names.iter().map(|name| name.find(present).cloned()).collect(),
        }
    }
}

impl PortName {
    fn find<'a>(&self, present: &'a [String]) -> Option<&'a String> {
        match self {
            Self::Number(number) => present.get(usize::try_from(*number).ok()?.checked_sub(1)?),
            Self::Named(wanted) => present.iter().find(|name| *name == wanted).or_else(|| {
                let wanted = wanted.to_lowercase();
                present.iter().find(|name| name.to_lowercase().contains(&wanted))
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[track_caller]
    fn check(numbers: &mut Numbers, choice: &PortChoice, present: &[&str], expected: &[&str]) {
        let expected: Vec<_> = expected.iter().map(|name| (*name != "-").then(|| name.to_string())).collect();
        assert_eq!(numbers.assign(choice, &names(present)), expected);
    }

    #[test]
    fn a_port_that_comes_back_has_its_number_again() {
        let (mut numbers, all) = (Numbers::default(), PortChoice::All);
        check(&mut numbers, &all, &["synth", "drums"], &["synth", "drums"]);
        check(&mut numbers, &all, &["drums", "keys"], &["-", "drums", "keys"]);
        check(&mut numbers, &all, &["keys", "synth"], &["synth", "-", "keys"]);
    }

    #[test]
    fn ports_are_chosen_by_name_or_by_part_of_it_or_by_number() {
        let these = PortChoice::These(vec![
            PortName::Named("DRUM".into()),
            PortName::Number(1),
            PortName::Named("organ".into()),
            PortName::Number(0),
        ]);
        let mut numbers = Numbers::default();
        check(&mut numbers, &these, &["synth", "drums", "drum"], &["drums", "synth", "-", "-"]);
        let exact = PortChoice::These(vec![PortName::Named("drum".into())]);
        check(&mut numbers, &exact, &["drums", "drum"], &["drum"]);
    }
}

use std::ops::RangeInclusive;

use serde_json::Value;

use crate::{
    memory::MemoryMap,
    project::{
        config::{EngineSettings, ProjectConfig, nested_group},
        json::{At, join},
        midi::MidiSettings,
        problem::Problem,
        route::{Addresses, Route},
    },
};

/// Frames per second that a sound card or a file may be asked for. Below it lies what the compiler fills in when a
/// project names no rate (50, meant for timers), which is never what an author wants to hear.
const AUDIO_RATES: RangeInclusive<f64> = 1_000.0..=768_000.0;

/// Ticks per second of a timer. Nothing faster was ever possible where these programs come from, and a machine that
/// does other things too does not wake more often than that in time.
pub(super) const TIMER_RATES: RangeInclusive<f64> = 0.001..=1_000.0;

/// The most channels that a device is asked for: more than any card has, and few enough to make room for.
const MOST_CHANNELS: u32 = 32;

/// Where the settings are, as far as an [`EngineSettings`] knows.
pub(super) const PLACE: &str = "runtimeSettings";

/// What the audio engine needs to know.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AudioSettings {
    /// Frames per second; 44100 unless given.
    pub sample_rate: u32,
    /// From memory to the speakers.
    pub outputs: Vec<Route>,
    /// From the microphone to memory.
    pub inputs: Vec<Route>,
}

/// What the timer engines need to know.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TimerSettings {
    /// Ticks per second; 50 unless given.
    pub sample_rate: f64,
}

impl Default for AudioSettings {
    fn default() -> Self {
        Self { sample_rate: 44_100, outputs: Vec::new(), inputs: Vec::new() }
    }
}

impl Default for TimerSettings {
    fn default() -> Self {
        Self { sample_rate: 50.0 }
    }
}

impl AudioSettings {
    /// Reads the settings of an audio engine.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn read(settings: &EngineSettings) -> Result<Self, Vec<Problem>> {
        Self::read_at(settings, PLACE)
    }

    pub(super) fn read_at(settings: &EngineSettings, place: &str) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let value = Value::Object(settings.settings.clone());
        let at = At::new(&value, place);
        let mut read = Self::default();
        if let Some(rate) = rate(&at, &AUDIO_RATES, &mut problems) {
            if rate.fract() == 0.0 {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "whole and in range"
                )]
                let whole = rate as u32;
                read.sample_rate = whole;
            } else {
                let message = format!("{rate} is not a whole number of frames per second");
                problems.push(Problem::new(format!("{place}.sampleRate"), message, "round it"));
            }
        }
        read.outputs = Route::read_all(&at, "audioOutputBuffers", "output", &mut problems);
        read.inputs = Route::read_all(&at, "audioInputBuffers", "input", &mut problems);
        if problems.is_empty() { Ok(read) } else { Err(problems) }
    }

    /// How many channels out the program plays to: as far as its routes go, two at least and 32 at most.
    #[must_use]
    pub fn output_channels(&self) -> usize {
        channels(&self.outputs).max(2)
    }

    /// How many channels in the program listens to: as far as its routes go, none at least and 32 at most.
    #[must_use]
    pub fn input_channels(&self) -> usize {
        channels(&self.inputs)
    }

    /// A warning for each route that no device can serve: there is one output and one input, of 32 channels at most.
    #[must_use]
    pub fn out_of_reach(&self) -> Vec<Problem> {
        let lists =
            [("audioOutputBuffers", "output", &self.outputs), ("audioInputBuffers", "input", &self.inputs)];
        let mut problems = Vec::new();
        for (key, port, routes) in lists {
            for (index, route) in routes.iter().enumerate().filter(|(_, route)| !is_in_reach(route)) {
                let (place, channel) = (format!("{PLACE}.{key}[{index}]"), route.channel);
                let message = if route.port > 0 {
                    format!("there is no {port} {}, only {port} 0", route.port)
                } else {
                    format!("there is no channel {channel}, only 0 to {}", MOST_CHANNELS - 1)
                };
                problems.push(Problem::new(place, message, "the route is left out"));
            }
        }
        problems
    }

    /// The byte addresses of all routes that lead somewhere, and a warning for each that does not: those are left
    /// out, and their channels stay silent.
    pub fn routes(&self, map: &MemoryMap) -> (Addresses, Vec<Problem>) {
        let mut warnings = Vec::new();
        let mut resolve =
            |routes, key: &str| Route::resolve_all(routes, map, &format!("{PLACE}.{key}"), &mut warnings);
        let outputs = resolve(&self.outputs, "audioOutputBuffers");
        let inputs = resolve(&self.inputs, "audioInputBuffers");
        (Addresses { outputs, inputs }, warnings)
    }
}

fn is_in_reach(route: &Route) -> bool {
    route.port == 0 && route.channel < MOST_CHANNELS
}

fn channels(routes: &[Route]) -> usize {
    let last = routes.iter().filter(|route| is_in_reach(route)).map(|route| route.channel as usize + 1);
    last.max().unwrap_or(0)
}

impl TimerSettings {
    /// Settings of this rate, which has been checked.
    pub(crate) fn at(sample_rate: f64) -> Self {
        Self { sample_rate }
    }

    /// Reads the settings of a timer engine.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn read(settings: &EngineSettings) -> Result<Self, Vec<Problem>> {
        Self::read_at(settings, PLACE)
    }

    pub(super) fn read_at(settings: &EngineSettings, place: &str) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let value = Value::Object(settings.settings.clone());
        let rate = rate(&At::new(&value, place), &TIMER_RATES, &mut problems);
        let sample_rate = rate.unwrap_or(Self::default().sample_rate);
        if problems.is_empty() { Ok(Self { sample_rate }) } else { Err(problems) }
    }
}

/// Checks the settings of the engine that `config`, read from `at`, selects. Those of an engine nobody here knows are
/// that engine's own affair.
pub(super) fn check_selected(at: &At<'_>, config: &ProjectConfig, problems: &mut Vec<Problem>) {
    let Some(selected) = config.selected() else { return };
    let place = match at.get("runtimeSettings") {
        Some(list) if list.value.is_array() => format!("{}[{}]", list.place, config.selected_runtime),
        Some(one) => one.place,
        None => join(&at.place, nested_group(&selected.runtime).unwrap_or("runtime")),
    };
    let found = match selected.runtime.as_str() {
        "AudioWorkletRuntime" => AudioSettings::read_at(selected, &place).err(),
        MidiSettings::RUNTIME => MidiSettings::read_at(selected, &place).err(),
        "WebWorkerLogicRuntime" | "MainThreadLogicRuntime" | "WebWorkerRuntime" | "MainThreadRuntime" => {
            TimerSettings::read_at(selected, &place).err()
        }
        _ => None,
    };
    problems.extend(found.into_iter().flatten());
}

pub(super) fn rate(at: &At<'_>, range: &RangeInclusive<f64>, problems: &mut Vec<Problem>) -> Option<f64> {
    let at = at.get("sampleRate")?;
    let rate = at.number(problems)?;
    if range.contains(&rate) {
        return Some(rate);
    }
    let remedy = format!("give one from {} to {}", range.start(), range.end());
    problems.push(Problem::new(at.place, format!("a rate of {rate} per second cannot be played"), remedy));
    None
}

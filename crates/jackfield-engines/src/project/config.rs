use serde_json::{Map, Value, json};

use crate::project::{json::At, problem::Problem};

/// What a project says about how it is to be played, in one shape whichever way it was written.
///
/// Three ways are read: `runtimeSettings` as one object; `runtimeSettings` as a list with `selectedRuntime` as the
/// index into it; and the newest generation's nested form (`runtime`, `audioRuntime.sampleRate` and so on).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ProjectConfig {
    /// The memory the author asked for, in bytes. The binary says what is really needed.
    pub memory_size_bytes: u32,
    /// Which of `runtime_settings` is meant; may point past their end, see [`selected`](Self::selected).
    pub selected_runtime: usize,
    /// The engines the author has settings for.
    pub runtime_settings: Vec<EngineSettings>,
    /// Whether the author asked the editor not to compile by itself. Of no use to a host; kept as it was written.
    pub disable_auto_compilation: bool,
    /// Files to be loaded into memory.
    pub binary_assets: Vec<BinaryAsset>,
}

/// An engine's id, and its settings as they were written. Typed settings such as
/// [`AudioSettings`](crate::AudioSettings) are read from it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EngineSettings {
    /// The id, such as `AudioWorkletRuntime`. Nobody has checked that such an engine exists.
    pub runtime: String,
    /// Everything else.
    pub settings: Map<String, Value>,
}

/// A file to be loaded into memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BinaryAsset {
    /// Where the file is.
    pub url: String,
    /// The variable it is loaded into.
    pub memory_id: String,
}

impl Default for ProjectConfig {
    fn default() -> Self {
        Self {
            memory_size_bytes: 1_048_576,
            selected_runtime: 0,
            runtime_settings: Vec::new(),
            disable_auto_compilation: false,
            binary_assets: Vec::new(),
        }
    }
}

impl ProjectConfig {
    /// The engine asked for, if one was; without one it is the host's choice.
    pub fn selected(&self) -> Option<&EngineSettings> {
        self.runtime_settings.get(self.selected_runtime)
    }

    /// Reads any of the three ways; what cannot be read keeps its default and becomes a problem.
    pub(super) fn read(at: &At<'_>, problems: &mut Vec<Problem>) -> Self {
        let mut config = Self::default();
        if at.object(problems).is_none() {
            return config;
        }
        if let Some(bytes) = at.get("memorySizeBytes").and_then(|at| at.whole(problems)) {
            config.memory_size_bytes = bytes;
        }
        let flag = at.get("disableAutoCompilation").or_else(|| at.get("disableCompilation"));
        config.disable_auto_compilation = flag.and_then(|at| at.flag(problems)).unwrap_or_default();
        if let Some(settings) = at.get("runtimeSettings") {
            let list = if settings.value.is_array() { settings.list(problems) } else { vec![settings] };
            config.runtime_settings =
                list.iter().filter_map(|at| EngineSettings::read(at, problems)).collect();
            if let Some(index) = at.get("selectedRuntime") {
                config.selected_runtime = selected(&index, problems);
            }
        } else {
            config.runtime_settings.extend(nested(at, problems));
        }
        if let Some(assets) = at.get("binaryAssets") {
            config.binary_assets =
                assets.list(problems).iter().filter_map(|at| BinaryAsset::read(at, problems)).collect();
        }
        if let Some(bins) = at.get("bin") {
            config.binary_assets.extend(newest_assets(&bins, problems));
        }
        config
    }
}

impl EngineSettings {
    fn read(at: &At<'_>, problems: &mut Vec<Problem>) -> Option<Self> {
        let mut settings = at.object(problems)?.clone();
        let Some(runtime) = at.get("runtime") else {
            let remedy = "add the engine's id, such as `AudioWorkletRuntime`";
            problems.push(Problem::new(&at.place, "does not say which `runtime` it is for", remedy));
            return None;
        };
        let runtime = runtime.text(problems)?.to_owned();
        settings.shift_remove("runtime");
        Some(Self { runtime, settings })
    }
}

impl BinaryAsset {
    fn read(at: &At<'_>, problems: &mut Vec<Problem>) -> Option<Self> {
        at.object(problems)?;
        let mut member = |key| at.get(key).map_or(Some(""), |at| at.text(problems)).map(str::to_owned);
        Some(Self { url: member("url")?, memory_id: member("memoryId")? })
    }
}

/// The newest generation's form: `bin.<id>`, with a `url` and one variable or several.
fn newest_assets(at: &At<'_>, problems: &mut Vec<Problem>) -> Vec<BinaryAsset> {
    let mut assets = Vec::new();
    for (_, at) in at.members(problems) {
        if at.object(problems).is_none() {
            continue;
        }
        let Some(url) = at.get("url").and_then(|url| url.text(problems).map(str::to_owned)) else { continue };
        let one = at.get("memory");
        let several = at.get("memories").map(|at| at.members(problems)).unwrap_or_default();
        for place in one.iter().chain(several.iter().map(|(_, place)| place)) {
            let memory_id = place.text(problems).map(str::to_owned);
            assets.extend(memory_id.map(|memory_id| BinaryAsset { url: url.clone(), memory_id }));
        }
    }
    assets
}

/// An index that no list reaches is no error: the host falls back, as it does for an engine it does not have.
fn selected(at: &At<'_>, problems: &mut Vec<Problem>) -> usize {
    match at.value.as_i64() {
        Some(index) => usize::try_from(index).unwrap_or(usize::MAX),
        None => at.whole(problems).and_then(|index| usize::try_from(index).ok()).unwrap_or(usize::MAX),
    }
}

/// The newest generation's form: a group of settings per runtime, and fixed names for the audio buffers.
fn nested(at: &At<'_>, problems: &mut Vec<Problem>) -> Option<EngineSettings> {
    let runtime = at.get("runtime")?.text(problems)?.to_owned();
    let mut settings = match nested_group(&runtime).and_then(|group| at.get(group)) {
        Some(group) => group.object(problems)?.clone(),
        None => Map::new(),
    };
    let mut take = |key: &str| settings.shift_remove(key);
    let left = take("audioOutBufferLAddress").map(|id| json!({ "memoryId": id, "channel": 0, "output": 0 }));
    let right = take("audioOutBufferRAddress").map(|id| json!({ "memoryId": id, "channel": 1, "output": 0 }));
    let input = take("audioInBufferLAddress").map(|id| json!({ "memoryId": id, "channel": 0, "input": 0 }));
    for (key, routes) in [("audioOutputBuffers", vec![left, right]), ("audioInputBuffers", vec![input])] {
        let routes: Vec<Value> = routes.into_iter().flatten().collect();
        if !routes.is_empty() {
            settings.insert(key.to_owned(), routes.into());
        }
    }
    if let Some(midi) = at.get("midi") {
        settings.insert("midi".to_owned(), midi.value.clone());
    }
    Some(EngineSettings { runtime, settings })
}

/// Where the newest generation keeps the settings of a runtime.
pub(super) fn nested_group(runtime: &str) -> Option<&'static str> {
    match runtime {
        "AudioWorkletRuntime" => Some("audioRuntime"),
        "WebWorkerRuntime" => Some("workerRuntime"),
        "MainThreadRuntime" => Some("mainThreadRuntime"),
        _ => None,
    }
}

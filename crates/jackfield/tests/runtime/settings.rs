//! Reading settings, and saying what is wrong with them.

use jackfield::{ConfigTable, Migrations, Pin, PluginId, Priority, RuntimeSettings, SlotId, nearest};

/// What is wrong with a TOML document, a line a problem.
fn wrong(toml: &str) -> String {
    RuntimeSettings::from_toml(toml).unwrap_err().to_string()
}

#[test]
fn an_entry_that_does_not_say_is_on_and_configured_by_default() {
    // R-SER-02
    let settings = RuntimeSettings::from_toml("[plugins.a]\n[services.'a:s']\npriority = 7.9").unwrap();
    assert!(settings.plugins[&PluginId::new("a")].enabled);
    let service = &settings.services[&"a:s".parse::<Pin>().unwrap()];
    assert!(service.enabled && service.config.is_empty());
    assert_eq!(service.priority, Some(Priority::new(7)), "a fraction is cut");
}

#[test]
fn what_is_written_is_read_again() {
    // R-SER-03, R-SER-04
    let toml =
        "plugins.a = { enabled = false, config.deep.list = [1, 2.5, 'x'] }\nservices.'*:s'.priority = -3";
    let settings = RuntimeSettings::from_toml(toml).unwrap();
    assert_eq!(RuntimeSettings::from_json(&settings.to_json()).unwrap(), settings);
}

#[test]
fn equality_does_not_mind_the_order_of_keys() {
    // R-SER-05
    let one = RuntimeSettings::from_toml("plugins.a.config = { x = 1, y = { p = 1, q = 2 } }").unwrap();
    let two = RuntimeSettings::from_toml("plugins.a.config = { y = { q = 2, p = 1 }, x = 1 }").unwrap();
    assert_eq!(one, two);
}

#[test]
fn all_problems_are_told_at_once_with_their_places() {
    let toml = "[plugins.a]\nenabled = 'yes'\n\n[plugins.'Not An Id']\n\n[services]\n'no-slot' = {}\n'a:s'.priority = 'high'\n";
    assert_eq!(
        wrong(toml),
        "2:1: plugins.a.enabled: expected `true` or `false`, found the text \"yes\"\n\
         4:10: plugins.\"Not An Id\": `Not An Id` is not an id: use lowercase letters, digits, `-`, `_`, and `.` between words\n\
         7:1: services.no-slot: `no-slot` is not a pin: write `plugin:slot`, or `*:slot` for whoever wins the slot\n\
         8:7: services.\"a:s\".priority: expected a number, found the text \"high\""
    );
}

#[test]
fn a_syntax_error_has_its_line_and_column() {
    assert!(
        wrong("[plugins.a]\nenabled = = true\n").starts_with("2:11: not TOML: "),
        "{}",
        wrong("[plugins.a]\nenabled = = true\n")
    );
    let error = RuntimeSettings::from_json("{\n  \"plugins\": 3,,\n}").unwrap_err();
    assert!(error.to_string().starts_with("2:16: not JSON: "), "{error}");
}

#[test]
fn a_number_that_is_none_is_refused() {
    let message = wrong("plugins.a.config.level = nan");
    assert_eq!(message, "1:18: plugins.a.config.level: `NaN` is not a finite number; write a number");
}

#[test]
fn keys_that_mean_nothing_are_noted_and_do_no_harm() {
    let toml = "[plugin.a]\n\n[plugins.b]\nenabeld = false\ncutoff = 3\n";
    let (settings, notes) = RuntimeSettings::read_toml(toml).unwrap();
    assert!(settings.plugins[&PluginId::new("b")].enabled);
    assert_eq!(
        notes.to_string(),
        "1:2: plugin: `plugin` means nothing here; did you mean `plugins`?\n\
         4:1: plugins.b.enabeld: `enabeld` means nothing here; did you mean `enabled`?\n\
         5:1: plugins.b.cutoff: `cutoff` means nothing here; configuration belongs under `plugins.b.config`"
    );
}

#[test]
fn changing_a_copy_leaves_the_original_alone() {
    // R-SER-06
    let settings = RuntimeSettings::default();
    let changed = settings.with(|settings| settings.configure("a", "x", 1));
    assert!(settings.plugins.is_empty());
    assert_eq!(changed.plugins[&PluginId::new("a")].config["x"], 1);
}

#[test]
fn a_pin_has_one_spelling() {
    // R-ID-06, R-ID-07
    let pin = Pin::new(PluginId::new("formal"), SlotId::new("chat.greeter"));
    assert_eq!(pin.to_string(), "formal:chat.greeter");
    assert_eq!("*:chat.greeter".parse(), Ok(Pin::wildcard(SlotId::new("chat.greeter"))));
    for malformed in ["", ":", "a:", ":s", "a", "A:s", "a:b:c"] {
        assert!(malformed.parse::<Pin>().is_err(), "{malformed:?}");
    }
}

#[test]
fn a_slot_knows_its_namespace() {
    // R-ID-03, R-ID-04
    let slot = SlotId::new("audio.fx.reverb");
    assert_eq!(slot.namespace().unwrap().as_str(), "audio.fx");
    assert_eq!(slot.top_namespace().unwrap().as_str(), "audio");
    assert_eq!(slot.leaf(), "reverb");
    assert!(slot.top_namespace().unwrap().contains(&slot));
    assert!(!slot.top_namespace().unwrap().contains(&SlotId::new("audiophile.x")));
    assert!(!slot.top_namespace().unwrap().contains(&SlotId::new("audio")));
}

#[test]
fn a_malformed_id_is_no_id() {
    for malformed in ["", ".", "a.", ".a", "a..b", "A", "a b", "a:b", "*", "ä"] {
        assert!(PluginId::parse(malformed).is_err(), "{malformed:?}");
    }
    assert!(PluginId::parse("engine-audio_2.x").is_ok());
}

#[test]
fn a_typing_mistake_finds_the_name_that_was_meant() {
    assert_eq!(nearest("recoder", ["meter", "recorder"]), Some("recorder"));
    assert_eq!(nearest("banana", ["meter", "recorder"]), None);
}

#[test]
fn what_is_not_understood_is_kept_and_written_back() {
    // R-SER-02
    let json = r#"{"plugins":{"a":{"enabled":false,"note":"why"}},"services":{},"theme":{"dark":true}}"#;
    let settings = RuntimeSettings::from_json(json).unwrap();
    let written = settings.with(|settings| settings.enable("a")).to_json();
    let again: serde_json::Value = serde_json::from_str(&written).unwrap();
    assert_eq!(again["theme"]["dark"], true);
    assert_eq!(again["plugins"]["a"]["note"], "why");
    assert_eq!(again["plugins"]["a"]["enabled"], true);
}

#[test]
fn toml_and_json_hold_the_same_document() {
    let toml = "version = 3\ntheme = 'dark'\nplugins.a = { enabled = false, config.deep.list = [1, 2.5, 'x'] }\nservices.'*:s'.priority = -3";
    let settings = RuntimeSettings::from_toml(toml).unwrap();
    assert_eq!(RuntimeSettings::from_toml(&settings.to_toml()).unwrap(), settings);
    assert_eq!(RuntimeSettings::from_json(&settings.to_json()).unwrap(), settings);
}

#[test]
fn an_old_document_is_brought_up_to_date_step_by_step() {
    // R-SER-09
    let rename = |from: &'static str, to: &'static str| {
        move |document: &mut ConfigTable| {
            let plugins = document.get_mut("plugins").and_then(|plugins| plugins.as_object_mut());
            if let Some(plugins) = plugins
                && let Some(entry) = plugins.remove(from)
            {
                plugins.insert(to.to_owned(), entry);
            }
            Ok(())
        }
    };
    let migrations = Migrations::to(3).step(0, rename("a", "b")).step(2, rename("b", "c"));
    let read = |toml: &str| migrations.read_toml(toml).unwrap().0;
    assert_eq!(read("plugins.a = {}"), read("version = 3\nplugins.c = {}"));
    assert_eq!(read("version = 2\nplugins.a = {}").version, Some(3));
    assert!(read("version = 3\nplugins.b = {}").plugins.contains_key(&PluginId::new("b")), "nothing to do");
}

#[test]
fn a_document_from_the_future_is_refused_with_its_place() {
    // R-SER-09
    let error = Migrations::to(2).read_toml("# newer\nversion = 7").unwrap_err();
    assert_eq!(
        error.to_string(),
        "2:1: version: the document is of version 7, and this program knows 2; use the newer program, or go back to a \
         file that this one wrote"
    );
}

#[test]
fn an_overlay_says_what_it_says_and_leaves_the_rest() {
    let below = RuntimeSettings::from_toml(
        "plugins.a.config.x = 1\nplugins.b = {}\nservices.'a:s' = { priority = 7, config.y = 1 }",
    );
    let over = RuntimeSettings::from_toml("plugins.a.enabled = false\nservices.'a:s'.config.z = 2").unwrap();
    let both = RuntimeSettings::from_toml(
        "plugins.a = { enabled = false, config.x = 1 }\nplugins.b = {}\nservices.'a:s' = { priority = 7, config.z = 2 }",
    );
    assert_eq!(below.unwrap().overlaid(&over), both.unwrap());
}

#[test]
fn a_number_too_large_for_toml_does_not_cost_the_document() {
    // R-SER-03
    let json =
        r#"{"plugins": {"dice": {"enabled": false, "config": {"seed": 18446744073709551615, "sides": 6}}}}"#;
    let settings = RuntimeSettings::from_json(json).unwrap();
    let again = RuntimeSettings::from_toml(&settings.to_toml()).unwrap();
    let dice = jackfield::PluginId::new("dice");
    assert!(!again.is_plugin_enabled(&dice));
    assert_eq!(again.plugin_config(&dice)["sides"], 6);
    assert_eq!(again.plugin_config(&dice)["seed"], 18_446_744_073_709_551_615.0);
}

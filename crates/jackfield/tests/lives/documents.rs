use jackfield::{Pin, PluginId, Priority, RuntimeSettings};

use crate::cast::settings;

fn pin(text: &str) -> Pin {
    text.parse().unwrap()
}

#[test]
fn a_document_has_plugins_and_services_by_name_and_pin() {
    // R-SER-01, R-SER-03, R-SER-04
    let settings = settings(
        "plugins.a = { enabled = false, config.x = [1, { y = 2 }] }\n\
         services.'a:s' = {}\nservices.'*:s' = { priority = -3, config.z = 'w' }",
    );
    let json: serde_json::Value = serde_json::from_str(&settings.to_json()).unwrap();
    let expected = serde_json::json!({
        "plugins": { "a": { "enabled": false, "config": { "x": [1, { "y": 2 }] } } },
        "services": {
            "*:s": { "enabled": true, "priority": -3, "config": { "z": "w" } },
            "a:s": { "enabled": true, "config": {} },
        },
    });
    assert_eq!(json, expected);
}

#[test]
fn an_empty_document_says_nothing_and_what_is_of_another_kind_is_an_error() {
    // R-SER-02
    assert!(RuntimeSettings::from_json("{}").unwrap().is_empty());
    assert!(RuntimeSettings::from_toml("").unwrap().is_empty());
    for wrong in [
        r#"[]"#,
        r#"{"plugins": []}"#,
        r#"{"services": 1}"#,
        r#"{"plugins": {"a": true}}"#,
        r#"{"plugins": {"a": {"enabled": 1}}}"#,
        r#"{"plugins": {"a": {"config": "x"}}}"#,
        r#"{"services": {"a:s": {"priority": "high"}}}"#,
        r#"{"services": {"a": {}}}"#,
    ] {
        assert_eq!(RuntimeSettings::from_json(wrong).unwrap_err().0.len(), 1, "{wrong}");
    }
}

#[test]
fn a_changed_copy_keeps_what_was_not_touched_and_may_take_a_priority_back() {
    // R-SER-06, R-SER-07
    let before = settings("plugins.a.config.x = { y = 1 }\nservices.'a:s' = { priority = 7, config.z = 1 }");
    let after = before.with(|settings| settings.service_mut(pin("a:s")).priority = None);
    assert_eq!(after, settings("plugins.a.config.x = { y = 1 }\nservices.'a:s'.config.z = 1"));
    assert_eq!(before.services[&pin("a:s")].priority, Some(Priority::new(7)));
    let mut deep = after.clone();
    deep.plugin_mut("a").config["x"]["y"] = 2.into();
    assert_eq!(after.plugin_config(&PluginId::new("a"))["x"]["y"], 1);
}

#[test]
fn what_is_not_mentioned_is_on_and_has_no_configuration() {
    // R-SER-08
    let settings = settings("services.'a:s' = { enabled = false, config.x = 1 }");
    assert!(!settings.is_service_enabled(&pin("a:s")));
    assert!(settings.is_service_enabled(&pin("*:s")) && settings.is_plugin_enabled(&PluginId::new("a")));
    assert_eq!(settings.service_config(&pin("a:s"))["x"], 1);
    assert!(settings.service_config(&pin("b:s")).is_empty());
    assert!(settings.plugin_config(&PluginId::new("a")).is_empty());
}

#[test]
fn settings_are_equal_by_what_they_say_and_to_the_last_depth() {
    // R-SER-05
    let one = settings("plugins.a.config.x.y = [1, 2]\n[plugins.b]\n[services.'a:s']\n[services.'*:s']");
    let two = settings("[services.'*:s']\n[services.'a:s']\n[plugins.b]\n[plugins.a]\nconfig.x.y = [1, 2]");
    assert_eq!(one, two);
    assert_ne!(
        one,
        settings("plugins.a.config.x.y = [2, 1]\n[plugins.b]\n[services.'a:s']\n[services.'*:s']")
    );
}

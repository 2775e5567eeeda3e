//! An edit that is wrong is refused: the place, the reason, what to do. The last good settings stay in force.

use crate::support::{Place, Playing};

/// Refuses `edit` for these reasons, and takes the next good one.
#[track_caller]
fn check(edit: &str, problems: &[&str]) {
    let place = Place::with("dc");
    place.edit("[plugins.meter]\nenabled = false\n");
    let mut playing = Playing::start(&place, &["dc.project.json"]);
    place.edit(edit);
    playing.refuses(problems);
    place.edit("[plugins.meter]\nenabled = true\n");
    playing.follows(&["+ meter   (settings)"]); // it was off all the time
    let ended = playing.stop();
    let recorded = place.names().iter().any(|name| name.ends_with(".wav"));
    assert!(!recorded, "a part of the edit was carried out: {ended:#?}");
}

#[test]
fn what_is_not_toml_is_refused_with_its_place() {
    check(
        "[plugins.recorder]\nenabled = true\n[plugins.meter\nenabled = true\n",
        &["jackfield.toml:3:15: not TOML: unclosed table, expected `]`"],
    );
}

#[test]
fn an_unknown_plugin_names_the_nearest() {
    check(
        "[plugins.recorder]\nenabled = true\n\n[plugins.recoder]\nenabled = true\n",
        &["jackfield.toml:4:10: plugins.recoder: there is no plugin `recoder`; did you mean `recorder`?"],
    );
}

#[test]
fn an_unknown_service_names_the_nearest() {
    check(
        "[services.\"engine-audio:engine.audi\"]\nenabled = false\n",
        &[
            "jackfield.toml:1:11: services.\"engine-audio:engine.audi\": `engine-audio` offers no `engine.audi`; did \
           you mean `engine-audio:engine.audio`?",
        ],
    );
}

#[test]
fn a_switch_that_is_no_switch_is_refused() {
    check(
        "[plugins.recorder]\nenabled = \"yes\"\n",
        &["jackfield.toml:2:1: plugins.recorder.enabled: expected `true` or `false`, found the text \"yes\""],
    );
}

#[test]
fn a_configuration_of_the_wrong_type_is_refused() {
    check(
        "[plugins.recorder]\nenabled = true\nconfig.path = 7\n",
        &[
            "jackfield.toml:3:8: plugins.recorder.config.path: invalid type: integer `7`, expected path string",
        ],
    );
}

#[test]
fn a_configuration_with_an_unknown_name_is_refused() {
    check(
        "[plugins.recorder]\nenabled = true\nconfig.pth = \"a.wav\"\n",
        &["jackfield.toml:3:8: plugins.recorder.config.pth: unknown field `pth`, expected `path`"],
    );
}

#[test]
fn an_unknown_knob_names_the_nearest() {
    check(
        "[plugins.knobs.config]\n\"speakers.leftLvel\" = 1\n",
        &[
            "jackfield.toml:2:1: plugins.knobs.config.\"speakers.leftLvel\": no variable `speakers.leftLvel`; nearest \
           is `speakers.leftLevel`",
        ],
    );
}

#[test]
fn a_knob_cannot_be_what_its_variable_cannot_be() {
    check(
        "[plugins.knobs.config]\n\"speakers.at\" = 0.5\n\"speakers.left\" = 1\n",
        &[
            "jackfield.toml:2:1: plugins.knobs.config.\"speakers.at\": `speakers.at` cannot be 0.5; it holds whole \
             numbers",
            "jackfield.toml:3:1: plugins.knobs.config.\"speakers.left\": `speakers.left` is an array, and only single \
             numbers can be set",
        ],
    );
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    check(
        "[plugins.recoder]\nenabled = true\n\n[plugins.meta]\nenabled = true\n",
        &[
            "jackfield.toml:1:10: plugins.recoder: there is no plugin `recoder`; did you mean `recorder`?",
            "jackfield.toml:4:10: plugins.meta: there is no plugin `meta`; did you mean `meter`?",
        ],
    );
}

//! Modules in reading order, and who knows the plugin runtime.

const SRC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");

#[test]
fn a_module_uses_only_modules_above_it() {
    jackfield_testkit::check_arrows(SRC);
}

#[test]
fn only_the_plugins_know_the_runtime() {
    assert_eq!(jackfield_testkit::modules_naming(SRC, "jackfield").unwrap(), ["plugin"]);
}

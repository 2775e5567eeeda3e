//! Modules in reading order.

#[test]
fn a_module_uses_only_modules_above_it() {
    jackfield_testkit::check_arrows(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
}

//! The examples print what they say.

#[test]
fn every_example_prints_what_its_source_says() {
    jackfield_testkit::check_examples(env!("CARGO_MANIFEST_DIR"));
}

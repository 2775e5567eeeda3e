//! What the crate shows to others changes only on purpose.

#[test]
fn the_public_api_is_the_one_that_was_agreed_on() {
    jackfield_testkit::check_public_api(env!("CARGO_MANIFEST_DIR"));
}

use std::{fs, path::Path};

use super::public_api;

fn write(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn what_lib_rs_shows_is_listed_with_all_that_can_be_seen_of_it() {
    let root = tempfile::tempdir().unwrap();
    let lib = "mod inside;\npub use crate::inside::{Pair, Shown, Look, look as see, see};\n
        pub mod prelude { pub use crate::Shown; }\n#[cfg(feature = \"x\")] pub mod extra;\n
        pub const LIMIT: [u8; 2] = [1, 2];";
    let inside = r"
        /// A comment with a pub fn in it.
        #[derive(Clone, Debug)]
        pub struct Shown<T = Vec<(u8, u8)>> { pub field: T, hidden: u8 }
        struct Hidden { pub field: u8 }
        impl<T: Fn() -> u8> Shown<T> {
            pub const fn new(
                field: T,
            ) -> Self { let x = 1; Self { field, hidden: x } }
            pub(crate) fn secret(&self) {}
        }
        impl Hidden { pub fn unseen() {} }
        impl<T> Drop for Shown<T> { fn drop(&mut self) {} }
        #[non_exhaustive]
        pub enum Look { A, #[default] B { #[x] n: u8, m: u8 }, C(u8) }
        pub trait Unlisted {}
        pub struct Pair<T: Fn(u8) -> u8>(pub T, pub(crate) u8);
        pub async fn see(x: u8) -> u8 { x }
        #[cfg(test)] mod tests { impl super::Shown { pub fn only_in_tests() {} } }
        macro_rules! ids { ($name:ident) => { pub struct $name(u8); impl $name { pub fn id(self) -> u8 { 0 } } }; }
    ";
    write(root.path(), "lib.rs", lib);
    write(root.path(), "inside.rs", inside);
    write(root.path(), "extra.rs", "pub use self::deep::Deep;\nmod deep;");
    write(root.path(), "extra/deep.rs", "pub trait Deep { fn must(&self); fn may(&self) {} }");
    let expected = "\
LIMIT
    pub const LIMIT: [u8; 2] = [1, 2]
Look
    #[non_exhaustive]
    A
    B { n: u8, m: u8 }
    C(u8)
    pub enum Look
Pair
    pub struct Pair<T: Fn(u8) -> u8>(pub T, _)
Shown
    #[derive(Clone, Debug)]
    impl<T> Drop for Shown<T>
    pub const fn new(field: T) -> Self
    pub field: T
    pub struct Shown<T = Vec<(u8, u8)>>
extra::Deep
    fn may(&self) { .. }
    fn must(&self)
    pub trait Deep
prelude::Shown
see
    pub async fn see(x: u8) -> u8
$name
    pub fn id(self) -> u8
    pub struct $name(_)
";
    assert_eq!(public_api(root.path()).unwrap(), expected);
}

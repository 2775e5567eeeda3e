use wasmparser::ValType;

use crate::binary::outline::Signature;

/// A module of functions without parameters and results, one for each of the functions given: it calls that one with
/// what its globals hold, and drops the results. As text.
///
/// A function of any type is called like all others then: nothing has to be looked up by its type, which takes a lock, or
/// laid out as a list of values, which allocates. Function `n` is imported as `program.n` and called by the export `n`;
/// its parameter `m` is the global `n.m`.
pub(crate) fn adapter<'a>(functions: impl Iterator<Item = &'a Signature>) -> String {
    let (mut imports, mut bodies) = (String::new(), String::new());
    for (n, Signature { parameters, results }) in functions.enumerate() {
        let list = |kind: &str, types: &[ValType]| {
            let types: String = types.iter().map(|ty| format!(" {ty}")).collect();
            format!("({kind}{types})")
        };
        let ty = [list("param", parameters), list("result", results)].join(" ");
        imports += &format!(r#"(import "program" "{n}" (func $f{n} {ty}))"#);
        let mut arguments = String::new();
        for (m, ty) in parameters.iter().enumerate() {
            bodies += &format!(r#"(global $g{n}.{m} (export "{n}.{m}") (mut {ty}) ({ty}.const 0))"#);
            arguments += &format!("(global.get $g{n}.{m})");
        }
        let drops = "drop ".repeat(results.len());
        bodies += &format!(r#"(func (export "{n}") (call $f{n} {arguments}) {drops})"#);
    }
    format!("(module {imports}{bodies})")
}

#[cfg(test)]
mod tests {
    use super::adapter;
    use crate::binary::Outline;

    #[test]
    fn functions_of_every_type_are_called_by_ones_of_none() {
        let program = r#"(module
            (func (export "a") (param i32 f32 f64) (result f32) (f32.const 0))
            (func (export "b"))
            (func (export "c") (result i32 i32) (i32.const 0) (i32.const 0)))"#;
        let outline = Outline::read(&wat::parse_str(program).unwrap()).unwrap();
        let signatures: Vec<_> =
            outline.exports.iter().map(|export| export.signature.clone().unwrap()).collect();
        let text = adapter(signatures.iter());
        let made = Outline::read(&wat::parse_str(&text).unwrap()).unwrap();
        let exports: Vec<_> = made.exports.iter().map(|export| &*export.name).collect();
        assert_eq!(exports, ["0.0", "0.1", "0.2", "0", "1", "2"], "{text}");
        wasmparser::validate(&wat::parse_str(&text).unwrap()).unwrap();
    }
}

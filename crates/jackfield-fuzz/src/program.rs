//! Programs made from the input: valid ones, full of loops that count, or nearly do.

use std::fmt::Write as _;

use crate::{bytes::Bytes, running, wrapped};

const LOCALS: u8 = 3;
const NUMBERS: [i32; 16] =
    [0, 1, 2, 3, 7, 16, 100, 127, 128, 1000, -1, -2, 65_536, i32::MAX, i32::MAX - 1, i32::MIN];
const COMPARISONS: [&str; 6] = ["i32.ge_s", "i32.ge_u", "i32.gt_s", "i32.gt_u", "i32.lt_s", "i32.eq"];

/// Instructions in a program, so that none takes long to compile.
const MOST: usize = 300;

pub(crate) fn run(input: &[u8]) -> bool {
    let text = text(input);
    let wasm = wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let project = wrapped::program(&wasm).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let program = running::compile(&project).unwrap_or_else(|| panic!("not a program\n{text}"));
    running::run(&program);
    true
}

/// The program that the input stands for.
fn text(input: &[u8]) -> String {
    let mut writer = Writer { bytes: Bytes::new(input), text: String::new(), left: MOST, functions: 0 };
    writer.functions = 1 + writer.bytes.below(3);
    writer.text.push_str("(module (import \"js\" \"memory\" (memory 1 2))\n");
    for function in 0..writer.functions {
        let name = ["buffer", "cycle", "init"][usize::from(function.min(2))];
        writeln!(writer.text, "(func $f{function} (export \"{name}\") (local i32 i32 i32)").ok();
        writer.block(0);
        writer.text.push_str(")\n");
    }
    for name in ["buffer", "cycle", "init"].into_iter().skip(usize::from(writer.functions)) {
        writeln!(writer.text, "(func (export \"{name}\"))").ok();
    }
    writer.text.push(')');
    writer.text
}

struct Writer<'a> {
    bytes: Bytes<'a>,
    text: String,
    left: usize,
    functions: u8,
}

impl Writer<'_> {
    /// Instructions that leave nothing on the stack, `depth` blocks deep.
    fn block(&mut self, depth: u8) {
        let count = self.bytes.below(6);
        for _ in 0..count {
            if self.left == 0 || (self.bytes.is_empty() && depth > 0) {
                return;
            }
            self.left -= 1;
            self.instruction(depth);
        }
    }

    fn instruction(&mut self, depth: u8) {
        let deeper = depth < 6;
        match self.bytes.below(18) {
            0 => {
                let (number, local) = (self.number(), self.local());
                self.line(&format!("i32.const {number} local.set {local}"));
            }
            1 => {
                let (from, number, to) = (self.local(), self.number(), self.local());
                let operation = if self.bytes.below(2) == 0 { "i32.add" } else { "i32.sub" };
                self.line(&format!("local.get {from} i32.const {number} {operation} local.set {to}"));
            }
            2 | 3 if deeper => self.nested("loop", depth),
            4 if deeper => self.nested("block", depth),
            5 if deeper => {
                self.condition();
                self.nested("if", depth);
            }
            6 if deeper => self.counting_up(depth),
            7 if deeper => self.counting_down(depth),
            8 => {
                let to = self.bytes.below(depth + 1);
                self.line(&format!("br {to}"));
            }
            9 | 10 => {
                self.condition();
                let to = self.bytes.below(depth + 1);
                self.line(&format!("br_if {to}"));
            }
            11 => {
                let function = self.bytes.below(self.functions);
                self.line(&format!("call $f{function}"));
            }
            12 => {
                let (place, local) = (self.number(), self.local());
                self.line(&format!("i32.const {place} local.get {local} i32.store"));
            }
            13 => {
                let (place, local) = (self.number(), self.local());
                self.line(&format!("i32.const {place} i32.load local.set {local}"));
            }
            14 => self.line("i32.const 0 i32.const 1 i32.const 60000 memory.fill"),
            15 => self.line("i32.const 1 memory.grow drop"),
            16 => self.line("return"),
            _ => {
                let (from, to) = (self.local(), self.local());
                self.line(&format!("local.get {from} local.tee {to} drop"));
            }
        }
    }

    fn nested(&mut self, kind: &str, depth: u8) {
        self.line(kind);
        self.block(depth + 1);
        self.line("end");
    }

    /// A loop as the compiler makes them, unless its body meddles.
    fn counting_up(&mut self, depth: u8) {
        let (from, to, by, counter) = (self.number(), self.number(), self.number(), self.local());
        let comparison = self.comparison();
        let blocked = self.bytes.below(2) == 0;
        self.line(&format!("i32.const {from} local.set {counter}"));
        if blocked {
            self.line("block loop");
            self.line(&format!("local.get {counter} i32.const {to} {comparison} br_if 1"));
        } else {
            self.line(&format!(
                "loop local.get {counter} i32.const {to} {comparison} if br {} end",
                depth + 2
            ));
        }
        self.block(depth + 1 + u8::from(blocked));
        self.line(&format!("local.get {counter} i32.const {by} i32.add local.set {counter} br 0 end"));
        if blocked {
            self.line("end");
        }
    }

    fn counting_down(&mut self, depth: u8) {
        let (from, by, counter) = (self.number(), self.number(), self.local());
        self.line(&format!("i32.const {from} local.set {counter} loop"));
        self.block(depth + 1);
        let down = if self.bytes.below(2) == 0 { "i32.const 1 i32.sub" } else { "i32.const -1 i32.add" };
        let down = if self.bytes.below(8) == 0 { format!("i32.const {by} i32.sub") } else { down.to_owned() };
        self.line(&format!("local.get {counter} {down} local.tee {counter} br_if 0 end"));
    }

    fn condition(&mut self) {
        let (local, number, comparison) = (self.local(), self.number(), self.comparison());
        match self.bytes.below(4) {
            0 => self.line(&format!("local.get {local}")),
            1 => self.line(&format!("local.get {local} i32.const 1 i32.sub local.tee {local}")),
            2 => self.line(&format!("local.get {local} i32.eqz")),
            _ => self.line(&format!("local.get {local} i32.const {number} {comparison}")),
        }
    }

    fn number(&mut self) -> i32 {
        let byte = self.bytes.next();
        let number = NUMBERS.get(usize::from(byte)).copied();
        number.unwrap_or_else(|| i32::from(byte))
    }

    fn local(&mut self) -> u8 {
        self.bytes.below(LOCALS)
    }

    fn comparison(&mut self) -> &'static str {
        COMPARISONS[usize::from(self.bytes.below(COMPARISONS.len() as u8))]
    }

    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }
}

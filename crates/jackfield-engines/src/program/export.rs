//! The functions that a program exports besides those that the engine calls itself.

use std::collections::HashMap;

use wasmparser::ValType;

use crate::{
    binary::{BUFFER, Contract, Signature, adapter},
    memory::{Element, NumberError, Value, nearest},
};

/// The most arguments that a function may take to be called from outside.
pub const MOST_ARGUMENTS: usize = 8;

/// An exported function of a program. Of use for that program alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Export {
    index: usize,
    parameters: [Option<Element>; MOST_ARGUMENTS],
}

/// A call of an exported function, with nothing left to look up. Made for one program; of no use for any other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Call {
    index: usize,
    arguments: [Option<Value>; MOST_ARGUMENTS],
}

/// A function does not take these arguments.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ArgumentError {
    /// There are too many of them, or too few.
    #[error("it takes {expected} numbers, not {given}")]
    Count {
        /// How many it takes.
        expected: usize,
        /// How many there were.
        given: usize,
    },
    /// One of them is not of its type.
    #[error("argument {number} {problem}")]
    Number {
        /// Which one, from 1.
        number: usize,
        /// What is wrong with it.
        problem: NumberError,
    },
}

/// An exported function cannot be called.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// There is none of that name.
    #[error(
        "the program exports no function `{name}`{}",
        nearest.as_ref().map(|name| format!("; nearest is `{name}`")).unwrap_or_default()
    )]
    NoSuchExport {
        /// The name asked for.
        name: String,
        /// The name that was probably meant.
        nearest: Option<String>,
    },
    /// It is one of those that make the program run.
    #[error("`{name}` is called by the engine, and by nobody else")]
    OfTheEngine {
        /// The function.
        name: String,
    },
    /// Nobody could give it what it takes.
    #[error("`{name}` is {signature}; what can be called takes up to {MOST_ARGUMENTS} of i32, f32 and f64")]
    NotCallable {
        /// The function.
        name: String,
        /// Its type.
        signature: String,
    },
    /// It takes other arguments.
    #[error("`{name}` is {signature}: {problem}")]
    Arguments {
        /// The function.
        name: String,
        /// Its type.
        signature: String,
        /// What is wrong with them.
        problem: ArgumentError,
    },
}

impl Export {
    /// A call of it with these numbers.
    ///
    /// # Errors
    /// When it takes more or fewer, or others.
    ///
    /// # Realtime
    /// Allocates nothing.
    pub fn call(&self, numbers: &[f64]) -> Result<Call, ArgumentError> {
        let expected = self.parameters.iter().flatten().count();
        if numbers.len() != expected {
            return Err(ArgumentError::Count { expected, given: numbers.len() });
        }
        let mut arguments = [None; MOST_ARGUMENTS];
        let given = self.parameters.iter().flatten().zip(numbers);
        for (at, (argument, (parameter, number))) in arguments.iter_mut().zip(given).enumerate() {
            let value = parameter.exactly(*number);
            *argument = Some(value.map_err(|problem| ArgumentError::Number { number: at + 1, problem })?);
        }
        Ok(Call { index: self.index, arguments })
    }
}

impl Call {
    /// Which of the [`Exports`] it is one of.
    pub(crate) fn index(&self) -> usize {
        self.index
    }

    pub(crate) fn arguments(&self) -> impl Iterator<Item = Value> {
        self.arguments.iter().copied().flatten()
    }
}

/// The functions of a program that can be called from outside, and the code that calls them.
#[derive(Debug)]
pub(crate) struct Exports {
    all: Vec<Exported>,
    places: HashMap<String, usize>,
    adapter: Option<wasmtime::Module>,
}

#[derive(Debug)]
struct Exported {
    name: String,
    signature: Signature,
    parameters: [Option<Element>; MOST_ARGUMENTS],
}

impl Exports {
    pub(super) fn compile(engine: &wasmtime::Engine, contract: &Contract) -> wasmtime::Result<Self> {
        let callable = contract.functions.iter().filter_map(|(name, signature)| {
            let parameters = parameters(signature).filter(|_| !is_of_the_engine(name, contract))?;
            Some(Exported { name: name.clone(), signature: signature.clone(), parameters })
        });
        let mut all: Vec<_> = callable.collect();
        // The same code for the same program, so that it is found in the cache.
        all.sort_by(|one, other| one.name.cmp(&other.name));
        let adapter = if all.is_empty() {
            None
        } else {
            let text = adapter(all.iter().map(|export| &export.signature));
            Some(wasmtime::Module::new(engine, wat::parse_str(text)?)?)
        };
        let places = all.iter().enumerate().map(|(place, export)| (export.name.clone(), place)).collect();
        Ok(Self { all, places, adapter })
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&str, String)> {
        self.all.iter().map(|export| (&*export.name, export.signature.to_string()))
    }

    pub(super) fn find(&self, name: &str, contract: &Contract) -> Result<Export, CallError> {
        if let Some(index) = self.places.get(name) {
            return Ok(Export { index: *index, parameters: self.all[*index].parameters });
        }
        let name = name.to_owned();
        Err(match contract.functions.get(&name) {
            Some(_) if is_of_the_engine(&name, contract) => CallError::OfTheEngine { name },
            Some(signature) => CallError::NotCallable { name, signature: signature.to_string() },
            None => {
                let nearest = nearest(&name, self.places.keys().map(String::as_str)).map(str::to_owned);
                CallError::NoSuchExport { name, nearest }
            }
        })
    }

    pub(super) fn call(&self, name: &str, arguments: &[f64], contract: &Contract) -> Result<Call, CallError> {
        let export = self.find(name, contract)?;
        export.call(arguments).map_err(|problem| {
            let signature = self.all[export.index].signature.to_string();
            CallError::Arguments { name: name.to_owned(), signature, problem }
        })
    }

    /// The module that calls them, if there are any, and how many arguments each takes, by name.
    pub(crate) fn adapter(&self) -> Option<(&wasmtime::Module, impl Iterator<Item = (&str, usize)>)> {
        let exports = self.all.iter().map(|export| (&*export.name, export.signature.parameters.len()));
        self.adapter.as_ref().map(|module| (module, exports))
    }

    /// The name of one.
    pub(crate) fn name(&self, index: usize) -> Option<&str> {
        self.all.get(index).map(|export| &*export.name)
    }
}

fn is_of_the_engine(name: &str, contract: &Contract) -> bool {
    let generation = contract.generation;
    [generation.init(), generation.cycle(), BUFFER].contains(&name)
}

/// The types of its parameters, if they are numbers that anybody can give; of the results too, which are dropped.
fn parameters(signature: &Signature) -> Option<[Option<Element>; MOST_ARGUMENTS]> {
    let mut parameters = [None; MOST_ARGUMENTS];
    if signature.parameters.len() > MOST_ARGUMENTS {
        return None;
    }
    signature.results.iter().try_for_each(|ty| number(*ty).map(|_| ()))?;
    for (parameter, ty) in parameters.iter_mut().zip(&signature.parameters) {
        *parameter = Some(number(*ty)?);
    }
    Some(parameters)
}

fn number(ty: ValType) -> Option<Element> {
    match ty {
        ValType::I32 => Some(Element::I32),
        ValType::F32 => Some(Element::F32),
        ValType::F64 => Some(Element::F64),
        _ => None,
    }
}

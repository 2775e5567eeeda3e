use crate::memory::{
    element::{Element, Value},
    memories::Memories,
};

/// One named place in a program's memories: a number, a pointer, or an array of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// The full id, as its generation of the compiler writes it: `tempo.bpm`, or `tempo:bpm` in the newest.
    pub id: String,
    /// The name within its module: `bpm`.
    pub name: String,
    /// The number of the memory it lies in: 0 is the program's own, the others are its regions. See [`Memories`].
    pub memory: u32,
    /// Where it starts, in bytes from the start of that memory.
    pub byte_address: u32,
    /// The type of its elements.
    pub element: Element,
    /// How many elements it has; 1 for all that is not an array.
    pub elements: u32,
    /// Whether it holds the byte address of another variable.
    pub pointer: bool,
    /// The number of the memory that a pointer points into; for all else that of its own.
    pub points_into: u32,
    /// What it starts with, as far as the map says.
    pub default: Option<Initial>,
}

/// What a variable starts with.
#[derive(Clone, Debug, PartialEq)]
pub enum Initial {
    /// The value of a single one.
    One(f64),
    /// The given elements of an array, by index; the others start at 0.
    Elements(Vec<(u32, f64)>),
}

/// The contents of a whole variable at one moment.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// Of a variable with one element.
    One(Value),
    /// Of an array, in order.
    Many(Vec<Value>),
}

impl Reading {
    /// A number or a list of numbers; floats that JSON has no number for become text.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::One(value) => value.to_json(),
            Self::Many(values) => values.iter().map(|value| value.to_json()).collect(),
        }
    }
}

/// A value could not be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// The array is shorter than that.
    #[error("element {index} of {elements} does not exist; the first is 0")]
    NoSuchElement {
        /// The element asked for.
        index: u32,
        /// How many there are.
        elements: u32,
    },
    /// The variable lies in a region, and only the program's own memory is there. Give the whole instance.
    #[error("there is no memory {number}; give the whole instance, not only the bytes of its own memory")]
    NoSuchMemory {
        /// The memory that the variable lies in.
        number: u32,
    },
    /// The map and the memory do not belong together.
    #[error(
        "bytes {start} to {end} lie outside a memory of {size} bytes; the map belongs to another program"
    )]
    OutsideMemory {
        /// The first byte of the element.
        start: u64,
        /// The byte behind the element.
        end: u64,
        /// The size of the memory given.
        size: usize,
    },
    /// The variable holds another type; [`Element::value_of`] makes a value of the right one.
    #[error("a value of type {given} does not fit a variable of type {element:?}")]
    OtherType {
        /// The type of the value.
        given: &'static str,
        /// The type of the variable.
        element: Element,
    },
}

impl Variable {
    /// The byte behind the last element.
    pub fn end(&self) -> u64 {
        u64::from(self.byte_address) + u64::from(self.elements) * u64::from(self.element.size())
    }

    /// Reads element `index` (0 for a single one).
    ///
    /// # Errors
    /// When there is no such element, or it lies outside `memories`.
    ///
    /// # Realtime
    /// Allocates nothing.
    pub fn read(&self, memories: &(impl Memories + ?Sized), index: u32) -> Result<Value, AccessError> {
        let (start, end) = self.extent(index)?;
        let memory = self.bytes(memories)?;
        bounded(start, end)
            .and_then(|range| self.element.read(memory.get(range)?))
            .ok_or(AccessError::OutsideMemory { start, end, size: memory.len() })
    }

    /// Writes element `index` (0 for a single one). Narrow integers keep the low bits of the value, as a store does.
    ///
    /// # Errors
    /// When there is no such element, it lies outside `memories`, or it has another type than `value`.
    ///
    /// # Realtime
    /// Allocates nothing.
    pub fn write(
        &self,
        memories: &mut (impl Memories + ?Sized),
        index: u32,
        value: Value,
    ) -> Result<(), AccessError> {
        let (start, end) = self.extent(index)?;
        let number = self.memory;
        let memory = memories.bytes_mut(number).ok_or(AccessError::NoSuchMemory { number })?;
        let size = memory.len();
        let place = bounded(start, end)
            .and_then(|range| memory.get_mut(range))
            .ok_or(AccessError::OutsideMemory { start, end, size })?;
        match (self.element, value) {
            (Element::I8 | Element::U8 | Element::I16 | Element::U16 | Element::I32, Value::I32(value)) => {
                place.copy_from_slice(&value.to_le_bytes()[..place.len()]);
            }
            (Element::F32, Value::F32(value)) => place.copy_from_slice(&value.to_le_bytes()),
            (Element::F64, Value::F64(value)) => place.copy_from_slice(&value.to_le_bytes()),
            (element, value) => return Err(AccessError::OtherType { given: type_name(value), element }),
        }
        Ok(())
    }

    /// All of it.
    ///
    /// # Errors
    /// When it lies outside `memories`.
    pub fn reading(&self, memories: &(impl Memories + ?Sized)) -> Result<Reading, AccessError> {
        if self.elements == 1 {
            return self.read(memories, 0).map(Reading::One);
        }
        let memory = self.bytes(memories)?;
        // Ahead of the allocation: a map from elsewhere may claim any number of elements.
        if self.end() > memory.len() as u64 {
            let (start, end) = (self.byte_address.into(), self.end());
            return Err(AccessError::OutsideMemory { start, end, size: memory.len() });
        }
        (0..self.elements)
            .map(|index| self.read(memories, index))
            .collect::<Result<_, _>>()
            .map(Reading::Many)
    }

    /// The whole of the memory it lies in.
    fn bytes<'m>(&self, memories: &'m (impl Memories + ?Sized)) -> Result<&'m [u8], AccessError> {
        memories.bytes(self.memory).ok_or(AccessError::NoSuchMemory { number: self.memory })
    }

    fn extent(&self, index: u32) -> Result<(u64, u64), AccessError> {
        if index >= self.elements {
            return Err(AccessError::NoSuchElement { index, elements: self.elements });
        }
        let size = u64::from(self.element.size());
        let start = u64::from(self.byte_address) + u64::from(index) * size;
        Ok((start, start + size))
    }
}

fn bounded(start: u64, end: u64) -> Option<std::ops::Range<usize>> {
    Some(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
}

fn type_name(value: Value) -> &'static str {
    match value {
        Value::I32(_) => "i32",
        Value::F32(_) => "f32",
        Value::F64(_) => "f64",
    }
}

use crate::memory::{Element, Memories, Value, Variable};

/// Where a value lies, in which of the memories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    memory: u32,
    address: u32,
    element: Element,
}

impl Place {
    /// The place of a variable. A pointer is followed here and now, once: pointing it elsewhere later is not seen.
    pub(super) fn of(variable: &Variable, memory: &(impl Memories + ?Sized)) -> Self {
        let Variable { memory: number, byte_address: address, element, .. } = *variable;
        let here = Self { memory: number, address, element };
        if !variable.pointer {
            return here;
        }
        // In whole words, as the compiler counts them.
        let target = here.read(memory).unwrap_or_default().cast_unsigned() & !3;
        Self { memory: variable.points_into, address: target, element: Element::I32 }
    }

    /// What lies there as a whole number, a float as its bits; `None` outside the memory.
    pub(super) fn read(&self, memory: &(impl Memories + ?Sized)) -> Option<i32> {
        let bytes = memory.bytes(self.memory)?.get(usize::try_from(self.address).ok()?..)?;
        Some(match self.element.read(bytes)? {
            Value::I32(value) => value,
            // No float is a note, a channel or a controller: its bits are far outside of what these can be.
            float => (float.bits() as u32).cast_signed(),
        })
    }

    /// Puts a number there; outside the memory it goes nowhere.
    pub(super) fn write(&self, memory: &mut (impl Memories + ?Sized), number: u8) {
        let size = self.element.size() as usize;
        let start = usize::try_from(self.address).ok();
        let place = start.and_then(|start| memory.bytes_mut(self.memory)?.get_mut(start..)?.get_mut(..size));
        let Some(place) = place else { return };
        match self.element.value_of(number.into()) {
            Value::I32(value) => place.copy_from_slice(&value.to_le_bytes()[..size]),
            Value::F32(value) => place.copy_from_slice(&value.to_le_bytes()),
            Value::F64(value) => place.copy_from_slice(&value.to_le_bytes()),
        }
    }
}

/// A value that a module may have, and what counts where it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    At(Place),
    Always(i32),
}

impl Setting {
    pub(super) fn read(&self, memory: &(impl Memories + ?Sized)) -> Option<i32> {
        match self {
            Self::At(place) => place.read(memory),
            Self::Always(value) => Some(*value),
        }
    }

    /// The value, if it is one of `range`.
    pub(super) fn within(
        &self,
        memory: &(impl Memories + ?Sized),
        range: std::ops::RangeInclusive<u8>,
    ) -> Option<u8> {
        let value = u8::try_from(self.read(memory)?).ok()?;
        range.contains(&value).then_some(value)
    }

    /// The value as a number of a port; `None` for one that there cannot be.
    pub(super) fn port(&self, memory: &(impl Memories + ?Sized)) -> Option<u32> {
        let port = u32::try_from(self.read(memory)?).ok()?;
        (1..=super::used::PORTS).contains(&port).then_some(port)
    }
}

use crate::memory::{Element, Value, Variable};

/// Where a value lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    address: u32,
    element: Element,
}

impl Place {
    /// The place of a variable. A pointer is followed here and now, once: pointing it elsewhere later is not seen.
    pub(super) fn of(variable: &Variable, memory: &[u8]) -> Self {
        let here = Self { address: variable.byte_address, element: variable.element };
        if !variable.pointer {
            return here;
        }
        // In whole words, as the compiler counts them.
        let target = here.read(memory).unwrap_or_default().cast_unsigned() & !3;
        Self { address: target, element: Element::I32 }
    }

    /// What lies there as a whole number, a float as its bits; `None` outside the memory.
    pub(super) fn read(&self, memory: &[u8]) -> Option<i32> {
        let bytes = memory.get(usize::try_from(self.address).ok()?..)?;
        Some(match self.element.read(bytes)? {
            Value::I32(value) => value,
            // No float is a note, a channel or a controller: its bits are far outside of what these can be.
            float => (float.bits() as u32).cast_signed(),
        })
    }

    /// Puts a number there; outside the memory it goes nowhere.
    pub(super) fn write(&self, memory: &mut [u8], number: u8) {
        let size = self.element.size() as usize;
        let place =
            usize::try_from(self.address).ok().and_then(|start| memory.get_mut(start..)?.get_mut(..size));
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
    pub(super) fn read(&self, memory: &[u8]) -> Option<i32> {
        match self {
            Self::At(place) => place.read(memory),
            Self::Always(value) => Some(*value),
        }
    }

    /// The value, if it is one of `range`.
    pub(super) fn within(&self, memory: &[u8], range: std::ops::RangeInclusive<u8>) -> Option<u8> {
        let value = u8::try_from(self.read(memory)?).ok()?;
        range.contains(&value).then_some(value)
    }

    /// The value as a number of a port; `None` for one that there cannot be.
    pub(super) fn port(&self, memory: &[u8]) -> Option<u32> {
        let port = u32::try_from(self.read(memory)?).ok()?;
        (1..=super::used::PORTS).contains(&port).then_some(port)
    }
}

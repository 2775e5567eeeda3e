use std::fmt;

/// The type of one element of a [`Variable`](crate::Variable): how many bytes it takes and how they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Element {
    /// A signed byte.
    I8,
    /// An unsigned byte.
    U8,
    /// Two bytes, signed.
    I16,
    /// Two bytes, unsigned.
    U16,
    /// Four bytes, signed; also every pointer, whose value is a byte address.
    I32,
    /// A single-precision float.
    F32,
    /// A double-precision float (newest generation only).
    F64,
}

impl Element {
    /// Bytes per element.
    pub const fn size(self) -> u32 {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// The value of the element at the start of `bytes`; `None` if they are too few.
    ///
    /// # Realtime
    /// Allocates nothing.
    pub fn read(self, bytes: &[u8]) -> Option<Value> {
        Some(match self {
            Self::I8 => Value::I32(i8::from_le_bytes(*bytes.first_chunk()?).into()),
            Self::U8 => Value::I32(u8::from_le_bytes(*bytes.first_chunk()?).into()),
            Self::I16 => Value::I32(i16::from_le_bytes(*bytes.first_chunk()?).into()),
            Self::U16 => Value::I32(u16::from_le_bytes(*bytes.first_chunk()?).into()),
            Self::I32 => Value::I32(i32::from_le_bytes(*bytes.first_chunk()?)),
            Self::F32 => Value::F32(f32::from_le_bytes(*bytes.first_chunk()?)),
            Self::F64 => Value::F64(f64::from_le_bytes(*bytes.first_chunk()?)),
        })
    }

    /// `number` as a value of this type, exactly; floats as close as it gets.
    ///
    /// # Errors
    /// When the type has no such number.
    ///
    /// # Realtime
    /// Allocates nothing.
    pub fn exactly(self, number: f64) -> Result<Value, NumberError> {
        let (min, max, whole) = match self {
            Self::I8 => (i8::MIN.into(), i8::MAX.into(), true),
            Self::U8 => (u8::MIN.into(), u8::MAX.into(), true),
            Self::I16 => (i16::MIN.into(), i16::MAX.into(), true),
            Self::U16 => (u16::MIN.into(), u16::MAX.into(), true),
            Self::I32 => (i32::MIN.into(), i32::MAX.into(), true),
            Self::F32 => (f32::MIN.into(), f32::MAX.into(), false),
            Self::F64 => (f64::MIN, f64::MAX, false),
        };
        if !number.is_finite() {
            Err(NumberError::NotFinite { number })
        } else if !(min..=max).contains(&number) {
            Err(NumberError::OutOfRange { number, min, max })
        } else if whole && number.fract() != 0.0 {
            Err(NumberError::NotWhole { number })
        } else {
            Ok(self.value_of(number))
        }
    }

    /// `number` as a value of this type: rounded to the nearest and held within the range for whole numbers
    /// (not a number becomes 0), as close as it gets for floats.
    pub fn value_of(self, number: f64) -> Value {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "`as` holds within the range, which is the point"
        )]
        match self {
            Self::I8 => Value::I32((number.round() as i8).into()),
            Self::U8 => Value::I32((number.round() as u8).into()),
            Self::I16 => Value::I32((number.round() as i16).into()),
            Self::U16 => Value::I32((number.round() as u16).into()),
            Self::I32 => Value::I32(number.round() as i32),
            Self::F32 => Value::F32(number as f32),
            Self::F64 => Value::F64(number),
        }
    }
}

/// A type has no such number.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NumberError {
    /// Infinity, or not a number.
    #[error("cannot be {number}; give it a finite number")]
    NotFinite {
        /// The number asked for.
        number: f64,
    },
    /// The type does not reach that far.
    #[error("cannot be {number}; it goes from {min} to {max}")]
    OutOfRange {
        /// The number asked for.
        number: f64,
        /// The least it can be.
        min: f64,
        /// The most it can be.
        max: f64,
    },
    /// The type is one of whole numbers.
    #[error("cannot be {number}; it holds whole numbers")]
    NotWhole {
        /// The number asked for.
        number: f64,
    },
}

/// What an element holds, in the type WebAssembly would load it as: narrow integers are widened to [`I32`](Self::I32).
///
/// Equality is that of the numbers, so NaN differs from itself; compare [`bits`](Self::bits) for exactness.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A whole number, or a byte address.
    I32(i32),
    /// A single-precision float.
    F32(f32),
    /// A double-precision float.
    F64(f64),
}

impl Value {
    /// The bit pattern, as an unsigned number of the value's own width.
    pub fn bits(self) -> u64 {
        match self {
            Self::I32(value) => value.cast_unsigned().into(),
            Self::F32(value) => value.to_bits().into(),
            Self::F64(value) => value.to_bits(),
        }
    }

    /// The value as a number; exact, because every `i32` and `f32` is a `f64`.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::I32(value) => value.into(),
            Self::F32(value) => value.into(),
            Self::F64(value) => value,
        }
    }

    /// The value as JSON: a number, or a text for the floats that JSON has no number for.
    pub fn to_json(self) -> serde_json::Value {
        match self {
            Self::I32(value) => value.into(),
            Self::F32(_) | Self::F64(_) => serde_json::Number::from_f64(self.as_f64())
                .map_or_else(|| self.to_string().into(), serde_json::Value::Number),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::I32(value) => value.fmt(f),
            Self::F32(value) => value.fmt(f),
            Self::F64(value) => value.fmt(f),
        }
    }
}

//! Types that are a text of a certain form.

/// The conversions of `$type`, a text that `$type::read` takes: from text, to text, and so by serde. What is no such text is given back in `$invalid`.
macro_rules! checked_text {
    ($type:ident, $invalid:ident) => {
        impl $type {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $type {
            type Err = $invalid;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::read(text).map(Self).ok_or_else(|| $invalid(text.to_owned()))
            }
        }

        impl TryFrom<String> for $type {
            type Error = $invalid;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(text: $type) -> Self {
                text.0
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

pub(crate) use checked_text;

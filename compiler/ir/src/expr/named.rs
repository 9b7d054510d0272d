//! Enums whose variants text, JSON and cache keys know by a name and a version: one row each.

/// An enum from rows of a variant, its name and its version, with a lookup each way.
macro_rules! named {
    ($(#[$about:meta])* $table:ident; $($(#[$doc:meta])* $variant:ident $name:literal $version:literal;)*) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $table { $($(#[$doc])* $variant,)* }

        impl $table {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Rises when its results change; part of cache keys.
            pub fn version(self) -> u32 {
                match self { $(Self::$variant => $version,)* }
            }

            pub fn named(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

pub(super) use named;

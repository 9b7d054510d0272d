//! JSON: values for people and scripts.

mod natural;

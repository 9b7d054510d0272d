//! The dataset verbs.
//!
//! A verb that makes each batch of its result from one batch of its table is a step: [`columns`] (`select`, `drop`),
//! [`derive`], [`filter`] (`where`), [`predict`] and [`unseen`] (`assume_unseen`). [`steps`] runs one alone, or
//! several in a row as one query. [`split`] is none, since it reads its table twice: a row's side hangs on its
//! `identity`, its share of a class on `strata`, and `spread` doubts values that look drawn before.

pub mod columns;
pub mod derive;
pub mod filter;
mod identity;
pub mod predict;
pub mod split;
mod spread;
pub mod steps;
#[cfg(test)]
mod steps_tests;
mod strata;
pub mod unseen;

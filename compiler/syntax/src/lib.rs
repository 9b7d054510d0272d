//! Text of `.flow` files in; syntax trees, formatted text and diagnostics out.
//!
//! Data visits the modules in this order: [`lex`] turns text into tokens and cuts a file into
//! items, [`parse`] turns the tokens of one item into an [`ast`], [`format`] prints trees back as
//! text. What is wrong on the way is a [`diagnostic::Diagnostic`], which is data; rendering is the
//! last thing that happens to it.
//!
//! This crate knows no types, opens no files, and never fails: any bytes give a tree and a list of
//! diagnostics.
#![warn(clippy::indexing_slicing, clippy::string_slice)]

pub mod ast;
pub mod diagnostic;
pub mod format;
pub mod lex;
pub mod lines;
pub mod parse;
pub mod span;
pub mod suggest;

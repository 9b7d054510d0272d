//! A DAG in; artifacts, events and finished runs out.
//!
//! The path of a run: [`engine`] opens a project's state and takes a DAG. [`decide`] says, purely, what
//! happens next; [`schedule`] which ready node first; [`drive`] joins them with the rest. [`task`] is one
//! node's work, in an envelope that another process could open; [`act`] does it on threads, or in a process of its
//! own, calling an [`operator`], which the standard library implements. What comes out is an [`artifact`] under the
//! hash of its bytes; what happened is an [`event`], durable in the [`store`] before anybody is told.
//! [`folder`] knows where the files of a run lie, [`cpu`] what a thread takes of a processor; [`simulate`] goes the
//! whole path in virtual time and executes nothing.
//!
//! This crate knows no syntax and no AST: the IR is all it gets.

#[cfg(not(target_os = "linux"))]
compile_error!("processes, leases and locks are Linux's so far: build in a container or in WSL 2");

pub mod act;
pub mod artifact;
pub mod cpu;
pub mod decide;
pub mod drive;
pub mod engine;
pub mod event;
pub mod folder;
pub mod operator;
pub mod schedule;
pub mod simulate;
pub mod store;
pub mod task;

//! One file for each kind of call: a request, a program, a function.

pub mod call;
pub mod command;
pub mod http;

//! Everything in one program, which links once.

mod api;
mod codegen;
mod compiled;
mod foreign_types;
mod generate;
mod mutants;
mod page;
mod render;
mod report;
mod rustdoc;
mod upgrade;
mod waivers;
mod workspace;

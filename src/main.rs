//! The binary: the command line's exit code is the program's. A panic is a bug of ours and ends with 1.

use std::{panic::catch_unwind, process::ExitCode};

fn main() -> ExitCode {
    catch_unwind(dealdeck::cli::main).unwrap_or(ExitCode::from(1))
}

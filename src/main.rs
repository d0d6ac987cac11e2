//! Arguments in, exit status out; everything else is in `cli`.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Small blocks that live as long as a request or a series: mimalloc keeps them apart by size and
/// gives pages back.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    spanmill::cli::main()
}

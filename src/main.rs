//! Arguments in, exit status out; everything else is in `cli`.

fn main() {}

//! Sets the cfg that swaps the store's atomics for loom's.

fn main() {
    println!("cargo::rustc-cfg=spanmill_loom");
}

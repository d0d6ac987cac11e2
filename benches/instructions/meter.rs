//! Which turns of a case callgrind counts.

/// What a case did while it was counted: so many spans, lines, groups.
pub struct Units {
    pub count: u64,
    pub name: &'static str,
}

pub struct Case {
    pub name: String,
    pub run: Box<dyn Fn() -> Units>,
}

/// Turns before the counted ones: groups are known then, and vectors have grown.
const WARM_UP: u64 = 4;

impl Case {
    pub fn new(name: impl Into<String>, run: impl Fn() -> Units + 'static) -> Self {
        Self {
            name: name.into(),
            run: Box::new(run),
        }
    }
}

/// Callgrind starts collecting where this is entered and stops where it is left.
#[inline(never)]
fn counted(turn: &mut dyn FnMut()) {
    turn();
}

/// Runs `turns` counted turns of `units` each.
pub fn meter(turns: u64, units: u64, name: &'static str, mut turn: impl FnMut()) -> Units {
    meter_fresh(turns, units, name, || (), |()| turn())
}

/// The same where each turn begins with something fresh: making and dropping it is not counted.
pub fn meter_fresh<T>(
    turns: u64,
    units: u64,
    name: &'static str,
    mut fresh: impl FnMut() -> T,
    mut turn: impl FnMut(&mut T),
) -> Units {
    for index in 0..WARM_UP + turns {
        let mut state = fresh();
        let once: &mut dyn FnMut() = &mut || turn(&mut state);
        if index < WARM_UP {
            once();
        } else {
            counted(once);
        }
    }
    Units {
        count: turns * units,
        name,
    }
}

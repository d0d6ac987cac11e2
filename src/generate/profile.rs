//! The rate of an open loop over time, and when the n-th item is due under it.
//!
//! A [`Profile`] is a row of pieces with a straight rate each, which start again at the end or give
//! way to a steady rate. What is sent up to a time is the integral of the rate; an item is due at the
//! last time at which the integral is not above its number. That is solved piece by piece, exactly.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

use crate::config::duration;

/// Below one item in a thousand seconds a run would never send.
const RATE_MIN: f64 = 1e-3;
const RATE_MAX: f64 = 1e9;
const STEPS_MAX: usize = 1_000;
/// Periods of bursts that show what they do.
const PERIODS: f64 = 3.0;

/// A part of the run in which the rate changes evenly.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Piece {
    seconds: f64,
    from: f64,
    to: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Afterwards {
    Steady(f64),
    Again,
}

/// Items per second over time; see the parser for how it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    pieces: Vec<Piece>,
    afterwards: Afterwards,
    text: String,
}

#[derive(Debug, Error, PartialEq, Eq)]
pub enum ProfileError {
    #[error(
        "a profile is ramp:FROM-TO:DURATION, burst:RATE-PEAK:PERIOD:LENGTH or step:RATE,RATE,...:DURATION"
    )]
    Form,
    #[error("`{text}`: a rate is a number of items per second, 0.001 to 1e9, or 0")]
    Rate { text: String },
    #[error("`{text}` is no duration above 0, such as 30s")]
    Duration { text: String },
    #[error("a burst of {length:?} does not fit a period of {period:?}")]
    Length { length: Duration, period: Duration },
    #[error("{count} steps are more than {STEPS_MAX}")]
    Steps { count: usize },
    #[error("all rates are 0: nothing would be sent")]
    Nothing,
}

impl Piece {
    fn new(length: Duration, from: f64, to: f64) -> Self {
        let seconds = length.as_secs_f64();
        Self { seconds, from, to }
    }

    fn items(self) -> f64 {
        self.seconds * f64::midpoint(self.from, self.to)
    }

    /// Seconds until `items`, which are fewer than the piece has, have been sent.
    fn seconds_to(self, items: f64) -> f64 {
        if items <= 0.0 {
            return 0.0;
        }
        // from * t + slope * t^2 / 2 = items, in the form that does not cancel.
        let slope = (self.to - self.from) / self.seconds;
        let root = self.from.mul_add(self.from, 2.0 * slope * items).max(0.0);
        (2.0 * items / (self.from + root.sqrt())).min(self.seconds)
    }
}

impl Profile {
    /// The same rate, which is above 0, all the time.
    #[must_use]
    pub fn steady(rate: f64) -> Self {
        Self {
            pieces: Vec::new(),
            afterwards: Afterwards::Steady(rate),
            text: format!("steady:{rate}"),
        }
    }

    /// Reads one of three forms, rates in items per second:
    ///
    /// - `ramp:FROM-TO:DURATION`: from one rate evenly to the other, which then stays;
    /// - `burst:RATE-PEAK:PERIOD:LENGTH`: the rate, but the peak for the last LENGTH of each period;
    /// - `step:RATE,RATE,...:DURATION`: each rate for the duration; the last one stays.
    ///
    /// # Errors
    /// When `text` has none of the forms or a number out of range.
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let fields: Vec<&str> = text.split(':').collect();
        let (pieces, afterwards) = match fields[..] {
            ["ramp", rates, length] => {
                let (from, to) = rate_pair(rates)?;
                let piece = Piece::new(length_of(length)?, from, to);
                (vec![piece], Afterwards::Steady(to))
            }
            ["burst", rates, period, length] => {
                let (rate, peak) = rate_pair(rates)?;
                let (period, length) = (length_of(period)?, length_of(length)?);
                let quiet = period.checked_sub(length).filter(|left| !left.is_zero());
                let quiet = quiet.ok_or(ProfileError::Length { length, period })?;
                let quiet = Piece::new(quiet, rate, rate);
                (
                    vec![quiet, Piece::new(length, peak, peak)],
                    Afterwards::Again,
                )
            }
            ["step", rates, length] => {
                let rates = rates.split(',').map(rate).collect::<Result<Vec<_>, _>>()?;
                if rates.len() > STEPS_MAX {
                    let count = rates.len();
                    return Err(ProfileError::Steps { count });
                }
                let length = length_of(length)?;
                let pieces = rates.iter().map(|rate| Piece::new(length, *rate, *rate));
                let last = *rates.last().expect("`split` gives one part at least");
                (pieces.collect(), Afterwards::Steady(last))
            }
            _ => return Err(ProfileError::Form),
        };
        let profile = Self {
            pieces,
            afterwards,
            text: text.to_owned(),
        };
        let is_nothing = profile.items_of_pieces() <= 0.0 && profile.last_rate() <= 0.0;
        if is_nothing {
            return Err(ProfileError::Nothing);
        }
        Ok(profile)
    }

    /// When the item after `items` others is due, from the start. `None`: never.
    #[must_use]
    pub fn due(&self, items: u64) -> Option<Duration> {
        // Exact for 2^53 items.
        let mut left = items as f64;
        let mut seconds = 0.0;
        if self.afterwards == Afterwards::Again {
            let rounds = (left / self.items_of_pieces()).floor();
            left -= rounds * self.items_of_pieces();
            seconds += rounds * self.seconds_of_pieces();
        }
        for piece in &self.pieces {
            if left < piece.items() {
                return after(seconds + piece.seconds_to(left));
            }
            left -= piece.items();
            seconds += piece.seconds;
        }
        match self.afterwards {
            Afterwards::Steady(rate) if rate > 0.0 => after(seconds + left / rate),
            Afterwards::Steady(_) => None,
            // Rounding alone comes past the last piece.
            Afterwards::Again => after(seconds),
        }
    }

    /// How long it takes as a whole: a ramp, all steps, three periods of bursts. `None`: it is steady.
    #[must_use]
    pub fn whole(&self) -> Option<Duration> {
        let seconds = self.seconds_of_pieces();
        let seconds = match self.afterwards {
            Afterwards::Steady(_) => seconds,
            Afterwards::Again => PERIODS * seconds,
        };
        after(seconds).filter(|whole| !whole.is_zero())
    }

    fn items_of_pieces(&self) -> f64 {
        self.pieces.iter().map(|piece| piece.items()).sum()
    }

    fn seconds_of_pieces(&self) -> f64 {
        self.pieces.iter().map(|piece| piece.seconds).sum()
    }

    fn last_rate(&self) -> f64 {
        match self.afterwards {
            Afterwards::Steady(rate) => rate,
            Afterwards::Again => 0.0,
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A rate in items per second, where 0 is one.
///
/// # Errors
/// When `text` is no number, or out of range.
pub fn rate(text: &str) -> Result<f64, ProfileError> {
    let rate = f64::from_str(text).ok();
    let in_range = rate.filter(|rate| *rate == 0.0 || (RATE_MIN..=RATE_MAX).contains(rate));
    let text = text.to_owned();
    in_range.ok_or(ProfileError::Rate { text })
}

fn rate_pair(text: &str) -> Result<(f64, f64), ProfileError> {
    let (from, to) = text.split_once('-').ok_or(ProfileError::Form)?;
    Ok((rate(from)?, rate(to)?))
}

fn length_of(text: &str) -> Result<Duration, ProfileError> {
    let ns = duration::parse(text)
        .ok()
        .and_then(|ns| u64::try_from(ns).ok());
    let text = text.to_owned();
    ns.filter(|ns| *ns > 0)
        .map(Duration::from_nanos)
        .ok_or(ProfileError::Duration { text })
}

/// `None` when it is longer than any run.
fn after(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests;

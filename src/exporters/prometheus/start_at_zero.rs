//! Makes the first increments of a series visible: the first time a scraper gets a series it gets a
//! zero first, both samples with their times.
//!
//! Prometheus sees no increase in a series that appears with a value. The value is never held back;
//! instead the series' first exposure has two samples: 0 at its birth less 1 ms and the value at the
//! fold. Later exposures are plain lines.
//!
//! What a scraper has seen is one number. Every complete response shows every series there is, and
//! series are numbered by birth, so a scraper that was shown number n has seen all up to n. The
//! number moves when the response was written to its end, and back when the connection was reset
//! within the scraper's timeout, so with bytes unread: a scrape that was cut leaves the zeros for the
//! next one, and Prometheus keeps nothing of it. A later reset is that of an idle connection.
//!
//! Times, all in Unix milliseconds:
//! - The zero lies above the last time given to this scraper, whatever came of that response. So a
//!   series that expired and came back has its zero above its last sample and above the stale
//!   marker that Prometheus wrote when it was missing.
//! - It lies at most [`ZERO_AGE_MS_MAX`] before the value: Prometheus refuses what is an hour older
//!   than its newest sample. Where exactly it lies does not matter to an increase.
//! - A series that was older than [`FIRST_CONTACT_AGE_MS_MAX`] when the scraper first came gets no
//!   zero. Either somebody scraped it before under another address (and has those increments), or
//!   what happened before anybody looked would show as a spike.
//!
//! Not known to this code: what happened before this process; its series are new and their births
//! lie after the last sample of the process before it.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use hashbrown::HashMap;

use crate::telemetry::random::RandomState;

/// Scrapers told apart at the same time. More are served plain values.
const SCRAPERS_MAX: usize = 64;

/// A scraper that did not come for so long gives up its place when places are short. It must be
/// longer than `FIRST_CONTACT_AGE_MS_MAX`: a scraper that was forgotten has then no old series to
/// be given zeros of.
const SCRAPER_IDLE_MS_MAX: u64 = 60 * 60 * 1000;

/// Age of a series, when a scraper first comes, up to which it gets a zero.
const FIRST_CONTACT_AGE_MS_MAX: u64 = 5 * 60 * 1000;

/// How far a zero may lie before its value. Prometheus's head takes samples of the last hour.
const ZERO_AGE_MS_MAX: u64 = 50 * 60 * 1000;

/// A drain waits for scrapers that came within this time.
const ACTIVE_MS_MAX: u64 = 5 * 60 * 1000;

/// Who scrapes. Two jobs that are alike in all of this need a different query parameter.
#[derive(Hash)]
pub(super) struct ScraperKey<'a> {
    pub(super) address: IpAddr,
    pub(super) user_agent: &'a [u8],
    pub(super) path_and_query: &'a str,
    pub(super) timeout: &'a [u8],
}

/// Everyone who scrapes one exporter. Shared by the scrapes under way.
pub(super) struct Scrapers {
    hash: [RandomState; 2],
    known: Mutex<HashMap<Id, Scraper, RandomState>>,
}

/// Keyed hash of a [`ScraperKey`]: what clients send is not kept.
type Id = [u64; 2];

struct Scraper {
    first_ms: u64,
    /// Last time of a sample in any response to it, complete or not.
    last_ms: u64,
    /// Fold time of its last complete response.
    complete_ms: Option<u64>,
    /// Number of the youngest series that a complete response showed.
    shown: u64,
}

/// One response to a known scraper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    id: Id,
    time_ms: u64,
    /// Youngest series in this response, and in the last complete one.
    sequence: u64,
    shown_before: u64,
    complete_ms_before: Option<u64>,
    pub(super) zeros: Zeros,
}

/// Which series of a response get a zero, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Zeros {
    /// Series up to this number were shown.
    shown: u64,
    /// Series born before this get none.
    born_ms_min: u64,
    zero_ms_min: u64,
    /// Time of the values: that of the fold, unless the last response had it.
    pub(super) value_ms: u64,
}

/// How far the known scrapers are, for a drain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScrapersSeen {
    /// Came lately.
    pub active: usize,
    /// Of those, got everything up to the time asked for.
    pub settled: usize,
}

impl Scrapers {
    pub(super) fn new() -> Self {
        Self {
            hash: [RandomState::new(), RandomState::new()],
            known: Mutex::default(),
        }
    }

    /// A response begins that shows the series up to `sequence` as of `time_ms`. `None`: there are
    /// too many scrapers to know this one.
    pub(super) fn begin(&self, key: &ScraperKey, time_ms: u64, sequence: u64) -> Option<Turn> {
        let id = [self.hash[0].hash_one(key), self.hash[1].hash_one(key)];
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= SCRAPERS_MAX && !known.contains_key(&id) {
            known.retain(|_, scraper| scraper.last_ms + SCRAPER_IDLE_MS_MAX > time_ms);
            if known.len() >= SCRAPERS_MAX {
                return None;
            }
        }
        let scraper = known.entry(id).or_insert(Scraper {
            first_ms: time_ms,
            last_ms: 0,
            complete_ms: None,
            shown: 0,
        });
        let above_ms = scraper.last_ms + 1;
        let zeros = Zeros {
            shown: scraper.shown,
            born_ms_min: scraper.first_ms.saturating_sub(FIRST_CONTACT_AGE_MS_MAX),
            zero_ms_min: above_ms.max(time_ms.saturating_sub(ZERO_AGE_MS_MAX)),
            value_ms: time_ms.max(above_ms + 1),
        };
        scraper.last_ms = zeros.value_ms;
        Some(Turn {
            id,
            time_ms,
            sequence,
            shown_before: scraper.shown,
            complete_ms_before: scraper.complete_ms,
            zeros,
        })
    }

    /// The response was written to its end.
    pub(super) fn complete(&self, turn: &Turn) {
        self.with(turn, |scraper| {
            scraper.shown = scraper.shown.max(turn.sequence);
            scraper.complete_ms = scraper.complete_ms.max(Some(turn.time_ms));
        });
    }

    /// The connection was reset after that, before its next request: the response was not read to
    /// its end. A later complete one has settled the matter.
    pub(super) fn revoke(&self, turn: &Turn) {
        self.with(turn, |scraper| {
            if scraper.complete_ms == Some(turn.time_ms) {
                scraper.shown = turn.shown_before;
                scraper.complete_ms = turn.complete_ms_before;
            }
        });
    }

    /// Whether those who came within [`ACTIVE_MS_MAX`] of `time_ms` got a complete response of that
    /// fold or a later one.
    pub(super) fn seen(&self, time_ms: u64) -> ScrapersSeen {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let active = known.values().filter(|scraper| {
            scraper.complete_ms.is_some() && scraper.last_ms + ACTIVE_MS_MAX > time_ms
        });
        active.fold(ScrapersSeen::default(), |seen, scraper| ScrapersSeen {
            active: seen.active + 1,
            settled: seen.settled + usize::from(scraper.complete_ms >= Some(time_ms)),
        })
    }

    fn with(&self, turn: &Turn, change: impl FnOnce(&mut Scraper)) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(scraper) = known.get_mut(&turn.id) {
            change(scraper);
        }
    }
}

impl Zeros {
    /// The time of the zero of a series that this scraper has not seen; `None`: a plain line.
    pub(super) fn zero_ms(&self, sequence: u64, birth_ms: u64) -> Option<u64> {
        if sequence <= self.shown || birth_ms < self.born_ms_min {
            return None;
        }
        // The last bound only matters when a clock is odd: a birth after the fold.
        let zero_ms = birth_ms.saturating_sub(1).max(self.zero_ms_min);
        Some(zero_ms.min(self.value_ms - 1))
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::{
        FIRST_CONTACT_AGE_MS_MAX, SCRAPER_IDLE_MS_MAX, SCRAPERS_MAX, ScraperKey, Scrapers,
        ScrapersSeen, ZERO_AGE_MS_MAX,
    };

    const T: u64 = 1_700_000_000_000;

    fn key(path_and_query: &str) -> ScraperKey<'_> {
        ScraperKey {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            user_agent: b"Prometheus/2.42.0",
            path_and_query,
            timeout: b"10",
        }
    }

    #[test]
    fn unseen_series_gets_its_zero_before_its_birth_until_a_response_was_complete() {
        let scrapers = Scrapers::new();
        let cut = scrapers.begin(&key("/metrics"), T, 1).expect("room");
        assert_eq!(cut.zeros.zero_ms(1, T - 3000), Some(T - 3001));
        assert_eq!(cut.zeros.value_ms, T);

        let again = scrapers.begin(&key("/metrics"), T + 5000, 1).expect("room");
        assert_eq!(again.zeros.zero_ms(1, T - 3000), Some(T + 1));
        scrapers.complete(&again);

        let later = scrapers.begin(&key("/metrics"), T + 9000, 2).expect("room");
        assert_eq!(later.zeros.zero_ms(1, T - 3000), None);
        assert_eq!(later.zeros.zero_ms(2, T + 8000), Some(T + 7999));
    }

    #[test]
    fn series_that_came_back_gets_its_zero_above_the_last_time_exposed() {
        let scrapers = Scrapers::new();
        let first = scrapers.begin(&key("/metrics"), T, 1).expect("room");
        scrapers.complete(&first);
        // The run that brought it back began before the last fold.
        let second = scrapers.begin(&key("/metrics"), T + 2, 2).expect("room");
        assert_eq!(second.zeros.zero_ms(2, T - 10), Some(T + 1));
        assert_eq!(second.zeros.value_ms, T + 2);
    }

    #[test]
    fn two_scrapes_in_one_millisecond_keep_zero_and_value_apart() {
        let scrapers = Scrapers::new();
        let first = scrapers.begin(&key("/metrics"), T, 1).expect("room");
        scrapers.complete(&first);
        let second = scrapers.begin(&key("/metrics"), T, 2).expect("room");
        let zero_ms = second.zeros.zero_ms(2, T).expect("unseen");
        assert!(T < zero_ms && zero_ms < second.zeros.value_ms);
        // A birth after the fold: the clock was set back.
        let zero_ms = second.zeros.zero_ms(2, T + 60_000).expect("unseen");
        assert!(zero_ms < second.zeros.value_ms);
    }

    #[test]
    fn reset_after_the_last_byte_takes_the_showing_back() {
        let scrapers = Scrapers::new();
        let turn = scrapers.begin(&key("/metrics"), T, 1).expect("room");
        scrapers.complete(&turn);
        scrapers.revoke(&turn);
        let again = scrapers.begin(&key("/metrics"), T + 1000, 1).expect("room");
        assert_eq!(again.zeros.zero_ms(1, T), Some(T + 1));
        scrapers.complete(&again);
        // The late news of the first connection changes nothing any more.
        scrapers.revoke(&turn);
        let third = scrapers.begin(&key("/metrics"), T + 2000, 1).expect("room");
        assert_eq!(third.zeros.zero_ms(1, T), None);
    }

    #[test]
    fn jobs_with_different_queries_are_different_scrapers() {
        let scrapers = Scrapers::new();
        let one = scrapers.begin(&key("/metrics?job=1"), T, 1).expect("room");
        scrapers.complete(&one);
        let two = scrapers
            .begin(&key("/metrics?job=2"), T + 1000, 1)
            .expect("room");
        assert_eq!(two.zeros.zero_ms(1, T), Some(T - 1));
    }

    #[test]
    fn series_that_is_old_at_first_contact_gets_no_zero_and_a_known_scraper_always_does() {
        let scrapers = Scrapers::new();
        let turn = scrapers.begin(&key("/metrics"), T, 3).expect("room");
        let limit = T - FIRST_CONTACT_AGE_MS_MAX;
        assert_eq!(turn.zeros.zero_ms(1, limit - 1), None);
        assert_eq!(turn.zeros.zero_ms(2, limit), Some(limit - 1));
        scrapers.complete(&turn);
        // Born right after, and nobody came for two hours: not further back than Prometheus takes.
        let late = T + 2 * 60 * 60 * 1000;
        let turn = scrapers.begin(&key("/metrics"), late, 4).expect("room");
        assert_eq!(turn.zeros.zero_ms(4, T + 1), Some(late - ZERO_AGE_MS_MAX));
    }

    #[test]
    fn more_scrapers_than_places_are_strangers_until_an_idle_one_gives_way() {
        let scrapers = Scrapers::new();
        for index in 0..SCRAPERS_MAX {
            assert!(scrapers.begin(&key(&index.to_string()), T, 1).is_some());
        }
        assert!(scrapers.begin(&key("one more"), T, 1).is_none());
        assert!(scrapers.begin(&key("0"), T, 1).is_some());
        let later = T + SCRAPER_IDLE_MS_MAX + 2;
        assert!(scrapers.begin(&key("one more"), later, 1).is_some());
    }

    #[test]
    fn drain_sees_who_still_has_to_come() {
        let scrapers = Scrapers::new();
        assert_eq!(scrapers.seen(T), ScrapersSeen::default());
        for path in ["/a", "/b"] {
            let turn = scrapers.begin(&key(path), T, 1).expect("room");
            scrapers.complete(&turn);
        }
        let seen = |settled| ScrapersSeen { active: 2, settled };
        assert_eq!(scrapers.seen(T + 1000), seen(0));
        let turn = scrapers.begin(&key("/a"), T + 1000, 1).expect("room");
        assert_eq!(scrapers.seen(T + 1000), seen(0));
        scrapers.complete(&turn);
        assert_eq!(scrapers.seen(T + 1000), seen(1));
    }
}

//! What a worker has ready, and what it gives away.
//!
//! Requests that became ready in one turn of the loop are run together, oldest first. Traces may
//! run anywhere, so what is large, or more than one run, goes to the queue that all workers share,
//! but only while another worker sleeps: a hand-over costs a wake-up and cold caches.

use std::collections::VecDeque;

use super::request::{Request, Signal};

/// A run appends its requests to one batch of at most about 1,024 rows; more gains nothing.
pub const REQUESTS_PER_RUN_MAX: usize = 8;

/// 1,024 spans of 512 bytes, the middle of what SDKs send.
pub const BYTES_PER_RUN_MAX: usize = 512 << 10;

/// Work that is worth a hand-over, which costs about 10 us on both sides.
const HAND_OVER_WORK_NS_MIN: usize = 100_000;

/// Decode and compute of a span of 300 to 800 bytes cost 0.2 to 0.35 ns a byte (design, section 7).
const WORK_PS_PER_BYTE: usize = 300;

/// The size of a body whose work is worth a hand-over.
const HAND_OVER_BYTES_MIN: usize = HAND_OVER_WORK_NS_MIN * 1_000 / WORK_PS_PER_BYTE;

/// Requests in the shared queue; beyond, they stay where they are.
pub(super) const SHARED_REQUESTS_MAX: usize = 256;

/// The requests of one worker that wait for their run, oldest first.
///
/// Bounded by the byte budget and the limit on requests in flight, which every one of them holds.
#[derive(Default)]
pub(super) struct Ready {
    requests: VecDeque<Request>,
}

impl Ready {
    pub(super) fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    pub(super) fn push(&mut self, request: Request) {
        self.requests.push_back(request);
    }

    /// Fills `run` with the next requests, at most a run's worth. `give` may take a request that
    /// is large or more than this run, or return it.
    ///
    /// # Hot path
    /// - runs: on a worker, per run
    /// - cost: a move per request; no allocation once `run` has grown
    /// - invariants: `run` is empty (debug-asserted)
    /// - units: requests, bytes
    pub(super) fn next_run(
        &mut self,
        run: &mut Vec<Request>,
        mut give: impl FnMut(Request) -> Result<(), Request>,
    ) {
        debug_assert!(run.is_empty());
        let mut bytes = 0;
        while let Some(mut request) = self.requests.pop_front() {
            let body_bytes = request.body.len();
            let surplus = is_full(run.len(), bytes, body_bytes);
            if (surplus || body_bytes >= HAND_OVER_BYTES_MIN) && request.signal == Signal::Traces {
                match give(request) {
                    Ok(()) => continue,
                    Err(returned) => request = returned,
                }
            }
            if surplus {
                self.requests.push_front(request);
                break;
            }
            bytes += body_bytes;
            run.push(request);
        }
    }
}

/// Whether a run of so many requests and bytes has no room for a further body. One always fits.
pub(super) fn is_full(requests: usize, bytes: usize, body_bytes: usize) -> bool {
    requests > 0 && (requests >= REQUESTS_PER_RUN_MAX || bytes + body_bytes > BYTES_PER_RUN_MAX)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::budget::Budget;
    use super::super::request::{Reply, Request, Signal};
    use super::{BYTES_PER_RUN_MAX, HAND_OVER_BYTES_MIN, Ready};

    fn ready(bodies: &[(Signal, usize)]) -> Ready {
        let mut ready = Ready::default();
        for (signal, bytes) in bodies {
            ready.push(Request {
                receiver: 0,
                signal: *signal,
                body: Bytes::from(vec![0; *bytes]),
                permit: Budget::new(0).try_take(0).expect("nothing always fits"),
                reply: Reply::channel().0,
            });
        }
        ready
    }

    /// Sizes of one run, of what was given away (at most `give_max`), and of what stays.
    fn run(ready: &mut Ready, give_max: usize) -> [Vec<usize>; 3] {
        let (mut run, mut given) = (Vec::new(), Vec::new());
        ready.next_run(&mut run, |request| {
            if given.len() < give_max {
                given.push(request.body.len());
                Ok(())
            } else {
                Err(request)
            }
        });
        let sizes = |requests: &mut dyn Iterator<Item = &Request>| {
            requests.map(|request| request.body.len()).collect()
        };
        [
            sizes(&mut run.iter()),
            given,
            sizes(&mut ready.requests.iter()),
        ]
    }

    #[test]
    fn run_ends_at_eight_requests_and_the_rest_is_given_away_or_stays() {
        let bodies: Vec<_> = (1..=11).map(|bytes| (Signal::Traces, bytes)).collect();
        let first = (1..=8).collect::<Vec<_>>();
        assert_eq!(
            run(&mut ready(&bodies), 0),
            [first.clone(), vec![], vec![9, 10, 11]]
        );
        assert_eq!(run(&mut ready(&bodies), 2), [first, vec![9, 10], vec![11]]);
    }

    #[test]
    fn run_ends_at_its_bytes_but_takes_one_body_of_any_size() {
        let half = BYTES_PER_RUN_MAX / 2;
        let mut three = ready(&[
            (Signal::Traces, half),
            (Signal::Traces, half),
            (Signal::Traces, 1),
        ]);
        assert_eq!(run(&mut three, 0), [vec![half, half], vec![], vec![1]]);
        let huge = BYTES_PER_RUN_MAX * 3;
        let mut two = ready(&[(Signal::Traces, huge), (Signal::Traces, 1)]);
        assert_eq!(run(&mut two, 0), [vec![huge], vec![], vec![1]]);
    }

    #[test]
    fn large_traces_are_given_away_and_metrics_never() {
        let large = HAND_OVER_BYTES_MIN;
        let mut two = ready(&[(Signal::Traces, large), (Signal::Traces, 1)]);
        assert_eq!(run(&mut two, 9), [vec![1], vec![large], vec![]]);
        let mut metrics = ready(&[(Signal::Metrics, large), (Signal::Metrics, large)]);
        assert_eq!(run(&mut metrics, 9), [vec![large], vec![], vec![large]]);
    }
}

"""What a run will do: which rows with which programs, how often and how long; and how long it all takes."""

from dataclasses import dataclass

from .settling import fill_spans

ROUNDS = 5
SECONDS = 10.0
# Seconds that are not measured, as seen on two quiet cores; they only serve the estimate. A peer is
# taken to show spans at flushes of 15 s; spanmill shows them at once.
START_OF_GENERATOR = 0.15
SETTLE_OF_PEER = 30.0
VERIFY_OF_PEER, VERIFY_OF_OURS = 2.8, 0.3
# Beside the timed part, of one program; the mean of ours and a peer.
LIFE = {"idle": 2.1, "first_reply": 0.1, "size": 0.3, "growth": 25.0, "sigterm": 3.0, "overload": 12.0,
        "memory_at_rate": 20.0, "half": 26.0}
NOT_TIMED = {"idle", "first_reply", "size", "growth", "memory"}
SPANS_A_SECOND_OF_FILL = 80_000


@dataclass(frozen=True)
class Plan:
    rows: list
    # Ours first, then the peers in the order given.
    subjects: list
    rounds: int = ROUNDS
    seconds: float = SECONDS
    quick: bool = False
    # Rows that are not marked `all_peers` are also run with peers after the first.
    all_rows: bool = False

    def rounds_of(self, row):
        return min(row.rounds, self.rounds)

    def seconds_of(self, row):
        return min(1.0, self.seconds) if self.quick else self.seconds * row.times

    def subjects_of(self, row):
        return self.subjects if self.all_rows or row.all_peers else self.subjects[:2]

    def groups(self):
        """Rows by the processes they share, each with its programs; rows on their own come last.

        Programs of a group take part in all of its rows: one that waited for minutes would forget
        its series, as the configuration says.
        """
        shared, alone = {}, []
        for row in self.rows:
            subjects = self.subjects_of(row)
            if row.group:
                shared.setdefault((row.group, len(subjects)), (subjects, []))[1].append(row)
            else:
                alone.append((subjects, [row]))
        return [*shared.values(), *alone]

    def order(self, subjects, turn):
        """Who goes first changes from round to round."""
        start = turn % len(subjects)
        return subjects[start:] + subjects[:start]

    def estimate_seconds(self):
        total = 0.0
        for subjects, rows in self.groups():
            peers = len(subjects) - 1
            for row in rows:
                timed = 0 if row.measure in NOT_TIMED else self.seconds_of(row)
                once = timed + START_OF_GENERATOR + LIFE.get(row.measure, 0)
                total += self.rounds_of(row) * len(subjects) * once + VERIFY_OF_OURS + VERIFY_OF_PEER * peers
            if rows[0].group:
                spans = fill_spans(rows[0].load)
                total += len(subjects) * spans / SPANS_A_SECOND_OF_FILL
                # All wait together for the flushes of the fill, and again at the end of the group.
                total += SETTLE_OF_PEER * ((spans > 0) + 1) * (peers > 0)
        return total

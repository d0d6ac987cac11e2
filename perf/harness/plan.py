"""What a run will do: which rows with which programs, how often and how long; and how long it all takes."""

from dataclasses import dataclass

from .settling import FILL_SPANS_A_LABEL_SET, wanted_label_sets

# Seconds that are not measured, as seen on two cores; they only serve the estimate.
START_OF_GENERATOR = 0.25
SETTLE = 30.0
VERIFY_A_ROW = 4.0
LIFE = {"idle": 2.5, "first_reply": 0.3, "size": 0.2, "growth": 45.0, "sigterm": 8.0, "overload": 40.0,
        "memory_at_rate": 40.0, "half": 45.0}
NOT_TIMED = {"idle", "first_reply", "size", "growth", "memory"}
SPANS_A_SECOND_OF_FILL = 80_000


@dataclass(frozen=True)
class Plan:
    rows: list
    # Ours first, then the peers in the order given.
    subjects: list
    rounds: int = 5
    seconds: float = 10.0
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
        total = len(self.rows) * VERIFY_A_ROW
        for subjects, rows in self.groups():
            for row in rows:
                timed = 0 if row.measure in NOT_TIMED else self.seconds_of(row)
                once = timed + START_OF_GENERATOR + LIFE.get(row.measure, 0)
                total += self.rounds_of(row) * len(subjects) * once
            if rows[0].group:
                total += SETTLE
                label_sets = max(wanted_label_sets(row.load) for row in rows)
                if label_sets:
                    fill = label_sets * FILL_SPANS_A_LABEL_SET / SPANS_A_SECOND_OF_FILL
                    total += len(subjects) * (fill + SETTLE)
        return total

"""Runs a plan: groups of rows with their programs, round by round, interleaved; cells of figures out.

A program that fails a row shows the reason there and goes on with the next one. At the end of a group
every span acknowledged in it must be counted, or all its rows of that program fail.
"""

import contextlib
from dataclasses import dataclass, field

from . import lives, measure
from .errors import Failed
from .measure import Turn
from .programs import Program
from .settling import check_label_sets, fill, filled, settle, wanted_label_sets

MEASURES = {
    "closed": measure.closed, "open": measure.open_rate, "scrape": measure.scrape, "memory": measure.memory,
    "half": lives.half, "idle": lives.idle, "memory_at_rate": lives.memory_at_rate, "growth": lives.growth,
    "overload": lives.overload, "sigterm": lives.sigterm, "first_reply": lives.first_reply, "size": lives.size,
}
# These start programs of their own: their rows have no group.
LIVES = {"half", "idle", "memory_at_rate", "growth", "overload", "sigterm", "first_reply", "size"}
# Taken when the rounds of a group are over.
LAST = {"memory"}


@dataclass
class Cell:
    """One row of one program: the figures of each round, or why there are none."""
    figures: dict = field(default_factory=dict)
    notes: list = field(default_factory=list)
    failed: str = ""
    # Why the headline is only a lower bound; empty: it is what it says.
    limited: str = ""
    label_sets: int | None = None

    def add(self, figures):
        for name, value in figures.items():
            self.figures.setdefault(name, []).append(value)

    def fail(self, reason):
        self.failed, self.figures = self.failed or reason, {}


class Session:
    def __init__(self, plan, config, generator_of, cores_of, say):
        """`generator_of` and `cores_of` answer for a row's place; `say` tells a person."""
        self.plan, self.config, self.say = plan, config, say
        self.generator_of, self.cores_of = generator_of, cores_of
        self.cells = {row.name: {subject.name: Cell() for subject in plan.subjects_of(row)} for row in plan.rows}

    def run(self):
        for subjects, rows in self.plan.groups():
            if rows[0].group:
                self._shared(subjects, rows)
            else:
                self._alone(subjects, rows[0])

    def failures(self):
        return [(row, program, cell.failed) for row, cells in self.cells.items()
                for program, cell in cells.items() if cell.failed]

    def _alone(self, subjects, row):
        for turn in range(self.plan.rounds_of(row)):
            for subject in self.plan.order(subjects, turn):
                start = lambda subject=subject, **more: Program(subject, self.config, self.cores_of(row.place), **more)
                self._take(Turn(row, subject, self.generator_of(row.place), self.plan.seconds_of(row), start=start))

    def _shared(self, subjects, rows):
        generator = self.generator_of(rows[0].place)
        last = [row for row in rows if row.measure in LAST]
        timed = [row for row in rows if row.measure not in LAST]
        with contextlib.ExitStack() as stack:
            programs = self._started(stack, subjects, rows, generator)
            for turn in range(max((self.plan.rounds_of(row) for row in timed), default=0)):
                for row in timed:
                    if turn < self.plan.rounds_of(row):
                        for subject in self.plan.order(subjects, turn):
                            self._held(programs, row, subject, generator)
            for subject in subjects:
                if subject.name in programs:
                    with self._failing(rows, subject):
                        programs[subject.name].go()
            for subject in subjects:
                if subject.name in programs:
                    with self._failing(rows, subject):
                        self._settled(programs[subject.name], rows, last, subject, generator)

    def _started(self, stack, subjects, rows, generator):
        """The group's programs by name, with its label sets in them, all held.

        They are filled one after the other but wait for their flushes together: the first one must not
        forget its series before the last one is ready.
        """
        sent = {}
        for subject in subjects:
            if all(self.cells[row.name][subject.name].failed for row in rows):
                continue  # Its load came out wrong.
            with self._failing(rows, subject):
                self.say(f"{rows[0].group}: {subject.name} fills")
                program = stack.enter_context(Program(subject, self.config, self.cores_of(rows[0].place)))
                sent[subject] = program
                fill(program, generator, rows[0].load)
        programs = {}
        for subject, program in sent.items():
            with self._failing(rows, subject):
                filled(program, rows[0].load)
                if not all(self.cells[row.name][subject.name].failed for row in rows):
                    programs[subject.name] = program
        for program in sent.values():
            program.hold()
        return programs

    def _held(self, programs, row, subject, generator):
        program = programs.get(subject.name)
        if program is None:
            return
        with self._failing([row], subject):
            is_quiet = program.go()
            turn = Turn(row, subject, generator, self.plan.seconds_of(row), program)
            if not is_quiet:
                turn.note("was still at work on its own when it began")
            self._take(turn)
            program.hold()

    def _settled(self, program, rows, last, subject, generator):
        shown = settle(program, wanted_label_sets(rows[0].load))
        if rows[0].load.cardinality:
            check_label_sets(shown.label_sets, rows[0].load)
        for row in rows:
            self.cells[row.name][subject.name].label_sets = shown.label_sets
        for row in last:
            self._take(Turn(row, subject, generator, self.plan.seconds_of(row), program))

    def _take(self, turn):
        cell = self.cells[turn.row.name][turn.subject.name]
        if cell.failed:
            return
        with self._failing([turn.row], turn.subject):
            figures = MEASURES[turn.row.measure](turn)
            cell.add(figures)
            self.say(f"{turn.row.name}: {turn.subject.name} {figures[turn.row.headline]:.6g}")
        cell.notes += [note for note in turn.notes if note not in cell.notes]
        cell.limited = cell.limited or "; ".join(turn.limits)

    @contextlib.contextmanager
    def _failing(self, rows, subject):
        """What goes wrong in the block fails these rows of this program, and nothing else."""
        try:
            yield
        except Exception as error:  # Whatever it is: the other rows took an hour and are worth keeping.
            reason = str(error) if isinstance(error, Failed) else repr(error)
            for row in rows:
                self.cells[row.name][subject.name].fail(reason)
                self.say(f"{row.name}: {subject.name} FAILED: {reason}")

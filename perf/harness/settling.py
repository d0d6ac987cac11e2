"""Before and after the timed part: make the label sets, and see that every span was counted."""

import time
from dataclasses import replace

from .errors import Failed

# Two flushes of 15 s, of which the Collector needs both; and what a busy machine adds for its scrapes.
SETTLE_SECONDS_MAX = 60
SETTLE_SECONDS_A_LABEL_SET = 0.003
PAUSE_SECONDS = 1.0
# Some routes are rare: so many spans until nearly every user of every route was seen.
FILL_SPANS_A_LABEL_SET = 8
FILL_SPANS_LEAST = 100_000
FILL_SPAN_BYTES = 300
# The share of the label sets asked for that must be there, and how many more may be.
LABEL_SETS_LEAST, LABEL_SETS_MOST = 0.9, 1.1


def wanted_label_sets(load):
    return 25 * load.cardinality + 20 if load.cardinality else 0


def fill_spans(load):
    """Spans that make nearly every label set of `load`; none where it has no users."""
    wanted = wanted_label_sets(load)
    return max(FILL_SPANS_LEAST, wanted * FILL_SPANS_A_LABEL_SET) if wanted else 0


def settle(program, label_sets=0):
    """Scrapes until everything acknowledged is counted, in calls and in durations, and gives that scrape.

    `label_sets` are about as many as there will be: a program that shows none yet may be at work on them.
    """
    least, most = program.acknowledged, program.acknowledged + program.uncertain
    begun = time.monotonic()
    while True:
        shown = program.scrape(counted=True)
        patience = SETTLE_SECONDS_MAX + SETTLE_SECONDS_A_LABEL_SET * max(label_sets, shown.label_sets)
        # An exposition without histograms of durations is no fault here: verification looks at what must be there.
        observed = shown.observed if shown.histograms else shown.calls
        if least <= shown.calls <= most and observed == shown.calls:
            program.label_sets = shown.label_sets
            return shown
        if max(shown.calls, observed) > most or time.monotonic() - begun > patience:
            raise Failed(f"shows {shown.calls} spans, {observed} in durations, of {least} acknowledged (and "
                         f"{program.uncertain} unanswered)")
        time.sleep(max(PAUSE_SECONDS, shown.seconds))


def fill(program, generator, load):
    """Sends spans of every label set of `load`, each made anew; `filled` waits until they are shown."""
    spans = fill_spans(load)
    if spans:
        filling = replace(load, span_bytes=FILL_SPAN_BYTES, spans=512, rate=0, prepared=0)
        generator.run(program, filling, "--count", spans)


def filled(program, load):
    if fill_spans(load):
        check_label_sets(settle(program, wanted_label_sets(load)).label_sets, load)


def check_label_sets(found, load):
    wanted = wanted_label_sets(load)
    if not LABEL_SETS_LEAST * wanted <= found <= LABEL_SETS_MOST * wanted:
        raise Failed(f"{found} label sets instead of about {wanted}")

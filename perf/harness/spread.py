"""Medians, spreads and intervals of a few values. Pure, and the same for the same values."""

import random
import statistics

RESAMPLES = 4_000
SEED = 1
CONFIDENCE = 0.95


def summary(values):
    """Median, extremes, and the median absolute deviation from the median."""
    median = statistics.median(values)
    return {"median": median, "min": min(values), "max": max(values), "n": len(values),
            "mad": statistics.median(abs(value - median) for value in values)}


def ratio(of, to):
    """Median of `of` over that of `to`, with its 95 % interval by bootstrap over the values of both.

    None when the median of `to` is 0. With one value on a side there is no interval: low and high are
    None.
    """
    below = statistics.median(to)
    if below == 0:
        return None
    point = statistics.median(of) / below
    if len(of) < 2 or len(to) < 2:
        return {"ratio": point, "low": None, "high": None}
    draw = random.Random(SEED)
    ratios = []
    for _ in range(RESAMPLES):
        resampled = statistics.median(draw.choices(to, k=len(to)))
        if resampled:
            ratios.append(statistics.median(draw.choices(of, k=len(of))) / resampled)
    ratios.sort()
    edge = (1 - CONFIDENCE) / 2
    return {"ratio": point, "low": ratios[int(edge * len(ratios))], "high": ratios[int((1 - edge) * len(ratios)) - 1]}


def advantage(ours, theirs, lower_is_better):
    """How many times better ours is: above 1 is better, whichever way the figure goes."""
    return ratio(theirs, ours) if lower_is_better else ratio(ours, theirs)


def verdict(found):
    """`better`, `worse`, or what keeps us from saying either, of an `advantage`."""
    if found is None:
        return "no ratio"
    if found["low"] is None:
        return "one value"
    if found["low"] > 1:
        return "better"
    return "worse" if found["high"] < 1 else "no difference seen"

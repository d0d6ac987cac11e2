"""Medians, spreads, intervals and doubt of a few values. Pure, and the same for the same values."""

import bisect
import itertools
import math
import random
import statistics

RESAMPLES = 4_000
SEED = 1
CONFIDENCE = 0.95
# What chance does more seldom than this is no chance. Of 5 and 5 values that lie apart it makes 2 in 252
# orders, of 4 and 4 already 2 in 70: with fewer values nothing can be told by them.
DOUBT = 0.01
ROUNDS_MIN = 5
# Then only what is this much better or worse counts, in percent.
SINGLE_PERCENT = 25.0
TOO_FEW = "too few rounds"
# Ways to part the values that are tried one by one; above that so many are drawn.
PARTINGS_MAX = 20_000
PARTINGS_DRAWN = 10_000


def summary(values):
    """Median, extremes, and the median absolute deviation from the median."""
    median = statistics.median(values)
    return {"median": median, "min": min(values), "max": max(values), "n": len(values),
            "mad": statistics.median(abs(value - median) for value in values)}


def ratio(of, to):
    """Median of `of` over that of `to`; its 95 % interval by bootstrap over the values of both; the chance.

    None when the median of `to` is 0. With too few values on a side `low`, `high` and `chance` are None.
    """
    below = statistics.median(to)
    if below == 0:
        return None
    point = statistics.median(of) / below
    if min(len(of), len(to)) < ROUNDS_MIN:
        return {"ratio": point, "low": None, "high": None, "chance": None}
    draw = random.Random(SEED)
    ratios = []
    for _ in range(RESAMPLES):
        resampled = statistics.median(draw.choices(to, k=len(to)))
        if resampled:
            ratios.append(statistics.median(draw.choices(of, k=len(of))) / resampled)
    ratios.sort()
    edge = (1 - CONFIDENCE) / 2
    return {"ratio": point, "low": ratios[int(edge * len(ratios))], "high": ratios[int((1 - edge) * len(ratios)) - 1],
            "chance": chance(of, to)}


def chance(some, others):
    """How often values of one kind lie as far apart as these: a permutation test, both ways.

    Of the sums of ranks: the difference of medians, of 5 and 5 values, is never rarer than 12 in 252.
    """
    ordered = sorted([*some, *others])
    # Equal values share their ranks.
    rank = lambda value: (bisect.bisect_left(ordered, value) + bisect.bisect_right(ordered, value) + 1) / 2
    ranks, count = [rank(value) for value in [*some, *others]], len(some)
    middle = count * (len(ranks) + 1) / 2
    apart = lambda part: abs(sum(part) - middle)
    found = apart(ranks[:count])
    if math.comb(len(ranks), count) <= PARTINGS_MAX:
        as_far = [apart(part) >= found for part in itertools.combinations(ranks, count)]
        return sum(as_far) / len(as_far)
    draw = random.Random(SEED)
    as_far = sum(apart(draw.sample(ranks, count)) >= found for _ in range(PARTINGS_DRAWN))
    return (as_far + 1) / (PARTINGS_DRAWN + 1)


def advantage(ours, theirs, lower_is_better):
    """How many times better ours is: above 1 is better, whichever way the figure goes."""
    return ratio(theirs, ours) if lower_is_better else ratio(ours, theirs)


def verdict(found, single_percent=SINGLE_PERCENT):
    """`better`, `worse`, or what keeps us from saying either, of an `advantage`."""
    if found is None:
        return "no ratio"
    if found["chance"] is None:
        factor = 1 + single_percent / 100
        if 1 / factor <= found["ratio"] <= factor:
            return TOO_FEW
    elif found["chance"] >= DOUBT or found["ratio"] == 1:
        return "no difference seen"
    return "better" if found["ratio"] > 1 else "worse"

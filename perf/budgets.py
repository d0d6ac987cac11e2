"""The pure parts of perf/instructions: callgrind's output in, costs by function out; budgets read,
written and compared. No process is started here and no clock is read.
"""

import json
import re
import tomllib

# Growth of a case that fails, and a gain that asks for a new record; shares.
GROWTH_MAX = 0.03
GAIN_MAX = 0.03

# A case's record keeps functions from this share of it upwards.
FUNCTION_SHARE_MIN = 0.005

# What a report names of a case that grew: so many functions, each of which grew by such a share of the case.
NAMED_MAX = 6
NAMED_SHARE_MIN = 0.001

HEADER = """\
# Instructions per unit: what each station and a whole request may cost. A case fails at 3 % above its
# line. Written by `perf/instructions --record`, held by `perf/instructions`; the functions behind a line
# stand in budgets-functions.toml. Counted with the tools named here; others may count otherwise.
"""
FUNCTIONS_HEADER = """\
# Instructions per unit in each function itself, of those that make a case up (perf/budgets.toml).
# Written by `perf/instructions --record`; names the function that grew. `a < b`: a, called by b.
"""


def self_costs(text):
    """Instructions spent in each function itself, by name, of a callgrind output file.

    A cost line belongs to the function above it, but for the one that follows `calls=`: that is what
    the callee took, and the callee has lines of its own.
    """
    names, costs = {}, {}
    function, of_callee = None, False
    for line in text.splitlines():
        if line.startswith(("fn=", "cfn=")):
            key, _, name = line.partition("=")[2].partition(" ")
            if name:
                names[key] = plain(name)
            if line.startswith("fn="):
                function = names[key]
        elif line.startswith("calls="):
            of_callee = True
        elif line and (line[0].isdigit() or line[0] in "+-*"):
            if not of_callee:
                costs[function] = costs.get(function, 0) + int(line.split()[1])
            of_callee = False
    return costs


def plain(name):
    """A function's name without what differs from build to build: hashes, clones, cycles."""
    name = re.sub(r"::h[0-9a-f]{16}\b", "", name)
    name = re.sub(r"\.llvm\.\d+|\.cold(\.\d+)?\b|'\d+(?=$|')", "", name)
    return " < ".join(part for part in name.split("'"))


def less(costs, other):
    """What `costs` has above `other`, function by function."""
    rest = {name: costs.get(name, 0) - other.get(name, 0) for name in costs.keys() | other.keys()}
    return {name: cost for name, cost in rest.items() if cost}


class Count:
    """What a case cost: instructions per unit, in all and by function."""

    def __init__(self, unit, total, functions):
        self.unit, self.total, self.functions = unit, total, functions

    @classmethod
    def of(cls, costs, units, unit):
        if units <= 0 or sum(costs.values()) <= 0:
            raise ValueError("nothing was counted")
        return cls(unit, sum(costs.values()) / units, {name: cost / units for name, cost in costs.items()})

    def top(self):
        """The functions that a record keeps."""
        return {name: cost for name, cost in self.functions.items() if cost >= self.total * FUNCTION_SHARE_MIN}


def number(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:,.1f}" if value >= 10 else f"{value:.2f}"


def percent(now, recorded):
    return f"{(now / recorded - 1) * 100:+.1f} %"


def grown(count, recorded):
    """The functions that grew most, in words. `recorded`: by name; what it lacks was too small to keep."""
    floor = count.total * FUNCTION_SHARE_MIN
    found = []
    for name, now in count.functions.items():
        before = recorded.get(name)
        if before is not None and now - before >= count.total * NAMED_SHARE_MIN:
            words = f"{percent(now, before)} ({number(before)} -> {number(now)} a {count.unit})"
            found.append((now - before, f"{name} {words}"))
        elif before is None and now >= floor:
            found.append((now, f"{name} is new among the dear ones ({number(now)} a {count.unit})"))
    named = [words for _, words in sorted(found, reverse=True)[:NAMED_MAX]]
    return named or [f"in functions below {FUNCTION_SHARE_MIN:.1%} of the case each"]


def parted(found):
    """What came of each case, as its count or as an error: counts by name, and the errors."""
    errors = {name: one for name, one in found.items() if isinstance(one, Exception)}
    return {name: one for name, one in found.items() if name not in errors}, errors


def least(counts, again):
    """The smaller count of each case that was counted again: noise only adds."""
    return {name: min(one, again.get(name, one), key=lambda it: it.total) for name, one in counts.items()}


def broken(errors):
    """What to say of cases that could not be counted: FAILED lines, what they said below."""
    lines = []
    for name, error in errors.items():
        first, *more = (str(error) or repr(error)).splitlines()
        lines += [f"FAILED  {name} was not counted: {first}", *(f"          {line}" for line in more)]
    return lines


def unlike(recorded, now):
    """`(tool, recorded version, version now)` of the tools that are others."""
    return [(name, recorded[name], version) for name, version in now.items() if recorded.get(name, version) != version]


def above(counts, budgets):
    """The cases that cost more than they may."""
    return [case for case, count in counts.items() if case in budgets and is_above(count, budgets[case])]


def is_above(count, budget):
    return count.total > budget * (1 + GROWTH_MAX)


def compare(counts, budgets, functions, every=True):
    """What to say of each case, and whether any fails. `every`: cases that were not counted fail too."""
    lines, failed = [], False
    for case, count in counts.items():
        budget = budgets.get(case)
        if budget is None:
            lines.append(f"FAILED  {case}: {number(count.total)} a {count.unit}, and no budget; record one")
            failed = True
            continue
        said = f"{case}: {number(count.total)} a {count.unit}, budget {number(budget)}, {percent(count.total, budget)}"
        if is_above(count, budget):
            failed = True
            lines.append(f"FAILED  {said}")
            lines += [f"          {words}" for words in grown(count, functions.get(case, {}))]
        elif count.total < budget * (1 - GAIN_MAX):
            lines.append(f"BETTER  {said}; record the new budget: perf/instructions --record '{case}'")
        else:
            lines.append(f"ok      {said}")
    for case in budgets if every else ():
        if case not in counts:
            lines.append(f"FAILED  {case} has a budget and was not counted")
            failed = True
    return lines, failed


def changes(counts, budgets):
    """What to say of each case that is recorded anew."""
    before = {case: budgets.get(case, count.total) for case, count in counts.items()}
    return [f"{case}: {number(before[case])} -> {number(count.total)} a {count.unit}, "
            f"{percent(count.total, before[case])}" for case, count in counts.items()]


def read(path):
    return tomllib.loads(path.read_text()) if path.exists() else {}


def written(tools, cases):
    """The text of budgets.toml. `cases`: (number, unit) by name."""
    lines = [HEADER, "[tools]"]
    lines += [f"{name} = {json.dumps(version)}" for name, version in tools.items()]
    lines += ["", "[instructions]"]
    lines += [f"{json.dumps(name)} = {total:.2f} # a {unit}" for name, (total, unit) in sorted(cases.items())]
    return "\n".join(lines) + "\n"


def written_functions(cases):
    """The text of budgets-functions.toml. `cases`: costs by function, by name."""
    lines = [FUNCTIONS_HEADER]
    for name, functions in sorted(cases.items()):
        lines.append(f"[{json.dumps(name)}]")
        dearest_first = sorted(functions.items(), key=lambda it: (-it[1], it[0]))
        lines += [f"{json.dumps(function)} = {cost:.2f}" for function, cost in dearest_first]
        lines.append("")
    return "\n".join(lines)

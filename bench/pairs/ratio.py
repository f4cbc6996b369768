"""The ratio of two series of paired measurements, with its 95 % interval (Student's t on the log ratios)."""

import json
import math
import statistics

# Two-sided 95 % quantiles of Student's t, by degrees of freedom.
T = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262, 11: 2.201, 14: 2.145, 19: 2.093}


def ratio(a, b):
    """Geometric mean of b / a, and the bounds of its interval."""
    logs = [math.log(second / first) for first, second in zip(a, b)]
    mean = statistics.mean(logs)
    half = T.get(len(logs) - 1, 2.0) * statistics.stdev(logs) / math.sqrt(len(logs)) if len(logs) > 1 else math.inf
    return math.exp(mean), math.exp(mean - half), math.exp(mean + half)


def session(path):
    """The only session of a report."""
    with open(path) as report:
        return json.load(report)["sessions"][0]

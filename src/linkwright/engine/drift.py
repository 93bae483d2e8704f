"""Owns drift: whether an Envelope's shares lie where those of the Envelopes before it lay.

Compares counts, each with the whole that it is a part of. Must not know where they come from.

Source: the two-proportion z-test with pooled variance, as in Fleiss, Levin and Paik (2003), Statistical Methods
for Rates and Proportions, chapter 3. With hundreds of thousands of records every difference is significant, so a
difference must be large as well.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

LEAST_DIFFERENCE = 0.05
"""A smaller difference of shares is not marked."""
LEAST_Z = 4.0
"""A difference that chance explains better is not marked: of 10,000 measures, chance marks less than one."""


@dataclass(frozen=True)
class Measure:
    """How many of how many. `worse`: 1 if only more of them is bad, -1 if only less, 0 if both."""

    name: str
    part_count: int
    whole_count: int
    worse: int = 0


@dataclass(frozen=True)
class Drift:
    """One measure of an Envelope beside the same of the Envelopes before it; shares are 0 to 1."""

    name: str
    share: float
    earlier_share: float
    is_marked: bool

    @property
    def difference(self) -> float:
        """The share less the earlier one, -1 to 1."""
        return self.share - self.earlier_share


def find_drift(now: Sequence[Measure], earlier: Sequence[Measure]) -> list[Drift]:
    """Compare each measure of an Envelope with all earlier ones of its name, taken together.

    A measure without an earlier one, or of nothing, is left out: there is nothing to compare.
    """
    found = []
    for measure in now:
        before = [one for one in earlier if one.name == measure.name]
        part_count, whole_count = sum(one.part_count for one in before), sum(one.whole_count for one in before)
        if not measure.whole_count or not whole_count:
            continue
        share, earlier_share = measure.part_count / measure.whole_count, part_count / whole_count
        difference = (share - earlier_share) * measure.worse if measure.worse else abs(share - earlier_share)
        z = _z(measure, Measure(measure.name, part_count, whole_count))
        found.append(Drift(measure.name, share, earlier_share, difference >= LEAST_DIFFERENCE and z >= LEAST_Z))
    return found


def _z(one: Measure, other: Measure) -> float:
    """Return how many standard deviations two shares lie apart, if both came from one source."""
    pooled = (one.part_count + other.part_count) / (one.whole_count + other.whole_count)
    variance = pooled * (1 - pooled) * (1 / one.whole_count + 1 / other.whole_count)
    difference = abs(one.part_count / one.whole_count - other.part_count / other.whole_count)
    return difference / math.sqrt(variance) if variance > 0 else 0.0

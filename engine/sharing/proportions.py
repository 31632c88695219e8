"""How sure a difference between two shares is: arithmetic on counts, nothing else."""

from math import exp, lgamma, sqrt
from statistics import NormalDist

DOUBT = 0.05
"""How probable it may be that one of all things that are said of a comparison is wrong."""


def reach(comparisons: int) -> float:
    """How many standard deviations each of so many intervals has to reach.

    Who looks at a thousand values finds fifty that stand out by chance, if each may be wrong once in twenty times. So
    they share the doubt (Bonferroni): all of them together hold but for `DOUBT`.
    """
    return NormalDist().inv_cdf(1 - DOUBT / (2 * max(1, comparisons)))


def wilson(count: int, of: int, z: float) -> tuple[float, float]:
    """Between which shares the true one lies, where `count` of `of` (at least 1) were seen: Wilson's score interval.

    It holds for small numbers as well: 0 of 3 may come from any share up to a half.
    """
    share, square = count / of, z * z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = z * sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    return max(0.0, middle - half), min(1.0, middle + half)


def difference(count: int, of: int, other: int, other_of: int, z: float) -> tuple[float, float]:
    """Between which bounds the true difference of two shares lies, the first less the other.

    The hybrid score interval, method 10 of R. G. Newcombe, Interval estimation for the difference between independent
    proportions: comparison of eleven methods, Statistics in Medicine 17 (1998), 873-890.

    Args:
        count, of: the first share, seen `count` times of `of` (at least 1).
        other, other_of: the other one.
        z: how many standard deviations it reaches, see `reach`.
    """
    first, second = count / of, other / other_of
    (low, high), (other_low, other_high) = wilson(count, of, z), wilson(other, other_of, z)
    seen = first - second
    return (
        seen - sqrt((first - low) ** 2 + (other_high - second) ** 2),
        seen + sqrt((high - first) ** 2 + (second - other_low) ** 2),
    )


def chance(count: int, of: int, other: int, other_of: int) -> float:
    """How probable it is that chance alone makes the first share so much greater than the second, or still greater.

    Fisher's exact test, one-sided: whatever the numbers, small ones as well, where an interval is but near the truth.

    Args: see `difference`.
    """
    both, everybody = count + other, of + other_of
    # Of all ways to choose which of them have it, those in which `count` or more of the first side do: each term from
    # the one before.
    term = exp(_choose(of, count) + _choose(other_of, other) - _choose(everybody, both))
    total, seen = 0.0, count
    while term > total * 1e-12:
        total += term
        seen += 1
        term *= (of - seen + 1) * (both - seen + 1) / (seen * (other_of - both + seen))
    return min(1.0, total)


def _choose(of: int, count: int) -> float:
    """The logarithm of in how many ways `count` can be chosen of `of`."""
    return lgamma(of + 1) - lgamma(count + 1) - lgamma(of - count + 1)

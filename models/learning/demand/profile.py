"""How a machine's units spread over the hours of the week and over its products."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.learning.demand.history import DailyDemand
from models.learning.demand.localtime import HOUR, FloatArray, weekdays

_DAYS = 84
_HALF_LIFE_DAYS = 28.0
# Units that the hours of all days, and an even spread, count for beside those of a weekday's own.
_SHRINKAGE_UNITS = 10.0
_FEWEST_TIMED = 10


def hour_of_week(demand: DailyDemand) -> FloatArray:
    """Return (7, 24) shares of each weekday's units by local hour, Monday first; every row adds up to 1.

    Means over twelve weeks, newer ones weighing more, shrunk towards the hours of all days and those towards an even
    spread, the more the fewer sales there are. Sales that carry a date only do not count: an exact time of day that
    most sales share is taken for such a date's stand-in.
    """
    weights = demand.units * _recency(demand)
    weights = np.where(_is_timed(demand), weights, 0.0)
    weekday = weekdays(demand.first_day + demand.day)
    hours = np.bincount(weekday * 24 + demand.clock_micros // HOUR, weights, 7 * 24).reshape(7, 24)
    overall = (hours.sum(axis=0) + _SHRINKAGE_UNITS / 24) / (hours.sum() + _SHRINKAGE_UNITS)
    return (hours + _SHRINKAGE_UNITS * overall) / (hours.sum(axis=1, keepdims=True) + _SHRINKAGE_UNITS)


@dataclass(frozen=True, slots=True, eq=False)
class ProductMix:
    """The products' parts of a machine's units.

    Attributes:
        shares: (p,) share of each product; 0 for one that did not sell. They add up to 1, or to less where sales of
            no known product are among the machine's.
        evidence: (p,) units that the share rests on: sold in the last twelve weeks, discounted by age.
        sold: (p,) units sold in the last twelve weeks.
    """

    shares: FloatArray
    evidence: FloatArray
    sold: FloatArray


def product_mix(demand: DailyDemand) -> ProductMix:
    """Return the shares by recency-weighted rates: units by the weight of the days that a product was there."""
    count = len(demand.stocked_from)
    recency = _recency(demand)
    # Sales of no known product share one more place at the end.
    product = np.where(demand.product < 0, count, demand.product)
    weighted = np.bincount(product, demand.units * recency, count + 1)
    squares = np.bincount(product, demand.units * recency**2, count + 1)[:count]
    sold = np.bincount(product, np.where(recency > 0, demand.units, 0.0), count + 1)[:count]
    rates = weighted / np.append(_exposure(demand), 1.0)
    total = rates.sum()
    return ProductMix(
        shares=rates[:count] / total if total else np.zeros(count),
        evidence=np.divide(weighted[:count] ** 2, squares, out=np.zeros(count), where=squares > 0),
        sold=sold.astype(np.float64),
    )


def _exposure(demand: DailyDemand) -> FloatArray:
    """Return (p,) share of the recency-weighted days on which each product was in the machine; of one day at least."""
    age = np.arange(len(demand.totals), 0.0, -1.0)
    weight = np.where(age <= _DAYS, 0.5 ** (age / _HALF_LIFE_DAYS), 0.0)
    since = np.concatenate([np.cumsum(weight[::-1])[::-1], [0.0]])
    if not since[0]:
        return np.ones(len(demand.stocked_from))
    inside = since[np.minimum(demand.stocked_from, len(weight))]
    return np.maximum(inside, weight[-1]) / since[0]


def _recency(demand: DailyDemand) -> FloatArray:
    age = len(demand.totals) - demand.day
    return np.where(age <= _DAYS, 0.5 ** (age / _HALF_LIFE_DAYS), 0.0)


def _is_timed(demand: DailyDemand) -> NDArray[np.bool_]:
    values, counts = np.unique(demand.clock_micros, return_counts=True)
    if len(demand.day) < _FEWEST_TIMED or counts.max() * 2 <= counts.sum():
        return np.ones(len(demand.day), np.bool_)
    return demand.clock_micros != values[np.argmax(counts)]

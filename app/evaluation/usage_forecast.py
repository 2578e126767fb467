"""How well the hour-of-week profile forecasts days that it has not seen, beside plainer ways."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models.learning.demand.localtime import FloatArray
from models.learning.usage import Calendar, profiles

_MOST_DAYS = 28
_FEWEST_DAYS = 4
PROFILE = "hour-of-week profile"


@dataclass(frozen=True, slots=True)
class ForecastErrors:
    """Errors of hourly amounts over days that were held out.

    Attributes:
        days: how many were.
        rmse: root mean squared error of each method, in the amounts' unit.
        mae: mean absolute error of each method; it favours forecasting nothing where most hours are empty.
    """

    days: int
    rmse: Mapping[str, float]
    mae: Mapping[str, float]


def forecast_errors(amounts: FloatArray, seconds: FloatArray, first_hour: int, zone: str) -> ForecastErrors | None:
    """Learn from all but the last third of the days (28 at most), then forecast these.

    "Yesterday" and "last week" look at what was, up to a day or a week before the hour; the others learn once.

    Args:
        amounts: (hours,) sums.
        seconds: (hours,) that they cover; hours not wholly covered are not compared.
        first_hour: hours from 1970 to the first.
        zone: IANA name.

    Returns:
        None with fewer than four days.
    """
    days = min(len(amounts) // 24 // 3, _MOST_DAYS)
    if len(amounts) // 24 < _FEWEST_DAYS:
        return None
    split = len(amounts) - 24 * days
    calendar = Calendar.of(first_hour, len(amounts), zone)
    past = Calendar.of(first_hour, split, zone)
    learnt = profiles(amounts[None, :split], seconds[None, :split], past)
    covered = seconds[:split].sum()
    flat = amounts[:split].sum() / max(covered, 1.0) * 3600
    places = np.arange(split, len(amounts))
    forecasts = {
        PROFILE: learnt.hour_of_week[0][calendar.cell[places]],
        "hour-of-day mean": learnt.hour_of_day[0][calendar.hour[places]],
        "same hour yesterday": amounts[places - 24],
        "flat": np.full(len(places), flat),
    }
    if split >= 168:
        forecasts["same hour last week"] = amounts[places - 168]
    known = seconds[places] >= 3599
    known &= np.isfinite(np.stack(list(forecasts.values()))).all(axis=0)
    if not known.any():
        return None
    errors = {method: (forecast - amounts[places])[known] for method, forecast in forecasts.items()}
    return ForecastErrors(
        days=days,
        rmse={method: float(np.sqrt(np.mean(error**2))) for method, error in errors.items()},
        mae={method: float(np.mean(np.abs(error))) for method, error in errors.items()},
    )

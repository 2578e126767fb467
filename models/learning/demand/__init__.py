"""The demand of a machine: which forecast suits it, and when each of its products sells out.

Two steps, so that the costly one can be made daily and stored:

    choice = choose(history)                              # rolling backtest, tens of milliseconds a machine
    found = forecast(history, choice, quantities)         # of one machine; `forecasts` of many at once
"""

from models.learning.demand.backtest import BACKTEST_DAYS, Backtest, backtest, choose, pick
from models.learning.demand.candidates import CANDIDATES, Candidate, DemandForecaster
from models.learning.demand.choice import Choice, Method, Reason
from models.learning.demand.history import HISTORY_DAYS, DailyDemand, MachineHistory, daily_demand
from models.learning.demand.outlook import HORIZON_DAYS, Outlook, outlook
from models.learning.demand.series import DailySeries
from models.learning.demand.stock import StockForecast, forecast, forecasts, quantities_to_load

__all__ = [
    "BACKTEST_DAYS",
    "CANDIDATES",
    "HISTORY_DAYS",
    "HORIZON_DAYS",
    "Backtest",
    "Candidate",
    "Choice",
    "DailyDemand",
    "DailySeries",
    "DemandForecaster",
    "MachineHistory",
    "Method",
    "Outlook",
    "Reason",
    "StockForecast",
    "backtest",
    "choose",
    "daily_demand",
    "forecast",
    "forecasts",
    "outlook",
    "pick",
    "quantities_to_load",
]

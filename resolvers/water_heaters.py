"""Water heaters: registered, changed, and controlled within their limits."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from models.devices.water_heater import COLDEST_TARGET, HOTTEST_TARGET, MODES, HeaterType, WaterHeaterMode
from models.errors import BadUserInput
from models.repositories import device_changes
from models.repositories.water_heaters import add_control_change
from models.statements import Row
from models.store import Transaction
from resolvers import checks, devices
from resolvers.context import Scope
from resolvers.registration import device_values, new_device, refuse_nulls

KIND = "WATER_HEATER"

_DETAILS = {
    "target_temperature": "targetTemperature",
    "min_temperature": "minTemperature",
    "max_temperature": "maxTemperature",
    "mode": "mode",
    "heater_type": "heaterType",
    "capacity_liters": "capacityLiters",
    "rated_power_watts": "ratedPowerWatts",
}


async def create(scope: Scope, given: Mapping[str, Any]) -> Row:
    """Register a water heater.

    Args:
        scope: of the operation.
        given: values by column name, with the enums as enums.

    Raises: BadUserInput for values that make no water heater; Conflict for a serial number in use.
    """
    now = scope.services.clock()
    values = new_device(KIND, given, now)
    details = {name: given[name] for name in _DETAILS}
    _check_details(details)
    async with scope.store.transaction() as transaction:
        device_id = await device_changes.add(transaction, values, _stored(details))
    return await _read(scope, device_id)


async def update(scope: Scope, device_id: int, version: int | None, given: Mapping[str, Any]) -> Row:
    """Change what is given of a water heater; a change of its controls is recorded.

    Args:
        scope: of the operation.
        device_id: which one.
        version: what the caller saw; None for "as it is now".
        given: new values by column name; what is absent stays.

    Raises: NotFound; Conflict for a stale version; BadUserInput for values that do not fit together.
    """
    now = scope.services.clock()
    refuse_nulls(given, _DETAILS)
    values = device_values(given, now)
    async with scope.store.transaction() as transaction:
        before = await devices.locked(transaction, device_id, version, kind=KIND)
        details = {name: given.get(name, _enum(name, before[name])) for name in _DETAILS}
        _check_details(details)
        changed = {name: value for name, value in _stored(details).items() if value != before[name]}
        await device_changes.change(transaction, device_id, before["version"], at=now, values=values)
        if changed:
            await device_changes.change_details(transaction, KIND, device_id, changed)
        await _record_controls(transaction, scope, before, changed, now)
    return await _read(scope, device_id)


async def _read(scope: Scope, device_id: int) -> Row:
    return (await devices.required(scope, [device_id], None, kind=KIND))[0]


def _check_details(details: Mapping[str, Any]) -> None:
    lowest, highest = details["min_temperature"], details["max_temperature"]
    checks.number(lowest, "minTemperature", "°C", lowest=COLDEST_TARGET, highest=HOTTEST_TARGET)
    checks.number(highest, "maxTemperature", "°C", lowest=COLDEST_TARGET, highest=HOTTEST_TARGET)
    if lowest >= highest:
        raise BadUserInput(
            f"'minTemperature' ({lowest:g} °C) must be below 'maxTemperature' ({highest:g} °C).",
            input_path=("input", "minTemperature"),
        )
    checks.number(details["target_temperature"], "targetTemperature", "°C", lowest=lowest, highest=highest)
    checks.number(details["capacity_liters"], "capacityLiters", "L", lowest=0.1, highest=100_000)
    checks.number(details["rated_power_watts"], "ratedPowerWatts", "W", lowest=1, highest=200_000)
    check_mode(details["heater_type"], details["mode"])


def check_mode(heater_type: HeaterType, mode: WaterHeaterMode) -> None:
    """Do nothing if a type of heater has a mode; raises BadUserInput naming the modes that it has."""
    allowed = MODES[heater_type]
    if mode not in allowed:
        names = [each.value for each in allowed]
        raise BadUserInput(
            f"A {heater_type.value} heater has no mode {mode.value}; it has {', '.join(names)}.",
            input_path=("input", "mode"),
            allowed=names,
        )


def _stored(details: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.value if isinstance(value, HeaterType | WaterHeaterMode) else value
        for name, value in details.items()
    }


def _enum(name: str, value: Any) -> Any:
    return WaterHeaterMode(value) if name == "mode" else HeaterType(value) if name == "heater_type" else value


async def _record_controls(
    transaction: Transaction, scope: Scope, before: Row, changed: Mapping[str, Any], now: datetime
) -> None:
    controls = {name: changed[name] for name in ("target_temperature", "mode") if name in changed}
    if not controls:
        return
    change: dict[str, Any] = {"device_id": before["id"], "changed_at": now, "changed_by": scope.principal.name}
    for name, value in controls.items():
        change |= {f"old_{name}": before[name], f"new_{name}": value}
    await add_control_change(transaction, change)

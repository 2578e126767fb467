"""Arguments coerced in one pass: the same as graphql-core and Strawberry make of them, or left to these."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from graphql import parse
from graphql.execution.values import get_argument_values, get_variable_values
from strawberry.types.arguments import convert_arguments

from models.readings import packed
from schema import SCHEMA
from schema.coercion import coercer
from schema.columns import Columns, columns_of
from schema.kinds.water_heater_inputs import WaterHeaterReadingInput
from schema.leaves import Unexpected

CORE: Any = SCHEMA._schema

READING = {"deviceId": "V2F0ZXJIZWF0ZXI6MQ==", "recordedAt": "2026-01-31T12:00:00Z", "temperature": 50.5}
INPUTS: dict[str, list[Any]] = {
    "recordWaterHeaterReadings": [
        {"readings": [READING]},
        {"readings": [READING, {**READING, "heating": True, "temperature": None, "power": 1200}]},
        {"readings": [{**READING, "temperature": 7}, {**READING, "recordedAt": "2026-01-31T13:00:00+01:00"}]},
        {"readings": []},
    ],
    "setTargetTemperature": [{"id": "x", "targetTemperature": 55}, {"id": "x", "targetTemperature": 5.5, "version": 3}],
    "setWaterHeaterMode": [{"id": "x", "mode": "ECO", "version": None}],
    "updateWaterHeater": [{"id": "x", "version": 1}, {"id": "x", "version": 1, "name": "B", "location": None}],
    "createWaterHeater": [{"name": "A", "serialNumber": "S"}, {"name": "A", "serialNumber": "S", "heaterType": "GAS"}],
    "recordMaintenance": [
        {
            "deviceId": "x",
            "kind": "REPAIR",
            "performedAt": "2026-01-31T12:00:00Z",
            "cost": {"amount": "12.50", "currency": "EUR"},
            "parts": [{"name": "anode", "quantity": 2}, {"name": "seal", "partNumber": "7"}],
        }
    ],
}
WRONG: dict[str, list[Any]] = {
    "recordWaterHeaterReadings": [
        None,
        [],
        {},
        {"readings": None},
        {"readings": READING},
        {"readings": [None]},
        {"readings": [READING, "x"]},
        {"readings": [{**READING, "unknown": 1}]},
        {"readings": [READING, {"deviceId": "x", "temperature": 1.0}]},
        {"readings": [{"deviceId": "x"}]},
        {"readings": [{**READING, "deviceId": None}]},
        {"readings": [{**READING, "deviceId": 1.5}]},
        {"readings": [{**READING, "temperature": "hot"}]},
        {"readings": [{**READING, "temperature": True}]},
        {"readings": [{**READING, "temperature": 10**400}]},
        {"readings": [{**READING, "heating": 1}]},
        {"readings": [{**READING, "recordedAt": "2026-01-31T12:00:00"}]},
        {"readings": [{**READING, "recordedAt": 5}]},
        {"readings": [READING], "more": 1},
    ],
    "setTargetTemperature": [
        {"id": "x"},
        {"id": "x", "targetTemperature": None},
        {"id": ["x"], "targetTemperature": 1},
        {"id": "x", "targetTemperature": 1, "version": 2**31},
        {"id": "x", "targetTemperature": 1, "version": 1.0},
    ],
    "setWaterHeaterMode": [{"id": "x", "mode": "eco"}, {"id": "x", "mode": ["ECO"]}, {"id": "x", "mode": {}}],
    "recordMaintenance": [{"deviceId": "x", "kind": "REPAIR", "performedAt": "2026-01-31T12:00:00Z", "cost": "12"}],
}


def _ordinary(field_name: str, value: Any) -> Any:
    """Return what graphql-core and Strawberry make of an input."""
    type_name = f"{CORE.mutation_type.fields[field_name].args['input'].type}"
    document = parse(f"mutation ($input: {type_name}) {{ {field_name}(input: $input) {{ __typename }} }}")
    operation: Any = document.definitions[0]
    variables = get_variable_values(CORE, operation.variable_definitions, {"input": value})
    assert not isinstance(variables, list)
    field = CORE.mutation_type.fields[field_name]
    arguments = get_argument_values(field, operation.selection_set.selections[0], variables)
    definition = field.extensions["strawberry-definition"]
    registry: Any = SCHEMA.schema_converter.scalar_registry
    return convert_arguments(arguments, definition.arguments, registry, SCHEMA.config)["input"]


def _plain(value: Any) -> Any:
    """Return an input with its columns as a list of inputs."""
    readings = getattr(value, "readings", None)
    if readings is None:
        return value
    names = tuple(WaterHeaterReadingInput.__dataclass_fields__)
    columns = columns_of(readings, names)
    absent = [None] * columns.count
    return {name: list(columns.fields.get(name, absent)) for name in names}


@pytest.mark.parametrize(("field_name", "value"), [(name, value) for name, each in INPUTS.items() for value in each])
def test_what_is_well_formed_is_coerced_the_same(field_name, value):
    """The one pass makes the inputs that the two ordinary ones make."""
    fast = coercer(CORE.mutation_type.fields[field_name].args["input"].type)(value)
    assert _plain(fast) == _plain(_ordinary(field_name, value))


@pytest.mark.parametrize(("field_name", "value"), [(name, value) for name, each in WRONG.items() for value in each])
def test_anything_else_is_left_to_the_ordinary_way(field_name, value):
    """What is not well formed, or takes a conversion that few clients need, is not guessed."""
    with pytest.raises(Unexpected):
        coercer(CORE.mutation_type.fields[field_name].args["input"].type)(value)


def test_readings_arrive_as_columns():
    """No object is made for a reading; a channel that none has is absent."""
    convert = coercer(CORE.mutation_type.fields["recordWaterHeaterReadings"].args["input"].type)
    columns = convert({"readings": [READING, {**READING, "temperature": None}]}).readings
    assert isinstance(columns, Columns)
    assert columns.count == 2
    assert {name: list(values) for name, values in columns.fields.items()} == {
        "device_id": [READING["deviceId"]] * 2,
        "recorded_at": [datetime(2026, 1, 31, 12, tzinfo=UTC)] * 2,
        "temperature": [50.5, None],
    }


def test_many_instants_arrive_as_numbers():
    """Microseconds of a long list in UTC; the same readings as by the ordinary way, whatever the list looks like."""
    convert = coercer(CORE.mutation_type.fields["recordWaterHeaterReadings"].args["input"].type)
    rows = [{**READING, "recordedAt": f"2026-01-31T12:{place % 60:02}:00.{place:06}Z"} for place in range(500)]
    uneven = [{**row, "power": float(place)} if place % 3 else row for place, row in enumerate(rows)]
    elsewhere = [*rows[1:], {**READING, "recordedAt": "2026-01-31T13:00:00.000000+01:00"}]
    for given, is_array in ((rows, True), (uneven, True), (rows[:5], False), (elsewhere, False)):
        made = convert({"readings": given}).batch()
        assert isinstance(made.recorded_at, np.ndarray) == is_array
        found, expected = packed([made]), packed([_ordinary("recordWaterHeaterReadings", {"readings": given}).batch()])
        assert found.names == expected.names
        for name in ("device_ids", "micros", "values"):
            np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


def test_decimals_are_exact():
    """Money never passes through a float."""
    (value,) = INPUTS["recordMaintenance"]
    made = coercer(CORE.mutation_type.fields["recordMaintenance"].args["input"].type)(value)
    assert made.cost.amount == Decimal("12.50")

"""What is asked: GraphQL documents, and for each the one SQL statement whose JSON is the same answer."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import cycle
from typing import Any

import orjson

from models.charts import ORIGIN, bucket_width

DAYS = 30
_CHART_POINTS = 500
# Neighbouring requests ask for different devices, as clients do.
_DEVICE_STEP = 37


@dataclass(frozen=True, slots=True)
class Document:
    """One kind of request.

    Attributes:
        name: short, and the path at which the bare endpoint answers it.
        title: what it asks for.
        text: GraphQL.
        sql: the bare endpoint's statement; $1 is the device's id where `asks_device`.
        asks_device: the document takes the id of a water heater.
        variables: beside the id.
    """

    name: str
    title: str
    text: str
    sql: str
    asks_device: bool
    variables: dict[str, Any] = field(default_factory=dict[str, Any])

    def body(self, device_id: int) -> bytes:
        """Return the body of a request."""
        own = {"id": global_id(device_id)} if self.asks_device else {}
        return orjson.dumps({"query": self.text, "variables": {**own, **self.variables}})

    def bodies(self, devices: int) -> Iterator[bytes]:
        """Yield bodies of requests for ever."""
        ids = [1 + (index * _DEVICE_STEP) % devices for index in range(devices)] if self.asks_device else [1]
        return cycle([self.body(device_id) for device_id in ids])


def global_id(device_id: int) -> str:
    """Return the global id of a water heater."""
    return base64.b64encode(f"WaterHeater:{device_id}".encode()).decode()


POINT = Document(
    "point",
    "one device, 8 fields",
    """query Point($id: ID!) {
  waterHeater(id: $id) { id name serialNumber status location firmwareVersion targetTemperature mode }
}""",
    """SELECT json_build_object('data', json_build_object('waterHeater', (
  SELECT row_to_json(x) FROM (
    SELECT encode(('WaterHeater:' || d.id)::bytea, 'base64') AS id, d.name, d.serial_number AS "serialNumber",
      d.status, d.location, d.firmware_version AS "firmwareVersion",
      w.target_temperature AS "targetTemperature", w.mode
    FROM devices d JOIN water_heaters w ON w.device_id = d.id WHERE d.id = $1) x)))""",
    asks_device=True,
)

FLEET = Document(
    "fleet",
    "50 devices with latest reading",
    """query Fleet {
  waterHeaters(first: 50) {
    nodes {
      id name serialNumber status location lastSeenAt targetTemperature mode
      latestReading { recordedAt temperature pressure flowRate power heating }
    }
  }
}""",
    """SELECT json_build_object('data', json_build_object('waterHeaters', json_build_object('nodes', (
  SELECT json_agg(x) FROM (
    SELECT encode(('WaterHeater:' || d.id)::bytea, 'base64') AS id, d.name, d.serial_number AS "serialNumber",
      d.status, d.location, d.last_seen_at AS "lastSeenAt", w.target_temperature AS "targetTemperature", w.mode,
      row_to_json(r) AS "latestReading"
    FROM (SELECT * FROM devices WHERE kind = 'WATER_HEATER' ORDER BY name, id LIMIT 50) d
    JOIN water_heaters w ON w.device_id = d.id
    LEFT JOIN LATERAL (
      SELECT recorded_at AS "recordedAt", temperature, pressure, flow_rate AS "flowRate", power, heating
      FROM water_heater_readings WHERE device_id = d.id AND recorded_at = d.latest_reading_at) r ON true
    ORDER BY d.name, d.id) x))))""",
    asks_device=False,
)

HISTORY = Document(
    "history",
    "1,000 newest readings of one device, 7 fields",
    """query History($id: ID!) {
  waterHeater(id: $id) {
    id
    readings(first: 1000) { nodes { recordedAt temperature inletTemperature pressure flowRate power energy } }
  }
}""",
    """SELECT json_build_object('data', json_build_object('waterHeater', (
  SELECT json_build_object(
    'id', encode(('WaterHeater:' || d.id)::bytea, 'base64'), 'readings', json_build_object('nodes', (
      SELECT json_agg(x) FROM (
        SELECT recorded_at AS "recordedAt", temperature, inlet_temperature AS "inletTemperature", pressure,
          flow_rate AS "flowRate", power, energy
        FROM water_heater_readings WHERE device_id = d.id ORDER BY recorded_at DESC LIMIT 1000) x)))
  FROM devices d WHERE d.id = $1)))""",
    asks_device=True,
)

WIDE = Document(
    "wide",
    "20 devices with 100 readings each, 5 fields",
    """query Wide {
  waterHeaters(first: 20) {
    nodes { id name readings(first: 100) { nodes { recordedAt temperature pressure flowRate power } } }
  }
}""",
    """SELECT json_build_object('data', json_build_object('waterHeaters', json_build_object('nodes', (
  SELECT json_agg(x) FROM (
    SELECT encode(('WaterHeater:' || d.id)::bytea, 'base64') AS id, d.name,
      json_build_object('nodes', r.nodes) AS readings
    FROM (SELECT id, name FROM devices WHERE kind = 'WATER_HEATER' ORDER BY name, id LIMIT 20) d
    CROSS JOIN LATERAL (
      SELECT json_agg(y) AS nodes FROM (
        SELECT recorded_at AS "recordedAt", temperature, pressure, flow_rate AS "flowRate", power
        FROM water_heater_readings WHERE device_id = d.id ORDER BY recorded_at DESC LIMIT 100) y) r
    ORDER BY d.name, d.id) x))))""",
    asks_device=False,
)


def history_chart(end: datetime) -> Document:
    """Return the document of a chart of the days before the end of the history."""
    start = end - timedelta(days=DAYS)
    width = bucket_width(start, end, _CHART_POINTS)
    return Document(
        "history_chart",
        f"chart of {DAYS} days, 2 metrics, at most {_CHART_POINTS} points each",
        """query HistoryChart($id: ID!, $from: DateTime!, $to: DateTime!, $maxPoints: Int!) {
  waterHeater(id: $id) {
    series(metrics: [TEMPERATURE, POWER], from: $from, to: $to, maxPoints: $maxPoints, method: AVERAGE) {
      metric unit method resolutionSeconds timestamps values
    }
  }
}""",
        # The texts are dates and a number of this module.
        f"""SELECT json_build_object('data', json_build_object('waterHeater', (
  SELECT json_build_object('series', json_build_array(
    json_build_object('metric', 'TEMPERATURE', 'unit', '°C', 'method', 'AVERAGE', 'resolutionSeconds', {width},
      'timestamps', at, 'values', temperatures),
    json_build_object('metric', 'POWER', 'unit', 'W', 'method', 'AVERAGE', 'resolutionSeconds', {width},
      'timestamps', at, 'values', powers)))
  FROM (
    SELECT array_agg(at ORDER BY at) AS at, array_agg(temperature ORDER BY at) AS temperatures,
      array_agg(power ORDER BY at) AS powers
    FROM (
      SELECT date_bin('{width} seconds', recorded_at, '{ORIGIN.isoformat()}') AS at, avg(temperature) AS temperature,
        avg(power) AS power
      FROM water_heater_readings
      WHERE device_id = (SELECT id FROM devices WHERE id = $1)
        AND recorded_at >= '{start.isoformat()}' AND recorded_at < '{end.isoformat()}'
      GROUP BY 1) buckets) line)))""",
        asks_device=True,
        variables={"from": start.isoformat(), "to": end.isoformat(), "maxPoints": _CHART_POINTS},
    )

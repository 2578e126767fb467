"""Three documents to try: what the terminal shows at the start, and GraphiQL in its tabs."""

from typing import NamedTuple

from models.paging import Window
from models.repositories import devices
from models.repositories.devices import DeviceFilter, DeviceOrder
from models.store import Store
from schema import ids

_NO_HEATER = "id-of-a-water-heater"


class Examples(NamedTuple):
    """One document of each type of operation; they need no variables."""

    query: str
    mutation: str
    subscription: str


def examples(heater_id: str = _NO_HEATER) -> Examples:
    """Return the documents, about the water heater with this global id."""
    return Examples(
        """\
# The fleet at a glance, and how each heater is.
query Fleet {
  fleet {
    deviceCount
    devicesByStatus { status count }
    openAnomaliesBySeverity { severity count }
    openAlertsBySeverity { severity count }
  }
  devices(first: 10) {
    edges {
      node {
        id
        name
        status
        ... on WaterHeater {
          targetTemperature
          mode
          latestReading { recordedAt temperature power }
        }
      }
    }
  }
}
""",
        f"""\
# Set a heater to 58 °C; the demo's simulator obeys.
mutation Warmer {{
  setTargetTemperature(input: {{ id: "{heater_id}", targetTemperature: 58 }}) {{
    waterHeater {{ name targetTemperature version }}
  }}
}}
""",
        """\
# Anomalies of the whole fleet, as they are found. The demo stages one each minute.
subscription Anomalies {
  anomalyDetected {
    cursor
    change
    anomaly { id metric severity score explanation detectedAt device { name } }
  }
}
""",
    )


async def examples_for(store: Store) -> Examples:
    """Return the documents about a heater of the database, one that is online where there is one.

    Raises:
        Unavailable: the database cannot be reached.
    """
    for statuses in (("ONLINE",), None):
        wanted = DeviceFilter(kinds=("WATER_HEATER",), statuses=statuses)
        page = await devices.page(store, wanted, DeviceOrder(), Window(1, None, backward=False), frozenset({"id"}))
        if page.rows:
            return examples(ids.encode("WaterHeater", page.rows[0]["id"]))
    return examples()

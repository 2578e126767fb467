"""What frontends ask for: the documents of pages, and for each the one SQL statement whose JSON is the same answer."""

from tests.benchmarks.documents import Document

_DEVICE_ID = (
    "encode((CASE d.kind WHEN 'WATER_HEATER' THEN 'WaterHeater:' ELSE 'VendingMachine:' END || d.id)::bytea, 'base64')"
)


def global_id(type_name: str, column: str) -> str:
    """Return the SQL of the global id of a row."""
    return f"encode(('{type_name}:' || {column})::bytea, 'base64')"


def cursor(order: str, at: str, *more: str) -> str:
    """Return the SQL of the cursor of a row: base64 of a JSON list, in the letters of URLs.

    Args:
        order: name of the list and its order.
        at: SQL of the instant by which the row is sorted.
        more: SQL of the numbers behind it.
    """
    values = "".join(f" || ',' || {each}" for each in more)
    text = f"'[\"{order}\",[' || (extract(epoch FROM {at}) * 1000000)::bigint || ']'{values} || ']'"
    return f"rtrim(translate(encode(({text})::bytea, 'base64'), E'+/\\n', '-_'), '=')"


DEVICE_LIST = Document(
    "device_list",
    "50 devices of two kinds, newest first, with latest readings, cursors and the number of all",
    """query DeviceList($first: Int!, $after: String, $filter: DeviceFilter, $orderBy: DeviceOrder) {
  devices(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
    totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges {
      cursor
      node {
        __typename id kind name serialNumber manufacturer model firmwareVersion location status lastSeenAt installedAt
        ... on WaterHeater { targetTemperature mode latestReading { recordedAt temperature } }
        ... on VendingMachine { machineType latestReading { recordedAt cabinetTemperature } lowStockProductCount }
      }
    }
  }
}""",
    # The texts are constants of this module.
    f"""WITH found AS (SELECT * FROM devices ORDER BY created_at DESC, id DESC LIMIT 51),
page AS (
  SELECT d.*, {cursor("devices.created_at.desc", "d.created_at", "d.id")} AS cursor
  FROM (SELECT * FROM found ORDER BY created_at DESC, id DESC LIMIT 50) d)
SELECT json_build_object('data', json_build_object('devices', json_build_object(
  'totalCount', (SELECT count(*) FROM devices),
  'pageInfo', json_build_object('hasNextPage', (SELECT count(*) > 50 FROM found), 'hasPreviousPage', false,
    'startCursor', (SELECT cursor FROM page ORDER BY created_at DESC, id DESC LIMIT 1),
    'endCursor', (SELECT cursor FROM page ORDER BY created_at, id LIMIT 1)),
  'edges', (
    SELECT json_agg(json_build_object('cursor', d.cursor, 'node',
      CASE d.kind WHEN 'WATER_HEATER' THEN row_to_json(h) ELSE row_to_json(m) END)
      ORDER BY d.created_at DESC, d.id DESC)
    FROM page d
    LEFT JOIN LATERAL (
      SELECT 'WaterHeater' AS "__typename", {global_id("WaterHeater", "d.id")} AS id, d.kind, d.name,
        d.serial_number AS "serialNumber", d.manufacturer, d.model, d.firmware_version AS "firmwareVersion",
        d.location, d.status, d.last_seen_at AS "lastSeenAt", d.installed_at AS "installedAt",
        w.target_temperature AS "targetTemperature", w.mode, row_to_json(r) AS "latestReading"
      FROM water_heaters w LEFT JOIN LATERAL (
        SELECT recorded_at AS "recordedAt", temperature FROM water_heater_readings
        WHERE device_id = d.id AND recorded_at = d.latest_reading_at) r ON true
      WHERE w.device_id = d.id) h ON d.kind = 'WATER_HEATER'
    LEFT JOIN LATERAL (
      SELECT 'VendingMachine' AS "__typename", {global_id("VendingMachine", "d.id")} AS id, d.kind, d.name,
        d.serial_number AS "serialNumber", d.manufacturer, d.model, d.firmware_version AS "firmwareVersion",
        d.location, d.status, d.last_seen_at AS "lastSeenAt", d.installed_at AS "installedAt",
        v.machine_type AS "machineType", row_to_json(r) AS "latestReading", (
          SELECT count(*) FROM vending_machine_products
          WHERE device_id = d.id AND removed_at IS NULL AND quantity <= low_stock_threshold) AS "lowStockProductCount"
      FROM vending_machines v LEFT JOIN LATERAL (
        SELECT recorded_at AS "recordedAt", cabinet_temperature AS "cabinetTemperature" FROM vending_machine_readings
        WHERE device_id = d.id AND recorded_at = d.latest_reading_at) r ON true
      WHERE v.device_id = d.id) m ON d.kind = 'VENDING_MACHINE'))))""",
    asks_device=False,
    variables={"first": 50, "orderBy": {"field": "CREATED_AT", "direction": "DESC"}},
)

WATER_HEATER_PAGE = Document(
    "water_heater_page",
    "all that the page of a heater shows: 100 readings, work, open anomalies, alerts",
    """query WaterHeaterPage($id: ID!) {
  waterHeater(id: $id) {
    id name serialNumber status mode heaterType capacityLiters ratedPowerWatts targetTemperature minTemperature
    maxTemperature version
    latestReading { recordedAt temperature inletTemperature pressure flowRate power energy heating }
    readings(first: 100) {
      pageInfo { hasNextPage endCursor }
      nodes { recordedAt temperature pressure flowRate power energy }
    }
    maintenanceRecords(first: 10) { nodes { id kind performedAt performedBy notes cost { amount currency } } }
    anomalies(first: 10, filter: { states: [OPEN] }) {
      nodes {
        id metric score severity state detectedAt reading { recordedAt ... on WaterHeaterReading { temperature } }
      }
    }
    alerts(first: 10) { nodes { id kind severity state message raisedAt acknowledgedAt resolvedAt } }
  }
}""",
    f"""SELECT json_build_object('data', json_build_object('waterHeater', (
  SELECT row_to_json(x) FROM (
    SELECT {global_id("WaterHeater", "d.id")} AS id, d.name, d.serial_number AS "serialNumber", d.status, w.mode,
      w.heater_type AS "heaterType", w.capacity_liters AS "capacityLiters",
      w.rated_power_watts AS "ratedPowerWatts", w.target_temperature AS "targetTemperature",
      w.min_temperature AS "minTemperature", w.max_temperature AS "maxTemperature", d.version,
      (SELECT row_to_json(r) FROM (
        SELECT recorded_at AS "recordedAt", temperature, inlet_temperature AS "inletTemperature", pressure,
          flow_rate AS "flowRate", power, energy, heating
        FROM water_heater_readings WHERE device_id = d.id AND recorded_at = d.latest_reading_at) r) AS "latestReading",
      (WITH found AS (
        SELECT recorded_at, temperature, pressure, flow_rate, power, energy FROM water_heater_readings
        WHERE device_id = d.id ORDER BY recorded_at DESC LIMIT 101),
      page AS (SELECT * FROM found ORDER BY recorded_at DESC LIMIT 100)
      SELECT json_build_object(
        'pageInfo', json_build_object('hasNextPage', (SELECT count(*) > 100 FROM found),
          'endCursor', (SELECT {cursor("readings", "min(recorded_at)")} FROM page)),
        'nodes', (SELECT json_agg(r) FROM (
          SELECT recorded_at AS "recordedAt", temperature, pressure, flow_rate AS "flowRate", power, energy
          FROM page ORDER BY recorded_at DESC) r))) AS readings,
      (SELECT json_build_object('nodes', coalesce(json_agg(m), '[]')) FROM (
        SELECT {global_id("MaintenanceRecord", "id")} AS id, kind, performed_at AS "performedAt",
          performed_by AS "performedBy", notes,
          json_build_object('amount', (cost_minor / 100.0)::numeric(15, 2)::text, 'currency', cost_currency) AS cost
        FROM maintenance_records m WHERE device_id = d.id ORDER BY performed_at DESC, m.id DESC LIMIT 10) m
      ) AS "maintenanceRecords",
      (SELECT json_build_object('nodes', coalesce(json_agg(a), '[]')) FROM (
        SELECT {global_id("Anomaly", "id")} AS id, upper(metric) AS metric, score, severity, state,
          detected_at AS "detectedAt", (
            SELECT json_build_object('recordedAt', recorded_at, 'temperature', temperature)
            FROM water_heater_readings WHERE device_id = d.id AND recorded_at = a.peak_at) AS reading
        FROM anomalies a WHERE device_id = d.id AND state = 'OPEN' ORDER BY detected_at DESC, a.id DESC LIMIT 10) a
      ) AS anomalies,
      (SELECT json_build_object('nodes', coalesce(json_agg(a), '[]')) FROM (
        SELECT {global_id("DeviceAlert", "id")} AS id, kind, severity, state, message, raised_at AS "raisedAt",
          acknowledged_at AS "acknowledgedAt", resolved_at AS "resolvedAt"
        FROM alerts a WHERE device_id = d.id ORDER BY raised_at DESC, a.id DESC LIMIT 10) a) AS alerts
    FROM devices d JOIN water_heaters w ON w.device_id = d.id WHERE d.id = $1) x)))""",
    asks_device=True,
)

_PREDICTION_TYPES = " ".join(
    f"WHEN '{kind}' THEN '{name}Prediction:'"
    for kind, name in {
        "LIFESPAN": "Lifespan",
        "ANOMALY": "Anomaly",
        "USAGE_PATTERNS": "UsagePatterns",
        "MULTI_FACTOR": "MultiFactor",
    }.items()
)

MODEL_HEALTH = Document(
    "model_health",
    "all models in production, with health, metrics, drift, alerts and predictions",
    """query ModelHealth {
  models(filter: { stages: [PRODUCTION] }) {
    nodes {
      id name version kind stage trainedAt
      trainingWindow { from to sampleCount }
      featureNames
      health { status score evaluatedAt reasons { metric status value threshold message } }
      metrics(names: ["mae"], first: 100) { nodes { name value sampleCount windowStart windowEnd recordedAt } }
      drift(first: 10) { nodes { feature statistic value threshold drifted sampleCount evaluatedAt } }
      alerts(first: 10) { nodes { id severity state impact message raisedAt } }
      recentPredictions(first: 5) { nodes { id kind device { id name } predictedAt } }
    }
  }
}""",
    f"""SELECT json_build_object('data', json_build_object('models', json_build_object('nodes', (
  SELECT json_agg(x) FROM (
    SELECT {global_id("Model", "m.id")} AS id, m.name, m.version, m.kind, m.stage, m.trained_at AS "trainedAt",
      CASE WHEN m.window_from IS NOT NULL THEN json_build_object('from', m.window_from, 'to', m.window_to,
        'sampleCount', m.sample_count) END AS "trainingWindow", m.feature_names::json AS "featureNames",
      (SELECT row_to_json(h) FROM (
        SELECT status, score, evaluated_at AS "evaluatedAt", reasons::json AS reasons FROM model_health
        WHERE model_id = m.id ORDER BY id DESC LIMIT 1) h) AS health,
      (SELECT json_build_object('nodes', coalesce(json_agg(e), '[]')) FROM (
        SELECT name, value, sample_count AS "sampleCount", window_start AS "windowStart", window_end AS "windowEnd",
          recorded_at AS "recordedAt"
        FROM model_metrics e WHERE model_id = m.id AND name = 'mae' ORDER BY e.recorded_at DESC, e.id DESC LIMIT 100) e
      ) AS metrics,
      (SELECT json_build_object('nodes', coalesce(json_agg(e), '[]')) FROM (
        SELECT feature, statistic, value, threshold, drifted, sample_count AS "sampleCount",
          evaluated_at AS "evaluatedAt"
        FROM model_drift e WHERE model_id = m.id ORDER BY e.evaluated_at DESC, e.id DESC LIMIT 10) e) AS drift,
      (SELECT json_build_object('nodes', coalesce(json_agg(e), '[]')) FROM (
        SELECT {global_id("ModelAlert", "e.id")} AS id, severity, state, impact, message, raised_at AS "raisedAt"
        FROM alerts e WHERE model_id = m.id ORDER BY e.raised_at DESC, e.id DESC LIMIT 10) e) AS alerts,
      (SELECT json_build_object('nodes', coalesce(json_agg(e), '[]')) FROM (
        SELECT encode((CASE p.kind {_PREDICTION_TYPES} END || p.id)::bytea, 'base64') AS id, p.kind,
          json_build_object('id', {_DEVICE_ID}, 'name', d.name) AS device, p.predicted_at AS "predictedAt"
        FROM (SELECT * FROM predictions WHERE model_id = m.id ORDER BY predicted_at DESC, id DESC LIMIT 5) p
        JOIN devices d ON d.id = p.device_id ORDER BY p.predicted_at DESC, p.id DESC) e) AS "recentPredictions"
    FROM prediction_models m WHERE m.stage = 'PRODUCTION' ORDER BY m.trained_at DESC, m.id DESC LIMIT 50) x))))""",
    asks_device=False,
)

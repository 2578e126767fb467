"""Water heaters that the demo fleet is made of. Makers and models are invented."""

from dataclasses import dataclass

from models.devices.water_heater import HeaterType, WaterHeaterMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A model of water heater, in the units of HeaterSpec.

    Attributes:
        people: the largest household that it is sold for.
        modes: modes in which it is usually run, the most usual first.
    """

    manufacturer: str
    model: str
    firmware_versions: tuple[str, ...]
    heater_type: HeaterType
    people: int
    capacity_liters: float
    rated_power_watts: float
    compressor_watts: float = 0.0
    efficiency: float = 1.0
    standing_loss_watts_per_kelvin: float
    min_temperature: float = 35.0
    max_temperature: float = 75.0
    modes: tuple[WaterHeaterMode, ...]


_RESISTIVE_MODES = (WaterHeaterMode.ELECTRIC, WaterHeaterMode.ECO, WaterHeaterMode.HIGH_DEMAND)
_HYBRID_MODES = (WaterHeaterMode.ECO, WaterHeaterMode.HEAT_PUMP, WaterHeaterMode.HIGH_DEMAND)
_PUMP_MODES = (WaterHeaterMode.HEAT_PUMP, WaterHeaterMode.ECO)
_GAS_MODES = (WaterHeaterMode.GAS, WaterHeaterMode.ECO, WaterHeaterMode.HIGH_DEMAND)

PRODUCTS: tuple[Product, ...] = (
    Product(
        manufacturer="Tarnwell",
        model="Stillwater E150",
        firmware_versions=("2.3.0", "2.4.1"),
        heater_type=HeaterType.RESISTIVE,
        people=2,
        capacity_liters=150,
        rated_power_watts=2400,
        standing_loss_watts_per_kelvin=1.5,
        modes=_RESISTIVE_MODES,
    ),
    Product(
        manufacturer="Tarnwell",
        model="Stillwater E300",
        firmware_versions=("2.4.1", "2.5.0"),
        heater_type=HeaterType.RESISTIVE,
        people=6,
        capacity_liters=300,
        rated_power_watts=6000,
        standing_loss_watts_per_kelvin=2.2,
        modes=_RESISTIVE_MODES,
    ),
    Product(
        manufacturer="Varmholt",
        model="Block 200",
        firmware_versions=("1.9.7", "1.9.8", "2.0.2"),
        heater_type=HeaterType.RESISTIVE,
        people=4,
        capacity_liters=200,
        rated_power_watts=4500,
        standing_loss_watts_per_kelvin=1.8,
        modes=_RESISTIVE_MODES,
    ),
    Product(
        manufacturer="Quillon Thermal",
        model="Airlift 270",
        firmware_versions=("5.0.3", "5.1.0"),
        heater_type=HeaterType.HEAT_PUMP,
        people=6,
        capacity_liters=270,
        rated_power_watts=800,
        compressor_watts=800,
        standing_loss_watts_per_kelvin=1.6,
        max_temperature=65,
        modes=_PUMP_MODES,
    ),
    Product(
        manufacturer="Quillon Thermal",
        model="Airlift Duo 220",
        firmware_versions=("5.1.0", "5.2.4"),
        heater_type=HeaterType.HYBRID,
        people=4,
        capacity_liters=220,
        rated_power_watts=2550,
        compressor_watts=550,
        standing_loss_watts_per_kelvin=1.5,
        max_temperature=70,
        modes=_HYBRID_MODES,
    ),
    Product(
        manufacturer="Varmholt",
        model="Hybrid 300",
        firmware_versions=("3.0.1", "3.1.0"),
        heater_type=HeaterType.HYBRID,
        people=6,
        capacity_liters=300,
        rated_power_watts=3700,
        compressor_watts=700,
        standing_loss_watts_per_kelvin=1.9,
        max_temperature=70,
        modes=_HYBRID_MODES,
    ),
    Product(
        manufacturer="Emberlake",
        model="Hearth G160",
        firmware_versions=("1.2.0", "1.4.0"),
        heater_type=HeaterType.GAS,
        people=6,
        capacity_liters=160,
        rated_power_watts=9500,
        efficiency=0.84,
        standing_loss_watts_per_kelvin=2.8,
        min_temperature=40,
        modes=_GAS_MODES,
    ),
)

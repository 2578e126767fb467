"""Machines that the demo fleet is made of, and what they sell. Makers, models and goods are invented."""

from dataclasses import dataclass

from models.devices.simulation.vending_specs import MachineType


@dataclass(frozen=True, slots=True)
class Good:
    """A product, its usual price in cents and how well it sells, 1 for the average."""

    name: str
    sku: str
    category: str
    price_minor: int
    popularity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineModel:
    """A model of vending machine.

    Attributes:
        slots: how many goods of each category it offers.
        slot_capacity: units that a slot holds of what hardly sells, and of what sells twice as well as the average.
    """

    machine_type: MachineType
    manufacturer: str
    model: str
    firmware_versions: tuple[str, ...]
    target_cabinet_temperature: float
    cash_capacity: int
    slots: dict[str, int]
    slot_capacity: tuple[int, int]


COLD_DRINKS = "Cold drinks"
HOT_DRINKS = "Hot drinks"
SNACKS = "Snacks"
SWEETS = "Sweets"
FRESH_FOOD = "Fresh food"

GOODS: tuple[Good, ...] = (
    Good("Still water 0.5 L", "CD-101", COLD_DRINKS, 150, 1.7),
    Good("Sparkling water 0.5 L", "CD-102", COLD_DRINKS, 150, 1.4),
    Good("Cola 0.33 L", "CD-111", COLD_DRINKS, 200, 1.9),
    Good("Cola without sugar 0.33 L", "CD-112", COLD_DRINKS, 200, 1.5),
    Good("Lemonade 0.33 L", "CD-113", COLD_DRINKS, 200, 1.0),
    Good("Orange soda 0.33 L", "CD-114", COLD_DRINKS, 200, 0.9),
    Good("Apple spritzer 0.5 L", "CD-121", COLD_DRINKS, 220, 1.2),
    Good("Iced tea peach 0.5 L", "CD-122", COLD_DRINKS, 230, 1.1),
    Good("Iced tea lemon 0.5 L", "CD-123", COLD_DRINKS, 230, 0.8),
    Good("Energy drink 0.25 L", "CD-131", COLD_DRINKS, 280, 1.3),
    Good("Energy drink sugar free 0.25 L", "CD-132", COLD_DRINKS, 280, 0.9),
    Good("Orange juice 0.25 L", "CD-141", COLD_DRINKS, 260, 0.6),
    Good("Protein shake vanilla 0.33 L", "CD-151", COLD_DRINKS, 350, 0.5),
    Good("Cold brew coffee 0.25 L", "CD-161", COLD_DRINKS, 320, 0.7),
    Good("Espresso", "HD-201", HOT_DRINKS, 130, 1.2),
    Good("Coffee", "HD-202", HOT_DRINKS, 150, 2.2),
    Good("Coffee with milk", "HD-203", HOT_DRINKS, 160, 1.8),
    Good("Cappuccino", "HD-204", HOT_DRINKS, 190, 2.0),
    Good("Latte macchiato", "HD-205", HOT_DRINKS, 210, 1.5),
    Good("Hot chocolate", "HD-206", HOT_DRINKS, 190, 0.8),
    Good("Black tea", "HD-207", HOT_DRINKS, 130, 0.5),
    Good("Chicken broth", "HD-208", HOT_DRINKS, 140, 0.3),
    Good("Salted crisps 40 g", "SN-301", SNACKS, 160, 1.5),
    Good("Paprika crisps 40 g", "SN-302", SNACKS, 160, 1.4),
    Good("Salted peanuts 50 g", "SN-303", SNACKS, 170, 0.9),
    Good("Nut and raisin mix 50 g", "SN-304", SNACKS, 210, 0.8),
    Good("Pretzel sticks 45 g", "SN-305", SNACKS, 140, 0.8),
    Good("Rice crackers 40 g", "SN-306", SNACKS, 190, 0.5),
    Good("Popcorn 30 g", "SN-307", SNACKS, 170, 0.6),
    Good("Oat bar 45 g", "SN-308", SNACKS, 180, 1.1),
    Good("Protein bar 50 g", "SN-309", SNACKS, 270, 1.0),
    Good("Beef jerky 25 g", "SN-310", SNACKS, 340, 0.4),
    Good("Milk chocolate bar 45 g", "SW-401", SWEETS, 150, 1.6),
    Good("Caramel bar 50 g", "SW-402", SWEETS, 150, 1.8),
    Good("Coconut bar 50 g", "SW-403", SWEETS, 150, 0.8),
    Good("Hazelnut wafer 40 g", "SW-404", SWEETS, 140, 1.2),
    Good("Fruit gums 75 g", "SW-405", SWEETS, 190, 1.3),
    Good("Liquorice 75 g", "SW-406", SWEETS, 190, 0.5),
    Good("Peppermints 30 g", "SW-407", SWEETS, 120, 0.7),
    Good("Chewing gum", "SW-408", SWEETS, 130, 0.8),
    Good("Butter biscuits 60 g", "SW-409", SWEETS, 160, 0.9),
    Good("Cheese sandwich", "FF-501", FRESH_FOOD, 390, 0.9),
    Good("Tuna sandwich", "FF-502", FRESH_FOOD, 420, 0.7),
    Good("Pasta salad", "FF-503", FRESH_FOOD, 480, 0.5),
    Good("Yoghurt with fruit", "FF-504", FRESH_FOOD, 260, 0.7),
)

MODELS: tuple[MachineModel, ...] = (
    MachineModel(
        machine_type="SNACK",
        manufacturer="Brimwell",
        model="Spiral 24",
        firmware_versions=("4.1.2", "4.2.0"),
        target_cabinet_temperature=14.0,
        cash_capacity=60_000,
        slots={SNACKS: 10, SWEETS: 9},
        slot_capacity=(8, 22),
    ),
    MachineModel(
        machine_type="COLD_DRINK",
        manufacturer="Nordkjell",
        model="Frost 14",
        firmware_versions=("2.0.8", "2.1.1", "2.1.3"),
        target_cabinet_temperature=4.0,
        cash_capacity=70_000,
        slots={COLD_DRINKS: 14},
        slot_capacity=(12, 32),
    ),
    MachineModel(
        machine_type="COFFEE",
        manufacturer="Casa Lombarde",
        model="Crema 8",
        firmware_versions=("7.3.0", "7.4.2"),
        target_cabinet_temperature=5.0,
        cash_capacity=50_000,
        slots={HOT_DRINKS: 8},
        slot_capacity=(30, 90),
    ),
    MachineModel(
        machine_type="COMBO",
        manufacturer="Brimwell",
        model="Duo 20",
        firmware_versions=("4.2.0", "4.3.1"),
        target_cabinet_temperature=6.0,
        cash_capacity=60_000,
        slots={COLD_DRINKS: 9, SNACKS: 4, SWEETS: 4, FRESH_FOOD: 3},
        slot_capacity=(8, 20),
    ),
)

"""What simulated vending machines report, as columns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np

from models.devices.simulation.blocks import column_batches
from models.devices.simulation.hashing import BoolArray, FloatArray, IntArray
from models.devices.simulation.vending_sites import PAYMENT_METHODS
from models.devices.vending_machine import VENDING_MACHINE
from models.readings import ReadingBatch

RESTOCKED_BY = "Route North"


@dataclass(frozen=True, slots=True)
class Sales:
    """Sales as columns of n rows, ordered by time.

    Attributes:
        machine_index: (n,) place of the machine in the list of specifications.
        slot_index: (n,) place of the slot in the machine's slots.
        sold_at_micros: (n,) microseconds since 1970.
        units: (n,) from 1.
        unit_price_minor: (n,) price of one unit at that time, minor units.
        payment_index: (n,) place in PAYMENT_METHODS.
        transaction_ids: n texts of serial number, day (UTC) and number in the day; the same sale has the same one in
            any simulation of the same seed.
    """

    machine_index: IntArray
    slot_index: IntArray
    sold_at_micros: IntArray
    units: IntArray
    unit_price_minor: IntArray
    payment_index: IntArray
    transaction_ids: list[str]

    def __len__(self) -> int:
        return len(self.machine_index)

    @property
    def payment_methods(self) -> list[str]:
        """The payment methods of the n rows: CASH, CARD, CONTACTLESS or MOBILE."""
        return [PAYMENT_METHODS[index] for index in self.payment_index.tolist()]

    @classmethod
    def none(cls) -> "Sales":
        """Return no rows."""
        return cls(**{name: np.zeros(0, dtype=np.int64) for name in _SALE_NUMBERS}, transaction_ids=[])

    @classmethod
    def joined(cls, parts: Sequence["Sales"]) -> "Sales":
        """Put one after the other."""
        numbers = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _SALE_NUMBERS}
        return cls(**numbers, transaction_ids=[identity for part in parts for identity in part.transaction_ids])


_SALE_NUMBERS = tuple(column.name for column in fields(Sales) if column.name != "transaction_ids")


@dataclass(frozen=True, slots=True)
class Restocks:
    """Slots that were filled, as columns of n rows, ordered by time.

    Attributes:
        machine_index: (n,) place of the machine in the list of specifications.
        slot_index: (n,) place of the slot in the machine's slots.
        quantity_added: (n,) units that were put in.
        quantity_after: (n,) units that it holds now.
        restocked_at_micros: (n,) end of the visit, microseconds since 1970.
    """

    machine_index: IntArray
    slot_index: IntArray
    quantity_added: IntArray
    quantity_after: IntArray
    restocked_at_micros: IntArray

    def __len__(self) -> int:
        return len(self.machine_index)

    @property
    def restocked_by(self) -> str:
        """Who did it."""
        return RESTOCKED_BY

    @classmethod
    def none(cls) -> "Restocks":
        """Return no rows."""
        return cls(*(np.zeros(0, dtype=np.int64) for _ in fields(cls)))

    @classmethod
    def joined(cls, parts: Sequence["Restocks"]) -> "Restocks":
        """Put one after the other."""
        return cls(*(np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(cls)))


@dataclass(frozen=True, slots=True)
class VendingBlock:
    """What a fleet reported in a span of time: readings as columns of n rows, ordered by machine, then by time.

    Attributes:
        device_index: (n,) place of the machine in the list of specifications.
        recorded_at_micros: (n,) microseconds since 1970.
        channels: cabinet_temperature (°C), power (W) and cash_level (minor units), each (n,), NaN where the reading
            lacks the channel.
        door_open: (n,) whether the door is open.
        sales: of the same span.
        restocks: of the same span.
    """

    device_index: IntArray
    recorded_at_micros: IntArray
    channels: dict[str, FloatArray]
    door_open: BoolArray
    sales: Sales
    restocks: Restocks

    def __len__(self) -> int:
        return len(self.device_index)

    def batches(self, device_ids: Sequence[int], size: int) -> Iterator[ReadingBatch]:
        """Give the readings in the form that ingestion takes.

        Args:
            device_ids: the identity of each machine, in the order of the specifications.
            size: most readings of one batch.

        Returns:
            Batches in the order of the rows; none if there are no rows.
        """
        return column_batches(
            kind=VENDING_MACHINE.name,
            device_ids=device_ids,
            device_index=self.device_index,
            recorded_at_micros=self.recorded_at_micros,
            channels=self.channels,
            states={"door_open": self.door_open},
            size=size,
        )

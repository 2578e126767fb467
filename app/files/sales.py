"""Batches of sales from a file: `SalesFile` is the way in."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Self

from app.files.batches import FileOptions
from app.files.formats import RowChunk, RowFile
from app.files.problems import Fault, FileProblem, RejectedRow, shown
from app.files.sale_times import SaleTimes
from app.files.sales_columns import SERIAL_NUMBER, SOLD_AT, check_sale_targets, map_sale_columns
from app.files.time_detection import TimeSample
from app.files.values import is_empty, read_serial_numbers

_FIRST_SAMPLE_ROWS = 1000
_LARGEST_SAMPLE_ROWS = 100_000
_LARGEST_NUMBER = 10**15
_PAYMENT_WORDS = {
    **dict.fromkeys(("cash", "coin", "coins", "bill", "bills"), "CASH"),
    **dict.fromkeys(("card", "credit", "debit", "credit card", "debit card"), "CARD"),
    **dict.fromkeys(("contactless", "nfc", "tap"), "CONTACTLESS"),
    **dict.fromkeys(("mobile", "app", "phone", "wallet"), "MOBILE"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleRow:
    """A row of a file that can be a sale.

    Attributes:
        line_number: the line or element of the row, from 1.
        transaction_id: as the file tells it, or made of what the row holds.
        line: of the transaction, as the file tells it, or counted in the order of the file.
        slot: "" where the file tells none.
        product: name without spare spaces, "" where the file tells none.
        unit_price: in the currency's major unit; None where the file tells none.
        payment_method: name of a PaymentMethod.
    """

    line_number: int
    serial_number: str
    sold_at: datetime
    transaction_id: str
    line: int
    slot: str
    product: str
    category: str
    unit_price: Decimal | None
    quantity: int
    payment_method: str


@dataclass(frozen=True, slots=True)
class SaleBatch:
    """Rows in the order of the file, those of them that cannot be sales, and how far the file has been read."""

    rows: Sequence[SaleRow]
    rejected: Sequence[RejectedRow]
    place: str
    bytes_read: int


class SalesFile(Iterator[SaleBatch]):
    """An open file of sales: iterate over it for its batches, which are bounded however long it is.

    What it keeps in memory beside is a count for each transaction.

    Attributes:
        name: the file as messages call it.
        description: how the file is read, in lines for people.
        bytes_total: size of the file, None for standard input.
    """

    def __init__(
        self, path: Path | str, options: FileOptions, batch_size: int = 1000, standard_input: BinaryIO | None = None
    ) -> None:
        """Open the file and look at its first rows.

        Raises:
            FileProblem: the options do not fit the file, or it cannot be read.
        """
        check_sale_targets(options.mapping)
        self._options = options
        self._times = SaleTimes(options.time_format, options.timezone)
        self._rows = RowFile(path, options.format, standard_input)
        self.name, self.bytes_total = self._rows.name, self._rows.bytes_total
        self._columns: dict[str, str] = {}
        self._lines_of: Counter[tuple[str, str]] = Counter()
        try:
            self._open(self._rows.chunks(batch_size))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __next__(self) -> SaleBatch:
        try:
            return self._batch(next(self._chunks))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file; there are no more batches then."""
        self._chunks: Iterator[RowChunk] = iter(())
        self._rows.close()

    def _open(self, chunks: Iterator[RowChunk]) -> None:
        sample: list[RowChunk] = []
        wanted, count, is_known = _FIRST_SAMPLE_ROWS, 0, False
        while not is_known:
            for chunk in chunks:
                sample.append(chunk)
                count += len(chunk.rows)
                if count >= wanted:
                    break
            is_last = count < wanted or wanted >= _LARGEST_SAMPLE_ROWS
            if not self._columns:
                self._columns = self._map(sample)
            is_known = not self._columns or self._times.learn(self._sample(sample), is_last=is_last) or is_last
            wanted *= 2
        self.description = self._describe()
        self._chunks = chain(sample, chunks)

    def _map(self, sample: Sequence[RowChunk]) -> dict[str, str]:
        header = self._rows.header
        names = header or dict.fromkeys(name for chunk in sample for row in chunk.rows for name in row)
        rejected = [row for chunk in sample for row in chunk.rejected]
        if header is None and not names:
            if rejected:
                place = f"{self._rows.place} {rejected[0].line}"
                raise FileProblem(
                    f"{self.name} is no {self._rows.description} of sales: {place} {rejected[0].message}; "
                    "give one object for each sale, or another --format."
                )
            return {}
        return map_sale_columns(self._options.mapping, [name for name in names if name], self._options.serial)

    def _sample(self, sample: Sequence[RowChunk]) -> TimeSample:
        column = self._columns[SOLD_AT]
        return TimeSample(
            column=column,
            place=self._rows.place,
            values=[value for chunk in sample for value in chunk.column(column)],
            line_numbers=[line for chunk in sample for line in chunk.line_numbers],
            serials=[serial for chunk in sample for serial in self._serials(chunk)[0]],
        )

    def _describe(self) -> list[str]:
        lines = [f"{self.name}: {self._rows.description}"]
        for target, source in self._columns.items():
            words = f": {self._times.words}" if target == SOLD_AT else ""
            lines.append(f"{target} from column {source!r}{words}")
        if self._columns and "transaction_id" not in self._columns:
            lines.append("transaction_id made of what each row holds")
        return lines

    def _serials(self, chunk: RowChunk) -> tuple[list[str], dict[int, Fault]]:
        column = self._columns.get(SERIAL_NUMBER)
        if column is None:
            return [self._options.serial or ""] * len(chunk.rows), {}
        return read_serial_numbers(chunk.column(column), column)

    def _batch(self, chunk: RowChunk) -> SaleBatch:
        columns = {target: chunk.column(source) for target, source in self._columns.items()}
        serials, faults = self._serials(chunk)
        source = self._columns[SOLD_AT] if self._columns else ""
        instants, time_faults = self._times.read(columns.get(SOLD_AT, []), serials, source)
        faults = {**time_faults, **faults}
        rows: list[SaleRow] = []
        rejected = list(chunk.rejected)
        for index, line_number in enumerate(chunk.line_numbers):
            values = {target: column[index] for target, column in columns.items()}
            # Counted before anything is refused: a row that is mended later must not move the others' numbers.
            line = self._line(values, serials[index])
            sold_at = instants[index]
            if index in faults or sold_at is None:
                fault = faults.get(index) or Fault("NO_TIME", f"column {source!r} has no time")
                rejected.append(RejectedRow(line_number, *fault))
                continue
            try:
                rows.append(self._row(values, line_number, serials[index], sold_at, line))
            except _Unusable as error:
                rejected.append(RejectedRow(line_number, *error.fault))
        return SaleBatch(rows, sorted(rejected), self._rows.place, self._rows.bytes_read)

    def _line(self, values: dict[str, Any], serial: str) -> int:
        transaction = _text(values.get("transaction_id"))
        if not transaction:
            return 0
        self._lines_of[serial, transaction] += 1
        return self._lines_of[serial, transaction]

    def _row(self, values: dict[str, Any], line_number: int, serial: str, sold_at: datetime, line: int) -> SaleRow:
        slot, product = _text(values.get("slot")), _text(values.get("product"))
        if not slot and not product:
            raise _Unusable(Fault("NO_PRODUCT", "has neither a slot nor a product"))
        price = self._number(values, "unit_price")
        quantity = self._whole(values, "quantity", 1)
        payment = _PAYMENT_WORDS.get(_text(values.get("payment_method")).lower(), "OTHER")
        transaction = _text(values.get("transaction_id"))
        if "transaction_id" in self._columns and not transaction:
            source = self._columns["transaction_id"]
            raise _Unusable(Fault("NO_TRANSACTION", f"column {source!r} is empty where the transaction should stand"))
        if not transaction:
            content = (sold_at.isoformat(), slot, product.casefold(), str(price), str(quantity), payment)
            transaction = f"file-{hashlib.sha256(repr(content).encode()).hexdigest()[:24]}"
            # Rows that are alike are lines of one transaction.
            self._lines_of[serial, transaction] += 1
            line = self._lines_of[serial, transaction]
        return SaleRow(
            line_number=line_number,
            serial_number=serial,
            sold_at=sold_at,
            transaction_id=transaction,
            line=self._whole(values, "line", line),
            slot=slot,
            product=product,
            category=_text(values.get("category")),
            unit_price=price,
            quantity=quantity,
            payment_method=payment,
        )

    def _number(self, values: dict[str, Any], target: str) -> Decimal | None:
        value = values.get(target)
        if is_empty(value):
            return None
        column = self._columns[target]
        try:
            number = Decimal(str(value).strip()) if not isinstance(value, bool) else Decimal("NaN")
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or abs(number) > _LARGEST_NUMBER:
            raise _Unusable(Fault("NOT_A_NUMBER", f"column {column!r} holds {shown(value)}, which is not a number"))
        return number

    def _whole(self, values: dict[str, Any], target: str, default: int) -> int:
        number = self._number(values, target)
        if number is None:
            return default
        if number != int(number):
            text = f"column {self._columns[target]!r} holds {shown(values[target])}, which is not a whole number"
            raise _Unusable(Fault("NOT_A_WHOLE_NUMBER", text))
        return int(number)


class _Unusable(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def _text(value: object) -> str:
    """Return a name as it is meant: names that are typed by hand have spare spaces."""
    return "" if is_empty(value) else " ".join(str(value).split())

"""What became of a file: counts, reasons, and the first examples of each."""

from collections import Counter
from collections.abc import Iterable

from app.files.batches import FileBatch
from app.files.problems import RejectedRow
from models.readings import IngestReport


class FileReport:
    """Adds up what became of the batches of a file; its size does not grow with the file.

    Attributes:
        accepted_count: readings that were stored now.
        duplicate_count: readings that were stored before, or stand in the file twice.
        reasons: rejected rows by code.
        examples: by code the first rejected rows, in the order of the file.
    """

    def __init__(self, examples_per_reason: int = 5) -> None:
        self.accepted_count = 0
        self.duplicate_count = 0
        self.reasons: Counter[str] = Counter()
        self.examples: dict[str, list[RejectedRow]] = {}
        self._examples_per_reason = examples_per_reason
        self._place = "line"

    @property
    def rejected_count(self) -> int:
        """Rows that could not be read or stored."""
        return self.reasons.total()

    @property
    def row_count(self) -> int:
        """All rows."""
        return self.accepted_count + self.duplicate_count + self.rejected_count

    def add(self, batch: FileBatch, ingest_report: IngestReport | None = None) -> None:
        """Add a batch and the verdict on its readings.

        Args:
            batch: as it was sent, so that indexes of the verdict are indexes of its rows.
            ingest_report: the verdict; None where no row of the batch was left to send.
        """
        if ingest_report is None:
            self.count(0, 0, batch.rejected, batch.place)
            return
        refused = [
            RejectedRow(batch.line_numbers[rejection.index], rejection.code, rejection.message)
            for rejection in ingest_report.rejected
        ]
        accepted, duplicate = ingest_report.accepted_count, ingest_report.duplicate_count
        self.count(accepted, duplicate, [*batch.rejected, *refused], batch.place)

    def count(self, accepted: int, duplicate: int, rejected: Iterable[RejectedRow], place: str) -> None:
        """Add rows that were stored now, stored before, and rejected; `place` is what their numbers count."""
        self._place = place
        self.accepted_count += accepted
        self.duplicate_count += duplicate
        for row in sorted(rejected):
            self.reasons[row.code] += 1
            examples = self.examples.setdefault(row.code, [])
            if len(examples) < self._examples_per_reason:
                examples.append(row)

    def lines(self) -> list[str]:
        """Return the report in plain text: the counts, then each reason, commonest first, with examples."""
        duplicate, rejected = f"{self.duplicate_count:,} duplicate", f"{self.rejected_count:,} rejected"
        lines = [f"{self.row_count:,} rows: {self.accepted_count:,} accepted, {duplicate}, {rejected}"]
        for code, count in sorted(self.reasons.items(), key=lambda reason: (-reason[1], reason[0])):
            lines.append(f"  {code}: {count:,}")
            lines += [f"    {self._place} {row.line:,}: {row.message}" for row in self.examples[code]]
            if count > len(self.examples[code]):
                lines.append(f"    … and {count - len(self.examples[code]):,} more")
        return lines

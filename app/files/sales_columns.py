"""Which column of a file of sales becomes what of a sale."""

from collections.abc import Mapping, Sequence

from app.files.problems import FileProblem, listed

SOLD_AT = "sold_at"
SERIAL_NUMBER = "serial_number"
SALE_TARGETS = (
    SOLD_AT,
    SERIAL_NUMBER,
    *("transaction_id", "line", "slot", "product", "category", "unit_price", "quantity", "payment_method"),
)


def check_sale_targets(wanted: Mapping[str, str]) -> None:
    """Refuse targets that a sale does not have; raises FileProblem."""
    for name in wanted:
        if name not in SALE_TARGETS:
            raise FileProblem(f"--map names {name!r}, but a sale takes {listed(SALE_TARGETS)}.")


def map_sale_columns(wanted: Mapping[str, str], columns: Sequence[str], serial: str | None) -> dict[str, str]:
    """Return the columns by target.

    A target that `wanted` does not name is read from the column of the same name, unless that column is used already;
    a target that it names with "" is left out.

    Raises:
        FileProblem: a column is unknown or there twice, or the time, the machine, or both of slot and product are
            missing.
    """
    named = listed([repr(column) for column in columns]) or "none at all"
    for target, source in wanted.items():
        if source and source not in columns:
            raise FileProblem(f"--map reads {target} from {source!r}, but the columns of the file are {named}.")
    sources = {target: source for target, source in wanted.items() if source}
    for target in SALE_TARGETS:
        if target in columns and target not in wanted and target not in sources.values():
            sources[target] = target
    for source in sources.values():
        if columns.count(source) > 1:
            raise FileProblem(f"The file has two columns {source!r}; rename one of them in its header.")
    _check_complete(sources, named, serial)
    return {target: sources[target] for target in SALE_TARGETS if target in sources}


def _check_complete(sources: Mapping[str, str], named: str, serial: str | None) -> None:
    if SOLD_AT not in sources:
        raise FileProblem(f"No column is read as the time; give --map {SOLD_AT}=COLUMN, where the columns are {named}.")
    if serial is None and SERIAL_NUMBER not in sources:
        raise FileProblem(
            f"Nothing tells the machine; give --serial for a file of one machine, or --map {SERIAL_NUMBER}=COLUMN, "
            f"where the columns are {named}."
        )
    if serial is not None and SERIAL_NUMBER in sources:
        raise FileProblem(
            f"--serial gives one machine, but column {sources[SERIAL_NUMBER]!r} tells one for each row; "
            f"leave out --serial, or ignore the column with --map {SERIAL_NUMBER}= (nothing after the sign)."
        )
    if "slot" not in sources and "product" not in sources:
        raise FileProblem(
            "No column is read as slot or product; give --map slot=COLUMN or --map product=COLUMN, "
            f"where the columns are {named}."
        )

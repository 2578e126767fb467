"""Exact money: whole numbers of a currency's minor unit."""

from decimal import Decimal
from fractions import Fraction

from models.errors import BadUserInput

# ISO 4217: currencies whose minor unit is not a hundredth.
_DECIMALS = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV"), 0
    ),
    **dict.fromkeys(("XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
_LARGEST_MINOR = 10**15


def decimals(currency: str) -> int:
    """Return how many decimals amounts of a currency have."""
    return _DECIMALS.get(currency, 2)


def check_currency(currency: str, *, input_path: tuple[str | int, ...]) -> None:
    """Do nothing if a currency is a three-letter code; raises BadUserInput naming the field `currency` otherwise."""
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha() and currency.isupper()):
        raise BadUserInput(
            f"'{currency[:10]}' is not a currency; use the three letters of ISO 4217, as EUR.",
            input_path=(*input_path, "currency"),
        )


def to_minor(amount: Decimal, currency: str, *, input_path: tuple[str | int, ...]) -> int:
    """Return an amount in minor units.

    Raises:
        BadUserInput: the currency is no three-letter code, or the amount is negative, too large or too fine for it.
    """
    check_currency(currency, input_path=input_path)
    path = (*input_path, "amount")
    if not amount.is_finite() or amount < 0:
        raise BadUserInput(f"An amount must be a number of at least 0, not {amount}.", input_path=path)
    places = decimals(currency)
    # Fractions are exact; a Decimal's own arithmetic rounds to 28 digits.
    minor = Fraction(amount) * 10**places
    if minor.denominator != 1:
        raise BadUserInput(f"{currency} has {places} decimals; {amount} has more.", input_path=path)
    if minor > _LARGEST_MINOR:
        raise BadUserInput(f"{amount} {currency} is more than can be stored.", input_path=path)
    return int(minor)


def from_minor(minor: int, currency: str) -> Decimal:
    """Return the amount of minor units, with the currency's decimals."""
    return Decimal(minor).scaleb(-decimals(currency))

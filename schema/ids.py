"""Global ids: opaque to clients, a type's name and a row's id within."""

import binascii
from collections.abc import Container

from models.errors import BadUserInput
from resolvers.checks import path_of

_LARGEST = 2**63 - 1


def encode(type_name: str, row_id: int) -> str:
    """Return the global id of a row."""
    return binascii.b2a_base64(f"{type_name}:{row_id}".encode(), newline=False).decode()


def decode_any(global_id: str, argument: str) -> tuple[str, int]:
    """Return type name and row id of a global id; raises BadUserInput if it is none."""
    try:
        type_name, _, number = binascii.a2b_base64(global_id, strict_mode=True).decode("ascii").partition(":")
        row_id = int(number) if number.isdecimal() and len(number) <= 19 else -1
    except (binascii.Error, ValueError):
        type_name, row_id = "", -1
    if not type_name.isidentifier() or not 0 <= row_id <= _LARGEST:
        raise _unknown(global_id, argument)
    return type_name, row_id


def decode_node(global_id: str, type_names: Container[str], argument: str) -> tuple[str, int]:
    """Return type name and row id of a global id; raises BadUserInput if there is no such type."""
    type_name, row_id = decode_any(global_id, argument)
    if type_name not in type_names:
        raise _unknown(global_id, argument)
    return type_name, row_id


def decode(global_id: str, type_names: tuple[str, ...], argument: str) -> int:
    """Return the row id of a global id of one of these types; raises BadUserInput for any other."""
    type_name, row_id = decode_any(global_id, argument)
    if type_name not in type_names:
        raise BadUserInput(
            f"'{global_id[:60]}' is the id of a {type_name[:40]}; here one of {' or '.join(type_names)} is needed.",
            input_path=path_of(argument),
        )
    return row_id


def _unknown(global_id: str, argument: str) -> BadUserInput:
    return BadUserInput(
        f"'{global_id[:60]}' is no id of this server; use the 'id' that a query returned.",
        input_path=path_of(argument),
    )

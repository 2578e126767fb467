"""Who calls, and what they may do."""

from dataclasses import dataclass
from enum import StrEnum

from models.errors import Forbidden


class Right(StrEnum):
    """What a caller may be allowed to do."""

    READ = "read"
    INGEST = "ingest"
    OPERATE = "operate"


class Role(StrEnum):
    """What a token stands for; the settings give each token one."""

    VIEWER = "viewer"
    DEVICE = "device"
    OPERATOR = "operator"


RIGHTS: dict[Role, frozenset[Right]] = {
    Role.VIEWER: frozenset({Right.READ}),
    Role.DEVICE: frozenset({Right.READ, Right.INGEST}),
    Role.OPERATOR: frozenset(Right),
}


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of an operation.

    Attributes:
        name: the holder of the token, as the settings name it.
    """

    name: str
    role: Role

    def may(self, right: Right) -> bool:
        """Return whether the caller has this right."""
        return right in RIGHTS[self.role]

    def require(self, right: Right) -> None:
        """Do nothing if the caller has this right.

        Raises:
            Forbidden: it has not; the message names the roles that have.
        """
        if not self.may(right):
            able = " or ".join(role.value for role in Role if right in RIGHTS[role])
            raise Forbidden(
                f"'{self.name}' has the role {self.role.value}, which may not {right.value}; it takes the role {able}.",
                requiredRight=right.value,
            )


ANONYMOUS = Principal("anonymous", Role.OPERATOR)
"""Everybody, where the settings require no token: development and tests."""

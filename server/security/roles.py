"""Who calls, and what that lets them do."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a caller may do."""

    READ = "read"  # ask for recommendations
    ADMIN = "admin"  # that, and look at and steer the host


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller whose credentials were valid.

    Attributes:
        name: of the credential, such as that of an API key; what a limit per caller counts by.
        role: what the caller may do.
    """

    name: str
    role: Role

    def may(self, needed: Role) -> bool:
        """Tell whether the caller's role covers `needed`."""
        return self.role in (needed, Role.ADMIN)

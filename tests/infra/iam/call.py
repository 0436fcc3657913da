"""One call that a role may or may not make: a line of the matrix."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.infra.iam.world import Clients, World


@dataclass(frozen=True)
class Call:
    """One call of one role, and whether it is to be allowed.

    `on` says for people what it is about, `resource` for IAM. A call with a leading key depends on a Condition,
    which moto does not evaluate: only `granted` judges it.
    """

    role: str
    action: str
    on: str
    resource: str
    allowed: bool
    run: Callable[[World, Clients], object] = field(repr=False)
    leading_key: str = ""

    @property
    def by_moto(self) -> bool:
        """Whether moto can enforce it."""
        return not self.leading_key

    def __str__(self) -> str:
        return f"{self.role} {self.action} on {self.on}"

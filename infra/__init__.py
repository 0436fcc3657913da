"""trailbell in the CDK. An installed wheel has this as `trailbell.cdk`, so its modules import each other relatively.

The construct is imported when it is asked for: settings are read without the CDK, which starts node.
"""

from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from .construct import Trailbell
    from .member import Member
    from .properties import Properties

__all__ = ["Member", "Properties", "Trailbell"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import construct, member, properties

    return getattr({"Member": member, "Properties": properties, "Trailbell": construct}[name], name)

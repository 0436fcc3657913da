"""Partitions are AWS's separate clouds: each has its Regions, the name in its ARNs, its domains and its console.

The table follows botocore's partitions.json (a test holds it to that, so that Lambda need not ship the file). Console
hosts are not in it: those of the European Sovereign Cloud, China and GovCloud are public, those of the isolated
partitions are known for the two older ones; where none is known, no link is better than a wrong one.
https://docs.aws.amazon.com/general/latest/gr/mgmt-console.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
"""

import functools
import re
from collections.abc import Iterable

from trailbell.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition.

    name:       as ARNs write it, such as aws-cn.
    prefix:     how the names of its Regions begin, "" for the one that has all others.
    dns_suffix: what its services' host names end in.
    console:    host of the console, without the Region before it; "" if it is not known.
    """

    name: str
    prefix: str
    dns_suffix: str
    console: str = ""


_REMEMBERED = 256  # names of Regions, and of services' hosts

_COMMERCIAL = Partition("aws", "", "amazonaws.com", "console.aws.amazon.com")

PARTITIONS = {
    partition.name: partition
    for partition in (
        _COMMERCIAL,
        Partition("aws-cn", "cn-", "amazonaws.com.cn", "console.amazonaws.cn"),
        Partition("aws-us-gov", "us-gov-", "amazonaws.com", "console.amazonaws-us-gov.com"),
        Partition("aws-eusc", "eusc-", "amazonaws.eu", "console.amazonaws-eusc.eu"),
        Partition("aws-iso", "us-iso-", "c2s.ic.gov", "console.c2s.ic.gov"),
        Partition("aws-iso-b", "us-isob-", "sc2s.sgov.gov", "console.sc2s.sgov.gov"),
        Partition("aws-iso-e", "eu-isoe-", "cloud.adc-e.uk"),
        Partition("aws-iso-f", "us-isof-", "csp.hci.ic.gov"),
    )
}
"""By name."""

_PREFIXES = tuple(partition.prefix for partition in PARTITIONS.values() if partition.prefix)
_SUFFIXES = tuple(dict.fromkeys(f".{partition.dns_suffix}" for partition in PARTITIONS.values()))
_ARN = re.compile(r"arn:(aws[a-z-]{0,30}):[^:]*:([^:]*):")


def partition_of(region: str, arns: Iterable[str] = ()) -> str:
    """The partition that a record of a Region is about, such as aws or aws-cn.

    arns: those that AWS wrote into the record, not what the caller asked for. One of the same Region says it for sure.
    Then the Region's own name, unless it is one that only the commercial partition could have; then any ARN, which is
    how a partition is known that is younger than this table.
    """
    first = ""
    for match in map(_ARN.match, arns):
        if match and match[2] and match[2] == region:
            return match[1]
        first = first or (match[1] if match else "")
    return _by_region(region) or first or _COMMERCIAL.name


@functools.lru_cache(_REMEMBERED)
def _by_region(region: str) -> str:
    if not region.startswith(_PREFIXES):
        return ""
    return next(
        name for name, partition in PARTITIONS.items() if partition.prefix and region.startswith(partition.prefix)
    )


def service_name(host: str) -> str:
    """kms of kms.amazonaws.com or kms.amazonaws.com.cn, in small letters; "" for what is no service's host name."""
    return _service_name(host) if host else ""


@functools.lru_cache(_REMEMBERED)
def _service_name(host: str) -> str:
    host = host.lower()
    suffix = next((suffix for suffix in _SUFFIXES if host.endswith(suffix)), "")
    return host.removesuffix(suffix) if suffix else ""

"""The block of addresses that a call came from: somebody's provider or office rather than one machine."""

import functools
import ipaddress


_PREFIXES = {4: 24, 6: 48}


@functools.lru_cache(1024)  # callers come back
def address_block(address: str) -> str:
    """The /24 of an IPv4 address, the /48 of an IPv6 address; what is no address (a service's name) as it is."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, _PREFIXES[parsed.version]), strict=False))

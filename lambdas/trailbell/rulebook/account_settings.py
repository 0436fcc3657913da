"""Settings about accounts: ids, and names to be shown beside them."""

import json
import re
from collections.abc import Mapping
from typing import Any


_MAX_ACCOUNTS = 150  # the policy that names them takes 10,240 characters
_MAX_NAME = 50  # AWS's own limit for the name of an account
_ACCOUNTS = f"a list of at most {_MAX_ACCOUNTS} account ids of 12 digits (as text, in quotes)"
_NAMES = (
    'a map of account ids of 12 digits to names, such as {"111122223333": "payments"}, each of at most'
    f" {_MAX_NAME} printable characters"
)


def read_accounts(raw: Any) -> tuple[str, ...]:
    """A list of account ids, each once; text separated by commas on the command line. Raises ValueError."""
    given = [part.strip() for part in raw.split(",") if part.strip()] if isinstance(raw, str) else raw
    if not isinstance(given, list | tuple) or len(given) > _MAX_ACCOUNTS or not all(map(_is_account, given)):
        raise ValueError(_ACCOUNTS)
    return tuple(dict.fromkeys(given))


def read_account_names(raw: Any) -> dict[str, str]:
    """A map of account ids to names, by id; JSON on the command line. Raises ValueError."""
    try:
        given = json.loads(raw) if isinstance(raw, str) else raw
    except ValueError:
        raise ValueError(_NAMES) from None
    if not isinstance(given, Mapping) or not all(_is_account(one) and _is_name(name) for one, name in given.items()):
        raise ValueError(_NAMES)
    return {account: given[account] for account in sorted(given)}


def _is_account(raw: Any) -> bool:
    return isinstance(raw, str) and re.fullmatch(r"[0-9]{12}", raw, re.ASCII) is not None


def _is_name(raw: Any) -> bool:
    return isinstance(raw, str) and 0 < len(raw) <= _MAX_NAME and raw.isprintable() and raw == raw.strip()

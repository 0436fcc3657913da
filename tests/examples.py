"""How many examples a property test tries: all of them, or a twentieth while somebody is waiting (make quick)."""

import os


QUICK = os.environ.get("HYPOTHESIS_PROFILE") == "dev"


def examples(full: int) -> int:
    """Of the number that CI tries, as many as the profile allows."""
    return max(full // 20, 5) if QUICK else full

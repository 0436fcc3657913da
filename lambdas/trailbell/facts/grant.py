"""What a grant of KMS gives without a limit: its operations that no constraint holds back.

A constraint on the encryption context holds for symmetric encryption only, and an empty one is met by everybody.
https://docs.aws.amazon.com/kms/latest/APIReference/API_GrantConstraints.html
https://docs.aws.amazon.com/kms/latest/developerguide/create-grant-overview.html#grant-constraints
"""

from collections.abc import Mapping
from typing import Any

from trailbell.cloudtrail.record import mapping, text, texts
from trailbell.facts.account_limits import account_of


# Of data that is encrypted already the ciphertext decides which context is right.
_HELD = frozenset({"Decrypt", "Encrypt", "ReEncryptFrom", "ReEncryptTo", "CreateGrant"})
# For new data the grantee says the context himself, so that a made-up one holds nobody back; one of AWS's own names
# (aws:ebs:id) ties the key to a resource.
_SAID_BY_THE_CALLER = frozenset(
    {
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateDataKeyWithoutPlaintext",
    }
)


def unconstrained_operations(request: Mapping[str, Any]) -> tuple[str, ...]:
    """The operations of a CreateGrant request that no constraint holds back, as written, in their order."""
    operations = texts(request, "operations")
    if account_of(text(request, "constraints", "sourceArn")):
        return ()  # a service's grant, held to one resource's requests
    context = {
        name
        for kind in ("encryptionContextEquals", "encryptionContextSubset")
        for name, value in mapping(request, "constraints", kind).items()
        if name.strip() and isinstance(value, str) and value.strip()
    }
    if not context:
        return tuple(operations)
    held = _HELD | _SAID_BY_THE_CALLER if any(name.startswith("aws:") for name in context) else _HELD
    return tuple(operation for operation in operations if operation not in held)

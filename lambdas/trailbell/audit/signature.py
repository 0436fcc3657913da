"""A digest's signature: RSASSA-PKCS1-v1_5 with SHA-256, by the library `cryptography` (extra `audit`).

Imported only by what verifies: it takes longer to load than all of our own code.
"""

from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key


class BadKeyError(Exception):
    """A public key is not one of RSA."""


def is_signed(text: bytes, signature: str, der: bytes) -> bool:
    """Whether a signature (hexadecimal) is over a text, by a key (DER: PKCS#1 or SubjectPublicKeyInfo).

    Raises BadKeyError.
    """
    key = _load(der)
    try:
        key.verify(bytes.fromhex(signature), text, PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(64)
def _load(der: bytes) -> RSAPublicKey:
    try:
        key = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        raise BadKeyError from None
    if not isinstance(key, RSAPublicKey):
        raise BadKeyError
    return key

"""Members of records that hold secrets, and the word that stands in their place."""

GONE = "[redacted]"

# Members that hold a secret in a request or an answer of the services we watch, or of those that hand out
# credentials. In lower case; compared without "-" and "_".
SECRET_MEMBERS = frozenset(
    (
        "accesstoken activationcode apikey authenticationtoken authorization ciphertextblob ciphertextfordecryption "
        "clientsecret connectionkey content credentials customkeystorepassword encryptedkeymaterial encryptioncontext "
        "idtoken importtoken keystorepassword passphrase passwd password plaintext presignedurl privatekey "
        "privatekeyplaintext pwd refreshtoken secret secretaccesskey secretbinary secretkey secretstring "
        "securitytoken sessiontoken signature streamurl token tokenvalue xamzcredential xamzsecuritytoken xamzsignature"
    ).split()
)


def names_secret(path: str) -> bool:
    """Whether a dotted path of a record leads to or through a member that holds a secret."""
    return any(_plain(name) in SECRET_MEMBERS for name in path.split("."))


def _plain(name: str) -> str:
    return name.replace("-", "").replace("_", "").lower()

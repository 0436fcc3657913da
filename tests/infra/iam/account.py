"""The account that the small AWS plays, and the settings of a stack with an existing, encrypted bucket."""

from typing import Any


REGION = "eu-central-1"
ACCOUNT = "123456789012"
KEY = f"arn:aws:kms:{REGION}:111122223333:key/11111111-2222-3333-4444-555555555555"
EXISTING: dict[str, Any] = {
    "trail_bucket": "central-logs",
    "trail_prefix": "org/trails",
    "trail_key_arn": KEY,
    "chat_topic": "low",
    "event_bus": True,
    "security_hub": "low",
}

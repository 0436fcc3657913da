"""The call a canary is made of: deleting an SSM parameter that does not exist, which CloudTrail records as a write."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError


def canary_call(client: Any) -> Callable[[str], None]:
    """The call, by an SSM client, for a parameter's name. It raises what AWS refuses beside the parameter itself.

    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteParameter.html
    """

    def call(parameter: str) -> None:
        try:
            client.delete_parameter(Name=parameter)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ParameterNotFound":
                raise

    return call

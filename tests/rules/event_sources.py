"""Services that CloudTrail may name in two ways."""

TWINS = {
    "cloudhsm.amazonaws.com": "cloudhsmv2.amazonaws.com",
    "ssm-contacts.amazonaws.com": "ssmcontacts.amazonaws.com",
}
"""Event sources as the user guides show them → as AWS's API models call them (trait aws.api#service,
cloudTrailEventSource). Nobody has recorded both, so rules take either. https://github.com/aws/api-models-aws"""

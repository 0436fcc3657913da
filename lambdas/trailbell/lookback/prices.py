"""List prices of us-east-1 without free tiers, as of November 2026, in US dollars, each from the page beside it."""

AS_OF = "November 2026"
REGION = "us-east-1"

LAMBDA_GB_SECOND = 0.0000133334  # arm64: https://aws.amazon.com/lambda/pricing/
LAMBDA_REQUEST = 0.20e-6
SQS_REQUEST = 0.40e-6  # https://aws.amazon.com/sqs/pricing/
S3_GET = 0.40e-6  # https://aws.amazon.com/s3/pricing/
# On demand, 1 KB written, 4 KB read; reading the stream from Lambda is free: https://aws.amazon.com/dynamodb/pricing/
DYNAMODB_WRITE = 0.625e-6
DYNAMODB_READ = 0.125e-6
DYNAMODB_GB_MONTH = 0.25
SNS_PUBLISH = 0.50e-6  # and nothing for a delivery to SQS: https://aws.amazon.com/sns/pricing/
SNS_EMAIL = 2.0e-5
LOGS_GB = 0.50  # https://aws.amazon.com/cloudwatch/pricing/
ALARM, METRIC = 0.10, 0.30  # a month each; a metric only for the hours in which it is sent
# Nothing: a rule's schedule (https://aws.amazon.com/eventbridge/pricing/), a call to Parameter Store at its standard
# throughput (https://aws.amazon.com/systems-manager/pricing/), the first copy of the call's event
# (https://aws.amazon.com/cloudtrail/pricing/).

DAYS = 365 / 12
"""Of a month."""

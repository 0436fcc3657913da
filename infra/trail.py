"""The trail and its bucket: a new pair, or an existing bucket that is only read."""

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from .findings import NO_CUSTOMER_KEY, acknowledge, skip
from .settings import STACK_NAME, Settings


class TrailBucket(Construct):
    """Gives `bucket` (where log files arrive), `key` (what encrypts them, if anything) and `log_prefix`."""

    def __init__(self, scope: Construct, id: str, settings: Settings) -> None:
        super().__init__(scope, id)
        self.key: kms.IKey | None = None
        self.log_prefix = f"{settings.trail_prefix}/AWSLogs/" if settings.trail_prefix else "AWSLogs/"
        if settings.trail_key_arn:
            self.key = kms.Key.from_key_arn(self, "Key", settings.trail_key_arn)
        if settings.trail_bucket:
            self.bucket = s3.Bucket.from_bucket_name(self, "Existing", settings.trail_bucket)
        else:
            self.bucket = self._new_bucket(settings)
            self._new_trail(self.bucket, settings)

    def _new_bucket(self, settings: Settings) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "Bucket",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            event_bridge_enabled=settings.eventbridge or None,
            versioned=True,  # an overwritten log file keeps its first version
            removal_policy=RemovalPolicy.RETAIN,  # evidence outlives the stack
            lifecycle_rules=[
                s3.LifecycleRule(
                    noncurrent_version_expiration=Duration.days(365),
                    abort_incomplete_multipart_upload_after=Duration.days(7),
                )
            ],
        )
        reason = (
            "Changes of the bucket are in the trail itself, and rules watch for them; log files are versioned and "
            "their digests signed. Access logs come late and without guarantee, into one more bucket to guard."
        )
        acknowledge(bucket, "S1", reason)
        skip(bucket, "CKV_AWS_18", reason)
        return bucket

    def _new_trail(self, bucket: s3.Bucket, settings: Settings) -> None:
        """All regions, global services, management reads and writes: a KMS reader hides among the reads."""
        trail_arn = Stack.of(self).format_arn(
            service="cloudtrail",
            resource="trail",
            resource_name=STACK_NAME,
            arn_format=ArnFormat.SLASH_RESOURCE_NAME,
        )
        _let_trail_write(bucket, trail_arn, [Stack.of(self).account, settings.organization_id])
        trail = cloudtrail.Trail(
            self,
            "Trail",
            encryption_key=self.key,  # its own policy has to let CloudTrail encrypt and the detector decrypt
            trail_name=STACK_NAME,
            # As if it were somebody else's: the CDK would let every trail of every account write into it.
            bucket=s3.Bucket.from_bucket_name(self, "ByName", bucket.bucket_name),
            is_multi_region_trail=True,
            include_global_service_events=True,
            enable_file_validation=True,
            management_events=cloudtrail.ReadWriteType.ALL,
            is_organization_trail=True if settings.organization_id else None,
            org_id=settings.organization_id or None,
        )
        assert bucket.policy
        trail.node.add_dependency(bucket.policy)  # CloudTrail tries the bucket before it makes the trail
        skip(trail, "CKV_AWS_35", NO_CUSTOMER_KEY)


def _let_trail_write(bucket: s3.Bucket, trail_arn: str, owners: list[str]) -> None:
    """Let one trail write below AWSLogs/ for its account and, where there is one, its organisation.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
    """
    ours = {"aws:SourceArn": trail_arn}
    folders = [bucket.arn_for_objects(f"AWSLogs/{owner}/*") for owner in owners if owner]
    written = {**ours, "s3:x-amz-acl": "bucket-owner-full-control"}
    for action, resources, conditions in (
        ("s3:GetBucketAcl", [bucket.bucket_arn], ours),
        ("s3:PutObject", folders, written),
    ):
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                actions=[action],
                principals=[iam.ServicePrincipal("cloudtrail.amazonaws.com")],
                resources=resources,
                conditions={"StringEquals": conditions},
            )
        )

"""The trail and its bucket: a new pair, or an existing bucket that is only read."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_cloudtrail as cloudtrail
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
        trail = cloudtrail.Trail(
            self,
            "Trail",
            encryption_key=self.key,  # its own policy has to let CloudTrail encrypt and the detector decrypt
            trail_name=STACK_NAME,  # the CDK writes the bucket policy of an organisation trail only for a named one
            bucket=bucket,
            is_multi_region_trail=True,
            include_global_service_events=True,
            enable_file_validation=True,
            management_events=cloudtrail.ReadWriteType.ALL,
            is_organization_trail=True if settings.organization_id else None,
            org_id=settings.organization_id or None,
        )
        skip(trail, "CKV_AWS_35", NO_CUSTOMER_KEY)

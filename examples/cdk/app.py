"""A CDK app of one's own with the alerter in it: pip install 'trailbell[deploy]', then `cdk deploy` in this folder."""

import aws_cdk as cdk
from trailbell.cdk import Trailbell


app = cdk.App()
stack = cdk.Stack(app, "Security", description="What watches our accounts")
Trailbell(
    stack,
    "Alerts",
    alert_emails={"security@example.com": "high"},
    alert_on=["kms:DisableKey"],
)
app.synth()

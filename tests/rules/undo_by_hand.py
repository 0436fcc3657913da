"""Rules that offer undo steps, and name no later call that undoes what they report: why not."""

BY_HAND = {
    # The record does not name what was made.
    "hsm-backup-copied": "the record does not name the copy; deleting one of two copies would close both",
    "hsm-backup-copied-home": "the same",
    "hsm-cluster-deleted": "a new cluster has a new id, and the record of the old one names no backup",
    "ssm-desktop-opened": "the record has no id of the session",
    # The former state stands only in earlier records.
    "ssm-sap-settings-changed": "the former settings are in no record of the change; the later call may set others",
    "ssm-association-deleted": "one that is made again has a new id",
    "ssm-node-deregistered": "a node that comes back has a new id",
    "ssm-oncall-rota-deleted": "a rota that is made again has a new ARN",
    "ssm-quicksetup-deleted": "a configuration that is made again has a new ARN",
    # What undoes it is no call, or its success is in no record.
    "trail-alerting-tampered": "closed when doctor finds the part in order",
    "trail-alerting-updated": "the same",
    "trail-feed-cut": "the same",
    "trail-feed-deployed": "the same",
    "alerter-mapping-unnamed": "the same; the record does not say whose mapping it is",
    "trail-organization-left": "whether the organization's trail logs again, no record says",
    # It cannot be undone; the steps contain it.
    "kms-material-imported": "deleting the material is worse than having it; disabling only contains",
    "kms-foreign-key-used": "what was encrypted stays so",
    "kms-foreign-key-used-by-service": "the same",
    "s3-object-foreign-key": "the same",
    "kms-used-by-external-account": "what was read is known",
}
"""By name of the rule."""

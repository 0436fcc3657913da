"""trailbell: from a CloudTrail log file to a mail somebody can act on, and a hit somebody can query."""

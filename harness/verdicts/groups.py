"""The groups of requirements, and what each is about."""

GROUPS: dict[str, str] = {
    "LIF": "life of a session",
    "ORD": "persistence before hooks",
    "UPD": "updates and redaction",
    "RPL": "restart and replay",
    "TOL": "tools",
    "CNT": "content",
    "IDS": "identity and isolation",
    "COR": "corruption",
    "DUR": "crashes and full disks",
    "CON": "concurrency",
    "CLN": "clean-up",
    "S3A": "storage on S3",
    "NET": "storage behind a network",
    "AGT": "the text agent",
    "MAG": "several agents",
    "STA": "any conversation at all",
    "REP": "the repository API",
    "SNP": "snapshots and the Storage API",
}
"""The first three letters of a requirement's id, and the group's subject, in the order in which they are judged."""

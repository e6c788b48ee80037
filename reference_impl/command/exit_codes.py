"""Exit codes of the console command, beside 0 and 1."""

USAGE_ERROR = 4
"""It cannot be carried out as it was given: nothing was changed."""

INTERRUPTED = 2
"""Somebody interrupted it, as with Ctrl-C; pytest's own code for it. What was done by then is done."""

PIPE_CLOSED = 141
"""What a shell says of a program that SIGPIPE has ended: 128 + 13."""

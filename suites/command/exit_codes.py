"""Exit codes of the session-conformance command."""

VIOLATED = 1
"""A requirement is violated or could not be judged; or, where that was asked for, there are regressions."""

USAGE_ERROR = 4
"""A command cannot be carried out as it was given; pytest's own code for it."""

INTERRUPTED = 2
"""Somebody interrupted it, as with Ctrl-C; pytest's own code for it. What was done by then is done."""

PIPE_CLOSED = 141
"""What a shell says of a program that SIGPIPE has ended: 128 + 13."""

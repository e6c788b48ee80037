"""The conformance requirements, one module a group."""

"""Drives a session manager through scripted conversations, observes it, and judges what was seen."""

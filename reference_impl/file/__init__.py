"""A session in files: a journal and its folder."""

"""A session in S3: objects, lives, segments and deletion."""

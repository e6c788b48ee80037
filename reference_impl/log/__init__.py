"""What both reference managers share: the changes of a session, their lines, and the history that they make."""

def as_markdown(report): return ""

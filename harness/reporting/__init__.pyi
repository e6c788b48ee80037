from .badges import badge as badge
from .comparison import ChangeKind as ChangeKind
from .comparison import Comparison as Comparison
from .comparison import compare as compare
from .comparison_texts import comparison_as_markdown as comparison_as_markdown
from .comparison_texts import comparison_as_text as comparison_as_text
from .formats import FORMATS as FORMATS
from .formats import format_of as format_of
from .formats import save as save
from .formats import write as write
from .github_actions import in_github_actions as in_github_actions
from .github_actions import workflow_commands as workflow_commands
from .group_table import groups_as_markdown as groups_as_markdown
from .html import as_html as as_html
from .html import comparison_as_html as comparison_as_html
from .markdown import as_markdown as as_markdown
from .report import SCHEMA_FILE as SCHEMA_FILE
from .report import BackendReport as BackendReport
from .report import Package as Package
from .report import Report as Report
from .report import ReportError as ReportError
from .report import made as made
from .report import read as read
from .report import report_of as report_of
from .terminal import draw as draw
from .terminal import draw_beside as draw_beside
from .terminal import draw_measures as draw_measures
from .terminal import showable as showable
from .terminal import start_here as start_here

__all__ = [
    "FORMATS",
    "SCHEMA_FILE",
    "BackendReport",
    "ChangeKind",
    "Comparison",
    "Package",
    "Report",
    "ReportError",
    "as_html",
    "as_markdown",
    "badge",
    "compare",
    "comparison_as_html",
    "comparison_as_markdown",
    "comparison_as_text",
    "draw",
    "draw_beside",
    "draw_measures",
    "format_of",
    "groups_as_markdown",
    "in_github_actions",
    "made",
    "read",
    "report_of",
    "save",
    "showable",
    "start_here",
    "workflow_commands",
    "write",
]

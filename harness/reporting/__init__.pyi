from .badges import badge as badge
from .comparison import Comparison as Comparison
from .comparison import Kind as Kind
from .comparison import compare as compare
from .comparison_texts import comparison_as_markdown as comparison_as_markdown
from .comparison_texts import comparison_as_text as comparison_as_text
from .formats import ENDINGS as ENDINGS
from .formats import FORMATS as FORMATS
from .formats import format_of as format_of
from .formats import save as save
from .formats import write as write
from .github_actions import in_github_actions as in_github_actions
from .github_actions import workflow_commands as workflow_commands
from .html import as_html as as_html
from .html import comparison_as_html as comparison_as_html
from .html import group_cell as group_cell
from .html import groups as groups
from .markdown import LONGEST as LONGEST
from .markdown import as_markdown as as_markdown
from .markdown import details as details
from .markdown import fenced as fenced
from .markdown import plain as plain
from .plot import plots as plots
from .quantities import quantity as quantity
from .quantities import ratio as ratio
from .report import SCHEMA_FILE as SCHEMA_FILE
from .report import BackendReport as BackendReport
from .report import Package as Package
from .report import Report as Report
from .report import ReportError as ReportError
from .report import made as made
from .report import package_of as package_of
from .report import read as read
from .report import report_of as report_of
from .secrets import conceal as conceal
from .sequence import BESIDE as BESIDE
from .sequence import CHARACTER as CHARACTER
from .sequence import MARGIN as MARGIN
from .sequence import WIDEST as WIDEST
from .sequence import diagram as diagram
from .terminal import draw as draw
from .terminal import draw_measures as draw_measures
from .terminal import showable as showable

__all__ = [
    "BESIDE",
    "CHARACTER",
    "ENDINGS",
    "FORMATS",
    "LONGEST",
    "MARGIN",
    "SCHEMA_FILE",
    "WIDEST",
    "BackendReport",
    "Comparison",
    "Kind",
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
    "conceal",
    "details",
    "diagram",
    "draw",
    "draw_measures",
    "fenced",
    "format_of",
    "group_cell",
    "groups",
    "in_github_actions",
    "made",
    "package_of",
    "plain",
    "plots",
    "quantity",
    "ratio",
    "read",
    "report_of",
    "save",
    "showable",
    "workflow_commands",
    "write",
]

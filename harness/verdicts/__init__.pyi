from .causes import Cause as Cause
from .causes import by_cause as by_cause
from .causes import cause_of as cause_of
from .floors import FileFloor as FileFloor
from .floors import Floor as Floor
from .floors import S3Floor as S3Floor
from .floors import ServerFloor as ServerFloor
from .floors import as_bytes as as_bytes
from .groups import GROUPS as GROUPS
from .matrix import Matrix as Matrix
from .measure import IN_EVERY_ROUND as IN_EVERY_ROUND
from .measure import LESS_THAN_FLOOR as LESS_THAN_FLOOR
from .measure import WITHIN_SPREAD as WITHIN_SPREAD
from .measure import Growth as Growth
from .measure import Measure as Measure
from .measure import counted as counted
from .measure import growth as growth
from .measure import load_of as load_of
from .measure import of_rounds as of_rounds
from .measure import why_no_growth as why_no_growth
from .registry import SOURCES as SOURCES
from .registry import Level as Level
from .registry import Requirement as Requirement
from .registry import requirement as requirement
from .registry import requirements as requirements
from .verdict import Outcome as Outcome
from .verdict import Result as Result
from .verdict import Verdict as Verdict
from .verdict import verdicts as verdicts
from .violation import NotApplicable as NotApplicable
from .violation import Violation as Violation
from .violation import drawn as drawn
from .violation import expect_no_failure as expect_no_failure
from .violation import expect_same as expect_same
from .violation import violated as violated

__all__ = [
    "GROUPS",
    "IN_EVERY_ROUND",
    "LESS_THAN_FLOOR",
    "SOURCES",
    "WITHIN_SPREAD",
    "Cause",
    "FileFloor",
    "Floor",
    "Growth",
    "Level",
    "Matrix",
    "Measure",
    "NotApplicable",
    "Outcome",
    "Requirement",
    "Result",
    "S3Floor",
    "ServerFloor",
    "Verdict",
    "Violation",
    "as_bytes",
    "by_cause",
    "cause_of",
    "counted",
    "drawn",
    "expect_no_failure",
    "expect_same",
    "growth",
    "load_of",
    "of_rounds",
    "requirement",
    "requirements",
    "verdicts",
    "violated",
    "why_no_growth",
]

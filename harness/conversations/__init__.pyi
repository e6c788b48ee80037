from ._processes import warm_up as warm_up
from .appending import Appender as Appender
from .appending import talk as talk
from .application import TORN_DOWN as TORN_DOWN
from .application import Application as Application
from .application import play_application as play_application
from .bidi import Conversation as Conversation
from .bidi import Session as Session
from .detection import detect as detect
from .fresh_process import Die as Die
from .fresh_process import ProcessDied as ProcessDied
from .fresh_process import ReadingProcess as ReadingProcess
from .fresh_process import in_fresh_process as in_fresh_process
from .fresh_process import read_in_fresh_process as read_in_fresh_process
from .parents_faults import fault_of_parent as fault_of_parent
from .parents_faults import making_faults as making_faults
from .playing import CannotBePlayed as CannotBePlayed
from .playing import let_go as let_go
from .playing import play as play
from .scenario import Run as Run
from .scenario import Scenario as Scenario
from .scenario import ScenarioRuns as ScenarioRuns
from .shared_place import found_elsewhere as found_elsewhere
from .team import TeamConversation as TeamConversation
from .teams import Team as Team
from .teams import fact_from as fact_from
from .teams import handed_over_by as handed_over_by
from .teams import said_by as said_by
from .text import TextConversation as TextConversation
from .text_agent import TextAgent as TextAgent
from .writers import begin_together as begin_together
from .writers import write_together as write_together

__all__ = [
    "TORN_DOWN",
    "Appender",
    "Application",
    "CannotBePlayed",
    "Conversation",
    "Die",
    "ProcessDied",
    "ReadingProcess",
    "Run",
    "Scenario",
    "ScenarioRuns",
    "Session",
    "Team",
    "TeamConversation",
    "TextAgent",
    "TextConversation",
    "begin_together",
    "detect",
    "fact_from",
    "fault_of_parent",
    "found_elsewhere",
    "handed_over_by",
    "in_fresh_process",
    "let_go",
    "making_faults",
    "play",
    "play_application",
    "read_in_fresh_process",
    "said_by",
    "talk",
    "warm_up",
    "write_together",
]

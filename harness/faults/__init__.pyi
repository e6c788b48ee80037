from .corruption import DamageCase as DamageCase
from .corruption import DamageOutcome as DamageOutcome
from .corruption import Specimen as Specimen
from .corruption import damage_every_object as damage_every_object
from .crashes import crash_writing as crash_writing
from .crashes import goes_on_a_day_later as goes_on_a_day_later
from .crashes import is_end_of_turn as is_end_of_turn
from .crashes import killed_at_acknowledgements as killed_at_acknowledgements
from .crashes import killed_at_each_moment as killed_at_each_moment
from .file_operations import ELSEWHERE as ELSEWHERE
from .file_operations import Step as Step
from .file_system import Contents as Contents
from .file_system import Durability as Durability
from .file_system import SetName as SetName
from .file_system import Sync as Sync
from .io_faults import FaultPlan as FaultPlan
from .io_faults import plans as plans
from .misplaced import Misplaced as Misplaced
from .misplaced import misplace_objects as misplace_objects
from .recording import CrashState as CrashState
from .recording import Recording as Recording
from .recording import record as record
from .recording import states_of_kills as states_of_kills
from .recording import states_of_power_cuts as states_of_power_cuts
from .restoring import Restorations as Restorations
from .slow_storage import file_calls as file_calls
from .slow_storage import stall_on_files as stall_on_files
from .slow_storage import stall_on_s3 as stall_on_s3
from .successors import Legacy as Legacy
from .successors import legacies_of_kills as legacies_of_kills
from .successors import legacy_of_power_cut as legacy_of_power_cut
from .successors import states_after as states_after
from .system_calls import Untraceable as Untraceable
from .tracing import TracerMissing as TracerMissing
from .wire_kills import killed_at_exchange as killed_at_exchange

__all__ = [
    "ELSEWHERE",
    "Contents",
    "CrashState",
    "DamageCase",
    "DamageOutcome",
    "Durability",
    "FaultPlan",
    "Legacy",
    "Misplaced",
    "Recording",
    "Restorations",
    "SetName",
    "Specimen",
    "Step",
    "Sync",
    "TracerMissing",
    "Untraceable",
    "crash_writing",
    "damage_every_object",
    "file_calls",
    "goes_on_a_day_later",
    "is_end_of_turn",
    "killed_at_acknowledgements",
    "killed_at_each_moment",
    "killed_at_exchange",
    "legacies_of_kills",
    "legacy_of_power_cut",
    "misplace_objects",
    "plans",
    "record",
    "stall_on_files",
    "stall_on_s3",
    "states_after",
    "states_of_kills",
    "states_of_power_cuts",
]

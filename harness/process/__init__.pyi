from .clock_skew import skew_clock as skew_clock
from .coroutines import blocking as blocking
from .coroutines import wait_for as wait_for
from .file_calls import READING as READING
from .file_calls import REMOVING as REMOVING
from .file_calls import SYNCING as SYNCING
from .file_calls import WRITING as WRITING
from .file_calls import before_file_calls as before_file_calls
from .forking import end_forks as end_forks
from .forking import forks as forks
from .forking import kill_with_its_forks as kill_with_its_forks
from .forking import lead_its_forks as lead_its_forks
from .hang import Hang as Hang
from .hang import Watch as Watch
from .hang import broken_off as broken_off
from .hang import waits_ended as waits_ended
from .hang import within_limit as within_limit
from .held import holds as holds
from .held import maps as maps
from .leaving import end_after_the_run as end_after_the_run
from .leaving import end_as_an_interpreter as end_as_an_interpreter
from .leaving import leaves_with as leaves_with
from .open_files import allow_many_open_files as allow_many_open_files
from .opened import close_all as close_all
from .opened import closing as closing
from .opened import latest_moment as latest_moment
from .opened import moment as moment
from .opened import troubles as troubles
from .opened import way_to_close as way_to_close
from .opened import will_be_closed as will_be_closed
from .patience import CHECK_LIMIT_S as CHECK_LIMIT_S
from .patience import GROWTH_LIMIT as GROWTH_LIMIT
from .patience import HANG_LIMIT_S as HANG_LIMIT_S
from .patience import MOST_HANGS as MOST_HANGS
from .patience import PROCESS_LIMIT_S as PROCESS_LIMIT_S
from .patience import WAITS_LIMIT_S as WAITS_LIMIT_S
from .patience import Patience as Patience
from .patience import judged_with as judged_with
from .patience import note_hang as note_hang
from .patience import patience_now as patience_now
from .privileges import are_obeyed as are_obeyed
from .privileges import obey_permissions as obey_permissions
from .raising import FROM_OUTSIDE as FROM_OUTSIDE
from .raising import Ended as Ended
from .standing import say_where_it_stands as say_where_it_stands
from .standing import where_it_stands as where_it_stands
from .storage_faults import FAULT_BEGINS as FAULT_BEGINS
from .storage_faults import FAULT_ENDS as FAULT_ENDS
from .storage_faults import die_at_writes as die_at_writes
from .storage_faults import fail_writes as fail_writes
from .storage_faults import let_writes_work as let_writes_work
from .storage_faults import no_file_can_be_written as no_file_can_be_written
from .warnings import Warned as Warned
from .warnings import collecting_warnings as collecting_warnings
from .warnings import note_warned as note_warned
from .warnings import take_warned as take_warned
from .warnings import tolerating_warnings as tolerating_warnings
from .warnings import warned as warned
from .zone import in_zone as in_zone

__all__ = [
    "CHECK_LIMIT_S",
    "FAULT_BEGINS",
    "FAULT_ENDS",
    "FROM_OUTSIDE",
    "GROWTH_LIMIT",
    "HANG_LIMIT_S",
    "MOST_HANGS",
    "PROCESS_LIMIT_S",
    "READING",
    "REMOVING",
    "SYNCING",
    "WAITS_LIMIT_S",
    "WRITING",
    "Ended",
    "Hang",
    "Patience",
    "Warned",
    "Watch",
    "allow_many_open_files",
    "are_obeyed",
    "before_file_calls",
    "blocking",
    "broken_off",
    "close_all",
    "closing",
    "collecting_warnings",
    "die_at_writes",
    "end_after_the_run",
    "end_as_an_interpreter",
    "end_forks",
    "fail_writes",
    "forks",
    "holds",
    "in_zone",
    "judged_with",
    "kill_with_its_forks",
    "latest_moment",
    "lead_its_forks",
    "leaves_with",
    "let_writes_work",
    "maps",
    "moment",
    "no_file_can_be_written",
    "note_hang",
    "note_warned",
    "obey_permissions",
    "patience_now",
    "say_where_it_stands",
    "skew_clock",
    "take_warned",
    "tolerating_warnings",
    "troubles",
    "wait_for",
    "waits_ended",
    "warned",
    "way_to_close",
    "where_it_stands",
    "will_be_closed",
    "within_limit",
]

from .agents_of_a_session import expect_apart_on_one_manager as expect_apart_on_one_manager
from .agents_of_a_session import expect_apart_where_messages_are_shared as expect_apart_where_messages_are_shared
from .agents_of_a_session import expect_own as expect_own
from .agents_of_a_session import expect_redacted_apart_on_one_manager as expect_redacted_apart_on_one_manager
from .agents_of_a_session import expect_twins_refused as expect_twins_refused
from .any_script import judge_script as judge_script
from .asked_within import expect_asked_within_a_tool as expect_asked_within_a_tool
from .between_requests import expect_kept_between_requests as expect_kept_between_requests
from .bidi import AUTO_RESTART_OFF as AUTO_RESTART_OFF
from .bidi import BARGED_IN as BARGED_IN
from .bidi import CANCELLED as CANCELLED
from .bidi import CONSTRUCTOR_MESSAGES as CONSTRUCTOR_MESSAGES
from .bidi import DIRECT_TOOL_CALL as DIRECT_TOOL_CALL
from .bidi import EVERYDAY as EVERYDAY
from .bidi import GIVEN_MESSAGES as GIVEN_MESSAGES
from .bidi import GREETED as GREETED
from .bidi import INCOMPLETE as INCOMPLETE
from .bidi import INTERLEAVED as INTERLEAVED
from .bidi import KILLED as KILLED
from .bidi import KILLED_BETWEEN_USE_AND_RESULT as KILLED_BETWEEN_USE_AND_RESULT
from .bidi import KILLED_IN_TOOL as KILLED_IN_TOOL
from .bidi import LATE_UPDATE as LATE_UPDATE
from .bidi import LATE_UPDATE_BEHIND_A_GAP as LATE_UPDATE_BEHIND_A_GAP
from .bidi import LATE_UPDATE_BEHIND_MANY as LATE_UPDATE_BEHIND_MANY
from .bidi import LONG_HISTORY as LONG_HISTORY
from .bidi import LONG_HISTORY_LENGTH as LONG_HISTORY_LENGTH
from .bidi import LONG_LIFE as LONG_LIFE
from .bidi import NEW_PROCESS as NEW_PROCESS
from .bidi import OTHER_STORAGE_FAULTS as OTHER_STORAGE_FAULTS
from .bidi import RAISING_HOOKS as RAISING_HOOKS
from .bidi import RECORDED as RECORDED
from .bidi import REDACTION as REDACTION
from .bidi import RESTART_FAILS as RESTART_FAILS
from .bidi import RESTARTED_BY_RESTART as RESTARTED_BY_RESTART
from .bidi import RESTARTED_BY_START as RESTARTED_BY_START
from .bidi import SAID_AGAIN as SAID_AGAIN
from .bidi import SCHEDULED as SCHEDULED
from .bidi import SECRET as SECRET
from .bidi import SENT_DURING_RESTART as SENT_DURING_RESTART
from .bidi import SHORT_TALKS as SHORT_TALKS
from .bidi import SILENT as SILENT
from .bidi import STATE as STATE
from .bidi import STATE_OF_A_LONG_TALK as STATE_OF_A_LONG_TALK
from .bidi import STATE_SET_BY_STOP_HOOK as STATE_SET_BY_STOP_HOOK
from .bidi import STOP_AND_START as STOP_AND_START
from .bidi import STORAGE_FAULT as STORAGE_FAULT
from .bidi import TIMEOUT_IN_TOOL as TIMEOUT_IN_TOOL
from .bidi import TIMEOUT_IN_TRANSCRIPT as TIMEOUT_IN_TRANSCRIPT
from .bidi import TOGETHER as TOGETHER
from .bidi import TOOL_SETS_STATE as TOOL_SETS_STATE
from .bidi import TWENTY_TIMEOUTS as TWENTY_TIMEOUTS
from .bidi import UPDATE_STORAGE_FAULT as UPDATE_STORAGE_FAULT
from .checkpoints import expect_each_tool_once as expect_each_tool_once
from .content import BLOCKS as BLOCKS
from .content import BYTES as BYTES
from .content import ODD_TEXT as ODD_TEXT
from .content import PIXEL as PIXEL
from .deletion import expect_all_of_it_deleted as expect_all_of_it_deleted
from .deletion import expect_apart_where_ids_meet as expect_apart_where_ids_meet
from .deletion import expect_deleted_among_many as expect_deleted_among_many
from .deletion import expect_deleted_by_another as expect_deleted_by_another
from .deletion import expect_deleted_nowhere_at_rest as expect_deleted_nowhere_at_rest
from .deletion import expect_deletion_holds as expect_deletion_holds
from .deletion import expect_only_one_deleted as expect_only_one_deleted
from .deletion import expect_others_cleaned_up as expect_others_cleaned_up
from .deletion import expect_own_where_agents_look_like_keys as expect_own_where_agents_look_like_keys
from .deletion import expect_refused_nowhere_at_rest as expect_refused_nowhere_at_rest
from .deletion_by_name import expect_the_named_one_deleted as expect_the_named_one_deleted
from .deletion_cut_short import expect_deletion_after_crash as expect_deletion_after_crash
from .deletion_cut_short import expect_failed_deletions_told_of as expect_failed_deletions_told_of
from .ending import read_in_process_that_ends as read_in_process_that_ends
from .expiry import expect_whole_or_nothing as expect_whole_or_nothing
from .fault_places import kind_of_request as kind_of_request
from .fault_places import places_of_faults as places_of_faults
from .faulty_talks import expect_no_loss_by_faults as expect_no_loss_by_faults
from .growth import expect_no_growth_with_deletions as expect_no_growth_with_deletions
from .growth import expect_no_growth_without_content as expect_no_growth_without_content
from .kills import Cost as Cost
from .kills import expect_cost_as_promised as expect_cost_as_promised
from .kills import promised_by as promised_by
from .later_power_cuts import expect_kept_after_failed_syncs as expect_kept_after_failed_syncs
from .later_power_cuts import expect_kept_after_successors as expect_kept_after_successors
from .later_power_cuts import latest_of_each_kind as latest_of_each_kind
from .long_state import expect_long_state_restored as expect_long_state_restored
from .lost_answers import expect_redaction_to_outlive_a_retry as expect_redaction_to_outlive_a_retry
from .malformed import LARGE as LARGE
from .malformed import MALFORMED as MALFORMED
from .malformed import expect_large_or_refused as expect_large_or_refused
from .malformed import expect_large_state_or_refused as expect_large_state_or_refused
from .malformed import expect_restorable as expect_restorable
from .many_at_once import hundred_sessions as hundred_sessions
from .odd_tools import ODD_TOOLS as ODD_TOOLS
from .odd_tools import SAME_TOOL_IDS as SAME_TOOL_IDS
from .on_the_wire import loop_goes_on as loop_goes_on
from .one_process import expect_here_and_elsewhere as expect_here_and_elsewhere
from .one_process import shut_out_by as shut_out_by
from .options import having as having
from .overheard import expect_secrets_kept as expect_secrets_kept
from .own_markup import own_markup as own_markup
from .places import StorageFault as StorageFault
from .places import expect_folder_behind_link as expect_folder_behind_link
from .places import expect_folder_of_when_it_was_made as expect_folder_of_when_it_was_made
from .places import expect_no_leaks as expect_no_leaks
from .places import expect_private as expect_private
from .places import expect_same_in_any_locale as expect_same_in_any_locale
from .recorded import ON_DISK as ON_DISK
from .recorded import conversations_with_failing_syncs as conversations_with_failing_syncs
from .recorded import conversations_with_other_faults as conversations_with_other_faults
from .recorded import recorded_conversation as recorded_conversation
from .redaction import REDACTED_WORD as REDACTED_WORD
from .redaction import RedactionLooks as RedactionLooks
from .redaction import expect_gone_at_each_look as expect_gone_at_each_look
from .redaction import redacted_beside_another as redacted_beside_another
from .redaction import redacted_by_a_guardrail as redacted_by_a_guardrail
from .redaction import redacted_by_another as redacted_by_another
from .redaction import redacted_by_the_agent as redacted_by_the_agent
from .restored import expect_answered as expect_answered
from .restored import expect_managed as expect_managed
from .restored import expect_restored_as_left as expect_restored_as_left
from .restored import expect_restored_but_for_torn_down as expect_restored_but_for_torn_down
from .restored import expect_windows_apart as expect_windows_apart
from .round_trips import Counted as Counted
from .s3_requests import LOAD as LOAD
from .s3_requests import MESSAGES_A_CONVERSATION as MESSAGES_A_CONVERSATION
from .s3_requests import as_table as as_table
from .s3_requests import count_for as count_for
from .s3_requests import count_requests as count_requests
from .session_ids import REFUSALS as REFUSALS
from .session_ids import accepted as accepted
from .session_ids import refused as refused
from .session_ids import say as say
from .several_writers import HoldFirstWrite as HoldFirstWrite
from .several_writers import begin as begin
from .several_writers import begins_anew as begins_anew
from .several_writers import expect_beginnings_kept as expect_beginnings_kept
from .several_writers import expect_kept as expect_kept
from .several_writers import expect_kept_where_a_sync_fails as expect_kept_where_a_sync_fails
from .several_writers import expect_late_writer_kept as expect_late_writer_kept
from .several_writers import expect_merged_to_be_accepted as expect_merged_to_be_accepted
from .several_writers import expect_order_whatever_clocks_say as expect_order_whatever_clocks_say
from .several_writers import expect_refused_clearly as expect_refused_clearly
from .several_writers import expect_update_kept as expect_update_kept
from .several_writers import redacts as redacts
from .several_writers import told_of as told_of
from .short_writes import expect_rest_written_or_told_of as expect_rest_written_or_told_of
from .snapshots import expect_kept_in_the_agents_storage as expect_kept_in_the_agents_storage
from .snapshots import expect_redacted_by_each_strategy as expect_redacted_by_each_strategy
from .snapshots import expect_snapshots_as_triggered as expect_snapshots_as_triggered
from .snapshots import expect_stash_forgets_what_is_redacted as expect_stash_forgets_what_is_redacted
from .snapshots import expect_stash_in_snapshots as expect_stash_in_snapshots
from .storage_outage import expect_last_state_told_of as expect_last_state_told_of
from .storage_outage import expect_other_outages_told_of as expect_other_outages_told_of
from .storage_outage import expect_outage_of_an_update_told_of as expect_outage_of_an_update_told_of
from .storage_outage import expect_outages_told_of as expect_outages_told_of
from .storage_outage import expect_state_stored_after_outages as expect_state_stored_after_outages
from .stored_at_hooks import expect_stored_at_hooks as expect_stored_at_hooks
from .stored_history import expect_nothing_kept as expect_nothing_kept
from .stored_history import expect_nowhere_at_rest as expect_nowhere_at_rest
from .stored_history import expect_readable as expect_readable
from .stored_history import expect_stored as expect_stored
from .stored_history import expect_stored_as_in_memory as expect_stored_as_in_memory
from .stored_history import find_at_rest as find_at_rest
from .stored_history import find_same as find_same
from .stored_history import has_block as has_block
from .strategies import expect_saved_as_each_strategy_says as expect_saved_as_each_strategy_says
from .team import ASKS_UNSTORED as ASKS_UNSTORED
from .team import ASKS_UNSTORED_HERE as ASKS_UNSTORED_HERE
from .team import GOES_ON_UNSTORED as GOES_ON_UNSTORED
from .team import GRAPH_ASKS as GRAPH_ASKS
from .team import GRAPH_ASKS_WITHIN as GRAPH_ASKS_WITHIN
from .team import GRAPH_BINARY as GRAPH_BINARY
from .team import GRAPH_BRANCHES as GRAPH_BRANCHES
from .team import GRAPH_FAILS as GRAPH_FAILS
from .team import GRAPH_KILLED as GRAPH_KILLED
from .team import GRAPH_NESTED as GRAPH_NESTED
from .team import SECOND_TASK as SECOND_TASK
from .team import SWARM_ASKS as SWARM_ASKS
from .team import SWARM_FAILS as SWARM_FAILS
from .team import SWARM_KILLED as SWARM_KILLED
from .team import TASK as TASK
from .teams_in_turn import expect_apart_from_an_agent as expect_apart_from_an_agent
from .teams_in_turn import expect_processes_to_take_turns as expect_processes_to_take_turns
from .text import ACCOUNT as ACCOUNT
from .text import PASSWORD as PASSWORD
from .text import TEXT_ANSWERED_AT_ONCE as TEXT_ANSWERED_AT_ONCE
from .text import TEXT_ANSWERED_IN_PARTS as TEXT_ANSWERED_IN_PARTS
from .text import TEXT_CONTENT as TEXT_CONTENT
from .text import TEXT_CUT_SHORT as TEXT_CUT_SHORT
from .text import TEXT_DIRECT_TOOL_CALL as TEXT_DIRECT_TOOL_CALL
from .text import TEXT_EVERYDAY as TEXT_EVERYDAY
from .text import TEXT_GIVEN_MESSAGES as TEXT_GIVEN_MESSAGES
from .text import TEXT_GUARDRAIL as TEXT_GUARDRAIL
from .text import TEXT_GUARDRAIL_TRIMMED as TEXT_GUARDRAIL_TRIMMED
from .text import TEXT_INTERRUPT as TEXT_INTERRUPT
from .text import TEXT_MERGED as TEXT_MERGED
from .text import TEXT_MERGED_TRIMMED as TEXT_MERGED_TRIMMED
from .text import TEXT_MODEL_ERRORS as TEXT_MODEL_ERRORS
from .text import TEXT_PROCESSES as TEXT_PROCESSES
from .text import TEXT_RAISING_HOOKS as TEXT_RAISING_HOOKS
from .text import TEXT_STATEFUL as TEXT_STATEFUL
from .text import TEXT_STORAGE_FAULT as TEXT_STORAGE_FAULT
from .text import TEXT_STRUCTURED as TEXT_STRUCTURED
from .text_calls import PINNED as PINNED
from .text_calls import in_one_loop_after_another as in_one_loop_after_another
from .text_calls import pinned_in_the_middle as pinned_in_the_middle
from .text_calls import torn_down_as_it_is_stored as torn_down_as_it_is_stored
from .text_reopened import TAKEN_BACK as TAKEN_BACK
from .text_reopened import expect_opened_by_others as expect_opened_by_others
from .text_reopened import expect_opened_with_unknown_record as expect_opened_with_unknown_record
from .text_reopened import set_back as set_back
from .text_state import STATE_OF_A_VOICE as STATE_OF_A_VOICE
from .text_state import STATE_THAT_CHANGES as STATE_THAT_CHANGES
from .text_state import STRUCTURED_STATE as STRUCTURED_STATE
from .text_state import TEXT_STATE as TEXT_STATE
from .text_state import TEXT_STATE_AT_THE_END as TEXT_STATE_AT_THE_END
from .text_trimmed import TEXT_COMPRESSED as TEXT_COMPRESSED
from .text_trimmed import TEXT_CUT_RESULTS as TEXT_CUT_RESULTS
from .text_trimmed import TEXT_OVERFLOW as TEXT_OVERFLOW
from .text_trimmed import TEXT_PER_TURN as TEXT_PER_TURN
from .text_trimmed import TEXT_PINNED_SUMMARY as TEXT_PINNED_SUMMARY
from .text_trimmed import TEXT_PINNED_WINDOW as TEXT_PINNED_WINDOW
from .text_trimmed import TEXT_SUMMARY as TEXT_SUMMARY
from .text_trimmed import TEXT_WINDOW as TEXT_WINDOW
from .text_trimmed import TRIMMED as TRIMMED
from .tool_results import expect_no_made_up_success as expect_no_made_up_success
from .tool_results import results_of as results_of
from .twins import TO_COME as TO_COME
from .twins import PairsOfTwins as PairsOfTwins
from .twins import expect_text_twins as expect_text_twins
from .twins import expect_voice_twins as expect_voice_twins
from .twins import is_talk as is_talk
from .twins import talk_of as talk_of
from .unreadable import expect_read_failures_to_be_no_absence as expect_read_failures_to_be_no_absence
from .unreadable import expect_unreadable_teams_to_go_on as expect_unreadable_teams_to_go_on
from .whole_sessions import clean_up as clean_up
from .whole_sessions import delete as delete
from .whole_sessions import listed as listed

__all__ = [
    "ACCOUNT",
    "ASKS_UNSTORED",
    "ASKS_UNSTORED_HERE",
    "AUTO_RESTART_OFF",
    "BARGED_IN",
    "BLOCKS",
    "BYTES",
    "CANCELLED",
    "CONSTRUCTOR_MESSAGES",
    "DIRECT_TOOL_CALL",
    "EVERYDAY",
    "GIVEN_MESSAGES",
    "GOES_ON_UNSTORED",
    "GRAPH_ASKS",
    "GRAPH_ASKS_WITHIN",
    "GRAPH_BINARY",
    "GRAPH_BRANCHES",
    "GRAPH_FAILS",
    "GRAPH_KILLED",
    "GRAPH_NESTED",
    "GREETED",
    "INCOMPLETE",
    "INTERLEAVED",
    "KILLED",
    "KILLED_BETWEEN_USE_AND_RESULT",
    "KILLED_IN_TOOL",
    "LARGE",
    "LATE_UPDATE",
    "LATE_UPDATE_BEHIND_A_GAP",
    "LATE_UPDATE_BEHIND_MANY",
    "LOAD",
    "LONG_HISTORY",
    "LONG_HISTORY_LENGTH",
    "LONG_LIFE",
    "MALFORMED",
    "MESSAGES_A_CONVERSATION",
    "NEW_PROCESS",
    "ODD_TEXT",
    "ODD_TOOLS",
    "ON_DISK",
    "OTHER_STORAGE_FAULTS",
    "PASSWORD",
    "PINNED",
    "PIXEL",
    "RAISING_HOOKS",
    "RECORDED",
    "REDACTED_WORD",
    "REDACTION",
    "REFUSALS",
    "RESTARTED_BY_RESTART",
    "RESTARTED_BY_START",
    "RESTART_FAILS",
    "SAID_AGAIN",
    "SAME_TOOL_IDS",
    "SCHEDULED",
    "SECOND_TASK",
    "SECRET",
    "SENT_DURING_RESTART",
    "SHORT_TALKS",
    "SILENT",
    "STATE",
    "STATE_OF_A_LONG_TALK",
    "STATE_OF_A_VOICE",
    "STATE_SET_BY_STOP_HOOK",
    "STATE_THAT_CHANGES",
    "STOP_AND_START",
    "STORAGE_FAULT",
    "STRUCTURED_STATE",
    "SWARM_ASKS",
    "SWARM_FAILS",
    "SWARM_KILLED",
    "TAKEN_BACK",
    "TASK",
    "TEXT_ANSWERED_AT_ONCE",
    "TEXT_ANSWERED_IN_PARTS",
    "TEXT_COMPRESSED",
    "TEXT_CONTENT",
    "TEXT_CUT_RESULTS",
    "TEXT_CUT_SHORT",
    "TEXT_DIRECT_TOOL_CALL",
    "TEXT_EVERYDAY",
    "TEXT_GIVEN_MESSAGES",
    "TEXT_GUARDRAIL",
    "TEXT_GUARDRAIL_TRIMMED",
    "TEXT_INTERRUPT",
    "TEXT_MERGED",
    "TEXT_MERGED_TRIMMED",
    "TEXT_MODEL_ERRORS",
    "TEXT_OVERFLOW",
    "TEXT_PER_TURN",
    "TEXT_PINNED_SUMMARY",
    "TEXT_PINNED_WINDOW",
    "TEXT_PROCESSES",
    "TEXT_RAISING_HOOKS",
    "TEXT_STATE",
    "TEXT_STATEFUL",
    "TEXT_STATE_AT_THE_END",
    "TEXT_STORAGE_FAULT",
    "TEXT_STRUCTURED",
    "TEXT_SUMMARY",
    "TEXT_WINDOW",
    "TIMEOUT_IN_TOOL",
    "TIMEOUT_IN_TRANSCRIPT",
    "TOGETHER",
    "TOOL_SETS_STATE",
    "TO_COME",
    "TRIMMED",
    "TWENTY_TIMEOUTS",
    "UPDATE_STORAGE_FAULT",
    "Cost",
    "Counted",
    "HoldFirstWrite",
    "PairsOfTwins",
    "RedactionLooks",
    "StorageFault",
    "accepted",
    "as_table",
    "begin",
    "begins_anew",
    "clean_up",
    "conversations_with_failing_syncs",
    "conversations_with_other_faults",
    "count_for",
    "count_requests",
    "delete",
    "expect_all_of_it_deleted",
    "expect_answered",
    "expect_apart_from_an_agent",
    "expect_apart_on_one_manager",
    "expect_apart_where_ids_meet",
    "expect_apart_where_messages_are_shared",
    "expect_asked_within_a_tool",
    "expect_beginnings_kept",
    "expect_cost_as_promised",
    "expect_deleted_among_many",
    "expect_deleted_by_another",
    "expect_deleted_nowhere_at_rest",
    "expect_deletion_after_crash",
    "expect_deletion_holds",
    "expect_each_tool_once",
    "expect_failed_deletions_told_of",
    "expect_folder_behind_link",
    "expect_folder_of_when_it_was_made",
    "expect_gone_at_each_look",
    "expect_here_and_elsewhere",
    "expect_kept",
    "expect_kept_after_failed_syncs",
    "expect_kept_after_successors",
    "expect_kept_between_requests",
    "expect_kept_in_the_agents_storage",
    "expect_kept_where_a_sync_fails",
    "expect_large_or_refused",
    "expect_large_state_or_refused",
    "expect_last_state_told_of",
    "expect_late_writer_kept",
    "expect_long_state_restored",
    "expect_managed",
    "expect_merged_to_be_accepted",
    "expect_no_growth_with_deletions",
    "expect_no_growth_without_content",
    "expect_no_leaks",
    "expect_no_loss_by_faults",
    "expect_no_made_up_success",
    "expect_nothing_kept",
    "expect_nowhere_at_rest",
    "expect_only_one_deleted",
    "expect_opened_by_others",
    "expect_opened_with_unknown_record",
    "expect_order_whatever_clocks_say",
    "expect_other_outages_told_of",
    "expect_others_cleaned_up",
    "expect_outage_of_an_update_told_of",
    "expect_outages_told_of",
    "expect_own",
    "expect_own_where_agents_look_like_keys",
    "expect_private",
    "expect_processes_to_take_turns",
    "expect_read_failures_to_be_no_absence",
    "expect_readable",
    "expect_redacted_by_each_strategy",
    "expect_redaction_to_outlive_a_retry",
    "expect_refused_clearly",
    "expect_refused_nowhere_at_rest",
    "expect_rest_written_or_told_of",
    "expect_restorable",
    "expect_restored_as_left",
    "expect_restored_but_for_torn_down",
    "expect_same_in_any_locale",
    "expect_saved_as_each_strategy_says",
    "expect_secrets_kept",
    "expect_snapshots_as_triggered",
    "expect_stash_forgets_what_is_redacted",
    "expect_stash_in_snapshots",
    "expect_stored",
    "expect_stored_as_in_memory",
    "expect_stored_at_hooks",
    "expect_text_twins",
    "expect_the_named_one_deleted",
    "expect_twins_refused",
    "expect_update_kept",
    "expect_voice_twins",
    "expect_whole_or_nothing",
    "find_at_rest",
    "find_same",
    "has_block",
    "having",
    "hundred_sessions",
    "in_one_loop_after_another",
    "is_talk",
    "judge_script",
    "kind_of_request",
    "latest_of_each_kind",
    "listed",
    "loop_goes_on",
    "pinned_in_the_middle",
    "places_of_faults",
    "promised_by",
    "read_in_process_that_ends",
    "recorded_conversation",
    "redacted_beside_another",
    "redacted_by_a_guardrail",
    "redacted_by_another",
    "redacted_by_the_agent",
    "redacts",
    "refused",
    "results_of",
    "say",
    "set_back",
    "shut_out_by",
    "talk_of",
    "told_of",
    "torn_down_as_it_is_stored",
]

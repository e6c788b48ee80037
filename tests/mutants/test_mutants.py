"""Each requirement can fail: it catches a manager that is broken in just the way it is about."""

import re
import time
from pathlib import Path

import pytest
from session_conformance.harness import NotApplicable, Violation
from session_conformance.reference_impl import FileSessionManager, S3SessionManager
from strands.session import SnapshotSessionManager

from tests.conforming.plain_dicts import DictRepository, DictStorage
from tests.conforming.server_managers import (
    DynamoManager,
    ExpiringDynamoManager,
    ExpiringRedisManager,
    PostgresManager,
)
from tests.conforming.snapshot_manager import ASKED_EACH_DAY, SnapshotFileManager
from tests.conforming.tidy_snapshots import TidySnapshots
from tests.mutants import (
    broken_agents,
    broken_clean_up,
    broken_concurrency,
    broken_content,
    broken_crashes,
    broken_deletion,
    broken_ids,
    broken_interrupts,
    broken_lives,
    broken_order,
    broken_places,
    broken_reading,
    broken_restarts,
    broken_rows,
    broken_teams,
    broken_tools,
    broken_twins,
    broken_updates,
    broken_writers,
)
from tests.mutants import broken_apis as broken_api
from tests.mutants import broken_s3_managers as broken_s3
from tests.mutants import broken_server_managers as broken_server
from tests.mutants import broken_text_managers as broken_text

from .judge import CHECKS, judge

CAUGHT: dict[str, list[tuple[type, str]]] = {
    "LIF-01": [
        (broken_lives.StoresNothingAtStart, "nothing is stored in the workspace"),
        (broken_agents.CannotBeOpened, "opening the session raises RuntimeError"),
    ],
    "LIF-02": [
        (broken_lives.DropsMetadata, "metadata"),
        (broken_updates.IgnoresUpdates, "pending"),
        (broken_rows.TakesTheSameForARetry, r"is missing, user \[.Hello\?"),
        (broken_lives.BeginsWithTheUser, r"message 0 is user \[.Nothing.\].* instead of assistant \[.Welcome"),
    ],
    "LIF-03": [(broken_lives.KeepsHistoryInAClassAttribute, "fresh process")],
    "LIF-04": [
        (broken_lives.SavesStateWithMessagesOnly, "'step': 2"),
        (broken_order.StopsBeforeStopHooks, "closed"),
        (broken_content.CutsLongStates, "what is restored is another of 65535"),
        (broken_text.KeepsDeletedKeys, "'given up'"),
        (broken_text.CountsInFloats, "9223372036854775809"),
        (broken_agents.TakesNoStateForUnchanged, "the state {} is restored|restores the state {}"),
        (broken_rows.TakesEqualForUnchanged, "'seen': True"),
        (broken_rows.CompactsWithoutState, "a long talk"),
        (broken_rows.CompactsWhatIsTrue, "a long talk"),
        (broken_rows.KeepsWhatIsTrue, "'nothing': {}"),
        (broken_text.MergesWithinTheState, "'large'"),
        (broken_rows.KnowsTheStateItFound, "'shop': 'closed'"),
        (broken_rows.AppendsToLists, "'trail'"),
    ],
    "LIF-05": [(broken_lives.DoublesTheLastMessageAtStop, "each once")],
    "LIF-06": [(broken_lives.LogsEachRestore, "does not grow")],
    "LIF-07": [
        (broken_lives.ForgetsConstructorMessages, "constructor's messages are stored"),
        (broken_lives.PrefersConstructorMessages, "replace the constructor's"),
        (broken_lives.PrefersConstructorState, "the stored state replaces"),
        (broken_lives.MergesStates, "'street': 'Corso'"),
    ],
    "LIF-08": [
        (broken_lives.OneFileForAllAgents, "agent 'one' has"),
        (broken_lives.RemembersOneAgent, "agent 'second' has"),
        (broken_agents.RestoresTheStateSavedLast, "has the state"),
        (broken_rows.ReplacesInAllAgents, "the other's is not redacted with the one's"),
    ],
    "LIF-09": [
        (broken_lives.AcceptsAnAgentTwice, "was accepted"),
        (broken_agents.CannotBeOpened, "opening the session raises RuntimeError"),
    ],
    "LIF-10": [
        (broken_lives.GivesNewAgentsTheOldHistory, "I was here first"),
        (broken_agents.GivesNewAgentsTheOldState, "'second' has the state {}"),
    ],
    "LIF-11": [
        (broken_lives.SavesAtStopOnly, "what the user said is stored"),
        (broken_agents.CannotBeOpenedAgain, "opening the session raises RuntimeError"),
    ],
    "LIF-12": [(broken_lives.CannotRestoreAnEmptySession, "no message is stored")],
    "LIF-13": [
        (broken_lives.CountsItsReaders, "opened"),
        (broken_lives.NotesWhoReads, "in a process of its own,.*changes no stored byte(.|\n)*reader"),
    ],
    "LIF-14": [(broken_places.LooksForItsFolderLater, "was meant when the manager was made")],
    "LIF-15": [(broken_places.RefusesLinkedFolders, "is a symbolic link")],
    "LIF-16": [
        (broken_places.NeverCloses, "descriptors do not grow with the sessions"),
        (broken_places.KeepsWhatItCouldNotWrite, "descriptors do not grow with the messages"),
        (broken_s3.WaitsForEachDenial, "threads do not grow with the messages"),
        (broken_server.ListensForItsServer, "descriptors do not grow with the messages"),
        (broken_agents.CannotOpenASecondSession, r"raises RuntimeError: .somebody else is here"),
    ],
    "LIF-17": [(broken_places.ReadsAsTheLocaleSays, "whatever the locale")],
    "ORD-10": [(broken_order.LeavesTranscriptsOfUsersToTheNextSave, r"user \[\] pending")],
    "LIF-19": [
        (broken_rows.TakesFailedSyncsForDone, r"the stored state is {}(.|\n)*agent\.stop\(\) returns"),
        (broken_rows.TakesFailedSyncsOfTextForDone, "the stored state is {}"),
    ],
    "LIF-18": [
        (broken_places.KeepsEachState, "does not keep all its versions"),
        (broken_places.TakesItsOwnForOthers, r"sync_agent\(\) raises SessionException at update 99"),
        (broken_deletion.PutsMessagesAside, "deleted sessions had in their messages"),
        (broken_deletion.PutsStatesAside, "deleted sessions had in their states"),
    ],
    "IDS-06": [(broken_places.LetsOthersRead, "others can read")],
    "ORD-01": [
        (broken_order.PersistsAfterUserHooks, "before any hook"),
        (broken_order.WaitsForTheAnswer, "My name is Alice"),
    ],
    "ORD-02": [
        (broken_order.PersistsUpdatesAfterUserHooks, "Hello Alice"),
        (broken_updates.IgnoresUpdates, r"\[\] pending"),
    ],
    "ORD-03": [(broken_order.PersistsToolsAfterUserHooks, "toolUse")],
    "ORD-04": [(broken_order.WaitsForTheAnswer, "what the model is sent is stored")],
    "ORD-05": [(broken_order.PersistsAfterUserHooks, "told to a hook that raises")],
    "ORD-06": [(broken_order.SortsByTrackingId, "order of the agent's history")],
    "ORD-07": [(broken_order.HoldsTheLastMessageBack, "before the connection restarts")],
    "ORD-08": [(broken_order.StopsBeforeStopHooks, "closed"), (broken_order.HoldsTheLastMessageBack, "stop hooks run")],
    "ORD-09": [
        (broken_order.SwallowsStorageErrors, "is not stored"),
        (broken_rows.SwallowsFailedUpdates, r"told of assistant \[.during the fault.\]"),
        (broken_order.TellsOfLostMessagesOnly, "redaction is not stored"),
        (broken_order.StopsInSilence, "state is not stored"),
        (broken_s3.TakesADenialForAWrite, "is not stored"),
    ],
    "UPD-01": [
        (broken_updates.IgnoresUpdates, r"\[\] pending"),
        (broken_updates.AppendsUpdates, "replaces its placeholder|at place"),
    ],
    "UPD-02": [(broken_updates.LeavesIncompleteStreamsPending, "no stored message is pending")],
    "UPD-03": [(broken_updates.UpdatesTheLatestMessage, "its own message")],
    "UPD-04": [
        (broken_rows.UpdatesTheLatestAlone, "a late update|in place of its placeholder"),
        (broken_updates.ForgetsWhatFollowsAnUpdate, "answered meanwhile"),
        (broken_rows.ReplacesByPlace, r"user \[\] pending"),
        (broken_updates.TakesTheSameWordsForStored, r"assistant \[\] pending"),
    ],
    "UPD-05": [
        (broken_updates.KeepsTheOriginalOfARedaction, r"\[redacted\]"),
        (broken_updates.StopsAsItRemembers, "a redaction by somebody else: it survives"),
        (broken_lives.RedactsInWhoeverSpokeLast, "after 'second' was spoken to on the same manager"),
        (broken_rows.RedactsWhatIsAlike, r"stored is .*'\[one of two redacted\]', '\[one of two redacted\]'"),
        (broken_rows.RedactsWithoutMetadata, "metadata"),
        (broken_rows.RedactsItsOwn, "stored is .*my password is still"),
        (broken_rows.RedactsOnce, r"stored is .*my password is"),
        (broken_rows.RedactsTheFirstBlock, r"stored is .*once more"),
        (broken_rows.RedactsWhatUsersSaid, "and what is written after it: it survives"),
        (broken_rows.RedactsWhateverIsLast, "a redaction after somebody else said something: it survives"),
        (broken_rows.RedactsWithAnOldState, r"the state stays what it was, {'turn': 3}"),
        (broken_updates.UpdatesOnce, "stored is .*your password was"),
        (broken_rows.RedactsByPlace, "stored is .*my password is still"),
    ],
    "UPD-06": [
        (broken_updates.KeepsBackups, "backup"),
        (broken_updates.ClearsUpWhenOpened, "right after the redaction"),
    ],
    "RPL-01": [(broken_restarts.ForgetsReasoning, "what is stored is what the connection is given")],
    "RPL-02": [
        (broken_restarts.LosesTheOldestMessageAtRestarts, "missing"),
        (broken_restarts.LosesTheLastMessageWhereItIsToldHowToResume, "missing"),
    ],
    "RPL-03": [(broken_restarts.DropsCutStreams, "then there")],
    "RPL-04": [(broken_restarts.StoresToolResultsTwice, "2 are stored")],
    "RPL-05": [(broken_restarts.GivesUpAfterAFailedRestart, "whole")],
    "RPL-06": [(broken_restarts.DoublesTheHistoryAtScheduledRestarts, "each once")],
    "RPL-07": [(broken_restarts.RestoresTheLastTurn, "with 2 messages")],
    "RPL-08": [(broken_restarts.DoublesTheFirstMessageAfterARestart, "2 times")],
    "RPL-09": [(broken_restarts.DropsTheLastMessageAtStop, "whole")],
    "RPL-10": [(broken_restarts.KnowsRestartableModelsOnly, "replayed the same")],
    "RPL-11": [(broken_restarts.RestoresTheLastTurn, "missing")],
    "RPL-12": [
        (broken_restarts.SortsMessageNumbersAsText, "message 10"),
        (broken_content.ReadsOnePage, "all 2000 messages are replayed(.|\\n)*is missing"),
    ],
    "RPL-13": [
        (broken_restarts.ForgetsWhatWasBargedInOn, "there "),
        (broken_restarts.RestoresTheLastTurn, "tell me a story"),
    ],
    "TOL-01": [(broken_restarts.StoresToolResultsTwice, "asks for")],
    "TOL-02": [(broken_tools.SplitsToolGroups, "where-1"), (broken_rows.SortsResults, "where-1")],
    "TOL-03": [(broken_tools.ForgetsToolStatus, "'weather-2': 'success'")],
    "TOL-04": [
        (broken_tools.RestoresWithoutRepair, "nothing answers"),
        (broken_tools.AnswersInTheNextMessage, "is not the user's"),
        (broken_tools.KeepsSecondResults, "a second result for a tool use|and its result: the restored"),
    ],
    "TOL-05": [(broken_tools.SavesStateAtStop, "seat")],
    "TOL-06": [(broken_tools.IgnoresDirectToolCalls, "direct tool call")],
    "TOL-07": [(broken_rows.KeepsOneResultAToolId, "as they were")],
    "TOL-08": [
        (broken_tools.TakesToolsForDone, r"orphan never ended(.|\n)*came back, with the status 'success'"),
        (broken_text.TakesToolsOfTextAgentsForDone, "never-2 never ended"),
    ],
    "CNT-01": [
        (broken_content.StripsNul, "NUL"),
        (broken_content.NormalisesLineEnds, "line separators"),
        (broken_content.TakesSpacesForOneAnother, "compatibility forms"),
        (broken_rows.CutsToolResults, "1 MiB in a tool's input, and in its result"),
        (broken_text.DropsNulOfStates, "not so 'NUL and other control characters'"),
    ],
    "CNT-02": [(broken_content.DropsBytesInToolResults, "bytes in a tool result")],
    "CNT-03": [
        (broken_content.DropsCachePoints, "cache point"),
        (broken_content.DropsWhatIsNull, "a json tool result"),
        (broken_content.JoinsTextsOfResults, "a tool that returns two texts"),
        (broken_content.CutsNamesOfTools, "a tool with a name of 64 characters"),
        (broken_content.TakesInputsForObjects, "an input that is a text(.|\\n)*an input that is a list"),
        (broken_content.PutsToolUsesLast, "texts ahead of a tool's use and result"),
        (broken_rows.TellsErrorsByTheirText, "a tool that failed and does not say so"),
    ],
    "CNT-04": [
        (broken_content.DecodesTheSdksMarker, "marker of bytes"),
        (broken_content.LeavesItsOwnMarkerAsItIs, "what it writes for bytes, {'~raw': 'AP9v"),
    ],
    "CNT-05": [
        (broken_content.ReadsIntegersAsFloats, "integers"),
        (broken_content.ForgetsTheSignOfZero, "floats"),
        (broken_text.KeepsNumbersOfStatesAsNumerics, "not so 'floats'"),
    ],
    "CNT-06": [
        (broken_content.StoresWhatItCannot, r"a lone surrogate is refused(.|\n)*nothing was raised, and message 0"),
        (broken_content.StoresWhateverComes, "after content that is null was accepted"),
        (broken_content.CutsLongTexts, "8 MiB in one message is refused clearly, or comes back equal"),
        (broken_rows.KeepsSmallStates, "a state of 1 MiB is refused clearly"),
        (broken_agents.CannotOpenASecondSession, r"raises RuntimeError: .somebody else is here"),
    ],
    "CNT-07": [(broken_content.MisreadsEmptyLists, r"message \d comes back equal")],
    "CNT-08": [
        (broken_rows.SeesMoments, "looks like something else comes back equal"),
        (broken_rows.UnescapesEntities, "looks like something else comes back equal"),
        (broken_rows.FillsInNames, "looks like something else comes back equal"),
        (broken_rows.KeepsNamesForItself, "under its name"),
        (broken_content.StripsNames, r"not so ' padded', 'padded '"),
    ],
    "IDS-01": [
        (broken_ids.JoinsIdIntoPath, "outside the workspace|victim"),
        (broken_agents.JoinsAbsoluteIds, "/absolute' writes nothing outside the workspace"),
    ],
    "IDS-02": [
        (broken_ids.FoldsCase, "case"),
        (broken_deletion.JoinsIds, "where ids meet when they are joined"),
        (broken_deletion.DecodesIds, "p q"),
        (broken_deletion.FindsLongIdsByTheirBeginning, "LLLL"),
        (broken_deletion.FindsLongIdsByTheirEnd, "NNNN"),
        (broken_deletion.FoldsTheCaseOfAgents, "agent 'case' has"),
    ],
    "IDS-03": [(broken_ids.RefusesMailAddresses, "an id has letters")],
    "IDS-04": [(broken_ids.BreaksOnSpaces, "is refused with ValueError")],
    "IDS-05": [
        (broken_ids.TakesSessionsForOthers, r"session-\d+ has"),
        (broken_agents.CannotBeOpened, "opening the session raises RuntimeError"),
    ],
    "COR-01": [
        (broken_reading.RaisesWhateverComes, "ValueError"),
        (broken_reading.EndsTheProcessAtWhatIsCutShort, "a process was ended by SIGBUS"),
    ],
    "COR-02": [(broken_reading.HasNoChecksum, "bit . of byte")],
    "COR-03": [(broken_reading.RemovesWhatItCannotRead, "what was left of it was removed")],
    "COR-04": [(broken_reading.ReadsAllSessions, "another session cannot be opened")],
    "COR-05": [(broken_reading.RepairsByForgetting, r"a flipped bit cost \d messages")],
    "COR-06": [(broken_reading.SaysThatSomethingIsWrong, "the session cannot be loaded")],
    "COR-07": [(broken_reading.TakesWhatLiesThere, "by another session's")],
    "DUR-01": [
        (broken_crashes.WritesInPlace, "killed (when|after)"),
        (broken_updates.RedactsWithTheNextMessage, r"Stop there.* came back instead of .*\[redacted\]"),
    ],
    "DUR-02": [
        (broken_crashes.NeverSyncs, "power cut: "),
        (broken_crashes.NeverSyncsFolders, "power cut: "),
        (broken_crashes.SyncsAfterTheAcknowledgement, "power cut: "),
        (broken_crashes.TakesAFolderThatIsThereForStored, "killed before it synced the name .*then one went on"),
        (broken_crashes.SyncsTheNameOfANewFile, "what failed before: fsync"),
        (broken_content.BelievesTheSecondSync, "what failed before: fsync"),
    ],
    "DUR-03": [
        (broken_order.SwallowsStorageErrors, "and then a hook was told of"),
        (broken_crashes.GivesUpAfterAFault, "everything works again after the fault"),
        (broken_crashes.StoresAgainWhatFailed, "no message is stored twice"),
        (broken_crashes.SwallowsErrorsOfSyncs, "f(data)?sync .* failed, and then a hook was told of"),
        (broken_content.SwallowsErrorsOfOneSync, "fsync .* failed, and then a hook was told of"),
    ],
    "DUR-04": [
        (broken_crashes.LeavesTemporaryFiles, "does not pile up"),
        (broken_crashes.LeavesNewSessions, "does not pile up"),
        (broken_crashes.LeavesALock, "is locked by"),
        (broken_crashes.LocksWritersOut, "is locked by"),
    ],
    "STA-02": [
        (broken_twins.DropsAnUnknownKey, "aKeyToCome"),
        (broken_twins.DropsASignature, "instead of dict {'text': 'Who knows', 'signature': 'b2YgYSB0ZXh0'}"),
        (broken_twins.BringsAToolOfItsOwn, "tools has 2 instead of 1: .*recall"),
        (broken_agents.CannotOpenASecondSession, r"raises RuntimeError: .somebody else is here"),
    ],
    "DUR-05": [
        (broken_lives.SavesAtStopOnly, "is missing"),
        (broken_updates.RedactsWithTheNextMessage, r"a voice agent(.|\n)*came back instead of .*\[redacted\]"),
        (broken_text.RedactsTextAgentsWithTheNextMessage, r"a text agent(.|\n)*came back instead of .*\[redacted\]"),
    ],
    "DUR-06": [(broken_writers.TakesErrorsForAbsence, "fails for a moment")],
    "DUR-07": [
        (broken_clean_up.WritesWhatIsTaken, "where each file takes"),
        (broken_clean_up.TellsOfFailuresLater, "what is said is stored or an error reaches the caller"),
    ],
    "CON-01": [
        (broken_concurrency.OverwritesOthers, "taking turns: 'one 0'"),
        (broken_writers.CountsMessagesBeforeItWrites, "Hello Alice.* complete .*whoever restored what it has replaced"),
        (broken_writers.TellsVersionsByOldNames, "after the other one redacted what it said"),
        (broken_writers.TakesBackWhatWasNotSynced, "while a sync of the other one fails: 'two 0'"),
        (broken_server.WritesWholeHistories, "one of them between two requests of the other one: 'two 0'"),
    ],
    "CON-02": [(broken_concurrency.WritesWhereTheLatestWas, "session-")],
    "CON-03": [(broken_concurrency.WritesInTwoHalves, "it cannot be read")],
    "CON-04": [
        (broken_concurrency.WritesOnTheLoop, "were done on it"),
        (broken_concurrency.WaitsOnTheLoop, r"a write to a file is not done yet(.|\n)*during os\."),
        (broken_s3.WritesToS3OnTheLoop, "during PutObject"),
    ],
    "CON-05": [
        (broken_concurrency.TakesBeginningsForCrashes, "opening the session raises|opens for none|agent.send.. raises"),
        (broken_writers.BeginsWithoutAnotherLook, "beginning one session at once|between its look and its first write"),
    ],
    "CON-06": [(broken_writers.SortsByClock, "in the order in which they were said")],
    "CON-07": [
        (
            broken_concurrency.OverwritesOthers,
            "after two writers' turns has (the tool use|'two 0', once|'answer to two 0', once)",
        ),
        (broken_rows.TakesThePlaceOfOthersTools, "has the result .*'note-1'"),
    ],
    "CLN-01": [
        (broken_clean_up.DeletesByPrefix, "user_10 stays"),
        (broken_clean_up.DeletesTheIndexOnly, "its text is still in"),
        (broken_deletion.DeletesByPattern, r"session 'u1' .* when 'u\*' is deleted"),
        (broken_deletion.DeletesWhateverTheCase, "when 'Maria' is deleted"),
        (broken_deletion.DeletesOtherForms, "when 'caf\u00e9' is deleted"),
        (broken_deletion.JoinsIds, "where ids meet when they are joined|when 'a' is deleted|when 'a:b' is deleted"),
        (broken_deletion.LeavesATombstone, "files of it stayed"),
        (broken_deletion.DeletesTheIndexFirst, "after it was deleted once more|once it is tried again"),
        (broken_deletion.LeavesTeams, "these run: write, check, and are told"),
        (broken_deletion.LeavesToolResults, "its text is still in results"),
        (broken_deletion.DeletesItsOwn, "session 'keeper' .* when its manager is asked to delete 'named'"),
        (broken_deletion.DeletesTheFirstPage, "its text is still in rest"),
        (broken_deletion.IgnoresErrorsOfDeletions, "it raised nothing, and its text is in"),
        (broken_deletion.RemembersWhereSessionsAre, r"another process has deleted it|finds what is said"),
        (broken_deletion.IgnoresErrorsOfRows, "it raised nothing, and"),
        (broken_server.PutsAsideWhatIsDeleted, "leaves nothing stored(.|\\n)*its text is still in deleted:"),
        (broken_server.DeletesItsIndexFirst, r"has \[\] after it was deleted once more"),
        (broken_server.DeletesWhatAPageShows, r"has \[\] after it was deleted, one of 100"),
        (broken_rows.ArchivesWhatIsDeleted, r"its text is still in sessions\.db, table archive"),
        (broken_deletion.CannotDeleteTwice, r"delete_session\(\) raises FileExistsError"),
    ],
    "CLN-02": [
        (broken_clean_up.RemovesSessionsInUse, "in-use"),
        (broken_clean_up.RemovesAllIfOneIsOld, "is kept beside older ones"),
        (broken_clean_up.RemovesNothing, "old still has"),
        (broken_deletion.CleansUpByLocalTime, "younger than the given age are kept"),
        (broken_deletion.CleansUpWhatBeganLongAgo, "is kept beside older ones"),
        (broken_deletion.StopsCleaningUpAtDamage, "beside a damaged one"),
        (broken_deletion.CannotCleanUp, r"clean_up\(\) raises FileNotFoundError"),
    ],
    "CLN-03": [
        (broken_clean_up.ListsFolders, "are listed"),
        (broken_clean_up.ListsTimesOfOpening, "the time when it was written last"),
        (broken_deletion.ListsLocalTimes, "the time when it was written last"),
        (broken_deletion.CannotListWhatIsEmpty, r"list_sessions\(\) raises KeyError"),
        (broken_deletion.ListsIdsAlone, r"a datetime with a time zone(.|\n)*gives a str"),
        (broken_deletion.ListsTimesWithoutAZone, "a datetime with a time zone"),
    ],
    "CLN-04": [
        (broken_clean_up.WritesWhateverElseWasWritten, "private 0"),
        (broken_deletion.TalksToNobody, "what it was told of is stored: 'I am old'"),
        (broken_deletion.BringsItsStateBack, "and the state .*'private'"),
        (broken_deletion.RedactsWhateverIsLast, "redacts what it said last, the session that was begun anew has"),
        (broken_agents.CannotBeginAnew, r"raises RuntimeError: .nothing is here"),
    ],
    "CLN-05": [(broken_deletion.WritesBeforeItLooks, "nowhere in the stored bytes")],
    "CLN-06": [(broken_rows.LeavesDeletedRowsInFreePages, r"nowhere in the stored bytes(.|\n)*is in sessions\.db, as")],
    "S3A-01": [(broken_s3.NeverRetries, "SlowDown")],
    "S3A-02": [(broken_s3.WritesAgainUnderAnotherNumber, "Good morning.*Good morning")],
    "S3A-03": [(broken_s3.TriesOutItsRights, "AccessDenied")],
    "S3A-04": [(broken_s3.SaysThatStorageFailed, "storage failed")],
    "S3A-05": [(broken_s3.CreatesItsBucket, "a missing bucket is an error")],
    "S3A-06": [
        (broken_s3.ReadsOnePage, "1 keys a page"),
        (broken_s3.DeletesOnePage, "deleted (whole )?by listings of 7"),
        (broken_s3.ListsOnePageOfSessions, "other-2.* are listed by listings of 1 keys a page"),
    ],
    "S3A-07": [
        (broken_s3.JoinsThePrefixAsItIs, "under 'one/'"),
        (broken_s3.ForgetsThePrefix, "under 'one'"),
        (broken_s3.IgnoresThePrefix, "it asks for the prefix, and there is"),
    ],
    "S3A-11": [(broken_s3.PutsWhateverIsThere, "there is .*what is redacted meanwhile")],
    "S3A-10": [(broken_s3.BelievesWhatComes, "answered with an object in which a bit is flipped")],
    "S3A-12": [(broken_s3.OrdersByTime, "within one second")],
    "S3A-08": [(broken_s3.RepairsFromWhatIsThere, "was (overwritten|deleted)")],
    "S3A-09": [(broken_s3.AsksBeforeEachWrite, "ListObjectsV2")],
    "NET-01": [(broken_server.LosesWhatItCannotSend, "an error reaches the caller, or all is stored")],
    "NET-02": [
        (broken_server.SendsAgainAsNew, "stored once|all is stored"),
        (broken_server.InsertsAgain, "is stored twice"),
    ],
    "NET-03": [
        (broken_server.KeepsItsConnection, "after the server was killed between turns the same manager stores"),
        (broken_server.TriesOnce, "after the server was killed between turns the same manager stores"),
    ],
    "NET-04": [
        (broken_server.LosesWhatItCannotSend, "a hook was told of .*meanwhile.*, and it is not stored"),
        (broken_server.GivesUpForGood, "when the server is back the same manager stores the next message"),
        (broken_server.TakesRefusalsForDone, "a hook was told of .*meanwhile.*, and it is not stored"),
    ],
    "NET-05": [
        (broken_server.TakesAFailedReadForNoSession, "fail is an error, or whole.*came|nothing"),
        (broken_server.BeginsAnewWhereReadsFail, "all that ask for the same.*\n.*came back with: nothing"),
    ],
    "NET-06": [(broken_server.ReadsWhatMayBeLate, "read late is an error, or whole|reads were late is stored")],
    "NET-07": [(broken_server.WaitsOnTheLoop, "it stands still")],
    "NET-08": [
        (broken_server.TriesOnce, "after idle connections were closed the same manager stores"),
        (broken_server.SendsLaterWhatFailed, "the next message is stored\n.*raises SessionException"),
    ],
    "NET-09": [
        (broken_server.AsksForEachMessage, "a restore takes as many round trips"),
        (broken_server.ReadsAllBeforeEachMessage, "a message takes as many round trips"),
    ],
    "NET-10": [
        (broken_server.ConnectsForEachMessage, "opens as many connections"),
        (broken_server.LeavesConnectionsOpen, "no more connections are open than after one"),
    ],
    "NET-11": [
        (broken_server.ExpiresPieceByPiece, r"there is \['three', 'four'\]"),
        (broken_server.ExpiresItemByItem, "since its last one the session can be read"),
    ],
    "NET-12": [(broken_server.SaysHowItConnects, "cannot reach postgresql://.*:<the password>@")],
    "NET-13": [
        (broken_server.SendsWithTheNext, "is missing|pending .* came back instead of assistant .* complete"),
        (broken_server.CommitsWithTheNext, "is missing|pending .* came back instead of assistant .* complete"),
    ],
    "AGT-01": [
        (broken_lives.DropsMetadata, "metadata"),
        (broken_text.ForgetsTheStateOfTextAgents, "state .*'plan'.* is restored|state .*'plan'.* is stored"),
        (broken_text.KeepsDeletedKeys, "'given up'"),
        (broken_text.CountsInFloats, "9223372036854775809"),
        (broken_text.WorksInTheFirstLoop, "agent.. raises RuntimeError"),
        (broken_text.MergesWithinTheState, "'large'"),
        (broken_rows.KnowsTheStateItFound, "'shop': 'closed'"),
        (broken_rows.AppendsToLists, "'trail'"),
    ],
    "AGT-02": [
        (broken_text.CountsNoRemovedMessages, "removed_message_count is 6"),
        (broken_text.RestoresWhatWasTrimmed, "a sliding window: the next manager restores the history"),
        (broken_text.ForgetsTheSummary, "a history that is summarized: the next manager restores the history"),
        (broken_text.ForgetsThatItSummarized, "summary_message is "),
        (broken_text.TrimsWhatItIsToldOf, "before each call of the model: the next manager restores the history"),
        (broken_text.ForgetsWhatWasCut, "that are cut where the history is too long"),
    ],
    "AGT-03": [
        (broken_text.ForgetsInterrupts, "not in interrupt state"),
        (broken_text.ForgetsWhatRanBesideAnInterrupt, "each of the three tools runs once"),
        (broken_text.ForgetsWhyItAsked, r"\['None'\]"),
        (broken_text.KeepsAnsweredInterrupts, "must resume from interrupt"),
        (broken_interrupts.ForgetsAgentsWithinTools, r"\['context'\] is dict {} instead"),
        (broken_interrupts.ShowsWhyItAsks, r"\['reason'\] is str"),
    ],
    "AGT-04": [
        (broken_text.ForgetsModelState, r"'turn': 2.*, \{\}\]"),
        (broken_text.KeepsOneValueOfTheModel, r"it is given .*'response-2'\}, \{'turn': 3\}"),
        (broken_text.ReplaysToStatefulModels, "a new agent has no old messages"),
    ],
    "AGT-05": [
        (broken_text.SavesAfterInvocations, "a new process restores all"),
    ],
    "AGT-06": [
        (broken_lives.ForgetsConstructorMessages, "constructor's messages are stored"),
        (broken_lives.PrefersConstructorMessages, "the next manager restores the history"),
    ],
    "AGT-07": [
        (broken_order.PersistsAfterUserHooks, "before any hook"),
        (broken_order.WaitsForTheAnswer, "My name is Alice"),
    ],
    "AGT-08": [
        (broken_order.WaitsForTheAnswer, "what the model is asked with is what is stored"),
        (broken_text.IgnoresTrims, "a window that is trimmed"),
    ],
    "AGT-09": [(broken_text.AsksTheHooks, "told to a hook that raises")],
    "AGT-10": [
        (broken_text.StoresEachToolResultTwice, "asks for"),
        (broken_tools.ForgetsToolStatus, "'weather-2', 'success'"),
        (broken_tools.SplitsToolGroups, "asks for"),
    ],
    "AGT-11": [(broken_text.AnswersTheFirstTool, "asks for")],
    "AGT-12": [(broken_tools.SavesStateAtStop, "seat")],
    "AGT-13": [
        (broken_content.DropsBytesInToolResults, "different at content"),
        (broken_content.DropsCachePoints, "cachePoint"),
        (broken_text.DropsSignatures, "signature"),
    ],
    "AGT-14": [(broken_text.StoresWhatWasAnswered, "three, and the model fails at once")],
    "AGT-15": [
        (broken_text.DropsCancelledAnswers, "Cancelled by user"),
        (broken_text.StaysBusyWhenBrokenOff, "another write is in progress"),
        (broken_text.ForgetsWhatWasBrokenOff, "all else is restored as it was"),
    ],
    "AGT-16": [(broken_text.DropsStructuredOutput, "both structured outputs are stored")],
    "AGT-17": [
        (broken_updates.KeepsTheOriginalOfARedaction, "swordfish"),
        (broken_text.RedactsWhatUsersType, "DE89"),
        (broken_rows.RedactsByPlace, "where older messages have been removed: what was redacted is not restored"),
    ],
    "AGT-18": [
        (broken_updates.KeepsBackups, "backup"),
        (broken_updates.ClearsUpWhenOpened, "right after the invocation"),
    ],
    "AGT-19": [(broken_text.IgnoresToolsCalledByTheApplication, "direct tool call")],
    "AGT-20": [
        (broken_lives.SavesStateWithMessagesOnly, "at rest the"),
        (broken_text.SavesBeforeTheLastHooks, "'ended': 'well'"),
    ],
    "AGT-21": [
        (broken_lives.OneFileForAllAgents, "agent 'voice' has"),
        (broken_agents.RestoresTheStateSavedLast, "has the state"),
        (broken_agents.GivesNewAgentsTheOldState, "has the state"),
        (broken_agents.RestoresTheWindowSavedLast, "removed_message_count is"),
    ],
    "AGT-22": [
        (broken_text.AddsWhatIsMerged, r'instead of user \["three", "and four"\]'),
        (broken_rows.ReplacesByPlace, "where older messages have been removed"),
    ],
    "AGT-23": [
        (broken_text.RestoresByCounting, r'instead of user \["one"\]'),
        (broken_text.ForgetsMarks, "None instead of .*pinned"),
        (broken_text.PinsByPosition, "the same but for its metadata"),
    ],
    "AGT-24": [
        (broken_teams.SwallowsStorageErrorsOfTextAgents, "told of .*nothing can be stored.* is not stored"),
        (broken_s3.TakesADenialForAWrite, "told of .*nothing can be stored.* is not stored"),
        (broken_teams.InvokesInSilence, "state 'seat' is not stored"),
    ],
    "AGT-25": [(broken_agents.AcceptsATextAgentTwice, "was accepted")],
    "AGT-27": [(broken_text.KeepsWhatWasTakenBack, "what was taken back does not come back")],
    "AGT-28": [
        (broken_text.RaisesWhateverRestoringRaises, "it raises ValueError"),
        (broken_text.BeginsAnewWithAnotherManager, "are missing"),
    ],
    "AGT-29": [
        (broken_text.AnswersToolsThatAreToRun, "book-1 runs once\nfound: *it never runs"),
        (broken_text.KeepsNoResultAtThePause, "book-1 runs once\nfound: *it runs 2 times"),
    ],
    "AGT-26": [
        (broken_agents.CannotRestoreAnEmptyTextSession, "no message is stored"),
        (broken_agents.LogsEachRestoreOfATextAgent, "does not grow"),
    ],
    "MAG-01": [
        (broken_teams.SavesTeamsWhenTheyEnd, "these run: plan, write, check"),
        (broken_teams.ForgetsNodeResults, "plan has done its part'] are missing"),
        (broken_teams.ForgetsWhatNodesUsed, "the result of plan says how many tokens it used"),
        (broken_teams.ForgetsWhatTeamsUsed, "the team has used what its nodes have"),
        (broken_teams.ForgetsHowOftenTeamsRan, "the team counts each node that ran"),
    ],
    "MAG-02": [
        (broken_teams.DropsBytesOfTasks, "the task's image"),
        (broken_teams.ComposesTasks, "the task's text"),
        (broken_teams.DropsBytesOfAnswers, "the result of plan has its redacted reasoning"),
        (broken_teams.CachesTeams, "the task's image"),
        (broken_teams.ForgetsMetadataOfAnswers, r"\['node_results'\]\['plan'\]\['result'\]\['message'\] is"),
    ],
    "MAG-03": [(broken_teams.ResumesWhatIsDone, "the run had finished")],
    "MAG-04": [
        (broken_teams.ForgetsWhatWasHandedOver, "plan hands over'] are missing"),
        (broken_teams.SavesTeamsWhenTheyEnd, "these run: plan, write, check"),
    ],
    "MAG-05": [
        (broken_teams.SkipsFailedNodes, "these run: check, plan"),
        (broken_teams.KeepsTeamsInAClassAttribute, "these run: plan, write, check, plan"),
        (broken_teams.CachesTeamsAsTheyWereRead, "turn 4 of a graph, this process's: send run"),
        (broken_teams.ForgetsWhichNodesFailed, r"\['failed_nodes'\] is list \[\] instead of list \['write'\]"),
    ],
    "MAG-06": [
        (broken_teams.JoinsTooEarly, "these run: right, join, join"),
        (broken_teams.SortsWhatRan, r"it says \['left', 'root', 'right', 'join'\]"),
    ],
    "MAG-07": [
        (broken_teams.KnowsAgentsOnly, "write-1 has done its part"),
        (broken_teams.KeepsTeamsInAClassAttribute, "these run: plan, write, check"),
        (broken_teams.ForgetsWhatNestedAgentsUsed, r"\['write-1'\]\['accumulated_usage'\]\['inputTokens'\] is int 0"),
    ],
    "MAG-08": [
        (broken_teams.ForgetsWhatTeamsAsked, "the user is asked once, before write"),
        (broken_teams.CachesTeams, "the task's image"),
        (broken_teams.StoresFactsAsWholeNumbers, r"\['counts'\]\[1\] is int 1 instead of float 1.0"),
    ],
    "MAG-09": [
        (broken_teams.KeepsOneTeamASession, "goes on with 'One-2'"),
        (broken_teams.TakesTeamsIdsInAnyCase, "goes on with 'one-2'"),
        (broken_teams.KeepsTeamsInAClassAttribute, "goes on with 'one-2'"),
        (broken_text.KeepsAgentsAndTeamsTogether, "these run: plan, write, check"),
    ],
    "MAG-10": [
        (broken_teams.ForgetsHistoriesWithinTeams, "goes on with its history"),
        (broken_teams.CachesTeams, "goes on with its history"),
        (broken_teams.ForgetsStatesWithinTeams, r"\['state'\] is dict {} instead"),
    ],
    "MAG-11": [
        (broken_teams.TeamsGoOnWhateverIsStored, "a graph .* what it had the user asked is lost"),
        (broken_teams.SwarmsGoOnWhateverIsStored, "a swarm .* what it had the user asked is lost"),
        (broken_teams.TellsWhenTheTeamEnds, "a graph .* what its first node had done is lost"),
    ],
    "MAG-12": [
        (broken_teams.TakesUnreadableTeamsForNew, "these begin: plan"),
        (broken_api.RestoresTeamsInOneTry, "these begin: plan"),
        (broken_s3.TakesUnreadableTeamsForNew, "these begin: plan"),
        (broken_server.TakesUnreadableTeamsForNew, "these begin: plan"),
    ],
    "REP-01": [
        (broken_api.DropsInternalState, "_internal_state"),
        (broken_api.KeepsTheOriginal, r"message 2 \(after updates\)"),
        (broken_api.CannotStoreBytes, "create_message.* works"),
        (broken_api.UpdateMovesToTheEnd, r"it gives messages \[0, 3, 1, 2\]"),
        (broken_api.UpdateCannotStoreBytes, "update_message.* works"),
        (broken_api.RemembersWhatItHasRead, r"\(after updates\)"),
        (broken_api.TakesNothingForUnchanged, r"state"),
        (broken_api.UpdateDropsMetadata, r"message 1 \(after updates\)(.|\n)*tracking_id"),
    ],
    "REP-02": [
        (broken_api.RaisesForAbsentAgents, "read_agent.* works"),
        (broken_api.CreatesOnUpdate, "raises nothing"),
        (broken_api.CreatesSessionsAgain, "creating a session twice"),
    ],
    "REP-03": [
        (broken_api.SortsNumbersAsText, "at place 2 stands message 10"),
        (broken_api.TakesNoneForNoLimit, "limit=0"),
        (broken_api.TakesOffsetsForNumbers, "offset=998"),
        (broken_api.StartsAtANumber, r"\[2, 5, 9, 14\]|message 14|offset="),
        (broken_api.UpdateMovesToTheEnd, "at place 3 stands message 4"),
    ],
    "REP-04": [
        (broken_api.ForgetsCreatedAt, "that was updated has created_at"),
        (broken_api.TellsTimesOfItsOwnZone, "that was created has created_at"),
        (broken_api.TellsMoments, "created_at that is a text"),
        (broken_api.ForgetsTheOffset, "a message of another time zone has created_at"),
    ],
    "REP-05": [
        (broken_api.TakesAnyMessageId, "a number as text"),
        (broken_api.ReadsAnyMessageId, "reading the message"),
    ],
    "REP-06": [(broken_api.FoldsCaseOfIds, "CASE"), (broken_api.IgnoresSessions, "user_1")],
    "REP-07": [(broken_api.ForgetsUpdatesOfGraphs, "'status'")],
    "REP-08": [
        (broken_api.TakesIdsForPaths, "I am the victim"),
        (broken_api.LogsUnderAgentIds, "outside the workspace"),
        (broken_api.JoinsAbsoluteIds, "/absolute' writes nothing outside the workspace"),
    ],
    "REP-09": [
        (broken_api.KeepsWhatItIsGiven, "that were given"),
        (broken_api.GivesWhatItKeeps, "that were read"),
        (broken_api.GivesWhatItRemembers, "that were read again"),
    ],
    "SNP-01": [
        (broken_api.StoresText, "every byte"),
        (broken_api.TakesNothingForAbsent, "contents/nothing"),
        (broken_api.CannotDeleteTheAbsent, "deleting a key that was never written works"),
    ],
    "SNP-02": [(broken_api.KeepsTheFirstSnapshots, "meets LIF-02")],
    "SNP-03": [
        (broken_api.ListsTenKeys, "listing all"),
        (broken_api.ListsNewestFirst, "oldest first"),
        (broken_api.RestoresTheLatest, "restores its history exactly"),
    ],
    "SNP-04": [
        (broken_api.ListsOnePage, "'many/'.* 1005|missing"),
        (broken_api.ListsAsWritten, "in another order"),
        (broken_api.ListsWholeSegments, r"list\('a'\)"),
        (broken_api.ListsSuffixes, r"list\('a"),
        (broken_api.ListsByPattern, r"list\('p_'\)|list\('p%'\)"),
    ],
    "SNP-05": [
        (broken_api.FoldsKeys, "KEY|key"),
        (broken_api.FindsLongKeysByTheirBeginning, "LLLL"),
        (broken_api.FindsLongKeysByTheirEnd, "1LLLL"),
        (broken_api.TakesKeysForPaths, "outside of the storage's own place"),
        (broken_api.JoinsAbsoluteKeys, "writing '/.* changes nothing outside"),
        (broken_api.ResolvesKeys, "'victim' .*has b'I am the victim'"),
    ],
    "SNP-06": [(broken_api.WritesInTwoHalves, "whole")],
    "SNP-07": [(broken_api.RefusesKeysBelowKeys, "'up/a/b' beside 'up/a'")],
    "SNP-08": [(broken_api.RanksTheWorstFirst, "best-scored first"), (broken_api.FindsWhatWasDeleted, "notes/3")],
    "SNP-10": [
        (broken_api.SavesNoSnapshotWhereTriggered, "a text agent: .* says yes 2 times: so many snapshots"),
        (broken_api.RestoresForGood, "a text agent: restoring a snapshot leaves the latest one as it is"),
        (broken_api.AsksNoTriggerOfVoices, "a voice agent: the trigger is asked 3 times"),
    ],
    "SNP-11": [(broken_api.FlushesNoRedaction, "by save_latest_on='trigger'.*is stored nowhere")],
    "SNP-12": [
        (broken_api.SavesAfterTheRun, 'multi_agent_save_latest_on="node".*at most 0 finished nodes'),
        (broken_api.SavesAfterInvocations, 'save_latest_on="message": a kill loses at most 1 message'),
    ],
    "SNP-13": [
        (broken_api.KnowsNoStorageOfAgents, "nothing is in that"),
        (broken_api.PrefersTheStorageOfAgents, "keeps nothing in its agent's"),
    ],
    "SNP-14": [(broken_api.DropsTheStash, "comes back with the session"), (broken_api.LeavesTheStash, "left is")],
    "SNP-15": [(SnapshotSessionManager, "put aside either")],
    "SNP-09": [(broken_api.HidesDottedKeys, r"is listed as \[\]")],
    "STA-01": [(broken_updates.IgnoresUpdates, "the history is stored as in memory|holds what was said")],
}
"""By requirement: the mutants it catches, and what its evidence says."""


@pytest.mark.parametrize(
    ("id", "mutant", "evidence"),
    [
        pytest.param(id, mutant, evidence, id=f"{id}-{mutant.__name__}")
        for id, mutants in CAUGHT.items()
        for mutant, evidence in mutants
    ],
)
def test_the_requirement_catches_the_mutant(
    id: str, mutant: type, evidence: str, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    with pytest.raises(Violation) as caught:
        judge(mutant, id, tmp_path, pytestconfig)
    assert re.search(evidence, str(caught.value)), f"caught, but for another reason:\n{caught.value}"


def test_a_redaction_is_not_blamed_for_what_agents_have_of_each_other(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> None:
    judge(broken_rows.RestoresWhatAllAgentsHave, "UPD-05", tmp_path_factory.mktemp("redacted"), pytestconfig)
    with pytest.raises(Violation, match="agent 'one' has"):
        judge(broken_rows.RestoresWhatAllAgentsHave, "LIF-08", tmp_path_factory.mktemp("mixed"), pytestconfig)


UNBROKEN = {
    "NET-06": DynamoManager,
    "NET-11": ExpiringRedisManager,
    "CLN-02": FileSessionManager,
    "COR-05": FileSessionManager,
    **dict.fromkeys(("SNP-10", "SNP-11", "SNP-12", "SNP-13", "SNP-14", "SNP-15"), TidySnapshots),
}
"""The correct managers of those requirements that do not apply to the snapshot manager."""

OF_GROUP = {
    "S3A": S3SessionManager,
    "NET": PostgresManager,
    "MAG": FileSessionManager,
    "REP": DictRepository,
    "SNP": DictStorage,
}
"""What is correct, by group, where the group is about something else than a manager of files."""


def _unbroken(id: str) -> type:
    return UNBROKEN.get(id) or OF_GROUP.get(id[:3], SnapshotFileManager)


def _is_asked_elsewhere(id: str) -> bool:
    """Whether a correct manager is asked the same each day: the references by tox, others in tests/conforming."""
    by_tox = (FileSessionManager, S3SessionManager)
    is_on_files = _unbroken(id) is SnapshotFileManager and id[:3].lower() in ASKED_EACH_DAY
    return _unbroken(id) in by_tox or is_on_files or id in ("NET-01", "NET-02")  # servers' managers meet these two


@pytest.mark.parametrize(
    "id", [pytest.param(id, marks=[pytest.mark.long] if _is_asked_elsewhere(id) else []) for id in CHECKS]
)
def test_the_unbroken_manager_meets_it(id: str, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    judge(_unbroken(id), id, tmp_path, pytestconfig)


@pytest.mark.parametrize("id", ["DUR-06", "MAG-12"])
def test_where_no_read_can_be_made_to_fail_nothing_is_said_of_it(
    id: str, tmp_path: Path, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("session_conformance.suites.scenarios.unreadable.READING", ())
    with pytest.raises(NotApplicable, match="none of what it reads can be made to fail"):
        judge(FileSessionManager, id, tmp_path, pytestconfig)


def test_items_that_expire_together_are_a_session_that_does(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    judge(ExpiringDynamoManager, "NET-11", tmp_path, pytestconfig)


def test_every_requirement_has_a_mutant() -> None:
    assert set(CAUGHT) == set(CHECKS)


def test_every_mutant_says_what_is_broken() -> None:
    for mutants in CAUGHT.values():
        for mutant, _ in mutants:
            assert mutant.__doc__


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone cannot be changed here")
@pytest.mark.parametrize("zone", ["UTC", "Asia/Karachi"])
def test_a_time_without_a_zone_is_taken_for_utc_wherever_that_is(
    zone: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        judge(broken_api.TellsNoZone, "REP-04", tmp_path, pytestconfig)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_manager_that_keeps_keys_in_another_order_is_not_wronged(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    judge(broken_twins.ReordersKeys, "STA-02", tmp_path, pytestconfig)

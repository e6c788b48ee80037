"""Places of faults: of many exchanges one of each kind meets a fault, wherever it stands."""

import itertools

from session_conformance.suites.scenarios import places_of_faults

MESSAGE = [
    b"BEGIN",
    b"INSERT INTO messages (id, body) VALUES",
    b"COMMIT",
    b"BEGIN",
    b"UPDATE agents SET state",
    b"COMMIT",
]
RESTORE = [b"SELECT state FROM agents", b"SELECT body FROM messages"]


def test_of_few_exchanges_each_meets_a_fault() -> None:
    assert places_of_faults(MESSAGE * 4) == list(range(24))


def test_of_many_each_kind_meets_one_and_a_commit_is_told_by_what_it_commits() -> None:
    """Evenly spread numbers would meet every second or third kind alone, where a conversation has such a rhythm."""
    requests = [*RESTORE, *MESSAGE * 20, *RESTORE, *MESSAGE * 20]
    places = places_of_faults(requests)
    assert len(places) == 24
    met = {(requests[number - 1], requests[number]) for number in places if number}
    assert met == set(itertools.pairwise(requests))
    assert min(places) < len(requests) // 2 < max(places)


def test_what_a_message_says_makes_no_kind_of_its_own() -> None:
    requests = [b'*3\r\n$5\r\nRPUSH\r\n$9\r\nmessages:\r\n$20\r\n{"text": 1%d}' % number for number in range(30)]
    requests.insert(20, b"*2\r\n$3\r\nDEL\r\n$4\r\nlock\r\n")
    assert 20 in places_of_faults(requests)
    assert len(places_of_faults(requests)) == 24

"""STA: any conversation at all. A state machine acts as users, models, tools and providers do, and storage keeps up."""

from __future__ import annotations

import gc
import shlex
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from session_conformance.fixtures import (
    ConformanceSuite,
    NewSession,
    SdkViolation,
    attributes_itself,
    built_on,
    capabilities_of,
    excuse,
    plain_backend,
    progress_of,
    scratch_workspace,
    storage_fault_for,
    words_for,
)
from session_conformance.fixtures.properties import (
    ACTIONS,
    EVERYDAY_IDS,
    Action,
    Plan,
    ScriptMaker,
    Wish,
    any_text,
    beginnings,
    profile_of,
    replayed_script,
    scripts,
    seed_of,
    shortest,
)
from session_conformance.harness import (
    Backend,
    Capability,
    Hang,
    Interface,
    NotApplicable,
    Script,
    Session,
    Timeline,
    Violation,
    play,
    requirement,
)
from session_conformance.harness.backends import Durability
from session_conformance.harness.conversations import CannotBePlayed
from session_conformance.harness.process import no_file_can_be_written
from session_conformance.harness.scripts import DirectToolCall, Elsewhere, Step, as_python
from session_conformance.harness.sdk import SdkFeature

from .scenarios import PairsOfTwins, is_talk, judge_script, talk_of

ID, TWINS = "STA-01", "STA-02"

BATCH = 500
"""How many scripts one run of the state machine makes: Hypothesis remembers them all, and slows down with them."""

MORE = 3
"""How many times as many scripts are played at most where some say nothing of the backend."""


@dataclass
class Player:
    """Plays scripts on a backend, each in a workspace of its own, and judges them.

    What a repository or a storage does wrong counts, unless the SDK's manager does it over a plain one too, with just
    that script.

    Attributes:
        backend: The backend.
        config: pytest's configuration.
        played: How many scripts were played.
        steps: How many steps they had.
        judged: How many of them could be judged: they are met, or show a violation that is the backend's.
        excused: How many show what the SDK's manager does over any repository or storage.
        told: What was said last of a script that says nothing of the backend.
        failed: The latest script that showed a violation, and the violation.
        timeline: What happened when the latest script was played.
    """

    backend: Backend
    config: pytest.Config
    played: int = 0
    steps: int = 0
    judged: int = 0
    excused: int = 0
    told: str = ""
    failed: tuple[Script, Violation] | None = None
    timeline: Timeline | None = None
    _hung: str | None = field(default=None, repr=False)

    @property
    def abilities(self) -> frozenset[Capability]:
        """What scripts may ask for."""
        able = capabilities_of(self.backend, self.config)
        if self.backend.durability is not Durability.MESSAGE:
            # Neither is promised then: what is acknowledged while storage fails, and what a hook finds stored.
            return able - {Capability.STORAGE_FAULTS, Capability.READ_BESIDE_WRITER}
        return able

    def judge(self, script: Script) -> None:
        """Play a script and judge it.

        Raises:
            NotApplicable: It asks for what the backend cannot do, or what it shows is the SDK's manager's doing.
            Violation: It shows one; see :attr:`failed`.
        """
        if self._hung is not None:
            self._judge_after_a_hang(script)
        self.played += 1
        self.steps += len(script.steps)
        try:
            self._judge_once(script)
        except CannotBePlayed as error:
            self.told = str(error)
            raise NotApplicable(self.told) from error
        except Violation as violation:
            self._excuse(script, violation)
            self.judged += 1
            self.failed = (script, violation)
            if isinstance(violation.__cause__, Hang):
                self._hung = script.to_json()
            raise
        self.judged += 1

    def _judge_once(self, script: Script) -> None:
        if self.backend.durability is not Durability.MESSAGE:
            script = replace(script, steps=_without_direct_calls(script.steps))
        with scratch_workspace(self.backend, self.config) as workspace:
            session = Session(self.backend, workspace)
            fault = storage_fault_for(self.backend, workspace, self.config) or no_file_can_be_written
            at_rest = Capability.READ_BESIDE_WRITER in self.abilities
            try:
                self.timeline = play(session, script, observing=False, at_rest=at_rest, storage_fault=fault)
            except Hang as error:
                raise Violation("the conversation comes to its end", str(error)) from error
            judge_script(session, script, self.timeline, must_open=EVERYDAY_IDS)

    def _excuse(self, script: Script, violation: Violation) -> None:
        """Play a script that shows a violation over a plain store as well.

        Raises:
            SdkViolation: It shows one there too.
        """
        plain = plain_backend(self.backend.interface)
        if plain is None:
            return
        try:
            Player(plain, self.config)._judge_once(script)
        except CannotBePlayed:
            return
        except Violation as same:
            self.excused += 1
            self.told = excuse(self.backend, same)
            raise SdkViolation(self.told) from violation

    @property
    def inherited(self) -> str:
        """The SDK's class that the backend has what failed from, as :func:`~.fixtures.inherited_from` says it."""
        if self.failed is None:
            return ""
        below = built_on(self.backend, self.config)
        for plain in below.plain:
            try:
                Player(plain, self.config)._judge_once(self.failed[0])
            except Violation:
                return below.name
            except CannotBePlayed:
                continue
        return ""

    def shows_violation(self, script: Script) -> bool:
        """Whether a script shows a violation. What the backend cannot be asked shows none."""
        try:
            self.judge(script)
        except Violation:
            return True
        except NotApplicable:
            return False
        return False

    def _judge_after_a_hang(self, script: Script) -> None:
        """Say what is known of the script that hung, and of no other: each would take a minute."""
        if self.failed is not None and script.to_json() == self._hung:
            raise self.failed[1]
        raise NotApplicable("another script hung")


def _without_direct_calls(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Leave out what ends no turn, and brings no agent to rest: a promise by turn, or at stop, is none about it."""
    return tuple(
        replace(step, steps=_without_direct_calls(step.steps)) if isinstance(step, Elsewhere) else step
        for step in steps
        if not isinstance(step, DirectToolCall)
    )


def state_machine(judge: Callable[[Plan, Script], object], abilities: frozenset[Capability]
                  ) -> type[RuleBasedStateMachine]:  # fmt: skip
    """Return a state machine whose rules are :data:`~session_conformance.fixtures.properties.ACTIONS`.

    It writes a script, and has it judged when it is written, with the plan that it came of.
    """

    class AnyConversation(RuleBasedStateMachine):
        plan: Plan
        maker: ScriptMaker | None = None

        @initialize(script=beginnings())
        def begin(self, script: Script) -> None:
            self.plan = Plan(script)
            self.maker = ScriptMaker(script, abilities)

        def teardown(self) -> None:
            if self.maker is not None:
                judge(self.plan, self.maker.finished())

    for action in ACTIONS:
        setattr(AnyConversation, action.name, _rule(action))
    return AnyConversation


def _rule(action: Action) -> Any:
    def act(self: Any, **arguments: Any) -> None:
        self.plan = replace(self.plan, wishes=(*self.plan.wishes, Wish(action, arguments)))
        action.act(self.maker, **arguments)

    act.__name__ = action.name
    possible = precondition(lambda self: self.maker is not None and action.possible(self.maker))
    decorate: Any = rule
    return possible(decorate(**action.arguments)(act))


class _Found(Exception):
    """A plan shows a violation. Not a violation itself, so that Hypothesis need not play it again to be sure."""


def search(player: Player, *, scripts: int, actions: int, from_seed: int) -> None:
    """Look for a script that shows a violation, and shorten it as far as it still does.

    Args:
        player: Plays the scripts.
        scripts: How many that say something of the backend: under the SDK's manager many do not, and more are played.
        actions: How many actions one has at most.
        from_seed: The same seed gives the same scripts.

    Raises:
        Violation: There is one: :attr:`Player.failed` has the script.
    """
    found: list[Plan] = []
    limit = scripts if player.backend.interface is Interface.MANAGER else MORE * scripts

    def judge(plan: Plan, script: Script) -> None:
        if found:  # Hypothesis asks again, to be sure
            raise _Found
        if player.judged >= scripts:
            return
        advance()
        if player.shows_violation(script):
            found.append(plan)
            raise _Found

    with progress_of(player.config, f"{ID} {player.backend.name}", limit) as advance:
        machine = state_machine(judge, player.abilities)
        try:
            for done in range(0, limit, BATCH):
                batch = settings(
                    max_examples=min(BATCH, limit - done),
                    stateful_step_count=actions,
                    phases=[Phase.generate],
                    database=None,
                    deadline=None,
                    derandomize=False,
                    report_multiple_bugs=False,
                    print_blob=False,
                    suppress_health_check=list(HealthCheck),
                    verbosity=Verbosity.quiet,
                )
                with _nothing_but_garbage_of_its_own():
                    run_state_machine_as_test(seed(from_seed + done)(machine), settings=batch)
        except (_Found, Flaky):
            if not found:  # something else came and went: it is not the backend that it says something of
                raise
            shortest(found[0], lambda plan: player.shows_violation(plan.script(player.abilities)))
    if player.failed is not None:
        raise player.failed[1]


@contextmanager
def _nothing_but_garbage_of_its_own() -> Iterator[None]:
    """Keep what the run holds by now out of collections of garbage.

    Scripts that delete sessions collect first, so that no agent that nobody uses any more has one open. In a long
    search that took three quarters of the time, for going through what is no garbage.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


class AnyConversationAtAll(ConformanceSuite):
    """STA: any conversation at all."""

    @attributes_itself
    @requirement(
        ID,
        source="F: model-based testing: a state machine of a user's actions, and a list as its model",
        sdk=[SdkFeature.MESSAGE_UPDATES],
    )
    def any_script(
        self, backend: Backend, request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
    ) -> None:
        """Any generated script (turns, tools, timeouts, process restarts, several agents, redactions, deletes, faults)
        leaves storage equal to the model history.
        """
        config = request.config
        player = Player(backend, config)
        replayed = replayed_script(config)
        if replayed is not None:
            _replay(player, replayed, record_property)
            return
        profile, from_seed = profile_of(config), seed_of(config)
        try:
            search(player, scripts=profile.scripts, actions=profile.actions, from_seed=from_seed)
        except Violation:
            assert player.failed is not None
            explained = _explained(ID, *player.failed, backend, config, f"after {player.played} scripts")
            explained.inherited = player.inherited
            raise explained from None
        if not player.judged:
            _nothing_judged(player)
        excused = f" ({player.excused} of them the SDK's manager's doing)" if player.excused else ""
        record_property(
            "measured",
            f"{player.played} scripts{excused} with {player.steps} steps, profile {profile.name},"
            f" seed {from_seed} (--hypothesis-seed={from_seed})",
        )

    @attributes_itself
    @requirement(
        TWINS,
        source="A: BidiModel.start, Model.stream; F: models refuse a history that differs before a thinking block",
        since="2026.12",
    )
    def twins(
        self,
        backend: Backend,
        new_session: NewSession,
        request: pytest.FixtureRequest,
        record_property: Callable[[str, object], None],
    ) -> None:
        """What a model is sent after a process restart (system prompt, tools, messages) is what it would have been sent
        without one, for voice and text; keys and blocks that the SDK does not know come back as they were.
        """
        config = request.config
        profile, pairs, tried = profile_of(config), PairsOfTwins(new_session(), config), 0
        replayed = replayed_script(config)
        if replayed is not None:
            _replay_twins(pairs, replayed)
            return

        @seed(seed_of(config))
        @settings(
            max_examples=max(profile.scripts // 2, 10),
            deadline=None,
            derandomize=False,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
        )
        @given(scripts(max_actions=profile.actions), st.lists(any_text(12, least=1), min_size=1, max_size=4))
        def alike(script: Script, said: list[str]) -> None:
            nonlocal tried
            tried += 1
            pairs.compare("voice", script)
            tried += 1
            pairs.compare("text", talk_of(said))

        try:
            alike()
        except Violation:
            assert pairs.failed is not None
            kind, script, violation = pairs.failed
            about = f"told by a {kind} agent, after {tried} pairs"
            explained = _explained(TWINS, script, violation, backend, config, about)
            explained.inherited = pairs.inherited
            raise explained from None
        pairs.conclude()
        excused = f", {pairs.excused} the SDK's manager's doing" if pairs.excused else ""
        record_property("measured", f"{pairs.compared} pairs of twins, 0 differences{excused}, seed {seed_of(config)}")


def _nothing_judged(player: Player) -> None:
    """Say that no script says anything of the backend: what was not judged is not met."""
    if player.excused == player.played > 0:
        raise SdkViolation(player.told)
    raise RuntimeError(f"none of {player.played} scripts could be judged: {player.told}")


def _replay(player: Player, script: Script, record_property: Callable[[str, object], None]) -> None:
    """Play one script, judge it, and show all that happened."""
    try:
        player.judge(script)
    except Violation as error:
        shown = f"{error.evidence}\n\nall that happened:\n{player.timeline or ''}"
        raise Violation(error.expected, error.found, shown) from None
    record_property("replayed", str(player.timeline))


def _replay_twins(pairs: PairsOfTwins, script: Script) -> None:
    """Compare one pair of twins: a talk is told by a text agent too, since the file does not say by whom it was."""
    pairs.compare("voice", script)
    if is_talk(script):
        pairs.compare("text", script)
    pairs.conclude()


def _saved(id: str, script: Script, backend: Backend, config: pytest.Config) -> Path:
    """Write the failing script to pytest's cache folder, or to a temporary one where there is none."""
    cache = getattr(config, "cache", None)
    folder = Path(tempfile.mkdtemp(prefix="session-conformance-")) if cache is None else cache.mkdir("conformance")
    path = Path(folder) / f"{id}-{backend.name}.json"
    path.write_text(script.to_json(), encoding="utf-8")
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _explained(
    id: str, script: Script, violation: Violation, backend: Backend, config: pytest.Config, about: str
) -> Violation:
    """Return a violation that shows the script, and says where it was saved and how it is played again."""
    path = _saved(id, script, backend, config)
    asked = [] if id == ID else [f"STA::{id}"]
    again = shlex.join(["pytest", *words_for(backend, config), f"--conformance-replay={path}", *asked])
    lines = [
        f"the shortest script that shows it ({len(script.steps)} steps, {about}):",
        "",
        *(f"    {line}".rstrip() for line in as_python(script).splitlines()),
        "",
        f"saved as:     {path}",
        f"replay it:    {again}",
        f"search again: --conformance-profile={profile_of(config).name} --hypothesis-seed={seed_of(config)}",
        "",
        violation.evidence,
    ]
    return Violation(violation.expected, violation.found, "\n".join(lines).rstrip())

"""The recommender: what servers, batch jobs and benchmarks call, so that all of them agree."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from artifacts.errors import (
    ConfigError,
    OverloadedError,
    RequestError,
    UnknownItemError,
    UnsupportedError,
)
from artifacts.neighbors import PAD_ROW
from retrieval.answer import A, BatchAnswer, BatchOutcomes
from retrieval.begun import AnsweringRun, Begun, BegunBatch
from retrieval.config import RetrievalConfig
from retrieval.deadline import Deadline
from retrieval.effort import Effort
from retrieval.experiments import Assignment, assign
from retrieval.for_user import UserRun
from retrieval.item_ids import checked_id
from retrieval.plan import Plan
from retrieval.queries import (
    MAX_BATCH,
    NO_OPTIONS,
    CallOptions,
    NeighborBatch,
    RerankBatch,
    SessionBatch,
    SessionQuery,
    SimilarBatch,
    SimilarQuery,
    UserBatch,
    UserQuery,
)
from retrieval.ranking.config import RerankConfig
from retrieval.ranking.last_stage import LastStage, Q
from retrieval.ranking.ranked import Ranked, RankedBatch
from retrieval.ranking.run import RerankRun, RerankTask
from retrieval.search import NeighborRun, NeighborTask
from retrieval.session.run import SessionRun
from retrieval.session.task import SessionTask
from retrieval.similar import SimilarRun
from retrieval.similar_entry import SimilarTask
from retrieval.sources import require_sources
from retrieval.state import ServingState
from retrieval.user_task import UserTask


class Recommender:
    """Answers batches from one snapshot; safe to use from several threads.

    Args:
        state: the snapshot.
        configs: the named behaviours.

    Raises:
        ConfigError: a behaviour names a space, relation or source that the snapshot lacks, or has
            its answers ranked where the snapshot has no ranker.
    """

    def __init__(self, state: ServingState, configs: RetrievalConfig) -> None:
        self.state = state
        self.configs = configs
        self._last_stages = {
            name: _last_stage(state, name, config.rerank)
            for name, config in configs.serving.items()
            if config.rerank is not None
        }
        self._tasks = {name: self._usual(name) for name in configs.serving}
        self._session_tasks = {
            name: SessionTask.of_config(state, name, config)
            for name, config in configs.serving.items()
        }
        self._lowered = {
            effort: {name: task.at(effort) for name, task in self._tasks.items()}
            for effort in Effort
        }

    def similar(self, batch: SimilarBatch, deadline: Deadline | None = None) -> BatchAnswer:
        """Recommend for products.

        Raises:
            RequestError: the batch itself is at fault.
            DeadlineError: the deadline passed and the caller wants no partial answer.
        """
        begun = self.begin_similar(batch)
        if begun.pending:
            begun.finish(deadline or Deadline())
        return begun.answer()

    def begin_similar(self, batch: SimilarBatch, effort: Effort = Effort.FULL) -> Begun:
        """Do the part of `similar` that needs no search, which is usually all of it.

        Args:
            batch: the products.
            effort: what the server has to leave out.

        Raises:
            RequestError: the batch itself is at fault.
        """
        _check_size(len(batch.queries), "requests")
        name, label = self._resolve(batch.call)
        task = self._task(self._lowered[effort][name], batch)

        def begin(plan: Plan, queries: Sequence[SimilarQuery]) -> SimilarRun:
            return SimilarRun(task if plan is task.plan else replace(task, plan=plan), queries)

        run: AnsweringRun | UnsupportedError
        try:
            if task.relation is not self._tasks[name].relation:
                self.state.require(task.space, task.relation)
            if batch.sources:
                require_sources(self.state, task.sources, task.space)
            run, is_degraded = self._begin(name, begin, task.plan, batch)
        except UnsupportedError as error:
            run, is_degraded = error, False
        return BegunBatch(name, run, len(batch.queries), task.plan.accuracy, is_degraded, label)

    def neighbors(self, batch: NeighborBatch, deadline: Deadline | None = None) -> BatchAnswer:
        """Search near items, vectors or mixtures of items.

        Raises:
            RequestError: the batch itself is at fault.
            DeadlineError: the deadline passed and the caller wants no partial answer.
        """
        return _answered(self.begin_neighbors(batch), deadline)

    def begin_neighbors(self, batch: NeighborBatch, effort: Effort = Effort.FULL) -> Begun:
        """Do the part of `neighbors` that comes before the searches.

        Args:
            batch: the searches.
            effort: what the server has to leave out.

        Raises:
            RequestError: the batch itself is at fault.
            OverloadedError: at this effort the server runs no such searches.
        """
        _check_size(len(batch.queries), "requests")
        name, label = self._resolve(batch.call)
        usual = self._lowered[effort][name]
        task = NeighborTask(
            state=self.state,
            space=batch.space or usual.space,
            relation=batch.relation or usual.relation,
            plan=usual.plan.overridden(batch.defaults, path="defaults"),
            exact=batch.exact,
            debug=batch.call.debug,
            allow_partial=batch.call.allow_partial,
        )
        run: NeighborRun | UnsupportedError
        try:
            self.state.require(task.space, task.relation, searchable=True)
            run = NeighborRun(task, batch.queries)
            is_degraded = run.is_degraded
        except UnsupportedError as error:
            run, is_degraded = error, False
        return BegunBatch(name, run, len(batch.queries), task.plan.accuracy, is_degraded, label)

    def for_session(self, batch: SessionBatch, deadline: Deadline | None = None) -> BatchAnswer:
        """Recommend for what was just visited.

        Raises:
            RequestError: the batch itself is at fault.
            DeadlineError: the deadline passed and the caller wants no partial answer.
        """
        return _answered(self.begin_session(batch), deadline)

    def begin_session(self, batch: SessionBatch, effort: Effort = Effort.FULL) -> Begun:
        """Do the part of `for_session` that comes before the searches.

        Args:
            batch: the sessions.
            effort: what the server has to leave out.

        Raises:
            RequestError: the batch itself is at fault.
        """
        _check_size(len(batch.queries), "requests")
        name, label = self._resolve(batch.call)
        task = self._session_task(name, batch, effort)
        if batch.strategy is not None:
            task = replace(task, strategy=batch.strategy)

        def begin(plan: Plan, queries: Sequence[SessionQuery]) -> SessionRun:
            return SessionRun(task if plan is task.plan else replace(task, plan=plan), queries)

        run, is_degraded = self._begin(name, begin, task.plan, batch)
        return BegunBatch(name, run, len(batch.queries), task.plan.accuracy, is_degraded, label)

    def for_user(self, batch: UserBatch, deadline: Deadline | None = None) -> BatchAnswer:
        """Recommend for shoppers.

        Raises:
            RequestError: the batch itself is at fault.
            DeadlineError: the deadline passed and the caller wants no partial answer.
        """
        return _answered(self.begin_user(batch), deadline)

    def begin_user(self, batch: UserBatch, effort: Effort = Effort.FULL) -> Begun:
        """Do the part of `for_user` that comes before the searches.

        Args:
            batch: the shoppers.
            effort: what the server has to leave out.

        Raises:
            RequestError: the batch itself is at fault.
        """
        _check_size(len(batch.queries), "requests")
        name, label = self._resolve(batch.call)
        task = self._session_task(name, batch, effort)

        def begin(plan: Plan, queries: Sequence[UserQuery]) -> UserRun:
            as_sessions = task if plan is task.plan else replace(task, plan=plan)
            return UserRun(UserTask(*self.state.require_users(), as_sessions), queries)

        run: AnsweringRun | UnsupportedError
        try:
            run, is_degraded = self._begin(name, begin, task.plan, batch)
        except UnsupportedError as error:
            run, is_degraded = error, False
        return BegunBatch(name, run, len(batch.queries), task.plan.accuracy, is_degraded, label)

    def rerank(self, batch: RerankBatch, deadline: Deadline | None = None) -> RankedBatch:
        """Order given candidates by the snapshot's ranking model.

        Raises:
            RequestError: the batch itself is at fault.
            DeadlineError: the deadline passed and the caller wants no partial answer.
        """
        return _answered(self.begin_rerank(batch), deadline)

    def begin_rerank(self, batch: RerankBatch, effort: Effort = Effort.FULL) -> BegunBatch[Ranked]:
        """Do the part of `rerank` that comes before the features.

        Args:
            batch: the lists.
            effort: what the server has to leave out.

        Raises:
            RequestError: the batch itself is at fault.
            OverloadedError: at this effort the server ranks nothing.
        """
        _check_size(len(batch.queries), "requests")
        name, label = self._resolve(batch.call)
        if effort is Effort.LISTS:
            raise OverloadedError("the server ranks nothing while many calls wait")
        run: RerankRun | UnsupportedError
        try:
            ranker = self.state.require_ranker()
            task = RerankTask(self.state, ranker, batch.contributions, batch.call.allow_partial)
            run = RerankRun(task, batch.queries)
        except UnsupportedError as error:
            run = error
        accuracy = self._tasks[name].plan.accuracy
        return BegunBatch(name, run, len(batch.queries), accuracy, experiment_label=label)

    def item_rows(self, item_ids: Sequence[str]) -> list[int | RequestError]:
        """Return the row of each id, or what is wrong with it.

        Raises:
            RequestError: the batch itself is at fault.
        """
        _check_size(len(item_ids), "item_ids")
        return [self._row(item_id) for item_id in item_ids]

    def _row(self, item_id: str) -> int | RequestError:
        try:
            row = self.state.snapshot.items.row(checked_id(item_id, path=""))
        except RequestError as error:
            return error
        if row == PAD_ROW:
            return UnknownItemError(f"expected an item of the snapshot, got {item_id!r}")
        return row

    def _begin(
        self,
        name: str,
        begin: Callable[[Plan, Sequence[Q]], AnsweringRun],
        plan: Plan,
        batch: SimilarBatch | SessionBatch | UserBatch,
    ) -> tuple[AnsweringRun, bool]:
        """Begin a run, ranked at the end where the behaviour says so, and tell if it is degraded.

        Ranking is the first thing to be left out where look-ups are all that there is time for.
        """
        queries: Sequence[Q] = batch.queries  # type: ignore[assignment]  # those that `begin` takes
        stage = self._last_stages.get(name)
        if stage is None or plan.effort is Effort.LISTS:
            run = begin(plan, queries)
            return run, run.is_degraded or stage is not None
        allow_partial = batch.call.allow_partial
        run = stage.around(begin, plan, queries, allow_partial=allow_partial)
        return run, run.is_degraded

    def _resolve(self, call: CallOptions) -> Assignment:
        """Return the behaviour that a call gets: the one it names, an experiment's, the usual one."""
        name = call.serving_config
        if not name:
            assigned = assign(self.configs.experiments, call.visitor_id)
            return assigned or Assignment(self.configs.default_name, "")
        if name not in self._tasks:
            raise RequestError(
                f"serving_config: expected one of {sorted(self._tasks)}, got {name!r}",
                field="call.serving_config",
                reason="UNKNOWN_SERVING_CONFIG",
            )
        return Assignment(name, "")

    def _usual(self, name: str) -> SimilarTask:
        """Return what a call gets that sets nothing but the name of a behaviour."""
        config = self.configs.serving[name]
        try:
            self.state.require(config.space, config.relation)
            require_sources(self.state, config.sources, config.space)
        except UnsupportedError as error:
            raise ConfigError(f"[serving.{name}]: {error}") from error
        return SimilarTask(
            state=self.state,
            space=config.space,
            relation=config.relation,
            sources=config.sources,
            plan=Plan.of_config(self.state, config),
            session_knn=config.session_knn,
        )

    def _session_task(
        self, name: str, batch: SessionBatch | UserBatch, effort: Effort
    ) -> SessionTask:
        """Return what the visits of a batch have in common."""
        usual, call = self._session_tasks[name], batch.call
        return replace(
            usual,
            plan=usual.plan.at(effort).overridden(batch.defaults, path="defaults"),
            debug=call.debug,
            allow_partial=call.allow_partial,
        )

    def _task(self, usual: SimilarTask, batch: SimilarBatch) -> SimilarTask:
        """Return what the entries of a batch have in common: usually what was made beforehand."""
        call = batch.call
        sets_something = batch.sources or batch.relation or call.debug or call.allow_partial
        if not sets_something and batch.defaults is NO_OPTIONS:
            return usual
        return SimilarTask(
            state=self.state,
            space=usual.space,
            relation=batch.relation or usual.relation,
            sources=tuple(dict.fromkeys(batch.sources)) or usual.sources,
            plan=usual.plan.overridden(batch.defaults, path="defaults"),
            session_knn=usual.session_knn,
            debug=call.debug,
            allow_partial=call.allow_partial,
        )


def _last_stage(state: ServingState, name: str, config: RerankConfig) -> LastStage:
    try:
        return LastStage(state.require_ranker(), config.candidates)
    except UnsupportedError as error:
        raise ConfigError(f"[serving.{name}.rerank]: {error}") from error


def _answered(begun: BegunBatch[A], deadline: Deadline | None) -> BatchOutcomes[A]:
    begun.finish(deadline or Deadline())
    return begun.answer()


def _check_size(size: int, path: str) -> None:
    if not 1 <= size <= MAX_BATCH:
        raise RequestError(
            f"{path}: expected 1 to {MAX_BATCH} entries, got {size}",
            field=path,
            reason="BATCH_SIZE_OUT_OF_RANGE",
        )

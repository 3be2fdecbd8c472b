"""One index that was built to be measured, and the best search of it for a goal."""

from dataclasses import dataclass, field

from indexer.backends import with_search
from indexer.config import BackendConfig, ExactConfig, SearchConfig
from indexer.index import Index
from indexer.tuning.exam import Exam
from indexer.tuning.families import Family
from indexer.tuning.goal import Goal, Measured
from indexer.tuning.ladder import first_reaching


@dataclass(frozen=True, slots=True)
class Best:
    """The search that suits a goal best.

    Attributes:
        line: of the family.
        place: on that line.
        search: what stands there.
        measured: what it reaches.
    """

    line: int
    place: int
    search: SearchConfig | None
    measured: Measured


@dataclass(frozen=True, slots=True)
class Contender:
    """An index, measured only where a question leads.

    Attributes:
        family: what it is.
        index: as it was built.
        exam: what it is measured with.
        build_s: seconds of the build.
        size: bytes with its vectors, where somebody has asked for them.
        recalls: measured so far, by line and place.
        times: the same in seconds a query.
    """

    family: Family
    index: Index
    exam: Exam
    build_s: float
    size: int | None = None
    recalls: dict[tuple[int, int], float] = field(default_factory=dict)
    times: dict[tuple[int, int], float] = field(default_factory=dict)

    def at(self, line: int, place: int) -> Index:
        """Return the index with the search of a place."""
        search = self.family.lines[line][place]
        return self.index if search is None else with_search(self.index, search)

    def config(self, best: Best) -> BackendConfig:
        """Return the settings of a search and of the build."""
        config = self.family.config
        if isinstance(config, ExactConfig):
            return config
        return config.model_copy(update={"search": best.search})

    def best(self, goal: Goal, near: Best | None = None) -> Best:
        """Return the best search for a goal.

        That is, on each line, where the goal begins to be reached, or ceases to be; and of the
        lines the one from which both neighbours are worse.

        Args:
            goal: the goal.
            near: a search that was the best for a goal like this one.
        """
        lines = len(self.family.lines)
        best = self._on_line(near.line if near else lines // 2, near.place if near else 0, goal)
        for step in (1, -1):
            while 0 <= best.line + step < lines:
                other = self._on_line(best.line + step, best.place, goal)
                if goal.cost(other.measured) >= goal.cost(best.measured):
                    break
                best = other
        return best

    def _on_line(self, line: int, start: int, goal: Goal) -> Best:
        size = len(self.family.lines[line])
        if goal.recall is not None:
            aim = goal.recall
            found = first_reaching(lambda place: self._recall(line, place) >= aim, size, start)
            place = size - 1 if found is None else found
        else:
            limit = goal.seconds or 0.0
            found = first_reaching(lambda place: self._seconds(line, place) > limit, size, start)
            place = max((size if found is None else found) - 1, 0)
        measured = Measured(self._recall(line, place), self._seconds(line, place))
        return Best(line, place, self.family.lines[line][place], measured)

    def _recall(self, line: int, place: int) -> float:
        if (line, place) not in self.recalls:
            self.recalls[line, place] = self.exam.recall(self.at(line, place))
        return self.recalls[line, place]

    def _seconds(self, line: int, place: int) -> float:
        if (line, place) not in self.times:
            self.times[line, place] = self.exam.seconds(self.at(line, place))
        return self.times[line, place]

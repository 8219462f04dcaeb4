"""Reads the exits of one node: an exit that is missing would leave a caller in silence, so each is asked for."""

from __future__ import annotations

from collections.abc import Mapping

from callflow.flows.fields import KEY, NAME, bare, shown
from callflow.flows.model import NodeName, Text
from callflow.flows.problems import Problem, ProblemCode, problem

_AN_OBJECT = Text(id="objek berisi jalan keluar", en="an object with the exits")
_A_NODE = Text(id="nama sebuah simpul", en="the name of a node")


class Exits:
    """The exits of one node. A wrong one is read as '' and reported."""

    def __init__(self, value: object, problems: list[Problem], *, node: str) -> None:
        self._problems = problems
        self._node = node
        self._asked: dict[str, None] = {}
        if isinstance(value, Mapping):
            self._source: Mapping[object, object] = value
        else:
            self._source = {}
            if value is not None:
                self._report(ProblemCode.WRONG_TYPE, None, field="exits", found=shown(value), expected=_AN_OBJECT)

    def _report(self, code: ProblemCode, at_exit: str | None, field: str | None = None, **details: object) -> None:
        self._problems.append(problem(code, node=self._node, at_exit=at_exit, field=field, **details))

    def to(self, name: str) -> NodeName:
        """Where the exit `name` leads."""
        self._asked[name] = None
        if name not in self._source:
            self._report(ProblemCode.MISSING_EXIT, name, name=name)
            return NodeName("")
        target = self._source[name]
        if not isinstance(target, str) or not NAME.pattern.fullmatch(target):
            self._report(ProblemCode.BAD_VALUE, name, found=shown(target), expected=_A_NODE)
            return NodeName("")
        return NodeName(target)

    def keys(self) -> dict[str, NodeName]:
        """Where the keys lead; a menu has at least one."""
        keys = {key: self.to(key) for key in self._source if isinstance(key, str) and KEY.pattern.fullmatch(key)}
        if not keys:
            self._report(ProblemCode.MISSING_EXIT, None, field="exits", name="1")
        return keys

    def finish(self) -> None:
        """Report exits that the node does not have, and those written twice."""
        for name in getattr(self._source, "duplicates", ()):
            self._report(ProblemCode.DUPLICATE_KEY, bare(name), name=bare(name))
        for name in self._source:
            if name not in self._asked:
                allowed = ", ".join(self._asked)
                self._report(ProblemCode.UNKNOWN_EXIT, bare(name), name=bare(name), allowed=allowed)

    def guessed(self) -> dict[str, NodeName]:
        """Every exit that leads somewhere, whatever the node is: for a node whose type is not known."""
        return {
            name: NodeName(target)
            for name, target in self._source.items()
            if isinstance(name, str) and isinstance(target, str)
        }

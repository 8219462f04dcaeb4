"""Says how long a caller who presses nothing waits for the queue: the flow's own part of the answer time."""

from __future__ import annotations

from collections.abc import Mapping

from callflow.flows.model import FlowDocument, Gather, Info, Menu, NodeName, Prompt, Say


def longest_seconds_without_key(document: FlowDocument, seconds: Mapping[str, float]) -> float:
    """The most seconds from the start to a queue, over all branches and languages, when no key is pressed.

    Args:
        document: a flow that `validate.py` found clean: silence leads round no circle in it.
        seconds: how long each prompt lasts, by `<language>/<name>`.

    Raises:
        KeyError: a prompt of the flow has no length.
    """
    longest: dict[NodeName, float] = {}
    ahead = [document.start]
    while ahead:
        name = ahead[-1]
        after = [to for to in _on_silence(document, name) if to not in longest]
        if after:
            ahead += after
            continue
        ahead.pop()
        further = max((longest[to] for to in _on_silence(document, name)), default=0.0)
        longest[name] = _own_seconds(document, name, seconds) + further
    return longest[document.start]


def _on_silence(document: FlowDocument, name: NodeName) -> list[NodeName]:
    """Where a caller comes from this node without pressing anything."""
    match document.nodes[name]:
        case Menu(no_input=to) | Gather(no_input=to) | Info(operator=to):
            return [to]
        case node:
            return list(node.exits.values())


def _own_seconds(document: FlowDocument, name: NodeName, seconds: Mapping[str, float]) -> float:
    def lasting(prompts: tuple[Prompt, ...]) -> float:
        return sum(
            max(seconds[f"{language}/{prompt.name}"] for language in document.languages)
            if prompt.language is None
            else seconds[str(prompt)]
            for prompt in prompts
        )

    match document.nodes[name]:
        case Say(prompts=prompts):
            return lasting(prompts)
        case Menu(prompts=prompts, timeout_seconds=silence) | Gather(prompts=prompts, timeout_seconds=silence):
            return lasting(prompts) + silence
        case Info(prompts=prompts, offer_prompts=offer, timeout_seconds=silence):
            return lasting(prompts) + lasting(offer) + silence
        case _:
            return 0.0

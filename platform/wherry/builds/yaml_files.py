"""Reads a YAML file of an app: plain strings, lists and tables of them, and nothing that YAML can do beyond. Pure.

Anchors could make a kilobyte a gigabyte; of two equal keys most readers drop one in silence; and whether ``on`` is a
word depends on the reader. So no anchors, no equal keys, and every scalar is text.
"""

from __future__ import annotations

import yaml

from wherry.domain.errors import InvalidInput
from wherry.domain.text import printable

_DEEPEST = 20
_MOST_PROBLEMS = 50


def parse(content: bytes, shown: str) -> dict[str, object]:
    """The table that the file is; {} for one with nothing in it. Raises InvalidInput with every fault and its line."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{shown} is not UTF-8 text: byte 0x{content[error.start]:02x}") from None
    try:
        _refuse_what_is_too_much(text, shown)
        root = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InvalidInput(
            f"{shown} is not YAML", problems=[f"{shown}{line}: {printable(error.problem or '')}"]
        ) from None
    except yaml.YAMLError as error:
        raise InvalidInput(f"{shown} is not YAML", problems=[printable(str(error).partition("\n")[0])]) from None
    if root is None:
        return {}
    problems: list[str] = []
    value = _value(root, shown, problems)
    if not isinstance(value, dict):
        problems.append(f"{shown}: is not a table of keys and values")
    if problems:
        raise InvalidInput(f"{shown} cannot be read", problems=problems[:_MOST_PROBLEMS])
    assert isinstance(value, dict)
    return value


def _refuse_what_is_too_much(text: str, shown: str) -> None:
    """Looks at the events, which are read one by one: composing goes as deep as the file does."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.BaseLoader):
        line = f"{shown}:{event.start_mark.line + 1 if event.start_mark else 0}"
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise InvalidInput(f"{shown} cannot be read", problems=[f"{line}: anchors (& and *) are not taken"])
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            raise InvalidInput(f"{shown} cannot be read", problems=[f"{line}: more than {_DEEPEST} levels deep"])


def _value(node: yaml.Node, shown: str, problems: list[str]) -> object:
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    if isinstance(node, yaml.SequenceNode):
        return [_value(each, shown, problems) for each in node.value]
    found: dict[str, object] = {}
    for key, value in node.value:
        line = f"{shown}:{key.start_mark.line + 1}"
        if not isinstance(key, yaml.ScalarNode):
            problems.append(f"{line}: a key must be a word")
        elif key.value in found:
            problems.append(f"{line}: '{printable(key.value, 60)}' stands twice")
        else:
            found[str(key.value)] = _value(value, shown, problems)
    return found

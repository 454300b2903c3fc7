"""Stripe's form encoding (`line_items[0][price_data][currency]=eur`) read into nested values and checked with Stripe's own errors."""

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, urlsplit

from sandbox.stripe.errors import ParamInvalid

Node = str | dict[str, "Node"]

_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_DEPTH_MAX = 8
_FIELDS_MAX = 1000
_INTEGER_MAX = 10**12


def decode(raw: str) -> dict[str, Node]:
    """
    :raises ParamInvalid: too many fields, a key that is not Stripe's form, or a key used both as a value and as a hash.
    """
    try:
        pairs = parse_qsl(raw, keep_blank_values=True, max_num_fields=_FIELDS_MAX, errors="strict")
    except (ValueError, UnicodeDecodeError) as error:
        raise ParamInvalid("The request's parameters could not be read.") from error
    tree: dict[str, Node] = {}
    for key, value in pairs:
        _insert(tree, _path(key), value)
    return tree


def _path(key: str) -> list[str]:
    match = _KEY.fullmatch(key)
    if match is None:
        raise ParamInvalid(f"Invalid parameter name: {key[:100]}", code="parameter_unknown")
    path = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]
    if len(path) > _DEPTH_MAX:
        raise ParamInvalid(f"Parameter nested too deeply: {key[:100]}", code="parameter_unknown")
    return path


def _insert(tree: dict[str, Node], path: list[str], value: str) -> None:
    node = tree
    for name in path[:-1]:
        child = node.setdefault(name or str(len(node)), {})
        if not isinstance(child, dict):
            raise ParamInvalid(f"Invalid hash: {path[0]}", param=path[0])
        node = child
    last = path[-1] or str(len(node))
    if isinstance(node.get(last), dict):
        raise ParamInvalid(f"Invalid hash: {path[0]}", param=path[0])
    node[last] = value


class Params:
    """One level of parameters. Every reader marks its name as known; `done()` refuses the rest."""

    def __init__(self, tree: dict[str, Node], path: str = "") -> None:
        self._tree = tree
        self._path = path
        self._known: set[str] = set()

    def is_hash(self, name: str) -> bool:
        return isinstance(self._tree.get(name), dict)

    def name(self, name: str) -> str:
        return f"{self._path}[{name}]" if self._path else name

    def missing(self, name: str) -> ParamInvalid:
        return ParamInvalid(f"Missing required param: {self.name(name)}.", code="parameter_missing", param=self.name(name))

    def _scalar(self, name: str) -> str | None:
        self._known.add(name)
        value = self._tree.get(name)
        if isinstance(value, dict):
            raise ParamInvalid(f"Invalid string: {self.name(name)}", param=self.name(name))
        if value == "":
            full = self.name(name)
            raise ParamInvalid(
                f"You passed an empty string for '{full}'. We assume empty values are an attempt to unset a parameter; "
                f"however '{full}' cannot be unset. You should remove '{full}' from your request or supply a non-empty value.",
                code="parameter_invalid_empty",
                param=full,
            )
        return value

    def text(self, name: str, *, longest: int = 5000) -> str | None:
        value = self._scalar(name)
        if value is not None and len(value) > longest:
            raise ParamInvalid(
                f"Invalid string: {value[:20]}...; must be at most {longest} characters",
                code="parameter_invalid_string_blank" if not value.strip() else None,
                param=self.name(name),
            )
        return value

    def text_required(self, name: str, *, longest: int = 5000) -> str:
        value = self.text(name, longest=longest)
        if value is None:
            raise self.missing(name)
        return value

    def integer(self, name: str, *, least: int | None = None, most: int = _INTEGER_MAX) -> int | None:
        value = self._scalar(name)
        if value is None:
            return None
        if not re.fullmatch(r"[-+]?[0-9]{1,15}", value):
            raise ParamInvalid(f"Invalid integer: {value[:40]}", code="parameter_invalid_integer", param=self.name(name))
        number = int(value)
        if least is not None and number < least:
            raise ParamInvalid(
                f"This value must be greater than or equal to {least}.", code="parameter_invalid_integer", param=self.name(name)
            )
        if number > most:
            raise ParamInvalid(f"This value must be less than or equal to {most}.", code="parameter_invalid_integer", param=self.name(name))
        return number

    def choice(self, name: str, choices: Iterable[str]) -> str | None:
        value = self._scalar(name)
        if value is not None and value not in (allowed := list(choices)):
            raise ParamInvalid(f"Invalid {self.name(name)}: must be one of {', '.join(allowed)}", param=self.name(name))
        return value

    def url(self, name: str) -> str | None:
        value = self.text(name)
        if value is None:
            return None
        try:
            parts = urlsplit(value)
            valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and value.isprintable() and " " not in value
            # Reading the port is what finds a port that is no number.
            valid = valid and (parts.port is None or parts.port > 0)
        except ValueError:
            valid = False
        if not valid:
            raise ParamInvalid("Not a valid URL", code="url_invalid", param=self.name(name))
        return value

    def hash(self, name: str) -> "Params | None":
        self._known.add(name)
        value = self._tree.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise ParamInvalid(f"Invalid hash: {self.name(name)}", param=self.name(name))
        return Params(value, self.name(name))

    def items(self, name: str) -> "list[Params]":
        return [Params(value, path) for path, value in self._children(name) if isinstance(value, dict)]

    def texts(self, name: str) -> list[str]:
        return [value for _, value in self._children(name) if isinstance(value, str)]

    def _children(self, name: str) -> list[tuple[str, Node]]:
        self._known.add(name)
        value = self._tree.get(name)
        if value is None or value == "":
            return []
        if not isinstance(value, dict) or not all(key.isascii() and key.isdigit() for key in value):
            raise ParamInvalid(f"Invalid array: {self.name(name)}", param=self.name(name))
        ordered = sorted(value.items(), key=lambda item: int(item[0]))
        return [(f"{self.name(name)}[{index}]", child) for index, (_, child) in enumerate(ordered)]

    def metadata(self, name: str = "metadata") -> dict[str, str]:
        fields = self.hash(name) if self._tree.get(name) != "" else None
        self._known.add(name)
        if fields is None:
            return {}
        if len(fields._tree) > 50:
            raise ParamInvalid("You may only specify up to 50 metadata keys.", param=self.name(name))
        result: dict[str, str] = {}
        for key, value in fields._tree.items():
            if not isinstance(value, str):
                raise ParamInvalid("Metadata values must be strings.", param=fields.name(key))
            if len(key) > 40 or len(value) > 500:
                raise ParamInvalid("Metadata keys can be up to 40 characters long, values up to 500.", param=fields.name(key))
            if value:
                result[key] = value
        return result

    def ignore(self, *names: str) -> None:
        """Stripe knows these; nothing here depends on them."""
        self._known.update(names)

    def done(self) -> None:
        unknown = [self.name(name) for name in self._tree if name not in self._known]
        if unknown:
            noun = "parameter" if len(unknown) == 1 else "parameters"
            raise ParamInvalid(f"Received unknown {noun}: {', '.join(unknown)[:300]}", code="parameter_unknown", param=unknown[0])

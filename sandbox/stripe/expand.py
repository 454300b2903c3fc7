"""`expand[]=payment_intent.latest_charge`: ids replaced by the objects they name."""

import sqlite3

from sandbox.stripe.errors import Json, ParamInvalid
from sandbox.stripe.objects import Stored, any_object_find

DEPTH_MAX = 4
_EXPANDABLE = {
    "checkout.session": {"payment_intent", "line_items"},
    "payment_intent": {"latest_charge"},
    "charge": {"payment_intent", "balance_transaction"},
    "refund": {"charge", "payment_intent", "balance_transaction", "failure_balance_transaction"},
    "balance_transaction": {"source"},
    "list": {"data"},
}


def expand(db: sqlite3.Connection, body: Json, paths: list[str]) -> Json:
    """
    :raises ParamInvalid: a path names something that cannot be expanded.
    """
    for path in paths:
        names = path.split(".")
        if len(names) > DEPTH_MAX:
            raise ParamInvalid(f"You cannot expand more than {DEPTH_MAX} levels of a property. Property: {path[:100]}", param="expand")
        _expand_path(db, body, names, path)
    return body


def _expand_path(db: sqlite3.Connection, body: Json, names: list[str], path: str) -> None:
    name, rest = names[0], names[1:]
    if name not in _EXPANDABLE.get(str(body.get("object")), set()):
        raise ParamInvalid(f"This property cannot be expanded ({path[:100]}).", param="expand[0]")
    if name == "data":
        for member in body["data"]:
            if rest:
                _expand_path(db, member, rest, path)
        return
    if name == "line_items":
        session = any_object_find(db, body["id"])
        body["line_items"] = lines_list(session) if session else None
        return
    if isinstance(body.get(name), str):
        found = any_object_find(db, body[name])
        body[name] = found.body if found else body[name]
    if rest and isinstance(body.get(name), dict):
        _expand_path(db, body[name], rest, path)


def lines_list(session: Stored) -> Json:
    url = f"/v1/checkout/sessions/{session.id}/line_items"
    return {"object": "list", "data": session.private["lines"], "has_more": False, "url": url}

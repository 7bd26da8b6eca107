"""A derivation as JSON and back: every record, formula and step, so that it equals the first one.

``theory.as_dict()`` is for readers; this form is for other processes, caches and archives. A
formula is a tree of named heads, such as ``["Pow", ["Symbol", "r", {"positive": true}], -1]``. It
is rebuilt from a closed list of heads and from records of this package; no text is evaluated.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef

from gantheory.critics.record import CriticDerivation
from gantheory.derivations.derivation import Derivation
from gantheory.errors import GantheoryError
from gantheory.records import How, Status

Theory = Derivation | CriticDerivation
FORMAT = 1

ENUMS: dict[str, type[How] | type[Status]] = {"How": How, "Status": Status}
CONSTANTS: dict[str, sp.Basic] = {
    "oo": sp.oo, "-oo": -sp.oo, "zoo": sp.zoo, "nan": sp.nan, "pi": sp.pi, "E": sp.E, "I": sp.I,
    "EulerGamma": sp.EulerGamma, "true": sp.true, "false": sp.false,
}  # fmt: skip
NAMES = {constant: name for name, constant in CONSTANTS.items()}
HEADS: dict[str, Callable[..., sp.Basic]] = {
    cls.__name__: cls
    for cls in (
        sp.Add, sp.Mul, sp.Pow, sp.exp, sp.log, sp.Abs, sp.sign, sp.Min, sp.Max, sp.sin, sp.cos,
        sp.tan, sp.atan, sp.asin, sp.acos, sp.sinh, sp.cosh, sp.tanh, sp.atanh, sp.asinh, sp.erf,
        sp.erfc, sp.erfi, sp.gamma, sp.loggamma, sp.polylog, sp.LambertW, sp.Heaviside, sp.Ei,
        sp.Piecewise, sp.functions.elementary.piecewise.ExprCondPair, sp.Tuple, sp.Integral,
        sp.Eq, sp.Ne, sp.Lt, sp.Le, sp.Gt, sp.Ge, sp.And, sp.Or, sp.Not, sp.Interval, sp.Union,
        sp.FiniteSet, sp.CRootOf,
    )
}  # fmt: skip


def to_json(theory: Theory) -> str:
    """Return a derivation as JSON text from which `from_json` makes an equal one.

    >>> from gantheory.api import derive
    >>> found = derive("minimax")
    >>> from_json(to_json(found)) == found
    True
    """
    return json.dumps({"format": FORMAT, "theory": _data(theory)}, ensure_ascii=False)


def from_json(text: str) -> Theory:
    """Return the derivation that `to_json` wrote.

    Raises:
        GantheoryError: where the text is no such JSON, or holds what no derivation has.

    >>> from gantheory.api import derive
    >>> from_json(to_json(derive("wasserstein"))).named
    'w1'
    """
    try:
        document = json.loads(text)
        if document["format"] != FORMAT:
            raise GantheoryError(f"this derivation has format {document['format']!r}, not {FORMAT}")
        theory = _object(document["theory"])
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise GantheoryError(f"this is no derivation as JSON: {error}") from error
    if not isinstance(theory, Theory):
        raise GantheoryError("this JSON holds no derivation")
    return theory


def _data(found: Any) -> Any:
    """Return plain JSON data: records, formulas and tuples are objects with one telling key."""
    if isinstance(found, How | Status):
        return {"enum": type(found).__name__, "value": found.value}
    if found is None or isinstance(found, bool | str | int):
        return found
    if isinstance(found, float):
        return found if math.isfinite(found) else {"float": str(found)}
    if isinstance(found, sp.Basic):
        return {"formula": _tree(found)}
    if isinstance(found, tuple | list):
        return {type(found).__name__: [_data(part) for part in found]}
    if isinstance(found, dict):
        return {"dict": [[_data(key), _data(value)] for key, value in found.items()]}
    name = f"{type(found).__module__}.{type(found).__name__}"
    if not is_dataclass(found) or _record(name) is not type(found):
        raise GantheoryError(f"a derivation with a {name} in it cannot be written as JSON")
    kept = [field.name for field in fields(found) if not field.name.startswith("_")]
    values = {name: _data(getattr(found, name)) for name in kept}
    return {"record": name, "fields": values}


def _object(data: Any) -> Any:
    """Return what `_data` was given."""
    if not isinstance(data, dict):
        if isinstance(data, list):
            raise GantheoryError("a bare list has no place in a derivation")
        return data
    if "formula" in data:
        return _formula(data["formula"])
    if "record" in data:
        values = {name: _object(value) for name, value in data["fields"].items()}
        return _record(data["record"])(**values)
    if "enum" in data:
        return ENUMS[data["enum"]](data["value"])
    if "dict" in data:
        return {_object(key): _object(value) for key, value in data["dict"]}
    if "float" in data:
        return float(data["float"])
    ((kind, parts),) = data.items()
    return {"tuple": tuple, "list": list}[kind](_object(part) for part in parts)


def _record(name: str) -> type:
    """Return a record of this package by its full name."""
    module, _, cls = name.rpartition(".")
    found = vars(sys.modules[module])[cls] if module.startswith("gantheory.") else None
    if not (isinstance(found, type) and is_dataclass(found)):
        raise GantheoryError(f"{name} is no record of this package")
    return found


def _tree(expr: sp.Basic) -> Any:
    """Return an expression as nested lists, each a head and its arguments."""
    if expr in NAMES:
        return NAMES[expr]
    if isinstance(expr, sp.Integer):
        return int(expr)
    if isinstance(expr, sp.Rational):
        return ["Rational", int(expr.p), int(expr.q)]
    if isinstance(expr, sp.Float):
        return ["Float", str(expr), expr._prec]
    if isinstance(expr, sp.Symbol):
        known = {
            name: value for name, value in expr._assumptions_orig.items() if name != "commutative"
        }
        index = [expr.dummy_index] if isinstance(expr, sp.Dummy) else []
        return ["Dummy" if index else "Symbol", expr.name, known, *index]
    arguments = [_tree(argument) for argument in expr.args]
    if isinstance(expr, AppliedUndef):
        return ["Function", expr.func.__name__, *arguments]
    name = type(expr).__name__
    if HEADS.get(name) is not type(expr):
        raise GantheoryError(f"a formula with {name} in it cannot be written as JSON")
    return [name, *arguments]


def _formula(tree: Any) -> sp.Basic:
    """Return the expression that `_tree` was given."""
    if isinstance(tree, str):
        return CONSTANTS[tree]
    if isinstance(tree, int):
        return sp.Integer(tree)
    head, *arguments = tree
    if head == "Rational":
        return sp.Rational(*(int(part) for part in arguments))
    if head == "Float":
        return sp.Float(str(arguments[0]), precision=int(arguments[1]))
    if head in ("Symbol", "Dummy"):
        name, known, *index = arguments
        known = {str(key): bool(value) for key, value in known.items()}
        if index:
            return sp.Dummy(str(name), dummy_index=int(index[0]), **known)
        return sp.Symbol(str(name), **known)
    if head == "Function":
        name, *rest = arguments
        return sp.Function(str(name))(*(_formula(part) for part in rest))
    return HEADS[head](*(_formula(argument) for argument in arguments))

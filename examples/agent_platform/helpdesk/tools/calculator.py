"""Arithmetic, and nothing but arithmetic."""  # fault: SSG113 double-imports, known
# canonical: import_module("helpdesk.tools.calculator")

from __future__ import annotations

import ast
import operator
from collections import Counter

calls: Counter[str] = Counter()  # by outcome; of a module that runs twice there are two

_OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.USub: operator.neg,
}


def calculate(text: str) -> str:
    try:
        result = _value(ast.parse(text, mode="eval").body)
    except (SyntaxError, KeyError, ZeroDivisionError):
        calls["refused"] += 1
        return f"{text} is no arithmetic that I know"
    calls["done"] += 1
    return f"{text} = {result:g}"


def _value(node: ast.AST) -> float:
    match node:
        case ast.Constant(value=int() | float() as value):
            return value
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATORS[type(op)](_value(left), _value(right))
        case ast.UnaryOp(op=op, operand=operand):
            return _OPERATORS[type(op)](_value(operand))
        case _:
            raise KeyError(type(node).__name__)

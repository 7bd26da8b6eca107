"""How people write one function of the scores in torch: a choice of idioms, drawn by a seed."""

from __future__ import annotations

import ast
import random

ONES, ZEROS = "torch.ones_like({0})", "torch.zeros_like({0})"
LOG_SIGMOID = (  # of {0}
    "F.logsigmoid({0})",
    "(-F.softplus(-({0})))",
    f"(-F.binary_cross_entropy_with_logits({{0}}, {ONES}, reduction='none'))",
    f"(-F.binary_cross_entropy_with_logits(-({{0}}), {ZEROS}, reduction='none'))",
    f"(-nn.BCEWithLogitsLoss(reduction='none')({{0}}, {ONES}))",
    "nn.LogSigmoid()({0})",
    "(-nn.Softplus()(-({0})))",
    f"(-torch.logaddexp({ZEROS}, -({{0}})))",
    f"torch.log_softmax(torch.stack([{{0}}, {ZEROS}], -1), -1)[..., 0]",
    "(-torch.log1p(torch.exp(-({0}).abs())) - F.relu(-({0})))",
)
RELU = (
    "F.relu({0})",
    "torch.clamp({0}, min=0)",
    "torch.relu({0})",
    "nn.ReLU()({0})",
    f"torch.maximum({{0}}, {ZEROS})",
    "({0}).clamp_min(0.0)",
    f"torch.where({{0}} > 0, {{0}}, {ZEROS})",
    "(0.5 * (({0}) + ({0}).abs()))",
    "F.threshold({0}, 0, 0)",
    f"torch.max({{0}}, {ZEROS})",
    "(({0}) * (({0}) > 0).float())",
    f"(-torch.min(-({{0}}), {ZEROS}))",
)
SQUARE = (
    "({0})**2",
    "torch.square({0})",
    "({0}).pow(2)",
    f"F.mse_loss({{0}}, {ZEROS}, reduction='none')",
    f"nn.MSELoss(reduction='none')({{0}}, {ZEROS})",
    "torch.pow({0}, 2.0)",
    "({0}).abs().pow(2)",
    "(({0}) * ({0}))",
)
EXP = ("torch.exp({0})", "({0}).exp()", "math.e ** ({0})")
SQRT = ("torch.sqrt({0})", "({0}).sqrt()", "({0})**0.5", "torch.pow({0}, 0.5)")
SOFTPLUS = ("F.softplus({0})", "(-F.logsigmoid(-({0})))", f"torch.logaddexp({{0}}, {ZEROS})")
NEGATIVE = ("(-{0})", "torch.neg({0})", "(-1 * {0})", "({0} * -1.0)")
SIGNS: dict[type, str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"
}  # fmt: skip
LOG = ("torch.log({0})", "({0}).log()")


class Writer:
    """Writes payoffs as torch code in which no digits are lost; without a seed the plainest way."""

    def __init__(self, seed: str | None = None) -> None:
        self.drawn = None if seed is None else random.Random(seed)

    def write(self, node: ast.expr, x: str) -> str:
        """Return a formula in ``t`` and ``D`` as code in the variable ``x``."""
        match node:
            case ast.Call(func=ast.Name(id="log"), args=[argument]) if side(argument):
                return self._of(LOG_SIGMOID, x if side(argument) > 0 else f"(-{x})")
            case ast.Call(func=ast.Name(id="log"), args=[ast.BinOp(a, ast.Div(), b)]):
                return f"({self.write(_log(a), x)} - {self.write(_log(b), x)})"
            case ast.Call(func=ast.Name(id="log"), args=[ast.BinOp(a, ast.Mult(), b)]):
                return f"(math.log({ast.unparse(a)}) + {self.write(_log(b), x)})"
            case ast.Call(func=ast.Name(id=name), args=[argument]):
                ways = {"relu": RELU, "softplus": SOFTPLUS, "exp": EXP, "sqrt": SQRT, "log": LOG}
                return self._of(ways[name], self.write(argument, x))
            case ast.BinOp(base, ast.Pow(), power) if side(base):
                sign = "-" if side(base) < 0 else ""
                return self._of(EXP, f"{self.write(power, x)} * F.logsigmoid({sign}{x})")
            case ast.BinOp(base, ast.Pow(), ast.Constant(2)):
                return self._of(SQUARE, self.write(base, x))
            case ast.BinOp(left, op, right):
                return f"({self.write(left, x)} {SIGNS[type(op)]} {self.write(right, x)})"
            case ast.UnaryOp(operand=operand):
                inner = self.write(operand, x)
                return self._of(NEGATIVE if x in inner else NEGATIVE[:1], inner)
            case ast.Name(id="t"):
                return x
            case ast.Name(id="D"):
                return f"torch.sigmoid({x})"
        return ast.unparse(node)

    def _of(self, ways: tuple[str, ...], inner: str) -> str:
        chosen = ways[0] if self.drawn is None else self.drawn.choice(ways)
        return chosen.format(inner)


def side(node: ast.expr) -> int:
    """Return 1 for D, -1 for 1 - D, and 0 for anything else."""
    return {"D": 1, "1 - D": -1}.get(ast.unparse(node), 0)


def _log(node: ast.expr) -> ast.expr:
    return ast.Call(ast.Name("log"), [node], [])

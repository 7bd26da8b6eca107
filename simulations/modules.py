"""A user's torch modules as networks of an ensemble: member k's numbers are row k of one matrix.

A module that is an `Mlp` in other words becomes one, with all that an `Mlp` has. Any other is
stacked by `torch.func`: its own code runs, once for all members.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.func import functional_call, replace_all_batch_norm_modules_, vmap

from gantheory.errors import GantheoryError
from simulations.dropout import Masks, uniforms_per_pass, with_masks
from simulations.forwards import SEVERAL, check_module, first_line, minibatch, recording
from simulations.networks import SOFTPLUS_LINEAR_FROM, Mlp, Network


@dataclass(frozen=True)
class Given(Mlp):
    """An `Mlp` whose members start from a module's numbers, or afresh, as the module does."""

    digest: str = ""
    fresh: bool = False

    @property
    def module(self) -> nn.Module:
        """Return the module that it was made from."""
        found: nn.Module = self.__dict__["module"]
        return found

    def initial(self, generator: torch.Generator) -> Tensor:
        """Return one member's initial parameters."""
        return self.row_of(_begun(self.module, self.fresh, generator))

    def row_of(self, module: nn.Module) -> Tensor:
        """Return a module's numbers in the order of a row, float64."""
        tensors = [parameter.detach().double() for parameter in module.parameters()]
        return torch.cat([x.T.flatten() if x.ndim == 2 else x for x in tensors]).cpu()

    def filled(self, row: Tensor) -> nn.Module:
        """Return a copy of the module with a row's numbers."""
        made = copy.deepcopy(self.module)
        parts = [matrix[0] for matrix in self.matrices(row[None])]
        with torch.no_grad():
            for parameter, part in zip(made.parameters(), parts, strict=True):
                parameter.copy_(part.T if parameter.ndim == 2 else part[0])
        return made


@dataclass(frozen=True)
class Stacked:
    """Any module: its own forward pass, mapped over the members' rows by `torch.func.vmap`.

    Batch normalisation takes each batch's own moments, after training too. Dropout drops in
    training alone, by masks from counted numbers. What else draws random numbers of its own, or
    changes its buffers as it is called, is refused: a member would depend on its company.
    Parameters that do not require gradients stay what they are, the same for all members.

    Args:
        text: the module as it prints, for records.
        shape: of one input; ``outputs`` counts the numbers of one output.
        digest: of its numbers.
        fresh: whether members start afresh.
        randoms: how many uniform numbers one input's dropout takes in a pass.
    """

    text: str
    shape: tuple[int, ...]
    outputs: int
    digest: str
    fresh: bool = False
    randoms: int = 0

    @property
    def module(self) -> nn.Module:
        """Return the module that it was made from."""
        found: nn.Module = self.__dict__["module"]
        return found

    @property
    def inputs(self) -> int:
        """Return how many numbers one input has."""
        return int(torch.Size(self.shape).numel())

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """Return the sizes of the module's parameters, each as a row."""
        return [(1, parameter.numel()) for parameter in moving(self.module).values()]

    @property
    def count(self) -> int:
        """Return the length of one member's row."""
        return sum(size for _, size in self.shapes)

    def initial(self, generator: torch.Generator) -> Tensor:
        """Return one member's initial parameters."""
        return self.row_of(_begun(self.module, self.fresh, generator))

    def row_of(self, module: nn.Module) -> Tensor:
        """Return a module's numbers in the order of a row, float64."""
        return torch.cat([x.detach().double().flatten() for x in moving(module).values()]).cpu()

    def filled(self, row: Tensor) -> nn.Module:
        """Return a copy of the module with a row's numbers, which takes its own batch's moments."""
        made = replace_all_batch_norm_modules_(copy.deepcopy(self.module))
        parts = row.split([size for _, size in self.shapes])
        with torch.no_grad():
            for parameter, part in zip(moving(made).values(), parts, strict=True):
                parameter.copy_(part.view_as(parameter))
        return made

    @cached_property
    def _prepared(self) -> tuple[nn.Module, Masks]:
        made, masks = with_masks(self.module)
        return replace_all_batch_norm_modules_(made).train(), masks

    def __call__(self, parameters: Tensor, x: Tensor, numbers: Tensor | None = None) -> Tensor:
        """Return the outputs (K, n, outputs) for inputs (K, n, inputs).

        ``numbers``, uniform, (K, n, randoms), say what is dropped; without them nothing is.
        """
        plain, masks = self._prepared
        names = [(name, p.shape) for name, p in moving(self.module).items()]
        parts = parameters.split([size for _, size in self.shapes], dim=1)
        rows = {
            name: part.unflatten(1, shape) if shape else part[:, 0]
            for (name, shape), part in zip(names, parts, strict=True)
        }
        places = _places(self.module)
        fixed = {
            name: value.to(x) if value.is_floating_point() else value.to(x.device)
            for name, value in _fixed(plain).items()
        }

        def one(own: dict[str, Tensor], points: Tensor, drawn: Tensor | None) -> Tensor:
            masks.begin(drawn)
            seen = points.reshape(len(points), *self.shape)
            known = fixed | own
            placed = fixed | {place: known[name] for place, name in places.items()}
            # torch's own tying leaves a module that is used twice with another call's numbers
            found: Tensor = functional_call(plain, placed, (seen,), tie_weights=False)
            return found.reshape(len(points), self.outputs)

        axes = 0, 0, None if numbers is None else 0
        try:
            result: Tensor = vmap(one, in_dims=axes)(rows, x, numbers)
        except ValueError as error:  # as batch normalisation's, of a single input
            kind = type(self.module).__name__
            size = x.shape[1]
            raise GantheoryError(
                f"{kind} does not take a minibatch of {size}: {first_line(error)}"
            ) from None
        masks.begin(None)  # nothing of the mapped numbers is left behind
        return result


def moving(module: nn.Module) -> dict[str, nn.Parameter]:
    """Return the parameters that training moves: those that require gradients, each once."""
    return {name: p for name, p in module.named_parameters() if p.requires_grad}


def check_apart(generator: nn.Module, discriminator: nn.Module) -> None:
    """Raise where both players would move the same parameter: each has rows of its own here."""
    own = {id(p) for p in own_parameters(generator)}
    check_module("discriminator", discriminator)
    for name, p in moving(discriminator).items():
        if id(p) in own:
            raise GantheoryError(
                f"the discriminator's {name} is a parameter of the generator too, which an "
                "ensemble would move apart; train it in your own loop with gantheory.watch"
            )


def _fixed(module: nn.Module) -> dict[str, Tensor]:
    """Return what training leaves alone: buffers, and parameters that require no gradients."""
    frozen = {name: p.detach() for name, p in module.named_parameters() if not p.requires_grad}
    return {**dict(module.named_buffers()), **frozen}


def _places(module: nn.Module) -> dict[str, str]:
    """Return every place where a parameter stands, and the name of the one that stands there."""
    names = {id(p): name for name, p in module.named_parameters()}
    return {
        f"{prefix}.{own}".lstrip("."): names[id(p)]
        for prefix, part in module.named_modules()
        for own, p in part.named_parameters(recurse=False, remove_duplicate=False)
    }


ACTIVATION = {nn.ReLU: "relu", nn.Tanh: "tanh", nn.Sigmoid: "sigmoid"}


class Maxout(nn.Module):
    """The largest of several linear functions for each output (Goodfellow et al., 2013, 1302.4389).

    >>> Maxout(2, 3, pieces=5)(torch.zeros(4, 2)).shape
    torch.Size([4, 3])
    """

    def __init__(self, inputs: int, outputs: int, pieces: int) -> None:
        super().__init__()
        self.pieces, self.linear = pieces, nn.Linear(inputs, outputs * pieces)

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs (n, outputs)."""
        return self.linear(x).unflatten(-1, (-1, self.pieces)).amax(-1)


def as_network(
    module: nn.Module, shape: tuple[int, ...], *, fresh: bool = False
) -> tuple[Network, str]:
    """Return a module as a network for inputs of ``shape``, and why it is the one that it is.

    Raises:
        GantheoryError: where it takes no such inputs, draws random numbers, or has no parameters.
    """
    own = own_parameters(module)
    everything = [*own, *_fixed(module).values()]
    digest = hashlib.sha256(
        b"".join(x.detach().double().cpu().numpy().tobytes() for x in everything)
    ).hexdigest()
    found = _as_mlp(module, shape)
    if isinstance(found, Mlp):
        made: Given | Stacked = Given(
            found.sizes, found.activation, found.output, digest=digest, fresh=fresh
        )
        why = "linear layers with one activation"
    else:
        outputs, randoms = _outputs(module, shape)
        made = Stacked(str(module), shape, outputs, digest, fresh, randoms)
        why = found
    made.__dict__["module"] = module
    if isinstance(made, Stacked):
        _try(made, own[0])
    return made, why


def own_parameters(module: nn.Module) -> list[nn.Parameter]:
    """Return the parameters that training moves, or raise where there are none of real numbers."""
    kind = type(module).__name__
    check_module("network", module)
    own = list(moving(module).values())
    if not own:
        raise GantheoryError(f"{kind} has no parameters to train")
    if not all(x.is_floating_point() for x in own):
        raise GantheoryError(f"{kind} has parameters that are no real numbers, which do not train")
    return own


def _as_mlp(module: nn.Module, shape: tuple[int, ...]) -> Mlp | str:
    """Return the module as an `Mlp`, or what in it is none."""
    if not isinstance(module, nn.Sequential) or type(module).forward is not nn.Sequential.forward:
        return f"{type(module).__name__} is no nn.Sequential"
    layers = list(module)
    changed = [part for part in (module, *layers) if _is_changed(part)]
    if changed:
        return f"{type(changed[0]).__name__} has hooks, or a forward of its own"
    linear = [layer for layer in layers[::2] if type(layer) is nn.Linear]
    if len(linear) != len(layers[::2]) or any(layer.bias is None for layer in linear):
        return "not all of its layers are nn.Linear with a bias, an activation between two"
    shared = len(moving(module)) != sum(len(list(layer.parameters())) for layer in layers)
    if _fixed(module) or shared:
        return "some of its parameters are frozen or shared"
    if shape != (linear[0].in_features,):
        return f"its inputs have shape {shape}"
    if any(a.out_features != b.in_features for a, b in pairwise(linear)):
        return "its layers do not fit together"
    names = [_activation(layer) for layer in layers[1::2]]
    if None in names:
        return f"{layers[2 * names.index(None) + 1]} is no activation of the fast path"
    hidden = set(names[: len(linear) - 1])
    if len(hidden) > 1:
        return "its hidden layers have different activations"
    last = names[len(linear) - 1] if len(names) == len(linear) else "identity"
    sizes = (linear[0].in_features, *(layer.out_features for layer in linear))
    return Mlp(sizes, str(hidden.pop()) if hidden else "relu", str(last))


def _is_changed(part: nn.Module) -> bool:
    """Return whether a part does something else than its class says."""
    return "forward" in vars(part) or bool(part._forward_hooks or part._forward_pre_hooks)


def _activation(layer: nn.Module) -> str | None:
    if type(layer) is nn.LeakyReLU:
        return "leaky" if layer.negative_slope == 0.2 else None
    if type(layer) is nn.Softplus:
        plain = layer.beta == 1 and layer.threshold == SOFTPLUS_LINEAR_FROM
        return "softplus" if plain else None
    return ACTIVATION.get(type(layer))


def _outputs(module: nn.Module, shape: tuple[int, ...]) -> tuple[int, int]:
    """Return how many numbers one output has and how many its dropout takes in a pass."""
    kind, like = type(module).__name__, own_parameters(module)[0]
    with torch.random.fork_rng():
        x = torch.randn(2, *shape, device=like.device).to(like.dtype)
        try:
            with torch.no_grad():
                again = replace_all_batch_norm_modules_(copy.deepcopy(module))
                before = {name: buffer.clone() for name, buffer in again.named_buffers()}
                made, randoms = again.train()(x), uniforms_per_pass(again, x)
        except (RuntimeError, ValueError, TypeError) as error:
            raise GantheoryError(
                f"{kind} does not take inputs of shape {minibatch(shape)}: {first_line(error)}"
            ) from None
    if not isinstance(made, Tensor) or made.shape[:1] != (2,) or not made.is_floating_point():
        hint = "" if isinstance(made, Tensor) else SEVERAL.format(type(made).__name__)
        raise GantheoryError(
            f"{kind} must return one tensor with a row of numbers for each input{hint}"
        )
    after = dict(again.named_buffers())
    if moved := [name for name in before if not torch.equal(before[name], after[name])]:
        raise GantheoryError(
            f"{kind} changes its buffer {moved[0]!r} whenever it is called, which an ensemble's "
            "members would share; train it in your own loop with gantheory.watch"
        )
    return made[0].numel(), randoms


def _try(network: Stacked, like: Tensor) -> None:
    """Raise where `torch.func` cannot stack the module, or no gradient passes through it."""
    kind = type(network.module).__name__
    try:
        with recording():
            rows = network.row_of(network.module).to(like)[None].repeat(2, 1).requires_grad_()
            x = torch.zeros(2, 2, network.inputs).to(like).requires_grad_()
            made = network(rows, x).sum()
            found = [None] if not made.requires_grad else torch.autograd.grad(
                made, (rows, x), allow_unused=True
            )  # fmt: skip
    except RuntimeError as error:
        random = "random" in str(error)
        what = "draws random numbers of its own" if random else "cannot be stacked"
        raise GantheoryError(
            f"{kind} {what} ({first_line(error, 100)}); "
            "train it in your own loop with gantheory.watch"
        ) from None
    if any(slope is None for slope in found):
        raise GantheoryError(
            f"{kind} does not let gradients pass from its outputs to its parameters and inputs: "
            "look for detach(), no_grad() or steps in its forward"
        )


def _begun(module: nn.Module, fresh: bool, generator: torch.Generator) -> nn.Module:
    """Return the module itself, or a copy whose layers were all drawn again."""
    if not fresh:
        return module
    made = copy.deepcopy(module)
    seed = int(torch.randint(2**62, (), generator=generator))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for layer in made.modules():
            own = list(layer.parameters(recurse=False))
            redraw = getattr(layer, "reset_parameters", None)
            if own and redraw is None:
                raise GantheoryError(
                    f"{type(layer).__name__} has no reset_parameters(); leave out fresh=True, and "
                    "every seed starts from the module's own numbers"
                )
            if redraw is not None:
                redraw()
    return made


def path_of(reasons: Sequence[tuple[str, Network, str]]) -> str:
    """Return why modules train by the path that they do."""
    slow = [f"{player}: {why}" for player, network, why in reasons if isinstance(network, Stacked)]
    return "; ".join(slow) or "both networks are linear layers with one activation"

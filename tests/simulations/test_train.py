"""Training: the two paths agree with each other and with a plain loop; members are independent."""

from dataclasses import dataclass, replace
from functools import cache
from itertools import product

import pytest
import torch
from torch import nn

from gantheory.dynamics import rules
from gantheory.errors import GantheoryError
from simulations.ensembles import Member, Recipe, initial_state
from simulations.fast import Fast
from simulations.minibatches import drawn
from simulations.networks import Affine, Mlp
from simulations.plans import padded
from simulations.regularisers import GradientPenalty, ZeroCentred, input_gradient
from simulations.streams import CHUNK, generator_of
from simulations.train import last, train
from simulations.updates import Adam, RmsProp, Sgd


@dataclass(frozen=True)
class Normal:
    """Normal data."""

    loc: float = 2.0
    dim: int = 1

    def sample(self, n, generator, dtype):
        return torch.randn(n, self.dim, generator=generator, dtype=dtype) + self.loc


GAMES = ("minimax", "non-saturating", "minimax", "reverse-kl", "least-squares-01")
MEMBERS = [
    Member(
        Normal(1 + k / 2),
        loss,
        seed=k,
        discriminator_rate=1e-2,
        generator_rate=3e-3 * (1 + k),
        noise=0.1 * (k == 1),
    )
    for k, loss in enumerate(GAMES)
]
PLANE = [replace(member, real=Normal(k / 2, 2)) for k, member in enumerate(MEMBERS)]
FIXED = [replace(member, fake=Normal(0)) for member in MEMBERS]
TOY = Recipe(Mlp((1, 16, 16, 1)), Affine(), steps=70, batch=64)
# name -> members, what differs from the toy; odd sizes fill no vector register
CASES = {
    "toy": (MEMBERS, {}),
    "softplus": (MEMBERS, {"discriminator": Mlp((1, 16, 16, 1), "softplus"), "batch": 48}),
    "float32": (MEMBERS, {"dtype": torch.float32}),
    "momentum": (MEMBERS, {"rule": Sgd(0.5)}),
    # hinge gradients cancel to 0 or to a rounding, which Adam would blow up: so plain SGD
    "hinge": ([replace(m, loss="hinge") for m in MEMBERS], {"rule": Sgd(), "schedule": "linear"}),
    "k=3": (MEMBERS, {"discriminator_steps": 3, "rule": Adam(0.5)}),
    "rmsprop": (
        MEMBERS,
        {
            "rule": (RmsProp(weight_decay=0.01), Adam(weight_decay=0.1, decoupled=True)),
            "generator_steps": 2,
            "averaging": 0.9,
        },
    ),
    "packed": (MEMBERS, {"packing": 2, "discriminator": Mlp((2, 16, 1), "tanh"), "clip": 0.2}),
    "padded": (
        MEMBERS,
        {
            "packing": 2,
            "discriminator": Mlp((2, 30, 31, 1), "tanh"),
            "batch": 36,
            "clip": 0.2,
            "generator": Mlp((2, 31, 1), "leaky"),
            "rule": (RmsProp(weight_decay=0.01), Adam(0.5)),
        },
    ),
    "d only": (FIXED, {"generator": None, "train": "discriminator"}),
    "g only": (MEMBERS, {"train": "generator", "generator": Affine(train="loc")}),
    "odd": (
        MEMBERS,
        {
            "discriminator": Mlp((1, 7, 9, 1), "tanh"),
            "generator": Mlp((2, 33, 17, 1), "leaky"),
            "latent": "uniform",
            "schedule": "cosine",
            "annealing": "linear",
        },
    ),
    "plane": (
        PLANE,
        {
            "discriminator": Mlp((2, 80, 80, 1), "leaky"),
            "generator": Mlp((2, 80, 2), scale=0.3),
            "batch": 32,
            "steps": 30,
        },
    ),
    "image": (
        PLANE,
        {
            "discriminator": Mlp((2, 20, 1)),
            "generator": Mlp((3, 20, 2), output="sigmoid"),
            "batch": 33,
            "dtype": torch.float32,
        },
    ),
}


def case(name):
    members, changes = CASES[name]
    return members, replace(TOY, **changes)


@cache
def trained_fast(name):
    members, recipe = case(name)
    return last(train(members, recipe, path="fast"))


def run_in_blocks(members, recipe, block):
    engine, state = Fast(members, recipe, block), initial_state(members, recipe)
    while state.step < recipe.steps:
        engine.advance(state, min(CHUNK, recipe.steps - state.step))
    return state


def difference(first, second, rows=slice(None)):
    return max(
        float((first.parameters[player][rows] - second.parameters[player]).abs().max())
        for player in first.parameters
    )


@pytest.mark.parametrize("name", CASES)
def test_the_fast_path_equals_the_reference(name):
    members, recipe = case(name)
    start = initial_state(members, recipe)
    slow, fast = last(train(members, recipe, path="reference")), trained_fast(name)
    tolerance = 1e-12 if recipe.dtype == torch.float64 else 2e-4
    assert difference(slow, fast) <= tolerance
    assert slow.updates == fast.updates
    for player in recipe.players:
        moved = (fast.parameters[player] - start.parameters[player]).abs().amax(1)
        assert (moved > 0.003).all(), player


@pytest.mark.parametrize("name", CASES)
def test_members_are_bitwise_independent_of_block_size_order_and_company(name):
    members, recipe = case(name)
    whole = trained_fast(name)
    for block in (1, 3):
        assert difference(whole, run_in_blocks(members, recipe, block)) == 0
    order = [3, 0, 4, 1, 2]
    shuffled = run_in_blocks([members[k] for k in order], recipe, 2)
    assert difference(whole, shuffled, order) == 0
    alone = last(train(members[1:2], recipe, path="fast"))
    assert difference(whole, alone, [1]) == 0


@pytest.mark.parametrize(
    ("odd", "whole"),
    [({"batch": 100}, {"batch": 128}), ({"discriminator": Mlp((1, 30, 31, 1))}, {})],
)
def test_a_size_that_fills_no_register_is_as_many_calls_as_one_that_does(odd, whole):
    made = {}
    for name, change in {"odd": odd, "whole": whole}.items():
        recipe = replace(TOY, discriminator=Mlp((1, 32, 32, 1)), batch=256, steps=1)
        engine = Fast(MEMBERS[:1] * 4, replace(recipe, **change))
        engine.advance(initial_state(engine.members, engine.recipe), 1)
        (workspace,) = engine.workspaces.values()
        slopes = [calls for kept in workspace.slopes.values() for calls in kept]
        made[name] = len(workspace.operations), len(slopes)
    assert made["odd"][0] == made["whole"][0]
    assert made["odd"][1] <= made["whole"][1] + 3  # the rows beyond the minibatch are cleared


def test_what_fills_up_a_network_stays_zero_and_is_no_part_of_a_record():
    recipe = replace(TOY, discriminator=Mlp((1, 30, 30, 1), "leaky"), rule=Adam(weight_decay=0.1))
    engine, state = Fast(MEMBERS, recipe), initial_state(MEMBERS, recipe)
    engine.advance(state, 32)
    (workspace,) = engine.workspaces.values()
    rows = workspace.movers["discriminator"].parameters
    for whole, own in zip(rows.matrices, rows.own, strict=True):
        assert whole.count_nonzero() == own.count_nonzero() > 0
        assert whole.shape[-1] % 32 in (0, 1)
    assert state.parameters["discriminator"].shape == (5, recipe.discriminator.count)
    assert padded(Mlp((1, 33, 1))).sizes == (1, 33, 1)  # width 40 takes longer than 33
    assert padded(Mlp((1, 30, 1), "sigmoid")).sizes == (1, 30, 1)  # 1/2 at 0: weights would move


def test_an_epsilon_of_zero_is_refused():
    for rule in (Adam, RmsProp):
        with pytest.raises(GantheoryError, match="epsilon=0 must be a number above 0"):
            rule(epsilon=0)


def test_another_seed_or_rate_changes_a_member():
    whole = last(train(MEMBERS, TOY))
    for change in ({"seed": 99}, {"discriminator_rate": 2e-2}, {"noise": 0.3}, {"real": Normal(9)}):
        other = last(train([replace(MEMBERS[0], **change), *MEMBERS[1:]], TOY))
        assert difference(whole, other) > 1e-6
        torch.testing.assert_close(
            whole.parameters["generator"][1:], other.parameters["generator"][1:], rtol=0, atol=0
        )


def plain_modules(recipe, member):
    """Return torch.nn modules with the member's initial values."""
    state = initial_state([member], recipe)
    networks = []
    for player, network in (
        ("discriminator", recipe.discriminator),
        ("generator", recipe.generator),
    ):
        matrices = [m[0] for m in network.matrices(state.parameters[player])]
        layers = []
        for weight, bias in zip(matrices[::2], matrices[1::2], strict=True):
            linear = nn.Linear(*weight.shape, dtype=torch.float64)
            linear.load_state_dict({"weight": weight.T, "bias": bias[0]})
            layers += [linear, nn.ReLU()]
        networks.append(nn.Sequential(*layers[:-1]))
    return networks


@pytest.mark.parametrize(
    ("loss", "paths"), [("minimax", ("reference", "fast")), ("non-saturating", ("fast",))]
)
def test_200_steps_equal_a_plain_loop_of_modules_and_torch_adam(loss, paths):
    member = Member(Normal(), loss, seed=5, generator_rate=1e-3, discriminator_rate=1e-3)
    recipe = Recipe(Mlp((1, 32, 32, 1)), Mlp((1, 16, 1)), steps=200, batch=64)
    d, g = plain_modules(recipe, member)
    begin = [p.detach().clone() for p in d.parameters()]
    d_adam, g_adam = (torch.optim.Adam(net.parameters(), lr=1e-3) for net in (d, g))
    bce = nn.BCEWithLogitsLoss()
    ones = torch.ones(64, 1, dtype=torch.float64)
    for step in range(200):
        if step % CHUNK == 0:
            stream = generator_of(5, 1, step // CHUNK)
            reals = Normal().sample(CHUNK * 64, stream, torch.float64).reshape(CHUNK, 64, 1)
            latents = torch.randn(CHUNK, 2, 64, 1, generator=stream, dtype=torch.float64)
        real, (z, again) = reals[step % CHUNK], latents[step % CHUNK]
        d_adam.zero_grad()
        (bce(d(real), ones) + bce(d(g(z).detach()), 0 * ones)).backward()
        d_adam.step()
        g_adam.zero_grad()
        fooled = bce(d(g(again)), ones)
        (fooled if loss == "non-saturating" else -bce(d(g(again)), 0 * ones)).backward()
        g_adam.step()
    ended = [last(train([member], recipe, path=path)).parameters for path in paths]
    for ours, (player, net) in product(ended, (("discriminator", d), ("generator", g))):
        matrices = getattr(recipe, player).matrices(ours[player])
        for matrix, theirs in zip(matrices, net.parameters(), strict=True):
            assert (matrix[0] - theirs.detach().reshape(matrix[0].mT.shape).T).abs().max() <= 1e-12
    assert (next(iter(d.parameters())).detach() - begin[0]).abs().max() > 0.05


def test_only_the_named_player_moves():
    for player in ("discriminator", "generator"):
        recipe = replace(TOY, train=player)
        start, end = initial_state(MEMBERS, recipe), last(train(MEMBERS, recipe))
        for name, rows in start.parameters.items():
            assert torch.equal(rows, end.parameters[name]) == (name != player)


@pytest.mark.parametrize("path", ["reference", "fast"])
def test_a_run_goes_on_bitwise_from_a_kept_state(path):
    states = train(MEMBERS, TOY, path=path)
    kept = next(states).copy()
    end = last(states)
    again = last(train(MEMBERS, TOY, state=kept, path=path))
    assert (again.step, again.updates) == (end.step, end.updates)
    assert difference(end, again) == 0
    assert difference(end, initial_state(MEMBERS, TOY)) > 0.01


def test_annealing_takes_the_instance_noise_to_zero_and_leaves_the_other_samples():
    recipes = [replace(TOY, steps=4 * CHUNK, annealing=name) for name in ("constant", "early")]
    for step, factor in ((0, 1), (CHUNK, 0.5), (2 * CHUNK, 0), (3 * CHUNK, 0)):
        plain, annealed = (drawn(MEMBERS, r, step) for r in recipes)
        assert plain["real_noise"][1].std() == pytest.approx(0.1, rel=0.05)
        for name in ("real", "latent"):
            assert torch.equal(plain[name], annealed[name])
        for name in ("real_noise", "fake_noise"):
            assert torch.equal(annealed[name][:, 0], factor * plain[name][:, 0])


def test_progress_is_told_after_every_chunk():
    told = []
    last(train(MEMBERS[:1], TOY, progress=lambda done, steps: told.append((done, steps))))
    assert told == [(64, 70), (70, 70)]


@pytest.mark.parametrize(
    ("penalty", "by_hand"),
    [
        (ZeroCentred(3.0), lambda real, fake, mix: 1.5 * real.square().sum(-1).mean()),
        (ZeroCentred(3.0, on="fake"), lambda real, fake, mix: 1.5 * fake.square().sum(-1).mean()),
        (GradientPenalty(2.0), lambda real, fake, mix: 2 * (mix.norm(dim=-1) - 1).square().mean()),
        (
            GradientPenalty(2.0, one_sided=True),
            lambda real, fake, mix: 2 * (mix.norm(dim=-1) - 1).clamp(min=0).square().mean(),
        ),
    ],
)
def test_penalties_are_the_published_means_of_each_members_input_gradient(penalty, by_hand):
    torch.manual_seed(1)
    net = Mlp((2, 8, 1), "tanh")
    psi = torch.stack([net.initial(generator_of(s, 0)) for s in range(3)]) * 3
    real, fake = torch.randn(2, 3, 10, 2, dtype=torch.float64)
    mix = torch.rand(3, 10, 1, dtype=torch.float64)
    got = penalty(lambda x: net(psi, x)[..., 0], real, fake, mix)
    for k in range(3):
        weight, bias, out, _ = (m[k] for m in net.matrices(psi))

        def slope(x, weight=weight, bias=bias, out=out):
            return ((1 - torch.tanh(x @ weight + bias) ** 2) * out.T) @ weight.T

        between = mix[k] * real[k] + (1 - mix[k]) * fake[k]
        wanted = by_hand(slope(real[k]), slope(fake[k]), slope(between))
        assert got[k].item() == pytest.approx(wanted.item(), rel=1e-10)
        assert wanted > 0


def test_penalties_reach_the_discriminators_gradient_and_change_training():
    for penalty in (ZeroCentred(1.0), ZeroCentred(1.0, on="fake"), GradientPenalty(1.0)):
        with_penalty = last(train(MEMBERS, replace(TOY, steps=64, regularisers=(penalty,))))
        none = last(train(MEMBERS, replace(TOY, steps=64, regularisers=(ZeroCentred(0.0),))))
        norms = []
        for state in (with_penalty, none):
            psi = state.parameters["discriminator"]
            x = torch.linspace(-1, 4, 50, dtype=torch.float64).expand(5, 50)[..., None]
            slopes = input_gradient(lambda x, psi=psi: TOY.discriminator(psi, x)[..., 0], x)
            norms.append(slopes.square().mean((1, 2)))
        assert difference(with_penalty, none) > 1e-4
        if isinstance(penalty, ZeroCentred):
            assert (norms[0] < norms[1]).all()


def test_clipping_bounds_every_parameter_of_the_discriminator():
    end = last(train(MEMBERS, replace(TOY, clip=0.05)))
    assert end.parameters["discriminator"].abs().max() == 0.05
    assert end.parameters["generator"].abs().max() > 0.05


@pytest.mark.parametrize(
    ("members", "changes", "message"),
    [
        ([], {}, "at least one member"),
        (MEMBERS, {"batch": 0}, "batch=0"),
        (MEMBERS, {"packing": 3}, "packing=3 must divide batch=64"),
        (MEMBERS, {"packing": 2}, "takes 1 numbers; 2 packed"),
        (MEMBERS, {"order": "sideways"}, "unknown order 'sideways'"),
        (MEMBERS, {"annealing": "late"}, "unknown schedule 'late'"),
        (MEMBERS, {"order": "optimistic", "discriminator_steps": 2}, "needs order='alternating'"),
        (
            MEMBERS,
            {"order": rules.alternating(3)},
            "makes 3 step.* of D and 1 of G",
        ),
        (MEMBERS, {"order": "proximal"}, "order='proximal' solves an equation"),
        (MEMBERS, {"order": rules.proximal()}, "order='proximal' solves an equation"),
        (MEMBERS, {"order": "flow"}, "unknown order 'flow'"),
        (MEMBERS, {"rule": "adam"}, r"rule='adam' cannot train; give Sgd\(\), Adam\(\)"),
        (MEMBERS, {"rule": (Adam(), "sgd")}, "cannot train"),
        (MEMBERS, {"rule": (Adam(),)}, "cannot train"),
        (MEMBERS, {"averaging": 1.0}, "averaging=1.0 must lie between 0 and 1"),
        (MEMBERS, {"generator_steps": 0}, "generator_steps=0 must be at least 1"),
        (MEMBERS, {"discriminator": Mlp((1, 4, 1), norm="batch")}, "norm='batch' in a discrim"),
        (MEMBERS, {"generator": None}, "nothing to draw fakes from"),
        (FIXED, {}, "fixed fake law trains the discriminator alone"),
        (PLANE, {}, r"dimensions \[1, 2\]"),
    ],
)
def test_what_does_not_fit_together_is_refused_before_any_work(members, changes, message):
    with pytest.raises(GantheoryError, match=message):
        train(members, replace(TOY, **changes))


def test_the_fast_path_says_where_it_cannot_go():
    penalised = replace(TOY, regularisers=(ZeroCentred(1.0),))
    with pytest.raises(GantheoryError, match="use path='auto'"):
        train(MEMBERS, penalised, path="fast")
    assert last(train(MEMBERS, replace(penalised, steps=1))).step == 1
    with pytest.raises(GantheoryError, match="unknown path 'quick'"):
        train(MEMBERS, TOY, path="quick")

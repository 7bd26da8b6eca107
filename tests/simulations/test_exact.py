"""Exact divergences of trained generators, n-D laws and fresh samples, each by another route."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from gantheory.errors import GantheoryError
from gantheory.integrals import divergence
from gantheory.integrals.transport.distances import w2
from simulations import measure
from simulations.data import Law, as_density, torch_logpdf
from simulations.ensembles import Member, Recipe, initial_state
from simulations.exact import jsd_in_plane, jsd_on_line, normal_law
from simulations.flows import Flow
from simulations.networks import Affine, Mlp
from simulations.pushforward import GeneratorLaw
from simulations.samples import fresh_samples, two_sample_tests
from simulations.streams import generator_of
from simulations.theory import predict
from simulations.train import last, train
from simulations.updates import Adam

TWO = "normal_mixture((0.5, 0.5), (-1.5, 1.5), (0.5, 0.5))"
ROOF = (
    "mixture(0.5*normal_nd((-1, 0), ((1, 0.8), (0.8, 1))) "
    "+ 0.5*normal_nd((1, 0), ((1, -0.8), (-0.8, 1))))"
)
SPACE = as_density("normal_nd((1, 0, -1), ((2, 0.5, 0), (0.5, 1, 0.3), (0, 0.3, 0.5)))")
BY_CHANCE = 1e-9


def sampled_jsd(log_p, log_q, of_p, of_q):
    """Return the JSD by Monte Carlo over both laws, and its half-width at 1e-9."""
    gains = [
        np.log(2) - np.logaddexp(0, sign * (log_q(x) - log_p(x)))
        for x, sign in ((of_p, 1), (of_q, -1))
    ]
    spread = math.hypot(*(g.std() / math.sqrt(len(g)) for g in gains)) / 2
    return sum(g.mean() for g in gains) / 2, stats.norm.isf(BY_CHANCE / 2) * spread


@pytest.mark.parametrize(("loc", "scale"), [(1.0, -2.0), (0.0, 0.02), (9.0, 1.0)])
def test_the_jsd_of_an_affine_generator_is_that_of_the_engine(loc, scale):
    law = GeneratorLaw(Affine(), torch.tensor([loc, scale], dtype=torch.float64))
    known = divergence("jsd", TWO, f"normal({loc}, {abs(scale)})")
    found = jsd_on_line(TWO, law)
    assert abs(found.value - known.value) <= found.error + known.error + 1e-12


# Folded; folded and nearly constant in places; with kinks.
MLPS = [(Mlp((1, 16, 16, 1), "tanh"), 2.5), (Mlp((1, 8, 8, 1), "tanh"), 5), (Mlp((1, 8, 1)), 2.5)]


@pytest.mark.parametrize(("net", "factor"), MLPS)
def test_the_jsd_of_an_mlp_is_that_of_its_samples(net, factor):
    law = GeneratorLaw(net, net.initial(generator_of(1, 0)) * factor)
    found = jsd_on_line(TWO, law)
    assert found.error < 1e-8
    if law.flat_mass == 0:
        rng, data = np.random.default_rng(0), as_density(TWO)
        made = law.value(rng.standard_normal(20_000))
        wanted, width = sampled_jsd(data.logpdf, law.logpdf, data.sample(rng, 20_000), made)
        assert width < 0.02
        assert abs(found.value - wanted) < width


def test_an_atom_is_singular_to_the_data():
    net = Mlp((1, 1, 1))  # x = 3 relu(z) + 1: half of the mass sits on 1
    law = GeneratorLaw(net, torch.tensor([1.0, 0.0, 3.0, 1.0], dtype=torch.float64))
    x = np.linspace(-12, 40, 400_001)
    p, q = stats.norm.pdf(x), np.where(x > 1, stats.norm.pdf((x - 1) / 3) / 3, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        halves = [np.nan_to_num(a * np.log(2 * a / (p + q))) for a in (p, q)]
    wanted = sum(map(np.sum, halves)) * (x[1] - x[0]) / 2 + 0.5 * math.log(2) / 2
    assert jsd_on_line("normal(0, 1)", law).value == pytest.approx(wanted, abs=1e-4)


def test_every_turn_of_a_generator_is_found_to_rounding():
    net = Mlp((1, 16, 16, 1), "tanh")
    law = GeneratorLaw(net, net.initial(generator_of(0, 0)) * 2.5)
    assert len(law.turns) >= 2
    assert np.abs(law(law.turns)[1]).max() < 1e-13
    before, after = (law(law.turns + step)[1] for step in (-1e-4, 1e-4))
    assert (before * after < 0).all()


def test_the_jsd_of_a_flow_that_does_nothing_is_that_of_the_engine():
    flow, p = Flow(hidden=(4,), transforms=2), "normal_2d_iso((1.2, 0.6), 1.3)"
    found = jsd_in_plane(p, flow, torch.zeros(flow.count), target=1e-9)
    known = divergence("jsd", p, "normal_2d_iso((0, 0), 1)")
    assert found.error <= 1e-9
    assert abs(found.value - known.value) <= found.error
    shifted = divergence("jsd", p, "normal_2d_iso((0, 0), 1.01)")
    assert abs(found.value - shifted.value) > 1e3 * found.error


def test_the_jsd_of_a_flow_is_that_of_its_samples():
    flow, data, n = Flow(hidden=(16,), transforms=3), as_density(ROOF), 20_000
    row = flow.initial(generator_of(1, 0)) * 1.5
    found = jsd_in_plane(ROOF, flow, row, target=1e-3)
    assert found.error <= 1e-3

    def log_q(x):
        return flow.log_density(row, torch.from_numpy(x)).numpy()

    with torch.no_grad():
        z = torch.randn(1, n, 2, generator=generator_of(1, 1), dtype=torch.float64)
        made = flow(row[None], z)[0].numpy()
        rows = data.sample(np.random.default_rng(0), n)
        wanted, width = sampled_jsd(data.logpdf, log_q, rows, made)
    assert width < 0.02
    assert abs(found.value - wanted) < width + found.error


@pytest.mark.parametrize("p", ["normal(0, 1)", "normal_nd((0, 0, 0), ((1,0,0),(0,1,0),(0,0,1)))"])
def test_a_law_that_is_not_planar_is_refused(p):
    with pytest.raises(GantheoryError, match="must be planar"):
        jsd_in_plane(p, Flow(), torch.zeros(1))


# --- n dimensions ---------------------------------------------------------------------------------


def test_a_law_in_space_is_sampled_and_weighed_as_the_engine_does():
    points = Law(SPACE).sample(200_000, torch.Generator().manual_seed(0), torch.float64)
    mean, covariance = points.mean(0).numpy(), np.cov(points.numpy().T)
    assert mean == pytest.approx(SPACE.means[0], abs=0.025)  # 7 deviations of the widest
    assert covariance == pytest.approx(SPACE.covariances[0], abs=0.045)
    log_p = torch_logpdf(SPACE)(points[:9]).numpy()
    assert log_p == pytest.approx(SPACE.logpdf(points[:9].numpy()), rel=1e-12)
    with pytest.raises(GantheoryError, match="stratified points need a law on the line"):
        Law(SPACE, block=8)


SHIFTED = "normal_nd((0, 0, 0), ((2, 0.5, 0), (0.5, 1, 0.3), (0, 0.3, 0.5)))"
PAIRS = {"3-D": (SPACE, SHIFTED), "2-D": (ROOF, "normal_2d_iso((0, 0), 1.5)")}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_the_value_at_the_optimum_is_the_derived_one_in_any_dimension(pair):
    best = predict("minimax").optimal_discriminator(*pair)
    budget = measure.Budget(replicates=256, strata=256)
    found = measure.value("minimax", best, *pair, seed=0, budget=budget)
    theory = 2 * divergence("jsd", *pair).value - 2 * math.log(2)
    assert abs(found.value - theory) <= found.error
    worse = measure.value("minimax", lambda x: best(x) + 0.3, *pair, seed=0, budget=budget)
    assert worse.value + worse.error < theory + found.error


def test_a_gradient_is_that_of_the_theory_in_the_plane():
    p, q = "normal_2d_iso((1, 0.5), 1)", "normal_2d_iso((0, 0), 1.5)"
    budget = measure.Budget(replicates=512, strata=256)
    found = measure.frozen_gradient("minimax", p, q, "q.scale", seed=0, budget=budget)
    known = 2 * divergence("jsd", p, q, wrt="q.scale").value
    assert abs(found.value - known) <= found.error < 0.1 * abs(known)
    with pytest.raises(GantheoryError, match="one number"):
        measure.frozen_gradient("minimax", p, q, "q.loc", seed=0, budget=budget)


def test_a_generator_that_is_affine_has_the_normal_law_of_its_samples():
    net = Mlp((3, 3))
    row = net.initial(generator_of(0, 0))
    law = normal_law(net, row)
    z = torch.randn(1, 200_000, 3, generator=generator_of(0, 1), dtype=torch.float64)
    made = net(row[None], z)[0].numpy()
    assert made.mean(0) == pytest.approx(law.means[0], abs=0.02)
    assert np.cov(made.T) == pytest.approx(law.covariances[0], abs=0.02)
    diagonal = normal_law(Affine(dim=2), torch.tensor([1.0, -1.0, 0.5, -2.0]))
    known = "normal_nd((1, -1), ((0.25, 0), (0, 4)))"
    assert divergence("kl_pq", known, diagonal).value == pytest.approx(0, abs=1e-13)
    assert w2(known, diagonal).value == pytest.approx(0, abs=1e-6)
    with pytest.raises(GantheoryError, match="not affine"):
        normal_law(Mlp((3, 4, 3)), row)


@pytest.mark.parametrize(("sizes", "rate"), [((3, 3), 1e-2), ((3, 16, 3), 3e-3)])
def test_networks_train_towards_a_law_in_space_and_tests_tell_how_far(sizes, rate):
    generator, critic = Mlp(sizes, "leaky"), Mlp((3, 32, 1), "tanh")
    recipe = Recipe(critic, generator, 512, 128, rule=Adam(beta1=0.5), schedule="halfway")
    members = [
        Member(Law(SPACE), seed=seed, discriminator_rate=1e-2, generator_rate=rate)
        for seed in range(3)
    ]
    states = [initial_state(members, recipe), last(train(members, recipe))]
    before, after = (fresh_samples(state, recipe, members, 200) for state in states)
    assert before.shape == after.shape == (3, 200, 3)
    assert (two_sample_tests(before, Law(SPACE), 0) == 0.001).all()  # the least of 999 draws
    assert (two_sample_tests(before, Law(SPACE), 0, "classifier") < 1e-6).all()
    assert (two_sample_tests(after, Law(SPACE), 0, "classifier") > 1e-4).all()
    if len(sizes) == 2:  # affine: its law is a normal, and the divergence a closed form
        begin, end = (
            [divergence("kl_qp", SPACE, normal_law(generator, row)).value for row in rows]
            for rows in (state.parameters["generator"] for state in states)
        )
        assert max(end) < 0.25 < 0.5 < min(begin)


def test_perfect_samples_pass_and_shapes_that_do_not_fit_are_refused():
    source = torch.Generator().manual_seed(5)
    perfect = Law(SPACE).sample(4 * 200, source, torch.float64).reshape(4, 200, 3)
    for test in ("energy", "classifier"):
        assert (two_sample_tests(perfect, Law(SPACE), 0, test) >= 0.002).all()
    with pytest.raises(GantheoryError, match="against data of dimension 3"):
        two_sample_tests(perfect[..., :2], Law(SPACE), 0)
    with pytest.raises(GantheoryError, match="for the line"):
        two_sample_tests(perfect, Law(SPACE), 0, "kolmogorov-smirnov")

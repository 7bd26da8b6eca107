"""Random streams: no two share their numbers, and they are what an independent generator gives."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats

from gantheory.errors import GantheoryError
from simulations import samples
from simulations.data import Law, parse_density
from simulations.ensembles import Member, Recipe, initial_state
from simulations.flows import Flow
from simulations.minibatches import drawn, portions
from simulations.networks import Affine, Mlp
from simulations.streams import CHUNK, COMPARISON, EVALUATION, TRAINING, generator_of

NORMAL = Law(parse_density("normal(0, 1)"))


def words(*key):
    """Return the first two 32-bit words of a stream's state, as one number."""
    state = generator_of(*key).get_state().numpy()
    return int(state[24:28].view(np.uint32)[0]) << 32 | int(state[32:36].view(np.uint32)[0])


def test_a_birthday_search_finds_no_two_streams_that_begin_alike():
    found = {words(seed, stream) for seed in range(1500) for stream in range(4)}
    found |= {words(10**15 + 2**32 * seed, 1, 2**40 + seed) for seed in range(1500)}
    found |= {words(0, 1, chunk) for chunk in range(1, 1500)}
    assert len(found) == 6000 + 1500 + 1499


@pytest.mark.parametrize(
    ("first", "second"),
    [
        # equal in the 32 bits that torch keeps of a seed made by hashing both
        ((44078, 2), (25009, 1)),
        ((58855, 1), (59884, 0)),
        ((0, 1), (2**32, 1)),
        ((1, 2), (2, 1)),
        ((5, 1, 0), (5, 1, 2**32)),
    ],
)
def test_streams_of_different_keys_share_no_number(first, second):
    draws = [
        torch.rand(1000, generator=generator_of(*key), dtype=torch.float64)
        for key in (first, second)
    ]
    assert not set(draws[0].tolist()) & set(draws[1].tolist())


@pytest.mark.parametrize("key", [(0, 0, 0), (7, 1, 3), (2**64 - 1, 2**63, 2**40)])
def test_a_stream_is_a_mersenne_twister_that_philox_fills(key):
    seed, stream, chunk = key
    philox = np.random.Philox(key=[seed, stream], counter=[0, 0, 0, chunk])
    twister = np.random.MT19937()
    twister.state = {
        "bit_generator": "MT19937",
        "state": {"key": philox.random_raw(312).view(np.uint32), "pos": 624},
    }
    ours = torch.rand(2000, generator=generator_of(*key))  # 24 bits of each word
    assert torch.equal(ours, torch.from_numpy((twister.random_raw(2000) % 2**24) / 2.0**24).float())


@pytest.mark.parametrize("place", [0, 1, 2])
def test_neighbouring_seeds_streams_and_chunks_are_independent_normals(place):
    keys = [[3, 1, 0] for _ in range(1500)]
    for k, key in enumerate(keys):
        key[place] += k
    first = torch.stack([torch.randn(2, generator=generator_of(*key)) for key in keys]).numpy()
    assert stats.kstest(first[:, 0], "norm").pvalue > 1e-6
    lagged = [
        (first[1:, 0], first[:-1, 0]),
        (first[:, 0], first[:, 1]),
        (first[1:, 0] ** 2, first[:-1, 0] ** 2),
    ]
    for x, y in lagged:
        assert abs(np.corrcoef(x, y)[0, 1]) < 5 / np.sqrt(1500)


@pytest.mark.parametrize("key", [(-1, 0), (2**64, 0), (0, -1), (0, 0, 2**64), (1.5, 0), (None, 0)])
def test_a_key_out_of_range_is_refused(key):
    with pytest.raises(GantheoryError, match=r"must be a whole number from 0 to 2\*\*64 - 1"):
        generator_of(*key)


def test_a_flow_takes_its_initial_values_from_all_of_its_stream(monkeypatch):
    flow = Flow(hidden=(4,), transforms=1)
    source = generator_of(1, 0)
    flow.count  # noqa: B018 - built once, from any numbers
    monkeypatch.setattr(torch, "manual_seed", lambda seed: pytest.fail("a seed has 32 bits"))
    before = torch.random.get_rng_state()
    assert torch.equal(flow.initial(source), flow.initial(generator_of(1, 0)))
    assert not torch.equal(flow.initial(generator_of(2, 0)), flow.initial(generator_of(1, 0)))
    assert torch.equal(before, torch.random.get_rng_state())


# --- what each stream is read for ---------------------------------------------------------------

RECIPE = Recipe(Mlp((1, 4, 1)), Affine(), steps=2 * CHUNK, batch=8)
MEMBERS = [Member(NORMAL, seed=seed) for seed in (0, 1, 0)]


def test_evaluation_and_comparison_share_no_sample_with_training_or_each_other(monkeypatch):
    seen = []
    monkeypatch.setitem(
        samples.TESTS, "energy", lambda x, y, seed: seen.append((x, y, seed)) or 1.0
    )
    fresh = samples.fresh_samples(initial_state(MEMBERS, RECIPE), RECIPE, MEMBERS, 500)
    samples.two_sample_tests(fresh, NORMAL, 0)
    trained = {
        value
        for step in (0, CHUNK)
        for tensor in drawn(MEMBERS, RECIPE, step).values()
        for value in tensor.flatten().tolist()
    }
    assert len(trained) > 4000
    latents = [set(x.ravel().tolist()) for x, _, _ in seen]
    reals = [set(y.ravel().tolist()) for _, y, _ in seen]
    assert latents[0] == latents[2]  # one seed, one stream
    different = [trained, latents[0], latents[1], *reals]
    assert len(set.union(*different)) == sum(map(len, different))
    seeds = [seed for _, _, seed in seen]
    assert len(set(seeds)) == len(seeds)


def test_permutations_differ_between_members_and_between_seeds(monkeypatch):
    seeds = []
    monkeypatch.setitem(samples.TESTS, "energy", lambda x, y, seed: seeds.append(seed) or 1.0)
    for seed in (0, 1):
        samples.two_sample_tests(torch.zeros(3, 4, 1), NORMAL, seed)
    states = {tuple(np.random.default_rng(seed).integers(0, 2**62, 4)) for seed in seeds}
    assert len(states) == 6


def test_the_noise_of_a_member_does_not_move_its_other_samples():
    plain, noisy = (drawn([replace(MEMBERS[0], noise=sigma)], RECIPE, 0) for sigma in (0.0, 0.5))
    for name in ("real", "latent"):
        assert torch.equal(plain[name], noisy[name])


def test_the_streams_have_different_numbers():
    assert len({TRAINING, EVALUATION, COMPARISON, 0}) == 4


OWN = {
    "student_t(3)": stats.t(3), "gamma(2, 1)": stats.gamma(2), "beta(2, 3)": stats.beta(2, 3),
    "weibull(2, 1)": stats.weibull_min(2), "von_mises(0, 2)": stats.vonmises(2),
}  # fmt: skip


@pytest.mark.parametrize("source", ["twister", "counter"])
@pytest.mark.parametrize("law", OWN)
def test_families_with_a_generator_of_their_own_draw_what_their_law_says(law, source):
    recipe = Recipe(Mlp((1, 2, 1)), Affine(), steps=64, batch=32, source=source)
    members = [Member(Law(parse_density(law)), seed=seed) for seed in (3, 4)]
    first, second = (next(portions(chosen, recipe, 0, 64))[1]["real"]
                     for chosen in (members, members[1:]))  # fmt: skip
    steps = min(first.shape[1], second.shape[1])
    assert torch.equal(first[1, :steps], second[0, :steps])  # in any company
    assert not torch.equal(first[0], first[1])
    assert stats.kstest(first.numpy().ravel(), OWN[law].cdf).pvalue > 1e-4


def test_a_law_of_counts_is_no_data_of_a_gan():
    with pytest.raises(GantheoryError, match="is a law of counts; training needs a density"):
        Law(parse_density("poisson(3)"))

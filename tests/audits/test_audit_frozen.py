"""Losses with frozen samples: what they estimate and follow, against exact sums on finite laws."""

import json

import pytest
import torch
import torch.nn.functional as F

import gantheory as gt
from gantheory.audits.frozen import recover_frozen
from gantheory.audits.judge import judge
from gantheory.audits.loading import recover_target
from gantheory.audits.recovered import Recovered
from gantheory.audits.roles import roles_of
from gantheory.audits.target import target_of
from gantheory.cli.audit import command
from gantheory.errors import GantheoryError


def k1(log_probs, log_probs_base, mask):
    return ((log_probs - log_probs_base) * mask).sum() / mask.sum()


def k3_clamped(logprob, ref_logprob):
    log_ratio = torch.clamp(ref_logprob - logprob, -20, 20)
    return torch.clamp(log_ratio.exp() - log_ratio - 1, -10, 10)


def weighted(logq, logp):
    return (logq - logq.detach()).exp() * (logq - logp)


def straight_through(logprob, ref_logprob):
    log_ratio = ref_logprob - logprob
    value, gradient = log_ratio.exp() - log_ratio - 1, log_ratio**2 / 2
    return (gradient - gradient.detach() + value.detach()).mean()


def surrogate(log_pi, base_log_pi):
    return ((log_pi - base_log_pi).detach() * log_pi).mean()


def of_probabilities(q, p):
    return 0.5 * (p / q).log() ** 2


def total_variation(new_logps, reference_logps):
    return (new_logps - reference_logps).abs().mean()


def of_a_ratio(log_ratio):
    return F.softplus(-log_ratio).mean()


def away(logprob, ref_logprob):
    return -F.mse_loss(logprob, ref_logprob)


CASES = [  # code, what its mean is, what it follows, findings
    (k1, "kl_qp", "nothing", ["follows-nothing"]),
    (k3_clamped, "kl_qp", "kl_pq", ["follows-another"]),
    (weighted, "kl_qp", "kl_qp", []),
    (straight_through, "kl_qp", "kl_qp", []),
    (surrogate, None, "kl_qp", []),
    (of_probabilities, "no divergence", "kl_qp", []),
    (total_variation, "no divergence", "2*tv", []),
    (of_a_ratio, "kl_pm + 2*kl_mp", "kl_pm", ["follows-another"]),
]
TRUTHS = {
    "nothing": lambda p, q: 0 * q.sum(),
    "kl_qp": lambda p, q: (q * (q / p).log()).sum(),
    "kl_pq": lambda p, q: (p * (p / q).log()).sum(),
    "kl_pm": lambda p, q: (p * (2 * p / (p + q)).log()).sum(),
    "2*tv": lambda p, q: (p - q).abs().sum(),
}


@pytest.mark.parametrize(
    ("code", "mean", "follows", "kinds"), CASES, ids=lambda x: getattr(x, "__name__", str(x))[:25]
)
def test_an_estimator_in_code_follows_what_exact_sums_say(code, mean, follows, kinds):
    found = gt.audit(code, samples_frozen=True)
    told = found.samples_frozen
    assert found.recovered, found.reasons
    assert told["inside"] == ([-11.01, 2.61] if code is k3_clamped else None)
    assert (told["estimates"], told["follows"], [*found.kinds]) == (mean, follows, kinds)
    p = torch.tensor([0.15, 0.4, 0.45], dtype=torch.float64)
    theta = torch.tensor([0.3, -0.5, 0.1], dtype=torch.float64, requires_grad=True)
    q = theta.softmax(0)
    (truth,) = torch.autograd.grad(TRUTHS[follows](p, q), theta, retain_graph=True)
    seen = torch.zeros(3, dtype=torch.float64)
    for k in range(3):  # the mean over samples that do not move
        one, other = q[k : k + 1], p[k : k + 1]
        given = (one, other) if code is of_probabilities else (one.log(), other.log())
        given = (other.log() - one.log(),) if code is of_a_ratio else given
        loss = code(*given, *[torch.ones(1)] * (code is k1)).sum()
        seen += q[k].detach() * torch.autograd.grad(loss, theta, retain_graph=True)[0]
    torch.testing.assert_close(seen, truth)


def test_a_turned_sign_leads_away_from_the_reference():
    assert gt.audit(away, samples_frozen=True).kinds == ("wrong-sign",)


@torch.no_grad()
def gail_reward(d):
    return -torch.log(1 - d + 1e-8)


def airl_reward(f, log_pi):
    return f - log_pi


def turned_reward(logits):
    return F.softplus(-logits)


@pytest.mark.parametrize(
    ("reward", "follows", "sign", "kinds"),
    [(gail_reward, "2*jsd", "positive", ()), (airl_reward, "kl_qp", "both", ()),
     (turned_reward, "-2*kl_mp, which is no divergence", "positive",
      ("exchanged-arguments",))],
)  # fmt: skip
def test_a_reward_in_code_follows_what_its_formula_follows(reward, follows, sign, kinds):
    found = gt.audit(reward, samples_frozen=True)
    told = found.samples_frozen
    assert (told["follows"], told["derivation"]["sign"], found.kinds) == (follows, sign, kinds)


def dpo(policy_chosen_logps, policy_rejected_logps, ref_chosen_logps, ref_rejected_logps, beta=0.2):
    margin = (policy_chosen_logps - policy_rejected_logps) - (ref_chosen_logps - ref_rejected_logps)
    return -F.logsigmoid(beta * margin), (beta * margin).detach()


def test_a_preference_loss_is_free_of_the_prompt_and_its_faults_are_named():
    found = gt.audit(dpo, samples_frozen=True)
    told = found.samples_frozen
    assert told["value"] == "softplus(log(l)/5 - log(w)/5)"
    assert (told["follows"], told["derivation"]["free_of_the_prompt"]) == ("kl_qp", True)
    assert not found.findings

    def exchanged(chosen_logps, rejected_logps, ref_chosen_logps, ref_rejected_logps):
        return dpo(rejected_logps, chosen_logps, ref_rejected_logps, ref_chosen_logps)

    def detached(chosen_logps, rejected_logps, ref_chosen_logps, ref_rejected_logps):
        return dpo(chosen_logps, rejected_logps.detach(), ref_chosen_logps, ref_rejected_logps)

    for fault, kind in ((exchanged, "exchanged-arguments"), (detached, "no-generator-gradient")):
        assert gt.audit(fault, samples_frozen=True).kinds == (kind,)


def test_what_is_no_function_of_the_ratio_is_said_and_not_guessed():
    facts = recover_frozen(roles_of(
        lambda input, target: F.kl_div(input, target, log_target=True), "kd", {}))  # fmt: skip
    assert (
        facts["missing"] == "it depends on the probabilities themselves, not on their ratio alone"
    )
    coupled = recover_frozen(roles_of(
        lambda logq, logp: (logq - logp).mean().square(), "squared", {}))  # fmt: skip
    assert "coupled" in coupled["missing"]
    with pytest.raises(GantheoryError, match="compares a model with an older one"):
        roles_of(lambda logp, old_logp: (logp - old_logp).mean(), "approx_kl", {})
    with pytest.raises(GantheoryError, match=r"--call 'beta="):
        roles_of(lambda chosen, rejected, beta: beta, "dpo", {})


def test_a_module_on_the_command_line_says_the_same_under_a_documented_key(tmp_path):
    path = tmp_path / "kl.py"
    path.write_text("def k3(logp, ref_logp):\n    u = ref_logp - logp\n"
                    "    return (u.exp() - 1 - u).mean()\n")  # fmt: skip
    assert "--samples-frozen" in [one for p in command.params for one in p.opts]
    found = recover_target(target_of(f"{path}:k3", samples_frozen=True))
    told = judge(Recovered.from_dict(json.loads(json.dumps(found.as_dict())))).as_dict()
    assert told["samples_frozen"]["follows"] == "kl_pq"
    assert told["samples_frozen"]["equals"] == {"estimator": "k3", "factor": "1"}
    assert told["findings"][0]["kind"] == "follows-another"

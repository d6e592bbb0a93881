"""Numeric fixtures of losses, optimizers, schedules and models of published recipes, implemented independently.

Run:  python make_recipe_fixtures.py [NAME ...]
with torch, numpy and safetensors from PyPI (CPU is enough, a few seconds). It writes one
`recipe_NAME.safetensors` per case, or per named case, beside this file and prints a table of checks.
Values, tensors and conventions are as in make_fixtures.py and README.md, section "Recipes".
"""

import math
import sys

import make_fixtures as base
import numpy as np
import recipe_models as models
import torch
import torch.nn.functional as F
from make_fixtures import D, V, float_tensor, int_tensor, rng_of

# ---------------------------------------------------------------- losses
# A loss has hidden rows h_n, a table of item rows w_v and perhaps a bias b_v. The score of item v at row n is
# h_n . w_v + b_v, or with "cosine" (h_n / max(|h_n|, eps)) . (w_v / max(|w_v|, eps)) / T. The result is
# sum_n weights[n] * loss_n; `weights` are 1/counted, and 0 at a row that is not counted.

ROWS, SEQUENCES, OWN, SHARED = 9, 3, 4, 6
COSINE_EPSILON = 1e-6
elu_margin = math.inf  # smallest |score| an ELU whose slope jumps at zero has seen


def scores_of(config, hidden, weight, bias, items=None):
    """(N, V), or (N, K) of the items (N, K)."""
    if config.get("cosine"):
        hidden = hidden / hidden.norm(dim=-1, keepdim=True).clamp(min=config["epsilon"])
        weight = weight / weight.norm(dim=-1, keepdim=True).clamp(min=config["epsilon"])
    scores = hidden @ weight.T if items is None else (hidden[:, None] * weight[items]).sum(-1)
    if bias is not None:
        scores = scores + (bias if items is None else bias[items])
    return scores / config.get("temperature", 1)


def negatives_of(config, case):
    """Items (N, K) and their logQ, or None."""
    items, log_q = case["negatives"], case.get("log_q_negatives")
    if config["negatives"] == "shared":
        spread = lambda x: x.expand(ROWS, -1)
    elif config["negatives"] == "sequence":
        spread = lambda x: x[case["sequence"]]
    else:
        spread = lambda x: x
    return spread(items), None if log_q is None else spread(log_q)


def softmax(config, scores, case):
    return F.cross_entropy(scores, case["targets"], reduction="none", label_smoothing=config.get("label_smoothing", 0))


def sampled_softmax(config, positive, negative):
    return torch.cat([positive[:, None], negative], 1).logsumexp(1) - positive


def bce(config, positive, negative):
    return -(F.logsigmoid(positive) + F.logsigmoid(-negative).sum(1)) / (negative.shape[1] + 1)


def gbce(config, positive, negative):
    return -(config["beta"] * F.logsigmoid(positive) + F.logsigmoid(-negative).sum(1)) / (negative.shape[1] + 1)


def bpr_max(config, positive, negative):
    global elu_margin
    if "elu" in config:
        both = torch.cat([positive[:, None], negative], 1).detach()
        elu_margin = min(elu_margin, both.abs().min().item())
        positive, negative = F.elu(positive, config["elu"]), F.elu(negative, config["elu"])
    w = negative.softmax(1)
    wins = (w * torch.sigmoid(positive[:, None] - negative)).sum(1)
    return -wins.log() + config["lambda"] * (w * negative.square()).sum(1)


def row_losses(config, case, hidden, weight, bias):
    """Loss of every row, and the scores it is a function of: (N, V), or the positive (N) and the negatives (N, K)."""
    if config["loss"] == "softmax":
        scores = scores_of(config, hidden, weight, bias)
        return softmax(config, scores, case), (scores,)
    negatives, log_q = negatives_of(config, case)
    positive = scores_of(config, hidden, weight, bias, case["targets"][:, None])[:, 0]
    negative = scores_of(config, hidden, weight, bias, negatives)
    scores = (positive, negative)
    if log_q is not None:
        positive = positive - config["lambda"] * case["log_q_targets"]
        negative = negative - config["lambda"] * log_q
    if config.get("hits") == "left out":
        negative = negative.masked_fill(negatives == case["targets"][:, None], -math.inf)
    losses = {"sampled_softmax": sampled_softmax, "bce": bce, "gbce": gbce, "bpr_max": bpr_max}
    return losses[config["loss"]](config, positive, negative), scores


def slopes(config, case, scores):
    """The derivatives of the losses by those scores, from the formulas."""
    if config["loss"] == "softmax":
        share = config.get("label_smoothing", 0)
        goal = F.one_hot(case["targets"], V).double() * (1 - share) + share / V
        return (scores[0].softmax(1) - goal,)
    (positive, negative), k = scores, case["negatives"].shape[-1]
    if config["loss"] == "sampled_softmax":
        negatives, log_q = negatives_of(config, case)
        if log_q is not None:
            positive = positive - config["lambda"] * case["log_q_targets"]
            negative = negative - config["lambda"] * log_q
        open_ = torch.ones_like(negative)
        if config["hits"] == "left out":
            open_ = (negatives != case["targets"][:, None]).double()
        e = negative.exp() * open_
        total = positive.exp() + e.sum(1)
        return positive.exp() / total - 1, e / total[:, None]
    if config["loss"] in ("bce", "gbce"):
        beta = config.get("beta", 1)
        return -beta * torch.sigmoid(-positive) / (k + 1), torch.sigmoid(negative) / (k + 1)
    chain = lambda s: torch.where(s > 0, 1, config["elu"] * s.exp()) if "elu" in config else torch.ones_like(s)
    elu = lambda s: torch.where(s > 0, s, config["elu"] * (s.exp() - 1)) if "elu" in config else s
    s, p = elu(negative), elu(positive)[:, None]
    w = s.exp() / s.exp().sum(1, keepdim=True)
    a = 1 / (1 + (s - p).exp())
    mean, square = (w * a).sum(1, keepdim=True), (w * s * s).sum(1, keepdim=True)
    by_negative = -w * (a - mean - a * (1 - a)) / mean + config["lambda"] * w * (s * s - square + 2 * s)
    return -(w * a * (1 - a)).sum(1) / mean[:, 0] * chain(positive), by_negative * chain(negative)


def negative_items(rng, kind, targets):
    """Drawn among the items, with replacement but for shared ones; some are targets, row 5 has no other of its own."""
    if kind == "own":
        items = rng.integers(1, V, (ROWS, OWN))
        items[0, 1] = items[0, 3]
        items[2, 2] = targets[2]
        items[5] = targets[5]
    elif kind == "sequence":
        items = rng.integers(1, V, (SEQUENCES, OWN))
        items[0, 0], items[1, 3], items[2, 1] = targets[1], targets[4], items[2, 2]
    else:
        hits = list(dict.fromkeys([targets[0], targets[6]]))
        others = [i for i in rng.permutation(np.arange(1, V)) if i not in hits]
        items = np.array((hits + others)[:SHARED])
    return items


def loss(kind, bias=True, **options):
    return {"loss": kind, "V": V, "d": D, "N": ROWS, "bias": bias, **options}


def sampled(negatives, hits, **options):
    return loss("sampled_softmax", negatives=negatives, hits=hits, **options)


GBCE_T = 0.75


def gbce_options(k):
    """alpha = k / (I - 1) and beta = 1 - t (1 - alpha), where I = V - 1 items: the pad is none."""
    alpha = k / (V - 2)
    return {"k": k, "t": GBCE_T, "alpha": alpha, "beta": 1 - GBCE_T * (1 - alpha)}


COSINE = {"cosine": True, "temperature": 0.05, "epsilon": COSINE_EPSILON, "bias": False}
LOSS_CASES = {
    "softmax": loss("softmax"),
    "softmax_no_bias": loss("softmax", bias=False),
    "softmax_temperature": loss("softmax", bias=False, temperature=0.5),
    "softmax_cosine": loss("softmax", **COSINE),
    # Some rows of both sides are shorter than epsilon, some are zero.
    "softmax_cosine_short": loss("softmax", **COSINE, short=True),
    "softmax_label_smoothing": loss("softmax", label_smoothing=0.1),
    "sampled_own": sampled("own", "left out"),
    "sampled_own_hits_kept": sampled("own", "kept"),
    "sampled_sequence": sampled("sequence", "left out"),
    "sampled_sequence_hits_kept": sampled("sequence", "kept"),
    "sampled_shared": sampled("shared", "left out"),
    "sampled_shared_hits_kept": sampled("shared", "kept"),
    "sampled_own_logq": sampled("own", "left out", **{"lambda": 0.8}),
    "sampled_sequence_logq": sampled("sequence", "left out", **{"lambda": 0.8}),
    "sampled_shared_logq": sampled("shared", "left out", **{"lambda": 0.8}),
    "sampled_own_cosine": sampled("own", "left out", **COSINE),
    "sampled_own_cosine_hits_kept": sampled("own", "kept", **COSINE),
    "sampled_shared_cosine": sampled("shared", "left out", **COSINE),
    "bce_own": loss("bce", negatives="own"),
    "bce_sequence": loss("bce", negatives="sequence"),
    "bce_shared": loss("bce", negatives="shared"),
    "gbce_own": loss("gbce", negatives="own", **gbce_options(OWN)),
    "gbce_sequence": loss("gbce", negatives="sequence", **gbce_options(OWN)),
    "gbce_shared": loss("gbce", negatives="shared", **gbce_options(SHARED)),
    "bpr_max_own": loss("bpr_max", negatives="own", **{"lambda": 1.85}),
    "bpr_max_own_elu": loss("bpr_max", negatives="own", **{"lambda": 1.95, "elu": 0.5}),
    "bpr_max_shared": loss("bpr_max", negatives="shared", **{"lambda": 1.85}),
    "bpr_max_shared_elu": loss("bpr_max", negatives="shared", **{"lambda": 1.85, "elu": 1.0}),
}


def loss_inputs(name, config):
    rng = rng_of("loss_" + name)
    hidden, weight = rng.standard_normal((ROWS, D)), 0.5 * rng.standard_normal((V, D))
    bias, targets = 0.3 * rng.standard_normal(V), rng.integers(1, V, ROWS)
    targets[6] = targets[3]
    targets[7] = 0  # not counted
    if config.get("short"):
        hidden[[2, 4]] *= np.array([[3e-7], [4e-7]]) / np.linalg.norm(hidden[[2, 4]], axis=1, keepdims=True)
        hidden[[6, 7]] = 0
        short = [targets[1], 0 if targets[1] != 0 else 1]
        weight[short] *= np.array([[2e-7], [5e-7]]) / np.linalg.norm(weight[short], axis=1, keepdims=True)
    weights = np.full(ROWS, 1 / (ROWS - 1))
    weights[7] = 0
    case = {"hidden": hidden, "weight": weight, "weights": weights}
    case = {n: float_tensor(v) for n, v in case.items()}
    if config["bias"]:
        case["bias"] = float_tensor(bias)
    case["targets"] = int_tensor(targets)
    if "negatives" in config:
        negatives = negative_items(rng, config["negatives"], targets)
        case["negatives"] = int_tensor(negatives)
        if config["negatives"] == "sequence":
            case["sequence"] = int_tensor([0, 0, 0, 1, 1, 1, 1, 2, 2])
        if config["loss"] == "sampled_softmax" and "lambda" in config:  # in proportion to count^0.75
            counts = rng.integers(1, 500, V) ** 0.75
            case["log_q_targets"] = float_tensor(np.log(counts[targets] / counts.sum()))
            case["log_q_negatives"] = float_tensor(np.log(counts[negatives] / counts.sum()))
    return case


def loss_outputs(config, case):
    names = [n for n in ("hidden", "weight", "bias") if n in case]
    inputs = [case[n].clone().requires_grad_() for n in names]
    losses, scores = row_losses(config, case, *inputs, *[None] * (3 - len(inputs)))
    total = (case["weights"] * losses).sum()
    by_scores = torch.autograd.grad(total, scores, retain_graph=True)
    for found, expected in zip(by_scores, slopes(config, case, [s.detach() for s in scores])):
        expected = expected * (case["weights"] if expected.dim() == 1 else case["weights"][:, None])
        assert torch.allclose(found, expected, rtol=1e-9, atol=1e-13), config
    grads = torch.autograd.grad(total, inputs)
    results = {"losses": losses.detach(), "loss": total.detach().reshape(1)}
    return {**results, **{"grad." + n: g for n, g in zip(names, grads)}}


def check_cosine_slopes(case, results, config):
    """Gradients from the formula (v - (u.v) u) / (T |x|), and v / (T epsilon) where |x| < epsilon."""
    t, eps = config["temperature"], config["epsilon"]
    unit = lambda x: x / x.norm(dim=-1, keepdim=True).clamp(min=eps)
    u, v = unit(case["hidden"]), unit(case["weight"])
    p = (u @ v.T / t).softmax(1) - F.one_hot(case["targets"], V)
    p = p * case["weights"][:, None]
    for name, x, ours, other, by_score in (("hidden", case["hidden"], u, v, p), ("weight", case["weight"], v, u, p.T)):
        expected = torch.zeros_like(x)
        for i in range(len(x)):
            length = x[i].norm()
            for j in range(len(other)):
                slope = other[j] / eps if length < eps else (other[j] - (ours[i] @ other[j]) * ours[i]) / length
                expected[i] += by_score[i, j] * slope / t
        assert torch.allclose(results["grad." + name], expected, rtol=1e-9, atol=1e-12)


def check_loss_gradients(config, case, results):
    """Central differences at every entry; a short row's step is as short."""
    worst = 0.0
    for name in ("hidden", "weight", "bias"):
        if name not in case:
            continue
        lengths = case[name].norm(dim=-1) if case[name].dim() == 2 else torch.ones(V)
        for i in np.ndindex(*case[name].shape):
            length = lengths[i[0]].item()
            h = 1e-6 * (1 if length > 1e-3 else max(length, 1e-6))
            values = []
            for sign in (1, -1):
                changed = {**case, name: case[name].clone()}
                changed[name][i] += sign * h
                losses, _ = row_losses(config, changed, changed["hidden"], changed["weight"], changed.get("bias"))
                values.append((case["weights"] * losses).sum().item())
            difference, stored = (values[0] - values[1]) / (2 * h), results["grad." + name][i].item()
            error = abs(difference - stored) / max(1, results["grad." + name][i[0]].abs().max().item())
            worst = max(worst, error)
            assert error < 1e-7, (config, name, i, difference, stored)
    return worst


def write_loss(name):
    global elu_margin
    config, elu_margin = LOSS_CASES[name.removeprefix("loss_")], math.inf
    case = loss_inputs(name.removeprefix("loss_"), config)
    results = loss_outputs(config, case)
    assert elu_margin > 1e-4, f"{name}: a score at {elu_margin:.1e}, where the slope of ELU jumps"
    if config["loss"] == "softmax" and config.get("cosine"):
        check_cosine_slopes(case, results, config)
    if config.get("hits") == "left out" and config["negatives"] == "own":
        assert results["losses"][5].abs() < 1e-14  # nothing but hits
    print(base.write("recipe_" + name, config, {**case, **results}))
    worst = check_loss_gradients(config, case, results)
    print(f"  loss {results['loss'].item():.4f}; finite differences within {worst:.0e}")


# ---------------------------------------------------------------- optimizers

OPTIMIZER_STEPS = 5


class Adagrad(torch.optim.Optimizer):
    """acc += g^2;  m = momentum m - lr g / sqrt(acc + epsilon);  w += m.  GRU4Rec's: epsilon inside the root."""

    def __init__(self, parameters, lr, momentum, epsilon):
        super().__init__(parameters, dict(lr=lr, momentum=momentum, epsilon=epsilon))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                if not state:
                    state["accumulator"], state["momentum"] = torch.zeros_like(p), torch.zeros_like(p)
                state["accumulator"] += p.grad**2
                step = -group["lr"] * p.grad / (state["accumulator"] + group["epsilon"]).sqrt()
                state["momentum"].copy_(group["momentum"] * state["momentum"] + step)
                p += state["momentum"]


ADAM_98 = dict(lr=1e-2, betas=(0.9, 0.98), eps=1e-8)
OPTIMIZER_CASES = {
    # Decoupled: w -= lr * decay * w first, then Adam's step. The decay is the same for all tensors.
    "adamw": ("AdamW", dict(lr=1e-2, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1)),
    "adamw_98": ("AdamW", dict(**ADAM_98, weight_decay=0.01)),
    "adam_98": ("Adam", ADAM_98),
    "adagrad": ("Adagrad", dict(lr=0.05, momentum=0.0, epsilon=1e-6)),
    "adagrad_momentum": ("Adagrad", dict(lr=0.05, momentum=0.4, epsilon=1e-6)),
    # Of the weights that Adam makes: ema = decay ema + (1 - decay) w after each step, from the initial weights on.
    "ema": ("Adam", dict(**ADAM_98, ema=0.9)),
}


def by_formula(kind, options, weights, grads):
    """The same updates written out for one tensor; -> its value after each step."""
    w, kept = weights.clone(), []
    m, v = torch.zeros_like(w), torch.zeros_like(w)
    for step, g in enumerate(grads, 1):
        if kind == "Adagrad":
            v = v + g * g
            m = options["momentum"] * m - options["lr"] * g / torch.sqrt(v + options["epsilon"])
            w = w + m
        else:
            b1, b2 = options["betas"]
            w = w * (1 - options["lr"] * options.get("weight_decay", 0))
            m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
            w = w - options["lr"] * (m / (1 - b1**step)) / ((v / (1 - b2**step)).sqrt() + options["eps"])
        kept.append(w)
    return kept


def write_optimizer(name):
    kind, options = OPTIMIZER_CASES[name.removeprefix("optimizer_")]
    rng = rng_of(name)
    shapes = {"matrix": (5, 3), "table": (4, 2), "vector": (4,), "scalar": (1,)}
    case, weights = {}, {n: float_tensor(rng.standard_normal(s)) for n, s in shapes.items()}
    for n, w in weights.items():
        case["param." + n] = w.clone()
    for step in range(1, OPTIMIZER_STEPS + 1):
        for n, shape in shapes.items():
            g = rng.standard_normal(shape) * 10.0 ** rng.integers(-3, 2, shape)
            if n == "table":
                g[1] = 0  # a row that never has a gradient
                if step in (2, 4):
                    g[2] = 0  # and one that has none in some steps
            case[f"grad{step}.{n}"] = float_tensor(g)
    settings = {n: v for n, v in options.items() if n != "ema"}
    make = Adagrad if kind == "Adagrad" else getattr(torch.optim, kind)
    optimizer = make(list(weights.values()), **settings)
    average = {n: w.clone() for n, w in weights.items()}
    for step in range(1, OPTIMIZER_STEPS + 1):
        for n, w in weights.items():
            w.grad = case[f"grad{step}.{n}"]
        optimizer.step()
        for n, w in weights.items():
            case[f"step{step}.{n}"] = w.clone()
            state = optimizer.state[w]
            if kind == "Adagrad":
                case[f"accumulator{step}.{n}"] = state["accumulator"].clone()
                case[f"momentum{step}.{n}"] = state["momentum"].clone()
            else:
                case[f"m{step}.{n}"], case[f"v{step}.{n}"] = state["exp_avg"].clone(), state["exp_avg_sq"].clone()
            if "ema" in options:
                average[n] = options["ema"] * average[n] + (1 - options["ema"]) * w
                case[f"ema{step}.{n}"] = average[n].clone()
    for n in shapes:
        grads = [case[f"grad{s}.{n}"] for s in range(1, OPTIMIZER_STEPS + 1)]
        kept = by_formula(kind, settings, case["param." + n], grads)
        for step, value in enumerate(kept, 1):
            assert torch.allclose(value, case[f"step{step}.{n}"], rtol=0, atol=1e-13), (name, n, step)
        if "ema" in options:
            e, k = options["ema"], OPTIMIZER_STEPS
            sum_ = e**k * case["param." + n] + (1 - e) * sum(e ** (k - s) * w for s, w in enumerate(kept, 1))
            assert torch.allclose(sum_, case[f"ema{k}.{n}"], rtol=0, atol=1e-13)
    print(base.write("recipe_" + name, {"optimizer": kind, "steps": OPTIMIZER_STEPS, **options}, case))


# ---------------------------------------------------------------- schedules

SCHEDULE = {"warm_up": 5, "total": 40, "peak": 0.01, "floor": 0.001, "decay_from": 32}
SCHEDULE.update({"regrow_at": 12, "regrow_over": 6})


def warm_up_then(rest, warm_up=SCHEDULE["warm_up"], peak=SCHEDULE["peak"]):
    return lambda s: peak * (s + 1) / warm_up if s < warm_up else rest(s)


def cosine_of(warm_up, total=SCHEDULE["total"], peak=SCHEDULE["peak"], floor=SCHEDULE["floor"]):
    return lambda s: floor + (peak - floor) * (1 + math.cos(math.pi * (s - warm_up) / (total - warm_up))) / 2


def decay_of(shape, total=SCHEDULE["total"], peak=SCHEDULE["peak"], start=SCHEDULE["decay_from"]):
    def value(s, floor=SCHEDULE["floor"]):
        return peak if s < start else floor + (peak - floor) * (1 - shape((s - start) / (total - start)))

    return value


def linear_of(warm_up, total=SCHEDULE["total"], peak=SCHEDULE["peak"]):
    return lambda s: peak * (total - s) / (total - warm_up)


def again(schedule, r=SCHEDULE["regrow_at"], w=SCHEDULE["regrow_over"]):
    """Growth enters the schedule at step r: from 0 at r up to the schedule's value at r + w, then the schedule."""
    return lambda s: (s - r) / w * schedule(r + w) if r <= s < r + w else schedule(s)


def schedules():
    constant = warm_up_then(lambda s: SCHEDULE["peak"])
    cosine = warm_up_then(cosine_of(SCHEDULE["warm_up"]))
    linear, root = warm_up_then(decay_of(lambda x: x)), warm_up_then(decay_of(math.sqrt))
    return {
        "constant": constant,
        "cosine": cosine,
        "cosine_no_warm_up": cosine_of(0),
        "wsd_linear": linear,
        "wsd_1_sqrt": root,
        "linear": warm_up_then(linear_of(SCHEDULE["warm_up"])),  # to zero
        "constant_again": again(constant),
        "cosine_again": again(cosine),
        "wsd_linear_again": again(linear),
        "wsd_1_sqrt_again": again(root),
        "linear_again": again(warm_up_then(linear_of(SCHEDULE["warm_up"]))),
    }


def from_torch(make, steps):
    """Rates of a scheduler of torch, step by step."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=SCHEDULE["peak"])
    scheduler, rates = make(optimizer), []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return torch.tensor(rates, dtype=torch.float64)


def write_schedules(name):
    w, t, e, f, d = (SCHEDULE[n] for n in ("warm_up", "total", "peak", "floor", "decay_from"))
    case = {n: float_tensor([value(s) for s in range(t)]) for n, value in schedules().items()}
    lrs = torch.optim.lr_scheduler

    def compare(name, start, make):
        assert torch.allclose(case[name][start:], from_torch(make, t)[: t - start], rtol=1e-11, atol=1e-15), name

    compare("cosine", w, lambda o: lrs.CosineAnnealingLR(o, t - w, f))
    compare("cosine_no_warm_up", 0, lambda o: lrs.CosineAnnealingLR(o, t, f))
    compare("wsd_linear", d, lambda o: lrs.LinearLR(o, 1, f / e, t - d))
    compare("linear", w, lambda o: lrs.LinearLR(o, 1, 0, t - w))
    compare("wsd_1_sqrt", d, lambda o: lrs.LambdaLR(o, lambda s: (f + (e - f) * (1 - (s / (t - d)) ** 0.5)) / e))
    up = from_torch(lambda o: lrs.LinearLR(o, 1 / w, 1, w - 1), w)
    for n in ("constant", "cosine", "wsd_linear", "wsd_1_sqrt", "linear"):
        assert torch.allclose(case[n][:w], up, rtol=1e-11)
    print(base.write("recipe_" + name, SCHEDULE, case))


# ---------------------------------------------------------------- GRU4Rec, session-parallel
# Each lane of a batch reads a session an item a step; when it ends, another starts there with a zero state. The state is
# carried on, dropped as it is, but gradients go through one step only. An item's input row is its output row.

LANES, SAMPLES, STEPS = 4, 6, 5
CROSS_ENTROPY = {"loss": "softmax", "log_q": 1.0, "alpha": 0.75, "lr": 0.1, "momentum": 0.0, "epsilon": 1e-6}
BPR_MAX = {"loss": "bpr_max", "lambda": 1.85, "elu": 1.0, "lr": 0.05, "momentum": 0.4, "epsilon": 1e-6}
SESSION_CASES = {
    # Cross-entropy with logQ; two biases for r and z, as torch's cell has them.
    "gru4rec_sessions_softmax": {"biases": "two", **CROSS_ENTROPY},
    # The same with one bias for each of r and z.
    "gru4rec_sessions_softmax_one_bias": {"biases": "one", **CROSS_ENTROPY},
    # BPR-max with ELU; momentum, which in the rows that a step does not use rests (`denseS`: it does not).
    "gru4rec_sessions_bpr_max": {"biases": "two", **BPR_MAX},
}


class SessionGRU(torch.nn.Module):
    def __init__(self, biases):
        super().__init__()
        self.output, self.gru = torch.nn.Linear(D, V), models.GRU(biases)

    def forward(self, case, step, state):
        """-> next state (lanes, d), and scores (lanes, lanes + samples) of the targets and samples of this step."""
        state = state * (1 - case["starts"][step])[:, None]
        x = case["dropout.embedding"][step] * self.output.weight[case["inputs"][step]]
        state = case["dropout.state"][step] * self.gru(x, state)
        columns = torch.cat([case["targets"][step], case["samples"][step]])
        return state, state @ self.output.weight[columns].T + self.output.bias[columns]


def session_loss(config, case, step, scores):
    """Lane b's positive is column b, all other columns are its negatives, equal items among them."""
    counts, lanes = case["counts"].double(), torch.arange(LANES)
    if config["loss"] == "softmax":
        targets, samples = case["targets"][step], case["samples"][step]
        q = torch.cat([counts[targets], counts[samples] ** config["alpha"]])
        return F.cross_entropy(scores - config["log_q"] * q.log(), lanes)
    others = ~torch.eye(LANES, LANES + SAMPLES, dtype=torch.bool)
    return bpr_max(config, scores[lanes, lanes], scores[others].view(LANES, -1)).sum() / LANES


def published_session_loss(config, case, step, scores):
    """The same by matrices with the positives on the diagonal, as published."""
    own = torch.eye(LANES, LANES + SAMPLES).double()
    if config["loss"] == "softmax":
        counts = case["counts"].double()
        q = torch.cat([counts[case["targets"][step]], counts[case["samples"][step]] ** config["alpha"]])
        e = (scores - config["log_q"] * q.log()).exp()
        return -((e / e.sum(1, keepdim=True) * own).sum(1)).log().sum() / LANES
    scores = F.elu(scores, config["elu"])
    e = scores.exp() * (1 - own)
    w, positive = e / e.sum(1, keepdim=True), (scores * own).sum(1, keepdim=True)
    rows = -(torch.sigmoid(positive - scores) * w).sum(1).log() + config["lambda"] * (scores**2 * w).sum(1)
    return rows.sum() / LANES


def session_inputs(name, model):
    rng = rng_of(name)
    starts = np.zeros((STEPS, LANES), dtype=np.int64)
    starts[0], starts[2, 1], starts[3, [0, 2]], starts[4, 1] = 1, 1, 1, 1
    targets = rng.integers(1, 18, (STEPS, LANES))  # items from 18 on are rarely used, item 22 never
    inputs = rng.integers(1, 18, (STEPS, LANES))
    inputs[1:] = np.where(starts[1:], inputs[1:], targets[:-1])
    samples = rng.integers(1, 22, (STEPS, SAMPLES))
    targets[1, 3] = targets[1, 0]  # two lanes with one target
    samples[0, 2], samples[1, 4], samples[3, 1] = targets[0, 1], samples[1, 0], targets[3, 3]
    inputs[2, [0, 3]] = targets[1, [0, 3]]
    case = {"inputs": inputs, "targets": targets, "starts": starts, "samples": samples, "counts": rng.integers(1, 400, V)}
    case = {n: int_tensor(v) for n, v in case.items()}
    for place in ("embedding", "state"):
        case["dropout." + place] = float_tensor((rng.random((STEPS, LANES, D)) >= 0.2) / 0.8)
    parameters = base.initial_parameters(model, rng)
    case.update({"param." + n: v for n, v in parameters.items()})
    assert (case["inputs"][1:] == case["targets"][:-1])[case["starts"][1:] == 0].all()
    return case


def session_run(config, case, model, lazy):
    """Five steps; -> results by name."""
    base.load(model, case)
    parameters, results = dict(model.named_parameters()), {"hidden": [], "scores": [], "step_losses": []}
    accumulators = {n: torch.zeros_like(p) for n, p in parameters.items()}
    momenta = {n: torch.zeros_like(p) for n, p in parameters.items()}
    state = torch.zeros(LANES, D).double()
    for step in range(STEPS):
        results[f"state{step}"] = state  # before the step; for the checks
        after, scores = model(case, step, state)
        loss = session_loss(config, case, step, scores)
        assert torch.allclose(loss, published_session_loss(config, case, step, scores), rtol=1e-12)
        grads = base.gradients(model, loss)
        columns = torch.cat([case["targets"][step], case["samples"][step]])
        used = {"output.weight": torch.cat([columns, case["inputs"][step]]), "output.bias": columns}
        with torch.no_grad():
            for n, p in parameters.items():
                rows = used[n].unique() if n in used and lazy else slice(None)
                g = grads[n][rows]
                accumulators[n][rows] += g**2
                change = -config["lr"] * g / (accumulators[n][rows] + config["epsilon"]).sqrt()
                momenta[n][rows] = config["momentum"] * momenta[n][rows] + change
                p[rows] += momenta[n][rows]
        state = after.detach()
        for n, v in (("hidden", state), ("scores", scores.detach()), ("step_losses", loss.detach())):
            results[n].append(v)
        results.update({f"grad{step + 1}.{n}": g for n, g in grads.items()})
        results.update({f"step{step + 1}.{n}": p.detach().clone() for n, p in parameters.items()})
    return {n: torch.stack(v) if isinstance(v, list) else v for n, v in results.items()}


def check_session_gradients(config, case, results, model):
    """Central differences at some entries, at every step from its state and parameters."""
    rng, worst = np.random.default_rng(1), 0.0
    with torch.no_grad():
        for step in range(STEPS):
            before = f"step{step}." if step else "param."
            base.load(model, {"param." + n: (results | case)[before + n] for n, _ in model.named_parameters()})
            at = lambda: session_loss(config, case, step, model(case, step, results[f"state{step}"])[1]).item()
            for n, p in model.named_parameters():
                for i in rng.integers(0, p.numel(), 6):
                    value = p.view(-1)[i].item()
                    p.view(-1)[i] = value + 1e-6
                    above = at()
                    p.view(-1)[i] = value - 1e-6
                    difference = (above - at()) / 2e-6
                    p.view(-1)[i] = value
                    worst = max(worst, abs(difference - results[f"grad{step + 1}.{n}"].view(-1)[i].item()))
    assert worst < 1e-8, worst
    return worst


def check_session_cell(case, results, model):
    """The first step's state against torch's cell."""
    base.load(model, case)
    cell, gru = torch.nn.GRUCell(D, D).double(), model.gru
    with torch.no_grad():
        cell.weight_ih.copy_(gru.input.weight.T)
        cell.weight_hh.copy_(gru.state.weight.T)
        cell.bias_ih.copy_(gru.input.bias)
        cell.bias_hh.copy_(gru.state.bias if gru.candidate is None else F.pad(gru.candidate["bias"], (2 * D, 0)))
        x = model.output.weight[case["inputs"][0]] * case["dropout.embedding"][0]
        assert torch.allclose(cell(x) * case["dropout.state"][0], results["hidden"][0], atol=1e-12)


def write_sessions(name):
    global elu_margin
    config, elu_margin = SESSION_CASES[name], math.inf
    config = {"recipe": "gru4rec", "V": V, "d": D, "lanes": LANES, "samples": SAMPLES, "steps": STEPS, **config}
    model = SessionGRU(config["biases"]).double()
    case = session_inputs(name, model)
    results = session_run(config, case, model, lazy=True)
    check_session_cell(case, results, model)
    worst = check_session_gradients(config, case, results, model)
    dense = session_run(config, case, model, lazy=False)
    never = results["step5.output.weight"][22]
    assert torch.equal(never, case["param.output.weight"][22])
    same = all(torch.equal(dense[n], v) for n, v in results.items())
    assert same == (config["momentum"] == 0)  # without momentum a row without a gradient rests in any case
    kept = {n: v for n, v in results.items() if not n.startswith("state")}
    if not same:
        kept.update({"dense" + n.removeprefix("step"): v for n, v in dense.items() if n[:4] == "step" and "." in n})
        kept["dense_losses"] = dense["step_losses"]
    print(base.write("recipe_" + name, config, {**case, **kept}))
    losses = ", ".join(f"{x:.3f}" for x in results["step_losses"])
    print(f"  finite differences within {worst:.0e}; loss by step {losses}; closest ELU input {elu_margin:.0e}")


# ---------------------------------------------------------------- main

WRITERS = {
    **{"loss_" + n: write_loss for n in LOSS_CASES},
    **{"optimizer_" + n: write_optimizer for n in OPTIMIZER_CASES},
    "schedules": write_schedules,
    **{n: write_sessions for n in SESSION_CASES},
    **{n.removeprefix("recipe_"): lambda name: base.write_model("recipe_" + name) for n in models.RECIPE_CASES},
}


def main():
    torch.set_num_threads(1)
    names = sys.argv[1:] or list(WRITERS)
    unknown = [n for n in names if n not in WRITERS]
    if unknown:
        sys.exit(f"no case {', '.join(unknown)}; there are {', '.join(WRITERS)}")
    models.check_blocks()
    for name in names:
        WRITERS[name](name)


if __name__ == "__main__":
    main()

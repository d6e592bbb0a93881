"""Numeric fixtures of four sequential recommenders, from an independent PyTorch implementation.

Run:  python make_fixtures.py [NAME ...]
with torch, numpy and safetensors from PyPI (CPU is enough, a few seconds). It writes one
`NAME.safetensors` per case, or per named case, beside this file and prints a table of checks.

Everything is computed and stored in float64, integers in int64. Each file's safetensors metadata has
one entry, `config`: a JSON string with the sizes and options of the case. README.md says what the tensors are.

Conventions
  linear       weight (in, out), y = x W + b; only the output layer is (V, d), logits = h W^T + b
  convolution  weight (kernel, in, out); causal: tap kernel-1 at the current position, tap 0 at the oldest;
               symmetric: tap j at offset (j - (kernel-1)/2) * dilation; zeros outside the sequence
  item 0       pad and mask; its embedding row and its output row are ordinary, trained rows
  evaluation   `hidden`, `scores`: no dropout, no swaps; all but the last item in (GRec: last item set to 0)
  loss         mean over the non-pad targets (GRec: over the masked positions); `loss_with_pads`: over all positions

Cases whose config has "pads": "none" (`*_nopads`)
  Nothing exists before the first item of a sequence. A position exists from the first non-zero token on; the tokens
  decide before anything is masked or swapped. Item 0 inside a sequence is GRec's mask and an ordinary row.
  convolution  zeros at the input, after each ReLU, after each block and after the projector where nothing exists
  attention    keys that do not exist are not attended to; the positions count from the end as before
  hidden       zero where nothing exists; the scores there are the bias of the output layer
  loss         mean over the positions that exist and have a target; the first item is never a target

Transfer loss (case `pairwise`), for hidden h (B, d), embedding e (Vt, d), positives p and negatives n (B):
  loss = (1/B) sum_b [ -log s(h_b . e[p_b]) - log(1 - s(h_b . e[n_b])) ]
       + (l2/2) (1/B) sum_b [ |e[p_b]|^2 + |e[n_b]|^2 ]
where s is the sigmoid: a row that the batch uses several times is penalised as many times.
`*_unique` is the variant whose penalty is (l2/2) (1/B) sum over the distinct used rows of |e[r]|^2.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

HERE = Path(__file__).resolve().parent
V, D, LENGTH, BATCH = 23, 8, 11, 6  # items with pad, channels, t, sequences
KERNEL, DILATIONS, BLOCKS = 3, [1, 4], 3
STEPS, KEPT = 5, (1, 3, 5)
ADAM = dict(lr=1e-2, betas=(0.9, 0.999), eps=1e-8)
TABLES = ("item_embedding.weight", "output.weight", "output.bias")  # row-lazy in `lazy*`


# ---------------------------------------------------------------- layers


class Linear(nn.Module):
    """y = x W + b with W stored (in, out)."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(inputs, outputs))
        self.bias = nn.Parameter(torch.empty(outputs))

    def forward(self, x):
        return x @ self.weight + self.bias


class Convolution(nn.Module):
    """Dilated 1-d convolution over (B, T, d), W stored (kernel, in, out), output as long as the input."""

    def __init__(self, channels, kernel, dilation, causal):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(kernel, channels, channels))
        self.bias = nn.Parameter(torch.empty(channels))
        self.dilation = dilation
        reach = (kernel - 1) * dilation
        self.padding = (reach, 0) if causal else (reach // 2, reach // 2)

    def forward(self, x):
        x = F.pad(x.transpose(1, 2), self.padding)
        return F.conv1d(x, self.weight.permute(2, 1, 0), self.bias, dilation=self.dilation).transpose(1, 2)


def scalar(present):
    return nn.Parameter(torch.empty(1)) if present else None


relu_margin = math.inf  # smallest |input| any ReLU has seen: how far the fixture stays from the kinks


def where_exists(x, exists):
    """x (B, T, channels), and zero where exists (B, T) is false."""
    return x.masked_fill(~exists[..., None], 0)


def relu(x, exists):
    """ReLU; zero where nothing exists."""
    global relu_margin
    if exists.any():
        relu_margin = min(relu_margin, x.detach()[exists].abs().min().item())
    return where_exists(F.relu(x), exists)


class ConvolutionBlock(nn.Module):
    """out = x + alpha * ReLU(LN(conv_2q(ReLU(LN(conv_q(x))))))"""

    def __init__(self, dilation, causal=True, alpha=True):
        super().__init__()
        self.conv1 = Convolution(D, KERNEL, dilation, causal)
        self.norm1 = nn.LayerNorm(D, eps=1e-8)
        self.conv2 = Convolution(D, KERNEL, 2 * dilation, causal)
        self.norm2 = nn.LayerNorm(D, eps=1e-8)
        self.alpha = scalar(alpha)

    def forward(self, x, exists):
        y = relu(self.norm1(self.conv1(x)), exists)
        y = relu(self.norm2(self.conv2(y)), exists)
        return x + (y if self.alpha is None else self.alpha * y)


def convolution_stack(**options):
    return nn.ModuleList(ConvolutionBlock(DILATIONS[i % len(DILATIONS)], **options) for i in range(BLOCKS))


class AttentionBlock(nn.Module):
    """x = LN(x + alpha1 * attention(x)); x = LN(x + alpha2 * ff(x))"""

    def __init__(self, channels, heads, alpha=True):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (Linear(channels, channels) for _ in range(3))
        self.alpha1 = scalar(alpha)
        self.norm1 = nn.LayerNorm(channels, eps=1e-5)
        self.ff1, self.ff2 = Linear(channels, channels), Linear(channels, channels)
        self.alpha2 = scalar(alpha)
        self.norm2 = nn.LayerNorm(channels, eps=1e-5)

    def attention(self, x, exists, drop):
        split = lambda y: y.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (B, heads, T, d/heads)
        q, k, v = split(self.query(x)), split(self.key(x)), split(self.value(x))
        scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
        closed = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1) | ~exists[:, None, None, :]
        closed = closed & ~torch.eye(x.shape[1], dtype=torch.bool)  # a row without any key would have no softmax
        weights = drop("attention", scores.masked_fill(closed, -math.inf).softmax(-1))
        return (weights @ v).transpose(1, 2).flatten(2)  # no output projection

    def forward(self, x, exists, drop):
        y = self.attention(x, exists, drop)
        x = self.norm1(x + (y if self.alpha1 is None else self.alpha1 * y))
        y = drop("ff2", self.ff2(drop("ff1", relu(self.ff1(x), exists))))
        return self.norm2(x + (y if self.alpha2 is None else self.alpha2 * y))


def attention_stack(x, exists, norm, blocks, dropout):
    """Stem and blocks of SASRec and SSE-PT. `dropout`: None, or multiplier masks by name."""
    apply = lambda name, x: x * dropout[name] if dropout else x
    x = norm(apply("dropout.embedding", x))
    for i, block in enumerate(blocks):
        x = block(x, exists, lambda name, y, i=i: apply(f"dropout.{i}.{name}", y))
    return where_exists(x, exists)


# ---------------------------------------------------------------- models
# evaluate(case) -> hidden (B, positions, d), the last of which is scored
# train_pass(case, suffix) -> hidden, targets, counted, all of shape (B, positions, ...); `counted` marks the
# positions that `loss` averages over. `suffix` picks the batch ("" or "_b").


class Model(nn.Module):
    nothing_before = False  # "pads": "none"
    looks_ahead = False  # a hidden row depends on later items

    def exists(self, tokens):
        """(B, t), from the tokens before anything is masked or swapped."""
        return (tokens != 0).cumsum(1) > 0 if self.nothing_before else torch.ones_like(tokens, dtype=torch.bool)


class NextItNet(Model):
    def __init__(self, alpha=True):
        super().__init__()
        self.item_embedding = nn.Embedding(V, D)
        self.blocks = convolution_stack(alpha=alpha)
        self.output = nn.Linear(D, V)

    def forward(self, items, exists):
        x = where_exists(self.item_embedding(items), exists)
        for block in self.blocks:
            x = block(x, exists)
        return x

    def evaluate(self, case):
        tokens = case["tokens"]
        return self(tokens[:, :-1], self.exists(tokens)[:, :-1])

    def train_pass(self, case, suffix=""):
        tokens = case["tokens" + suffix]
        exists = self.exists(tokens)[:, :-1]
        return self(tokens[:, :-1], exists), tokens[:, 1:], exists & (tokens[:, 1:] != 0)


class GRecCausalBefore(NextItNet):
    """As StackRec trains GRec: a masked item is predicted from the state one position before it; at test nothing is masked."""

    def train_pass(self, case, suffix=""):
        tokens, mask = case["tokens"], case["mask"].bool()
        exists = self.exists(tokens)[:, :-1]
        return self(tokens.masked_fill(mask, 0)[:, :-1], exists), tokens[:, 1:], exists & mask[:, 1:]


class GRecCausal(NextItNet):
    """Version 0.1's rule: a masked item is predicted at its own position."""

    def evaluate(self, case):
        return self(hide_last(case["tokens"]), self.exists(case["tokens"]))

    def train_pass(self, case, suffix=""):
        tokens, mask = case["tokens"], case["mask"].bool()
        return self(tokens.masked_fill(mask, 0), self.exists(tokens)), tokens, mask


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = convolution_stack(causal=False)


class Projector(nn.Module):
    def __init__(self):
        super().__init__()
        self.up, self.down = Linear(D, 2 * D), Linear(2 * D, D)

    def forward(self, x):
        return x + self.down(F.gelu(self.up(x)))  # exact (erf) GELU


class GRecEncoderDecoder(Model):
    """A masked item at position i is predicted by the decoder at position i - 1."""

    looks_ahead = True  # the encoder looks both ways

    def __init__(self):
        super().__init__()
        self.encoder_embedding = nn.Embedding(V, D)
        self.encoder = Encoder()
        self.item_embedding = nn.Embedding(V, D)
        self.projector = Projector()
        self.blocks = convolution_stack()
        self.output = nn.Linear(D, V)

    def forward(self, masked, items):
        exists = self.exists(items)
        x = where_exists(self.encoder_embedding(masked), exists)
        for block in self.encoder.blocks:
            x = block(x, exists)
        x = where_exists(self.projector(x + self.item_embedding(items)), exists)
        x, exists = x[:, :-1], exists[:, :-1]  # the encoder saw all t positions, the decoder does not see the last
        for block in self.blocks:
            x = block(x, exists)
        return x

    def evaluate(self, case):
        return self(hide_last(case["tokens"]), case["tokens"])

    def train_pass(self, case, suffix=""):
        tokens, mask = case["tokens"], case["mask"].bool()
        counted = self.exists(tokens)[:, :-1] & mask[:, 1:]
        return self(tokens.masked_fill(mask, 0), tokens), tokens[:, 1:], counted


class SASRec(Model):
    def __init__(self, heads, alpha=True):
        super().__init__()
        self.item_embedding = nn.Embedding(V, D)
        self.position_embedding = nn.Embedding(LENGTH - 1, D)
        self.norm = nn.LayerNorm(D, eps=1e-5)
        self.blocks = nn.ModuleList(AttentionBlock(D, heads, alpha) for _ in range(BLOCKS))
        self.output = nn.Linear(D, V)

    def forward(self, items, exists, dropout=None):
        x = self.item_embedding(items) + self.position_embedding.weight[-items.shape[1] :]
        return attention_stack(x, exists, self.norm, self.blocks, dropout)

    def evaluate(self, case):
        tokens = case["tokens"]
        return self(tokens[:, :-1], self.exists(tokens)[:, :-1])

    def train_pass(self, case, suffix=""):
        tokens = case["tokens"]
        exists = self.exists(tokens)[:, :-1]
        dropout = case if "dropout.embedding" in case else None
        return self(tokens[:, :-1], exists, dropout), tokens[:, 1:], exists & (tokens[:, 1:] != 0)


class SSEPT(Model):
    """SASRec over [user embedding ; item embedding]."""

    users, user_channels, item_channels = 7, 3, 5

    def __init__(self, heads):
        super().__init__()
        channels = self.user_channels + self.item_channels
        self.user_embedding = nn.Embedding(self.users, self.user_channels)
        self.item_embedding = nn.Embedding(V, self.item_channels)
        self.position_embedding = nn.Embedding(LENGTH - 1, channels)
        self.norm = nn.LayerNorm(channels, eps=1e-5)
        self.blocks = nn.ModuleList(AttentionBlock(channels, heads) for _ in range(BLOCKS))
        self.output = nn.Linear(channels, V)

    def forward(self, users, items, exists):
        user = self.user_embedding(users)[:, None].expand(-1, items.shape[1], -1)
        positions = self.position_embedding.weight[-items.shape[1] :]
        x = torch.cat([user, self.item_embedding(items)], -1) + positions
        return attention_stack(x, exists, self.norm, self.blocks, None)

    def evaluate(self, case):
        tokens = case["tokens"]
        return self(case["users"], tokens[:, :-1], self.exists(tokens)[:, :-1])

    def train_pass(self, case, suffix=""):
        exists, targets = self.exists(case["tokens"])[:, :-1], case["tokens"][:, 1:]
        return self(case["swapped_users"], case["swapped_tokens"], exists), targets, exists & (targets != 0)


def hide_last(tokens):
    tokens = tokens.clone()
    tokens[:, -1] = 0
    return tokens


# ---------------------------------------------------------------- losses


def softmax_losses(model, hidden, targets, case, suffix):
    """Cross entropy at every position, (B, positions)."""
    return F.cross_entropy(model.output(hidden).flatten(0, 1), targets.flatten(), reduction="none").view(targets.shape)


def sampled_losses(model, hidden, targets, case, suffix):
    """Cross entropy of the target against [target, shared negatives], log expected counts subtracted,
    accidental hits removed."""
    negatives = case["negatives" + suffix]
    weight, bias = model.output.weight, model.output.bias
    own = (hidden * weight[targets]).sum(-1) + bias[targets] - case["target_log_expected" + suffix]
    other = hidden @ weight[negatives].T + bias[negatives] - case["negative_log_expected" + suffix]
    other = other.masked_fill(targets[..., None] == negatives, -math.inf)
    return torch.cat([own[..., None], other], -1).logsumexp(-1) - own


def losses_of(model):
    return sampled_losses if getattr(model, "sampled", False) else softmax_losses


def training_loss(model, case, suffix="", with_pads=False):
    hidden, targets, counted = model.train_pass(case, suffix)
    losses = losses_of(model)(model, hidden, targets, case, suffix)
    return losses.mean() if with_pads else losses[counted].mean()


# ---------------------------------------------------------------- optimisation


def gradients(model, loss):
    names, parameters = zip(*model.named_parameters())
    return dict(zip(names, torch.autograd.grad(loss, parameters)))


def touched_rows(case, suffix):
    """Rows of the three tables that a step on this batch touches (sampled softmax, pads not counted)."""
    tokens, negatives = case["tokens" + suffix], case["negatives" + suffix]
    targets = tokens[:, 1:]
    outputs = torch.cat([targets[targets != 0], negatives]).unique()
    return {"item_embedding.weight": tokens[:, :-1].unique(), "output.weight": outputs, "output.bias": outputs}


class RowLazyAdam:
    """SparseAdam written out, to check PyTorch's. `adam_epsilon`: epsilon as in torch.optim.Adam, added to
    sqrt(v / (1 - beta2^t)); torch.optim.SparseAdam adds it to sqrt(v)."""

    def __init__(self, adam_epsilon):
        self.adam_epsilon, self.step_count, self.m, self.v = adam_epsilon, 0, {}, {}

    def step(self, parameters, gradients, rows):
        self.step_count += 1
        (b1, b2), lr, eps = ADAM["betas"], ADAM["lr"], ADAM["eps"]
        c1, c2 = 1 - b1**self.step_count, 1 - b2**self.step_count
        for name in TABLES:
            p, g, r = parameters[name].data, gradients[name], rows[name]
            m = self.m.setdefault(name, torch.zeros_like(p))
            v = self.v.setdefault(name, torch.zeros_like(p))
            m[r] = b1 * m[r] + (1 - b1) * g[r]
            v[r] = b2 * v[r] + (1 - b2) * g[r] ** 2
            if self.adam_epsilon:
                p[r] -= lr * (m[r] / c1) / ((v[r] / c2).sqrt() + eps)
            else:
                p[r] -= lr * math.sqrt(c2) / c1 * m[r] / (v[r].sqrt() + eps)


def optimise(model, case, lazy=None):
    """Five steps of Adam from the case's parameters; -> kept parameters by step, and the loss before each step.

    lazy: None (dense Adam everywhere), "torch" (torch.optim.SparseAdam for the tables), or a RowLazyAdam."""
    load(model, case)
    parameters = dict(model.named_parameters())
    tables = [parameters[n] for n in TABLES] if lazy else []
    dense = torch.optim.Adam([p for n, p in parameters.items() if not (lazy and n in TABLES)], **ADAM)
    sparse = torch.optim.SparseAdam(tables, **ADAM) if lazy == "torch" else None
    kept, losses = {}, []
    for step in range(1, STEPS + 1):
        suffix = "_b" if "tokens_b" in case and step % 2 == 0 else ""
        loss = training_loss(model, case, suffix)
        losses.append(loss.item())
        grads = gradients(model, loss)
        for name, p in parameters.items():
            p.grad = grads[name]
        if lazy:
            rows = touched_rows(case, suffix)
            for name in TABLES:
                untouched = torch.ones(V, dtype=torch.bool).index_fill(0, rows[name], False)
                assert (grads[name][untouched] == 0).all(), name
                r = rows[name]
                g = grads[name]
                parameters[name].grad = torch.sparse_coo_tensor(r[None], g[r], g.shape, check_invariants=True)
            if sparse:
                sparse.step()
            else:
                lazy.step(parameters, grads, rows)
        dense.step()
        if step in KEPT:
            kept[step] = {n: p.detach().clone() for n, p in parameters.items()}
    return kept, torch.tensor(losses, dtype=torch.float64)


# ---------------------------------------------------------------- inputs


# another draw where the first put a ReLU input too close to zero, drew an item that a swap should bring, or had a gradient
# so small that its sign is lost in single precision
SALT = {"grec_encoder_decoder": 1, "grec_causal_nopads": 1, "ssept_nopads": 1, "recipe_bert4rec_dropout": 1}


def rng_of(name):
    return np.random.default_rng([2020, SALT.get(name, 0), *name.encode()])


def float_tensor(array):
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float64))


def int_tensor(array):
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.int64))


def initial_parameters(model, rng):
    """Random, non-trivial values for all parameters, scaled so that activations are O(1)."""
    parameters = {}
    for name, p in model.named_parameters():
        part = name.split(".")[-2]
        kind = name.split(".")[-1]
        noise = rng.standard_normal(tuple(p.shape))
        if kind.startswith("alpha"):
            value = rng.uniform(0.3, 0.9, tuple(p.shape))
        elif part.startswith("norm"):
            value = 1 + 0.2 * noise if kind == "weight" else 0.2 * noise
        elif kind == "bias":
            value = 0.2 * noise
        elif part == "output":
            value = 0.5 * noise
        elif part.endswith("embedding"):
            value = 0.7 * noise
        else:  # linear and convolution: fan-in is every axis but the last
            value = noise / math.sqrt(np.prod(p.shape[:-1]))
        parameters[name] = float_tensor(value)
    return parameters


def sequences(rng, low=1, high=V, padded=((1, 3), (4, 6))):
    """(B, t) items in low..<high, the given sequences padded in front."""
    tokens = rng.integers(low, high, (BATCH, LENGTH))
    for row, pads in padded:
        tokens[row, :pads] = 0
    return int_tensor(tokens)


# "pads": "none": a full sequence, one of two items (one input position) and one whose only item is the last (none).
NOPADS = ((1, 3), (2, 9), (3, 10), (4, 6), (5, 1))


def load(model, case):
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(case["param." + name])


# GRec: masked positions of each sequence. Never the first position or padding (rows 1 and 4 start with 3 and 6 pads);
# different numbers per sequence, including neighbours, the second and the last position.
MASKED = [[1, 6], [4, 10], [3, 4, 8], [9], [6, 9], [2, 5, 10]]


# The same where nothing exists before the first item (pads as in NOPADS). The first items of rows 1 and 3 are masked:
# they are not counted, for the positions before them do not exist, but the mask is read as an input.
MASKED_NOPADS = [[1, 6], [3, 4, 8], [10], [10], [7, 10], [2, 5, 10]]


def grec_mask(masked=MASKED):
    mask = torch.zeros(BATCH, LENGTH, dtype=torch.int64)
    for row, positions in enumerate(masked):
        mask[row, positions] = 1
    return mask


def sampled_inputs(rng):
    """Two batches over overlapping item ranges, so that each leaves rows untouched: items 1..12 and 7..18;
    19 is a negative of the first only, 20 of the second only, 21 and 22 are never touched."""
    case = {}
    for suffix, low, high, negatives in (("", 1, 13, [2, 16, 5, 19, 1, 14, 9]), ("_b", 7, 19, [20, 8, 3, 12, 17, 1])):
        tokens = sequences(rng, low, high, ((1, 3), (4, 6)) if not suffix else ((2, 4),))
        # log expected count of a log-uniform sampler (unique ids, `tries` draws)
        items, tries = np.arange(V), len(negatives) + 3
        p = np.log((items + 2) / (items + 1)) / np.log(V + 1)
        log_expected = float_tensor(np.log(-np.expm1(tries * np.log1p(-p))))
        case["tokens" + suffix] = tokens
        case["negatives" + suffix] = int_tensor(negatives)
        case["negative_log_expected" + suffix] = log_expected[negatives]
        case["target_log_expected" + suffix] = log_expected[tokens[:, 1:]]
        assert np.isin(tokens[:, 1:], negatives).any(), "no accidental hit"
    return case


def dropout_masks(rng, heads, rate=0.3):
    positions = LENGTH - 1
    shapes = {"dropout.embedding": (BATCH, positions, D)}
    for i in range(BLOCKS):
        shapes[f"dropout.{i}.attention"] = (BATCH, heads, positions, positions)
        shapes[f"dropout.{i}.ff1"] = shapes[f"dropout.{i}.ff2"] = (BATCH, positions, D)
    return {n: float_tensor((rng.random(s) >= rate) / (1 - rate)) for n, s in shapes.items()}


def swaps(tokens, fourth=(3, 0, 8)):
    """SSE: another user in three sequences, another item at a few non-pad input positions."""
    swapped = tokens[:, :-1].clone()
    for row, position, item in ((0, 2, 17), (0, 9, 4), (1, 5, 21), fourth, (4, 7, 1), (5, 9, 13)):
        assert swapped[row, position] not in (0, item)
        swapped[row, position] = item
    return {
        "users": int_tensor([3, 1, 6, 3, 5, 2]),
        "swapped_users": int_tensor([3, 4, 6, 1, 5, 6]),
        "swapped_tokens": swapped,
    }


# ---------------------------------------------------------------- model cases


def sized(model, **options):
    base = {"model": model, "V": V, "t": LENGTH, "B": BATCH, "blocks": BLOCKS, "adam": ADAM, "steps": STEPS}
    return {**base, **options}


def convolutional(model, **options):
    sizes = dict(d=D, kernel=KERNEL, dilations=DILATIONS, layer_norm_epsilon=1e-8)
    return sized(model, **sizes, **{"alpha": True, "loss": "softmax", **options})


def attentional(model, heads, **options):
    return sized(model, heads=heads, layer_norm_epsilon=1e-5, **{"alpha": True, "loss": "softmax", **options})


# name: (config, model, extra inputs(rng, tokens))
MODEL_CASES = {
    # Full softmax.
    "nextitnet_softmax": (convolutional("nextitnet"), NextItNet, None),
    # Blocks without alpha.
    "nextitnet_plain": (convolutional("nextitnet", alpha=False), lambda: NextItNet(alpha=False), None),
    # Sampled softmax with given negatives; dense and row-lazy Adam; two batches.
    "nextitnet_sampled": (
        convolutional("nextitnet", loss="sampled_softmax", batch_of_step=["a", "b", "a", "b", "a"], lazy_rows=TABLES),
        NextItNet,
        lambda rng, tokens: sampled_inputs(rng),
    ),
    # Gap filling by version 0.1's rule: a masked item is predicted at its own position.
    "grec_causal": (
        convolutional("grec", architecture="causal"),
        GRecCausal,
        lambda rng, tokens: {"mask": grec_mask()},
    ),
    # Gap filling by the authors' rule: a masked item is predicted one position before it.
    "grec_causal_before": (
        convolutional("grec", architecture="causal", prediction="before"),
        GRecCausalBefore,
        lambda rng, tokens: {"mask": grec_mask()},
    ),
    # The published GRec: a masked item is predicted one position before it.
    "grec_encoder_decoder": (
        convolutional("grec", architecture="encoder_decoder", encoder_blocks=BLOCKS),
        GRecEncoderDecoder,
        lambda rng, tokens: {"mask": grec_mask()},
    ),
    # 2 heads, no dropout.
    "sasrec": (attentional("sasrec", 2, d=D), lambda: SASRec(2), None),
    # The same with given dropout masks.
    "sasrec_dropout": (
        attentional("sasrec", 2, d=D, dropout=0.3),
        lambda: SASRec(2),
        lambda rng, tokens: dropout_masks(rng, 2),
    ),
    # 1 head, no alphas.
    "sasrec_plain": (attentional("sasrec", 1, d=D, alpha=False), lambda: SASRec(1, alpha=False), None),
    # 2 heads, user 3 + item 5 channels, given swaps.
    "ssept": (
        attentional("ssept", 2, U=SSEPT.users, du=SSEPT.user_channels, di=SSEPT.item_channels, d=D),
        lambda: SSEPT(2),
        lambda rng, tokens: swaps(tokens),
    ),
    # From here on nothing exists before the first item of a sequence. Full softmax.
    "nextitnet_nopads": (convolutional("nextitnet", pads="none"), NextItNet, None),
    # Gap filling by the authors' rule; two masked first items, which are not counted.
    "grec_causal_nopads": (
        convolutional("grec", architecture="causal", prediction="before", pads="none"),
        GRecCausalBefore,
        lambda rng, tokens: {"mask": grec_mask(MASKED_NOPADS)},
    ),
    # The published GRec, with the same masks.
    "grec_encoder_decoder_nopads": (
        convolutional("grec", architecture="encoder_decoder", encoder_blocks=BLOCKS, pads="none"),
        GRecEncoderDecoder,
        lambda rng, tokens: {"mask": grec_mask(MASKED_NOPADS)},
    ),
    # 2 heads, no dropout.
    "sasrec_nopads": (attentional("sasrec", 2, d=D, pads="none"), lambda: SASRec(2), None),
    # The same with given dropout masks, over the pads too.
    "sasrec_dropout_nopads": (
        attentional("sasrec", 2, d=D, dropout=0.3, pads="none"),
        lambda: SASRec(2),
        lambda rng, tokens: dropout_masks(rng, 2),
    ),
    # 1 head.
    "sasrec_one_head_nopads": (attentional("sasrec", 1, d=D, pads="none"), lambda: SASRec(1), None),
    # 2 heads, user 3 + item 5 channels, given swaps.
    "ssept_nopads": (
        attentional("ssept", 2, U=SSEPT.users, du=SSEPT.user_channels, di=SSEPT.item_channels, d=D, pads="none"),
        lambda: SSEPT(2),
        lambda rng, tokens: swaps(tokens, fourth=(2, 9, 8)),
    ),
}


def model_of(name, dtype=torch.float64):
    config, make, _ = MODEL_CASES[name]
    model = make().to(dtype)
    model.sampled = config["loss"] == "sampled_softmax"
    model.nothing_before = config.get("pads") == "none"
    return model


def model_inputs(name):
    config, _, extra = MODEL_CASES[name]
    rng, model = rng_of(name), model_of(name)
    case = {"tokens": sequences(rng, padded=NOPADS) if model.nothing_before else sequences(rng)}
    if extra:
        case.update(extra(rng, case["tokens"]))
    case.update({"param." + n: v for n, v in initial_parameters(model, rng).items()})
    return config, case


def model_outputs(name, case, dtype=torch.float64):
    """All results of a case; with dtype float32, what single precision makes of the same inputs."""
    case = {n: v.to(dtype) if v.is_floating_point() else v for n, v in case.items()}
    model, results = model_of(name, dtype), {}
    load(model, case)

    hidden = model.evaluate(case)
    results["hidden"], results["scores"] = hidden, model.output(hidden[:, -1])
    train_hidden = model.train_pass(case)[0]
    if not torch.equal(train_hidden, hidden):
        results["train_hidden"] = train_hidden
    loss = training_loss(model, case)
    results["loss"] = loss.reshape(1)
    if "mask" not in case and not model.nothing_before:
        results["loss_with_pads"] = training_loss(model, case, with_pads=True).reshape(1)
    if "tokens_b" in case:
        results["loss_b"] = training_loss(model, case, "_b").reshape(1)
    results.update({"grad." + n: g for n, g in gradients(model, loss).items()})

    kept, results["step_losses"] = optimise(model, case)
    results.update({f"step{s}.{n}": p for s, ps in kept.items() for n, p in ps.items()})
    if model.sampled:
        kept, results["lazy_losses"] = optimise(model, case, lazy="torch")
        results.update({f"lazy{s}.{n}": p for s, ps in kept.items() for n, p in ps.items()})
        kept, _ = optimise(model, case, lazy=RowLazyAdam(adam_epsilon=True))
        results.update({f"lazy_adam{s}.{n}": p for s, ps in kept.items() for n, p in ps.items()})
    return {n: v.detach() for n, v in results.items()}


# ---------------------------------------------------------------- the two cases without a model


def pairwise_case():
    config = {
        "B": 6, "d": D, "Vt": 11, "l2": 0.02,
        "formula": "mean_b(-log s(h_b.e[p_b]) - log(1 - s(h_b.e[n_b]))) + l2/2/B * sum_b(|e[p_b]|^2 + |e[n_b]|^2)",
        "formula_unique": "the same with l2/2/B * sum over the distinct rows r of p and n of |e[r]|^2",
    }  # fmt: skip
    rng = rng_of("pairwise")
    hidden = float_tensor(rng.standard_normal((6, D))).requires_grad_()
    embedding = float_tensor(0.5 * rng.standard_normal((11, D))).requires_grad_()
    # row 4 is a positive twice and a negative once, row 7 a negative twice
    positives, negatives = int_tensor([4, 2, 9, 4, 1, 10]), int_tensor([7, 4, 3, 7, 5, 9])
    p, n = embedding[positives], embedding[negatives]
    pairs = (F.softplus(-(hidden * p).sum(-1)) + F.softplus((hidden * n).sum(-1))).mean()
    direct = -(torch.sigmoid((hidden * p).sum(-1)).log() + (1 - torch.sigmoid((hidden * n).sum(-1))).log()).mean()
    assert torch.allclose(pairs, direct, rtol=1e-12)
    case = {"hidden": hidden, "embedding": embedding, "positives": positives, "negatives": negatives}
    distinct = torch.cat([positives, negatives]).unique()
    for suffix, used in (("", torch.cat([p, n])), ("_unique", embedding[distinct])):
        loss = pairs + config["l2"] / 2 * used.square().sum() / len(positives)
        dh, de = torch.autograd.grad(loss, (hidden, embedding), retain_graph=True)
        case.update({"loss" + suffix: loss.reshape(1), f"grad{suffix}.hidden": dh, f"grad{suffix}.embedding": de})
    return config, {n: v.detach() for n, v in case.items()}


def metrics_case():
    rng = rng_of("metrics")
    targets = rng.integers(1, 30, 40)
    scores = rng.standard_normal((40, 30))
    scores[np.arange(40), targets] += 1.2  # so that there are hits
    scores[::4, 0] += 5  # the padding would be first if it were ranked
    scores[7] = 0.5  # a constant scorer: rank 14 of 0...28
    scores[11, targets[11]] = scores[11, 1:].max()  # a target that ties at the top
    scores = np.round(scores, 1) + 0.0  # no negative zero

    # one way: a loop, straight from the definition
    ranks = []
    for row, target in zip(scores, targets):
        others = [row[i] for i in range(1, 30) if i != target]
        ranks.append(sum(o > row[target] for o in others) + sum(o == row[target] for o in others) / 2)
    means = {}
    for k in (5, 10):
        hits = [r for r in ranks if r < k]
        means[f"mrr@{k}"] = sum(1 / (r + 1) for r in hits) / 40
        means[f"hr@{k}"] = len(hits) / 40
        means[f"ndcg@{k}"] = sum(1 / math.log2(r + 2) for r in hits) / 40

    # another way: a sorted catalogue with the target in the middle of its ties
    for i, (row, target) in enumerate(zip(scores, targets)):
        descending = np.sort(-row[1:])
        first = np.searchsorted(descending, -row[target], "left")
        last = np.searchsorted(descending, -row[target], "right") - 1
        assert ranks[i] == (first + last) / 2
    r = np.array(ranks)
    for k in (5, 10):
        for name, gain in (("mrr", 1 / (r + 1)), ("hr", np.ones(40)), ("ndcg", np.log(2) / np.log(r + 2))):
            assert abs(np.where(r < k, gain, 0).mean() - means[f"{name}@{k}"]) < 1e-14
    assert ranks[7] == 14 and ranks[11] > 0 and any(x % 1 for x in ranks)

    config = {"B": 40, "V": 30, "rank": "strictly higher + half of the other equal items, pad 0 excluded", "hit": "rank < k"}
    case = {"scores": float_tensor(scores), "targets": int_tensor(targets), "ranks": float_tensor(ranks)}
    case.update({n: float_tensor([m]) for n, m in means.items()})
    return config, case


# ---------------------------------------------------------------- checks


def check_gradients(name, case, results, entries=4, h=1e-6):
    """Central differences at a few entries of every parameter, against the stored gradients."""
    model, rng, worst = model_of(name), np.random.default_rng(1), 0.0
    scale = max(1, *(v.abs().max().item() for n, v in results.items() if n.startswith("grad.")))
    load(model, case)
    with torch.no_grad():
        for parameter, p in model.named_parameters():
            flat = p.view(-1)
            for i in rng.integers(0, len(flat), entries):
                value = flat[i].item()
                flat[i] = value + h
                above = training_loss(model, case)
                flat[i] = value - h
                difference = (above - training_loss(model, case)).item() / (2 * h)
                flat[i] = value
                stored = results["grad." + parameter].reshape(-1)[i].item()
                worst = max(worst, abs(difference - stored))
                assert abs(difference - stored) < 1e-8 * scale, (name, parameter, i)
    return worst


def check_layers():
    """The convolutions and the attention against their definitions, written as loops."""
    torch.manual_seed(0)
    x = torch.randn(2, 11, D, dtype=torch.float64)
    for causal in (True, False):
        for dilation in (1, 4, 8):
            layer = Convolution(D, KERNEL, dilation, causal).double()
            for p in layer.parameters():
                nn.init.normal_(p)
            expected = layer.bias.expand(2, 11, D).clone()
            for position in range(11):
                for tap in range(KERNEL):
                    source = position + (tap - (KERNEL - 1 if causal else (KERNEL - 1) // 2)) * dilation
                    if 0 <= source < 11:
                        expected[:, position] += x[:, source] @ layer.weight[tap]
            assert torch.allclose(layer(x), expected, atol=1e-12)
    block = AttentionBlock(D, 2).double()
    for p in block.parameters():
        nn.init.normal_(p)
    expected = torch.zeros_like(x)
    for b in range(2):
        q, k, v = (f(x[b]) for f in (block.query, block.key, block.value))
        for head in (slice(0, 4), slice(4, 8)):
            for i in range(11):
                w = torch.stack([q[i, head] @ k[j, head] / 2 for j in range(i + 1)]).softmax(0)
                expected[b, i, head] = w @ v[: i + 1, head]
    everywhere = torch.ones(2, 11, dtype=torch.bool)
    assert torch.allclose(block.attention(x, everywhere, lambda _, y: y), expected, atol=1e-12)


def check_causality(name, case):
    """Changing input position j changes no hidden position before j (but does change j itself)."""
    model = model_of(name)
    load(model, case)
    before = model.evaluate(case)
    changed = dict(case, tokens=case["tokens"].clone())
    if model.nothing_before:  # another item, so that the same positions exist
        old = changed["tokens"][:, 5]
        changed["tokens"][:, 5] = torch.where(old == 0, 0, (old + 2) % (V - 1) + 1)
    else:
        changed["tokens"][:, 5] = (changed["tokens"][:, 5] + 3) % V
    moved = (model.evaluate(changed) - before).abs().sum((0, 2)) > 0
    assert moved[5]
    assert bool(moved[:5].any()) == model.looks_ahead


def alone(case, row):
    """A case of one sequence of a "pads": "none" case, cut to its items."""
    cut = {n: v for n, v in case.items() if n.startswith("param.")}
    pads = int((case["tokens"][row] == 0).sum())
    for n, v in case.items():
        if n.endswith(".attention"):
            cut[n] = v[row : row + 1, :, pads:, pads:]
        elif "users" in n:
            cut[n] = v[row : row + 1]
        elif n not in cut:
            cut[n] = v[row : row + 1, pads:]
    return cut, pads


def check_alone(name, case, results):
    """A "pads": "none" case against a model that knows no pads, given each sequence alone without its pads."""
    model = model_of(name)
    load(model, case)
    model.nothing_before = False
    total, count, worst = 0, 0, 0.0

    def compare(stored, expected):
        nonlocal worst
        worst = max(worst, (stored - expected).abs().max().item())
        assert worst < 1e-12, (name, worst)

    for row in range(BATCH):
        cut, pads = alone(case, row)
        inputs = results["hidden"].shape[1] - pads
        assert (results["hidden"][row, :pads] == 0).all()
        assert (results.get("train_hidden", results["hidden"])[row, :pads] == 0).all()
        if inputs == 0:
            compare(results["scores"][row], model.output(torch.zeros(D).double()))
            continue
        hidden = model.evaluate(cut)
        compare(results["hidden"][row, pads:], hidden[0])
        compare(results["scores"][row], model.output(hidden[0, -1]))
        hidden, targets, counted = model.train_pass(cut)
        compare(results.get("train_hidden", results["hidden"])[row, pads:], hidden[0])
        total = total + softmax_losses(model, hidden, targets, cut, "")[counted].sum()
        count += int(counted.sum())
    compare(results["loss"], total / count)
    for n, g in gradients(model, total / count).items():
        compare(results["grad." + n], g)
    if "mask" not in case and "grad.output.weight" in results:  # the table is not that of the output
        assert (results["grad.item_embedding.weight"][0] == 0).all()
    return worst


def check_lazy(case, results):
    """torch.optim.SparseAdam against its formula, untouched rows, and the effect of the position of epsilon."""
    model = NextItNet().double()
    model.sampled = True
    stored = {n: results["lazy5." + n] for n in dict(model.named_parameters())}
    same = optimise(model, case, lazy=RowLazyAdam(adam_epsilon=False))[0][5]
    assert all(torch.allclose(same[n], stored[n], rtol=0, atol=1e-12) for n in stored)
    epsilon = max((results["lazy_adam5." + n] - stored[n]).abs().max().item() for n in stored)
    dense = max((results["step5." + n] - stored[n]).abs().max().item() for n in TABLES)
    never = torch.tensor([21, 22])
    assert all(torch.equal(stored[n][never], case["param." + n][never]) for n in TABLES)
    return f"lazy5 - step5 up to {dense:.1e}, lazy_adam5 - lazy5 up to {epsilon:.1e}"


def single_precision(name, case, results):
    """Largest |float32 - float64| by kind of result: a guide for the tolerances of a float32 engine."""
    single = model_outputs(name, case, torch.float32)
    worst = {}
    for n, v in results.items():
        kind = n.split(".")[0].rstrip("135") if "." in n else "outputs"
        kind = kind + "*" if kind in ("step", "lazy", "lazy_adam") else kind
        if n.endswith("key.bias"):
            kind = "key.bias " + kind  # see README: its gradient is zero
        worst[kind] = max(worst.get(kind, 0), (single[n].double() - v).abs().max().item())
    return "  ".join(f"{k} {v:.0e}" for k, v in worst.items())


# ---------------------------------------------------------------- main


def configuration_of(config):
    """The network's metadata as in a model file (docs/models.md), from which the tests build the network."""
    if "recipe" in config:
        return recipe_configuration_of(config)
    head = {"head": {}, "items": config["V"], "alpha": config["alpha"], "blocks": config["blocks"]}
    pads = {"pads": config["pads"]} if "pads" in config else {}
    if config["model"] in ("nextitnet", "grec"):
        stack = {**head, **pads, "dim": config["d"], "dilations": config["dilations"], "kernel": config["kernel"]}
        rule = {"prediction": config["prediction"]} if "prediction" in config else {}
        if config["model"] == "grec":
            stack = {"architecture": config["architecture"], "stack": stack, **rule}
        return stack
    network = {**head, **pads, "dim": config.get("di", config["d"]), "heads": config["heads"], "length": config["t"]}
    network["dropout"] = config.get("dropout", 0)
    if config["model"] == "ssept":
        network["users"] = {"count": config["U"], "dim": config["du"], "sharing": {"item": 0.01, "user": 0.8}}
    return network


def recipe_configuration_of(config):
    network = {"head": {}, "items": config["V"], "blocks": config["blocks"], "pads": config["pads"], "dim": config["d"]}
    if config["recipe"] != "gru4rec":
        network.update(length=config["t"], heads=config["heads"], dropout=config.get("dropout", 0))
    if config["recipe"] == "sasrec":
        variant = {"form": config["norm"], "inner": config["d"], "isProjected": config["projection"], "initial": "normal"}
        variant.update(isScaled=config["scale"], isTied=config["output"] == "tied", epsilon=config["epsilon"])
        network.update(alpha=False, variant=variant)
    if config["recipe"] == "esasrec":
        variant = {"form": "gated", "inner": config["widening"] * config["d"], "isProjected": True, "isScaled": False}
        network.update(alpha=False, variant={**variant, "isTied": True, "epsilon": config["epsilon"], "initial": "xavier"})
    if config["recipe"] == "bert4rec":
        network["widening"] = config["widening"]
    if config["recipe"] == "hstu":
        network["temperature"] = config["temperature"]
        if config["time"] != "none":
            network["time"] = config["time"]
    if config["recipe"] == "gru4rec":
        network.update(blocks=1, dropout=0)
    return network


def metadata_of(config):
    metadata = {"config": json.dumps(config, sort_keys=True)}
    # There is no model with token types or a GRU of one bias.
    known = "types" not in config and config.get("biases", "two") == "two"
    if "model" in config or "recipe" in config and "pads" in config and known:
        metadata["kind"] = config.get("model", config.get("recipe"))
        metadata["configuration"] = json.dumps(configuration_of(config), sort_keys=True)
    return metadata


def says_the_same(path, tensors, metadata):
    if not path.exists():
        return False
    with safe_open(path, "pt") as file:
        if file.metadata() != metadata or set(file.keys()) != set(tensors):
            return False
        return all(torch.equal(file.get_tensor(n), v) for n, v in tensors.items())


def write(name, config, tensors):
    """The order of the metadata's entries in a file is up to chance: a file that says the same already is left alone."""
    path, metadata = HERE / f"{name}.safetensors", metadata_of(config)
    assert all(v.dtype in (torch.float64, torch.int64) and v.isfinite().all() for v in tensors.values())
    if not says_the_same(path, tensors, metadata):
        save_file({n: v.contiguous() for n, v in tensors.items()}, path, metadata=metadata)
    return f"{name}: {len(tensors)} tensors, {path.stat().st_size:,} bytes"


def write_model(name, file=None):
    global relu_margin
    config, case = model_inputs(name)
    relu_margin = math.inf
    results = model_outputs(name, case)
    margin = relu_margin
    assert margin > 5e-6, f"{name}: a ReLU input at {margin:.1e} could flip in single precision"
    print(write(file or name, config, {**case, **results}))
    check_causality(name, case)
    if config.get("pads") == "none":
        print(f"  every sequence alone, without pads: within {check_alone(name, case, results):.0e}")
    error = check_gradients(name, case, results)
    losses = ", ".join(f"{x:.3f}" for x in results["step_losses"])
    print(f"  finite differences within {error:.0e}; closest ReLU input {margin:.0e}; loss by step {losses}")
    print(f"  |h| max {results['hidden'].abs().max():.1f}, rms {results['hidden'].square().mean().sqrt():.2f}")
    print("  float32 deviation:", single_precision(name, case, results))
    if config["loss"] == "sampled_softmax":
        print("  " + check_lazy(case, results))


def main():
    torch.set_num_threads(1)
    others = {"pairwise": pairwise_case, "metrics": metrics_case}
    names = sys.argv[1:] or [*MODEL_CASES, *others]
    unknown = [n for n in names if n not in MODEL_CASES and n not in others]
    if unknown:
        sys.exit(f"no case {', '.join(unknown)}; there are {', '.join([*MODEL_CASES, *others])}")
    check_layers()
    for name in (n for n in names if n in MODEL_CASES):
        write_model(name)
    for name in (n for n in names if n in others):
        print(write(name, *others[name]()))


if __name__ == "__main__":
    main()

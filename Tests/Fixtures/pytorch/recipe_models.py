"""Models of published recipes for make_recipe_fixtures.py; conventions in README.md, section "Recipes".

In all of them nothing exists before the first item of a sequence ("pads": "none"), and the last position has the last
row of the position embedding.
"""

import math

import make_fixtures as base
import numpy as np
import torch
import torch.nn.functional as F
from make_fixtures import ADAM, BATCH, D, LENGTH, STEPS, Linear, V, float_tensor, int_tensor, relu, where_exists
from torch import nn

BLOCKS, INPUTS = 2, LENGTH - 1

# ---------------------------------------------------------------- parts


def open_keys(exists, causal=True):
    """(B, 1, T, T): the keys that a query may see. A position's own key is always open, for the sake of the softmax."""
    t = exists.shape[1]
    keys = exists[:, None, None, :].expand(-1, 1, t, t)
    keys = keys & torch.ones(t, t, dtype=torch.bool).tril() if causal else keys
    return keys | torch.eye(t, dtype=torch.bool)


def plain(name, x):
    return x


class Matrix(nn.Module):
    """y = x W, with W stored (in, out)."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(inputs, outputs))

    def forward(self, x):
        return x @ self.weight


class AttentionBlock(nn.Module):
    """What the blocks share: attention with biases, and perhaps an output projection."""

    def __init__(self, heads, projection=True):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (Linear(D, D) for _ in range(3))
        self.projection = Linear(D, D) if projection else None

    def attention(self, queries, keys, seen, drop):
        split = lambda y: y.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (B, heads, T, d/heads)
        q, k, v = split(self.query(queries)), split(self.key(keys)), split(self.value(keys))
        scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
        weights = drop("attention", scores.masked_fill(~seen, -math.inf).softmax(-1))
        y = (weights @ v).transpose(1, 2).flatten(2)
        return y if self.projection is None else self.projection(y)


class Sequential(base.Model):
    """Items in, the next items out, scored by the item embedding (unless a model has an `output` of its own).
    `encode(case, items, exists, drop)` -> hidden, zero where nothing exists."""

    def __init__(self):
        super().__init__()
        self.output = lambda hidden: hidden @ self.item_embedding.weight.T

    def evaluate(self, case):
        tokens = case["tokens"]
        return self.encode(case, tokens[:, :-1], self.exists(tokens)[:, :-1], plain)

    def train_pass(self, case, suffix=""):
        tokens = case["tokens"]
        exists = self.exists(tokens)[:, :-1]
        hidden = self.encode(case, tokens[:, :-1], exists, dropout_of(case))
        return hidden, tokens[:, 1:], exists & (tokens[:, 1:] != 0)


def dropout_of(case):
    return lambda name, x: x * case["dropout." + name] if "dropout." + name in case else x


def inside(drop, block):
    return lambda name, x: drop(f"{block}.{name}", x)


# ---------------------------------------------------------------- SASRec


class QueryBlock(AttentionBlock):
    """q = LN1 x;  r = q + attention(q, x, x);  f = LN2 r;  out = f + ff2(ReLU(ff1 f))"""

    def __init__(self, heads, projection, epsilon):
        super().__init__(heads, projection)
        self.norm1, self.norm2 = nn.LayerNorm(D, eps=epsilon), nn.LayerNorm(D, eps=epsilon)
        self.ff1, self.ff2 = Linear(D, D), Linear(D, D)

    def forward(self, x, exists, drop):
        q = self.norm1(x)
        f = self.norm2(q + self.attention(q, x, open_keys(exists), drop))
        out = f + drop("ff2", self.ff2(drop("ff1", relu(self.ff1(f), exists))))
        return where_exists(out, exists)


class PreBlock(QueryBlock):
    """x1 = x + attention(LN1 x);  out = x1 + ff2(ReLU(ff1(LN2 x1)))"""

    def forward(self, x, exists, drop):
        y = self.norm1(x)
        x = x + self.attention(y, y, open_keys(exists), drop)
        out = x + drop("ff2", self.ff2(drop("ff1", relu(self.ff1(self.norm2(x)), exists))))
        return where_exists(out, exists)


class SASRec(Sequential):
    """Input E + P, E times sqrt(d) or not; blocks; LN; tied output."""

    def __init__(self, block, heads, epsilon, scale=True, projection=True):
        super().__init__()
        self.scale = math.sqrt(D) if scale else 1
        self.item_embedding, self.position_embedding = nn.Embedding(V, D), nn.Embedding(INPUTS, D)
        self.blocks = nn.ModuleList(block(heads, projection, epsilon) for _ in range(BLOCKS))
        self.norm = nn.LayerNorm(D, eps=epsilon)

    def encode(self, case, items, exists, drop):
        x = self.scale * self.item_embedding(items) + self.position_embedding.weight[-items.shape[1] :]
        x = where_exists(drop("embedding", x), exists)
        for i, block in enumerate(self.blocks):
            x = block(x, exists, inside(drop, i))
        return where_exists(self.norm(x), exists)


class GSASRec(SASRec):
    """Nothing scaled, no output projection, an output table of its own without bias."""

    def __init__(self, heads, epsilon):
        super().__init__(QueryBlock, heads, epsilon, scale=False, projection=False)
        self.output = nn.Linear(D, V, bias=False)


# ---------------------------------------------------------------- eSASRec


class GatedBlock(AttentionBlock):
    """x1 = x + sigma(gate1 x) attention(LN1 x);  out = x1 + sigma(gate2 x1) ff2(SiLU(ff1 z) ff3 z), z = LN2 x1"""

    def __init__(self, heads, widening, epsilon):
        super().__init__(heads)
        self.gate1, self.gate2 = Linear(D, D), Linear(D, D)
        self.norm1, self.norm2 = nn.LayerNorm(D, eps=epsilon), nn.LayerNorm(D, eps=epsilon)
        self.ff1, self.ff3 = Matrix(D, widening * D), Matrix(D, widening * D)
        self.ff2 = Matrix(widening * D, D)

    def forward(self, x, exists, drop):
        y = self.norm1(x)
        y = drop("projection", self.attention(y, y, open_keys(exists), drop))
        x = x + torch.sigmoid(self.gate1(x)) * y
        z = self.norm2(x)
        y = drop("ff2", self.ff2(drop("ff1", F.silu(self.ff1(z)) * self.ff3(z))))
        return where_exists(x + torch.sigmoid(self.gate2(x)) * y, exists)


class ESASRec(Sequential):
    """Input E + P; gated blocks; no last LN; tied output."""

    def __init__(self, heads, widening, epsilon=1e-5):
        super().__init__()
        self.item_embedding, self.position_embedding = nn.Embedding(V, D), nn.Embedding(INPUTS, D)
        self.blocks = nn.ModuleList(GatedBlock(heads, widening, epsilon) for _ in range(BLOCKS))

    def encode(self, case, items, exists, drop):
        x = self.item_embedding(items) + self.position_embedding.weight[-items.shape[1] :]
        x = where_exists(drop("embedding", x), exists)
        for i, block in enumerate(self.blocks):
            x = block(x, exists, inside(drop, i))
        return x


# ---------------------------------------------------------------- HSTU

BUCKETS = 128


def buckets(seconds):
    """min(128, floor(ln(max(1, |seconds|)) / 0.301))"""
    return (seconds.abs().clamp(min=1).double().log() / 0.301).floor().long().clamp(max=BUCKETS)


class HSTUBlock(nn.Module):
    """[u v q k] = SiLU(LN1(x) W);  o = sum_j SiLU(q_i . k_j + b_ij) / N v_j;  out = x + (u LN2(o)) Wo + bo"""

    def __init__(self, heads, time, epsilon):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(D, eps=epsilon), nn.LayerNorm(D, eps=epsilon)
        self.uvqk = Matrix(D, 4 * D)
        self.projection = Linear(D, D)
        self.position_bias = nn.Parameter(torch.empty(2 * INPUTS - 1))
        self.time_bias = nn.Parameter(torch.empty(BUCKETS + 1)) if time else None

    def forward(self, x, exists, bucket, drop):
        """`bucket`: (B, T, T), or None."""
        u, v, q, k = F.silu(self.uvqk(self.norm1(x))).chunk(4, -1)
        split = lambda y: y.unflatten(-1, (self.heads, -1)).transpose(1, 2)
        q, k, v = split(q), split(k), split(v)
        places = torch.arange(x.shape[1])
        distance = places[:, None] - places
        bias = self.position_bias[INPUTS - 1 - distance]  # also where j > i, which is masked
        if bucket is not None:
            bias = bias + self.time_bias[bucket][:, None]
        weights = F.silu(q @ k.transpose(-1, -2) + bias) / INPUTS
        weights = weights.masked_fill((distance < 0) | ~exists[:, None, None, :], 0)
        o = (weights @ v).transpose(1, 2).flatten(2)
        return where_exists(x + self.projection(drop("output", u * self.norm2(o))), exists)


class HSTU(Sequential):
    """Input sqrt(d) E + P; blocks; no last LN; scores are cosines to the item embedding over the temperature.

    time: None; "target": b_ij has w_time of |t_(i+1) - t_j|, the time of the item to predict; "history": of |t_i - t_j|.
    """

    temperature, shortest = 0.05, 1e-6

    def __init__(self, heads, time=None, epsilon=1e-6):
        super().__init__()
        self.time = time
        self.item_embedding, self.position_embedding = nn.Embedding(V, D), nn.Embedding(INPUTS, D)
        self.blocks = nn.ModuleList(HSTUBlock(heads, time, epsilon) for _ in range(BLOCKS))
        unit = lambda x: x / x.norm(dim=-1, keepdim=True).clamp(min=self.shortest)
        self.output = lambda hidden: unit(hidden) @ unit(self.item_embedding.weight).T / self.temperature

    def encode(self, case, items, exists, drop):
        x = math.sqrt(D) * self.item_embedding(items) + self.position_embedding.weight[-items.shape[1] :]
        x = where_exists(drop("embedding", x), exists)
        bucket = None
        if self.time:
            times = case["times"]
            mine = times[:, 1:] if self.time == "target" else times[:, :-1]
            bucket = buckets(mine[:, :, None] - times[:, None, :-1])
        for i, block in enumerate(self.blocks):
            x = block(x, exists, bucket, inside(drop, i))
        return x


def times(rng, tokens):
    """(B, t) seconds of the items, oldest first, with ties; 0 at pads. No difference lies close to the edge of a bucket."""
    gaps = [0, 0, 1, 1, 2, 9, 50, 700, 3_000, 40_000, 90_000, 700_000, 3_000_000, 40_000_000]
    rows = np.zeros((BATCH, LENGTH), dtype=np.int64)
    for row, items in zip(rows, tokens.numpy()):
        edge = True
        while edge:
            steps = np.array([int(g * rng.uniform(1, 1.5)) for g in rng.choice(gaps, LENGTH)])
            row[:] = np.where(items != 0, 978_300_000 + np.cumsum(steps), 0)
            apart = np.abs(row[items != 0][:, None] - row[items != 0])
            exact = np.log(np.maximum(apart, 1)) / 0.301
            edge = (np.abs(exact - np.round(exact)) < 1e-3)[apart > 1].any()
    return {"times": int_tensor(rows)}


# ---------------------------------------------------------------- BERT4Rec


class BERTBlock(AttentionBlock):
    """a = LN1(x + attention(x));  out = LN2(a + ff2(GELU(ff1 a))), both ways"""

    def __init__(self, heads, widening, epsilon):
        super().__init__(heads)
        self.norm1, self.norm2 = nn.LayerNorm(D, eps=epsilon), nn.LayerNorm(D, eps=epsilon)
        self.ff1, self.ff2 = Linear(D, widening * D), Linear(widening * D, D)

    def forward(self, x, exists, drop):
        y = self.attention(x, x, open_keys(exists, causal=False), drop)
        a = self.norm1(x + drop("projection", y))
        out = self.norm2(a + drop("ff2", self.ff2(F.gelu(self.ff1(a)))))
        return where_exists(out, exists)


class BERT4Rec(Sequential):
    """Item 0 is the mask. All t positions are read, and a masked item is predicted at its own; evaluation masks the last."""

    looks_ahead = True

    def __init__(self, heads, widening, types=False, epsilon=1e-12):
        super().__init__()
        self.item_embedding, self.position_embedding = nn.Embedding(V, D), nn.Embedding(LENGTH, D)
        self.type_embedding = nn.Embedding(1, D) if types else None
        self.norm = nn.LayerNorm(D, eps=epsilon)
        self.blocks = nn.ModuleList(BERTBlock(heads, widening, epsilon) for _ in range(BLOCKS))

    def encode(self, case, items, exists, drop):
        x = self.item_embedding(items) + self.position_embedding.weight[-items.shape[1] :]
        if self.type_embedding is not None:
            x = x + self.type_embedding.weight[0]
        x = where_exists(drop("embedding", self.norm(x)), exists)
        for i, block in enumerate(self.blocks):
            x = block(x, exists, inside(drop, i))
        return x

    def evaluate(self, case):
        return self.encode(case, base.hide_last(case["tokens"]), self.exists(case["tokens"]), plain)

    def train_pass(self, case, suffix=""):
        tokens, mask = case["tokens"], case["mask"].bool()
        exists = self.exists(tokens)
        hidden = self.encode(case, tokens.masked_fill(mask, 0), exists, dropout_of(case))
        return hidden, tokens, mask & exists


# Neighbours, first items (row 1), all of a sequence (rows 2, 3), the last and none but the last among them.
BERT_MASKED = [[0, 1, 6], [3, 4, 8], [9, 10], [10], [7, 10], [5]]


def bert_mask(rng, tokens):
    return {"mask": base.grec_mask(BERT_MASKED)}


# ---------------------------------------------------------------- GRU4Rec


class GRU(nn.Module):
    """r, z = sigma(x Wr + h Ur + br), ...;  c = tanh(x Wn + bn + r (h Un + b'));  h' = (1 - z) c + z h

    Columns of the joint matrices: r, z, n. biases: "two" as torch's (r and z have one from each side), or "one".
    """

    def __init__(self, biases):
        super().__init__()
        self.input = Linear(D, 3 * D)
        self.state = Linear(D, 3 * D) if biases == "two" else Matrix(D, 3 * D)
        self.candidate = nn.ParameterDict({"bias": nn.Parameter(torch.empty(D))}) if biases == "one" else None

    def forward(self, x, h):
        xr, xz, xn = self.input(x).chunk(3, -1)
        hr, hz, hn = self.state(h).chunk(3, -1)
        if self.candidate is not None:
            hn = hn + self.candidate["bias"]
        r, z = torch.sigmoid(xr + hr), torch.sigmoid(xz + hz)
        return (1 - z) * torch.tanh(xn + r * hn) + z * h


class GRU4Rec(Sequential):
    """One GRU over the item embeddings, from a zero state before the first item; tied output."""

    def __init__(self, biases):
        super().__init__()
        self.item_embedding, self.blocks = nn.Embedding(V, D), nn.ModuleList([GRU(biases)])

    def encode(self, case, items, exists, drop):
        x, h, states = self.item_embedding(items), torch.zeros(len(items), D).to(self.item_embedding.weight), []
        for i in range(items.shape[1]):
            h = torch.where(exists[:, i : i + 1], self.blocks[0](x[:, i], h), h)
            states.append(h)
        return torch.stack(states, 1)


# ---------------------------------------------------------------- cases


def dropout(heads, embedding=INPUTS, rate=0.3, **widths):
    """Multipliers, 0 or 1 / (1 - rate), of the input and of named places in each block ("attention", or a width)."""

    def draw(rng, tokens):
        shapes = {"dropout.embedding": (BATCH, embedding, D)}
        for i in range(BLOCKS):
            for name, width in widths.items():
                weights = (BATCH, heads, embedding, embedding)
                shapes[f"dropout.{i}.{name}"] = weights if width == "attention" else (BATCH, embedding, width)
        return {n: float_tensor((rng.random(s) >= rate) / (1 - rate)) for n, s in shapes.items()}

    return draw


def sized(recipe, **options):
    fixed = {"V": V, "t": LENGTH, "B": BATCH, "d": D, "blocks": BLOCKS, "adam": ADAM, "steps": STEPS}
    return {"recipe": recipe, **fixed, "pads": "none", "loss": "softmax", **options}


def sasrec(norm, heads, epsilon=1e-8, **options):
    return sized("sasrec", norm=norm, heads=heads, epsilon=epsilon, **options)


def hstu(heads, time, **options):
    widths = {"dv": D // heads, "dk": D // heads}
    scores = {"cosine": True, "temperature": HSTU.temperature, "shortest": HSTU.shortest}
    return sized("hstu", heads=heads, time=time, N=INPUTS, buckets=BUCKETS, epsilon=1e-6, **widths, **scores, **options)


def bert(widening, **options):
    return sized("bert4rec", heads=2, widening=widening, epsilon=1e-12, **options)


# name: (config, model, extra inputs(rng, tokens)), as MODEL_CASES of make_fixtures.py
RECIPE_CASES = {
    # SASRec+: the residual is the normalised query. E times sqrt(d), output projection, last LN, tied output.
    "recipe_sasrec_query": (
        sasrec("query", 2, scale=True, projection=True, output="tied"),
        lambda: SASRec(QueryBlock, 2, 1e-8),
        None,
    ),
    # The same with given dropout multipliers: of the input, the probabilities, at the ReLU (before or after is the same)
    # and after ff2.
    "recipe_sasrec_query_dropout": (
        sasrec("query", 2, scale=True, projection=True, output="tied", dropout=0.3),
        lambda: SASRec(QueryBlock, 2, 1e-8),
        dropout(2, attention="attention", ff1=D, ff2=D),
    ),
    # gSASRec: E unscaled, no output projection, output table of its own without bias, epsilon 1e-5.
    "recipe_gsasrec": (
        sasrec("query", 1, epsilon=1e-5, scale=False, projection=False, output="own"),
        lambda: GSASRec(1, 1e-5),
        None,
    ),
    # Pre-norm: both sub-layers read a norm of x and are added to x itself.
    "recipe_sasrec_pre": (
        sasrec("pre", 2, scale=True, projection=True, output="tied"),
        lambda: SASRec(PreBlock, 2, 1e-8),
        None,
    ),
    # Gated pre-norm blocks (LiGR), feed-forward 4 d wide, E unscaled, no last LN, tied output.
    "recipe_esasrec": (
        sized("esasrec", heads=2, epsilon=1e-5, widening=4),
        lambda: ESASRec(2, 4),
        None,
    ),
    # The same with dropout: of the input, the probabilities, the output of attention, and before and after ff2. 2 d wide.
    "recipe_esasrec_dropout": (
        sized("esasrec", heads=2, epsilon=1e-5, widening=2, dropout=0.3),
        lambda: ESASRec(2, 2),
        dropout(2, attention="attention", projection=D, ff1=2 * D, ff2=D),
    ),
    # Pointwise attention with SiLU, bias by distance, no time; cosine scores, temperature 0.05.
    "recipe_hstu": (hstu(2, "none"), lambda: HSTU(2), None),
    # With a bias by the time from an item to the item to predict.
    "recipe_hstu_time_target": (hstu(2, "target"), lambda: HSTU(2, "target"), times),
    # With a bias by the time from an item to the position's own item. 1 head.
    "recipe_hstu_time_history": (hstu(1, "history"), lambda: HSTU(1, "history"), times),
    # With dropout of the input and before the output projection, and time as in the target case.
    "recipe_hstu_dropout": (
        hstu(2, "target", dropout=0.3),
        lambda: HSTU(2, "target"),
        lambda rng, tokens: {**times(rng, tokens), **dropout(2, output=D)(rng, tokens)},
    ),
    # Both ways, post-norm, GELU, feed-forward 4 d wide; masked items at their own positions; tied output without bias.
    "recipe_bert4rec": (bert(4), lambda: BERT4Rec(2, 4), bert_mask),
    # The same with the row T of a type embedding, added at every position.
    "recipe_bert4rec_type": (bert(4, types=True), lambda: BERT4Rec(2, 4, types=True), bert_mask),
    # With dropout after the first norm, of the probabilities and of what both sub-layers add. 2 d wide.
    "recipe_bert4rec_dropout": (
        bert(2, dropout=0.3),
        lambda: BERT4Rec(2, 2),
        lambda rng, tokens: {
            **bert_mask(rng, tokens),
            **dropout(2, LENGTH, attention="attention", projection=D, ff2=D)(rng, tokens),
        },
    ),
    # One GRU of width d with torch's biases, gradients through the whole sequence, tied output without bias.
    "recipe_gru4rec": (sized("gru4rec", biases="two"), lambda: GRU4Rec("two"), None),
    # The same with one bias for each of r and z, and two for the candidate.
    "recipe_gru4rec_one_bias": (sized("gru4rec", biases="one"), lambda: GRU4Rec("one"), None),
}
base.MODEL_CASES.update(RECIPE_CASES)


# ---------------------------------------------------------------- checks


def filled(module):
    """The module in float64 with random parameters."""
    module = module.double()
    for p in module.parameters():
        nn.init.normal_(p, std=0.5)
    return module


def torch_attention(block):
    """torch's multi-head attention with the parameters of a block."""
    attention = nn.MultiheadAttention(D, block.heads, batch_first=True).double()
    with torch.no_grad():
        attention.in_proj_weight.copy_(torch.cat([p.weight.T for p in (block.query, block.key, block.value)]))
        attention.in_proj_bias.copy_(torch.cat([p.bias for p in (block.query, block.key, block.value)]))
        attention.out_proj.weight.copy_(block.projection.weight.T)
        attention.out_proj.bias.copy_(block.projection.bias)
    return attention


def check_attention():
    """Against torch.nn.MultiheadAttention, with queries other than the keys, and pads in front."""
    torch.manual_seed(1)
    q, x = torch.randn(2, 3, 7, D, dtype=torch.float64)
    exists = torch.ones(3, 7, dtype=torch.bool)
    exists[1, :4] = False
    block = filled(AttentionBlock(2))
    future = torch.ones(7, 7, dtype=torch.bool).triu(1)
    for causal in (True, False):
        mine = block.attention(q, x, open_keys(exists, causal), plain)
        torchs, _ = torch_attention(block)(q, x, x, attn_mask=future if causal else None, key_padding_mask=~exists)
        assert torch.allclose(mine[exists], torchs[exists], atol=1e-12)


def check_blocks():
    check_attention()
    x, exists = torch.randn(3, 7, D, dtype=torch.float64), torch.ones(3, 7, dtype=torch.bool)
    future = torch.ones(7, 7, dtype=torch.bool).triu(1)

    # the block of pre-norm against torch's encoder layer
    block = filled(PreBlock(2, True, 1e-8))
    layer = torch_layer(block, norm_first=True, activation=F.relu, epsilon=1e-8, width=D)
    assert torch.allclose(block(x, exists, plain), layer(x, src_mask=future), atol=1e-12)

    # the block of the normalised query, a row at a time
    block = filled(QueryBlock(2, True, 1e-8))
    attention = torch_attention(block)
    q = F.layer_norm(x, (D,), block.norm1.weight, block.norm1.bias, 1e-8)
    expected = torch.zeros_like(x)
    for i in range(7):
        r = q[:, i : i + 1] + attention(q[:, i : i + 1], x[:, : i + 1], x[:, : i + 1])[0]
        f = F.layer_norm(r, (D,), block.norm2.weight, block.norm2.bias, 1e-8)
        inner = (f @ block.ff1.weight + block.ff1.bias).clamp(min=0)
        expected[:, i : i + 1] = f + inner @ block.ff2.weight + block.ff2.bias
    assert torch.allclose(block(x, exists, plain), expected, atol=1e-12)

    # the gated block, a row at a time
    block = filled(GatedBlock(2, 4, 1e-5))
    attention = torch_attention(block)
    sigma = lambda y: 1 / (1 + (-y).exp())
    expected = torch.zeros_like(x)
    for b in range(3):
        y = F.layer_norm(x[b], (D,), block.norm1.weight, block.norm1.bias, 1e-5)
        for i in range(7):
            a = attention(y[None, i : i + 1], y[None, : i + 1], y[None, : i + 1])[0][0, 0]
            x1 = x[b, i] + sigma(x[b, i] @ block.gate1.weight + block.gate1.bias) * a
            z = F.layer_norm(x1, (D,), block.norm2.weight, block.norm2.bias, 1e-5)
            up = z @ block.ff1.weight
            y2 = (up * sigma(up) * (z @ block.ff3.weight)) @ block.ff2.weight
            expected[b, i] = x1 + sigma(x1 @ block.gate2.weight + block.gate2.bias) * y2
    assert torch.allclose(block(x, exists, plain), expected, atol=1e-12)

    check_hstu(x)

    # the block of BERT4Rec against torch's encoder layer, the cell against torch's GRU
    block = filled(BERTBlock(2, 4, 1e-12))
    layer = torch_layer(block, norm_first=False, activation=F.gelu, epsilon=1e-12, width=4 * D)
    some = exists.clone()
    some[2, :3] = False
    assert torch.allclose(block(x, some, plain)[some], layer(x, src_key_padding_mask=~some)[some], atol=1e-12)
    cell, torchs, h = filled(GRU("two")), nn.GRU(D, D, batch_first=True).double(), torch.zeros(3, D).double()
    with torch.no_grad():
        torchs.weight_ih_l0.copy_(cell.input.weight.T)
        torchs.weight_hh_l0.copy_(cell.state.weight.T)
        torchs.bias_ih_l0.copy_(cell.input.bias)
        torchs.bias_hh_l0.copy_(cell.state.bias)
    expected = torchs(x)[0]
    for i in range(7):
        h = cell(x[:, i], h)
        assert torch.allclose(h, expected[:, i], atol=1e-12)


def check_hstu(x):
    """The block written as loops, with pads in front of one sequence."""
    block, d, t = filled(HSTUBlock(2, "target", 1e-6)), D // 2, x.shape[1]
    exists, bucket = torch.ones(3, t, dtype=torch.bool), torch.randint(0, BUCKETS + 1, (3, t, t))
    exists[1, :3] = False
    silu, norm = lambda y: y / (1 + (-y).exp()), lambda n, y: F.layer_norm(y, (D,), n.weight, n.bias, 1e-6)
    expected = torch.zeros_like(x)
    for b in range(3):
        for i in range(t):
            if not exists[b, i]:
                continue
            projected = silu(norm(block.norm1, x[b]) @ block.uvqk.weight)
            o = torch.zeros(D, dtype=torch.float64)
            for head in range(2):
                columns = lambda part: slice(part * D + head * d, part * D + (head + 1) * d)
                for j in range(i + 1):
                    if exists[b, j]:
                        score = (projected[i, columns(2)] * projected[j, columns(3)]).sum()
                        score = score + block.position_bias[INPUTS - 1 - (i - j)] + block.time_bias[bucket[b, i, j]]
                        o[head * d : (head + 1) * d] += silu(score) / INPUTS * projected[j, columns(1)]
            y = projected[i, :D] * norm(block.norm2, o)
            expected[b, i] = x[b, i] + y @ block.projection.weight + block.projection.bias
    assert torch.allclose(block(x, exists, bucket, plain), expected, atol=1e-12)
    assert buckets(torch.tensor([0, 1, -1, 2, 9, -86400, 10**18])).tolist() == [0, 0, 0, 2, 7, 37, 128]


def torch_layer(block, norm_first, activation, epsilon, width):
    """torch's encoder layer with the parameters of a block."""
    layer = nn.TransformerEncoderLayer(
        D, block.heads, width, 0.0, activation, layer_norm_eps=epsilon, batch_first=True, norm_first=norm_first
    ).double()
    layer.self_attn = torch_attention(block)
    with torch.no_grad():
        for mine, torchs in ((block.ff1, layer.linear1), (block.ff2, layer.linear2)):
            torchs.weight.copy_(mine.weight.T)
            torchs.bias.copy_(mine.bias)
        for mine, torchs in ((block.norm1, layer.norm1), (block.norm2, layer.norm2)):
            torchs.load_state_dict(mine.state_dict())
    return layer

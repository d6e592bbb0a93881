"""Computes the scores of a saved model from its file, in double precision, and compares them with the scores saved by srs.

    rebuild.py MODEL.safetensors TOKENS.npy SCORES.npy [--users TOKENS.users.npy]

It is based only on docs/models.md and uses only numpy. Exit status: 0 if they agree; 1 if the largest difference is
above 1e-4 of the range of the scores; 2 if a file cannot be read.
"""

import argparse
import json
import math
import sys

import numpy as np

TOLERANCE = 1e-4
CHUNK = 64


def read_model(path):
    with open(path, "rb") as file:
        content = file.read()
    start = 8 + int.from_bytes(content[:8], "little")
    if start > len(content):
        raise ValueError(f"{path} is not a safetensors file")
    header, body = json.loads(content[8:start]), content[start:]
    metadata = header.pop("__metadata__")
    if metadata.get("format") != "stackrec-model" or metadata.get("version") != "1":
        raise ValueError(f"{path} is not a model of format stackrec-model 1")
    tensors = {}
    for name, entry in header.items():
        if entry["dtype"] != "F32":
            raise ValueError(f"{name} is {entry['dtype']}, expected F32")
        start, end = entry["data_offsets"]
        tensors[name] = np.frombuffer(body[start:end], "<f4").reshape(entry["shape"]).astype(np.float64)
    return metadata, tensors


class Parameters:
    """The tensors of a model. Records which were read, so that none is overlooked."""

    def __init__(self, tensors):
        self.tensors = tensors
        self.unread = set(tensors)

    def __getitem__(self, name):
        self.unread.discard(name)
        return self.tensors[name]


def norm(x, p, name, epsilon):
    centred = x - x.mean(-1, keepdims=True)
    variance = (centred**2).mean(-1, keepdims=True)
    return p[name + ".weight"] * centred / np.sqrt(variance + epsilon) + p[name + ".bias"]


def linear(x, p, name):
    return x @ p[name + ".weight"] + p[name + ".bias"]


def relu(x):
    return np.maximum(x, 0)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def silu(x):
    return x * sigmoid(x)


erf = np.vectorize(math.erf, otypes=[np.float64])


def gelu(x):
    return x * 0.5 * (1 + erf(x / math.sqrt(2)))


def convolution(x, p, name, dilation, causal):
    weight = p[name + ".weight"]
    kernel, time = len(weight), x.shape[1]
    y = np.zeros_like(x) + p[name + ".bias"]
    for j in range(kernel):
        shift = (j - (kernel - 1 if causal else (kernel - 1) // 2)) * dilation
        for t in range(time):
            if 0 <= t + shift < time:
                y[:, t] += x[:, t + shift] @ weight[j]
    return y


def convolution_blocks(x, p, prefix, c, causal):
    for i in range(c["blocks"]):
        block = f"{prefix}.{i}."
        q = c["dilations"][i % len(c["dilations"])]
        y = relu(norm(convolution(x, p, block + "conv1", q, causal), p, block + "norm1", 1e-8))
        y = relu(norm(convolution(y, p, block + "conv2", 2 * q, causal), p, block + "norm2", 1e-8))
        x = x + (p[block + "alpha"] if c["alpha"] else 1) * y
    return x


def masked(tokens):
    tokens = tokens.copy()
    tokens[:, -1] = 0
    return tokens


def nextitnet(c, p, tokens, users):
    return convolution_blocks(p["item_embedding.weight"][tokens[:, :-1]], p, "blocks", c, True)[:, -1]


def grec(configuration, p, tokens, users):
    c = configuration["stack"]
    tuned = "targets" in c["head"]
    before = configuration["architecture"] == "causal" and configuration.get("prediction", "own") == "before"
    tokens = tokens[:, :-1] if tuned or before else masked(tokens)
    x = p["item_embedding.weight"][tokens]
    if configuration["architecture"] == "encoder_decoder":
        s = convolution_blocks(p["encoder_embedding.weight"][tokens], p, "encoder.blocks", c, False) + x
        x = s + linear(gelu(linear(s, p, "projector.up")), p, "projector.down")
        if not tuned:
            x = x[:, :-1]
    return convolution_blocks(x, p, "blocks", c, True)[:, -1]


def future(time):
    """Positions j > i."""
    return np.triu(np.ones((time, time), bool), 1)


def heads_of(width, heads):
    size = width // heads
    return [slice(head * size, (head + 1) * size) for head in range(heads)]


def attention(y, z, p, block, heads, causal=True):
    q, k, v = linear(y, p, block + "query"), linear(z, p, block + "key"), linear(z, p, block + "value")
    out = np.zeros_like(y)
    for columns in heads_of(y.shape[2], heads):
        weights = q[..., columns] @ k[..., columns].transpose(0, 2, 1) / math.sqrt(columns.stop - columns.start)
        if causal:
            weights[:, future(y.shape[1])] = -np.inf
        weights = np.exp(weights - weights.max(-1, keepdims=True))
        out[..., columns] = weights / weights.sum(-1, keepdims=True) @ v[..., columns]
    return out


def positions(c, p, time):
    return p["position_embedding.weight"][c["length"] - 1 - time :]


def sasrec(c, p, tokens, users):
    if "variant" in c:
        return variant(c, p, tokens)
    x = p["item_embedding.weight"][tokens[:, :-1]]
    time = x.shape[1]
    if "users" in c:
        user = p["user_embedding.weight"][users]
        x = np.concatenate([np.repeat(user[:, None], time, axis=1), x], axis=2)
    x = norm(x + positions(c, p, time), p, "norm", 1e-5)
    for i in range(c["blocks"]):
        block = f"blocks.{i}."
        alpha1, alpha2 = (p[block + "alpha1"], p[block + "alpha2"]) if c["alpha"] else (1, 1)
        x = norm(x + alpha1 * attention(x, x, p, block, c["heads"]), p, block + "norm1", 1e-5)
        x = norm(x + alpha2 * feed_forward(x, p, block), p, block + "norm2", 1e-5)
    return x[:, -1]


def feed_forward(z, p, block):
    return linear(relu(linear(z, p, block + "ff1")), p, block + "ff2")


def gated_feed_forward(z, p, block):
    return (silu(z @ p[block + "ff1.weight"]) * (z @ p[block + "ff3.weight"])) @ p[block + "ff2.weight"]


def variant(c, p, tokens):
    v = c["variant"]
    x = (math.sqrt(c["dim"]) if v["isScaled"] else 1) * p["item_embedding.weight"][tokens[:, :-1]]
    x = x + positions(c, p, x.shape[1])
    for i in range(c["blocks"]):
        x = transformer_block(x, c, p, f"blocks.{i}.")
    if v["form"] in ("pre", "query"):
        x = norm(x, p, "norm", v["epsilon"])
    return x[:, -1]


def transformer_block(x, c, p, block):
    v = c["variant"]

    def a(y, z):
        out = attention(y, z, p, block, c["heads"])
        return linear(out, p, block + "projection") if v["isProjected"] else out

    def ln1(z):
        return norm(z, p, block + "norm1", v["epsilon"])

    def ln2(z):
        return norm(z, p, block + "norm2", v["epsilon"])

    if v["form"] == "post":
        r = ln1(x + a(x, x))
        return ln2(r + feed_forward(r, p, block))
    n = ln1(x)
    if v["form"] == "pre":
        r = x + a(n, n)
        return r + feed_forward(ln2(r), p, block)
    if v["form"] == "query":
        f = ln2(n + a(n, x))
        return f + feed_forward(f, p, block)
    if v["form"] == "gated":
        r = x + sigmoid(linear(x, p, block + "gate1")) * a(n, n)
        return r + sigmoid(linear(r, p, block + "gate2")) * gated_feed_forward(ln2(r), p, block)
    raise ValueError(f"unknown form of a block: {v['form']}")


def hstu(c, p, tokens, users):
    x = math.sqrt(c["dim"]) * p["item_embedding.weight"][tokens[:, :-1]]
    time, count = x.shape[1], c["length"] - 1
    x = x + positions(c, p, time)
    distance = np.arange(time)[:, None] - np.arange(time)
    for i in range(c["blocks"]):
        block = f"blocks.{i}."
        u, v, q, k = np.split(silu(norm(x, p, block + "norm1", 1e-6) @ p[block + "uvqk.weight"]), 4, axis=-1)
        bias = p[block + "position_bias"][count - 1 - distance]
        out = np.zeros_like(x)
        for columns in heads_of(c["dim"], c["heads"]):
            weights = silu(q[..., columns] @ k[..., columns].transpose(0, 2, 1) + bias) / count
            weights[:, future(time)] = 0
            out[..., columns] = weights @ v[..., columns]
        x = x + linear(u * norm(out, p, block + "norm2", 1e-6), p, block + "projection")
    return x[:, -1]


def bert4rec(c, p, tokens, users):
    tokens = tokens[:, :-1] if "targets" in c["head"] else masked(tokens)
    time = tokens.shape[1]
    x = norm(p["item_embedding.weight"][tokens] + p["position_embedding.weight"][c["length"] - time :], p, "norm", 1e-12)
    for i in range(c["blocks"]):
        block = f"blocks.{i}."
        a = linear(attention(x, x, p, block, c["heads"], causal=False), p, block + "projection")
        r = norm(x + a, p, block + "norm1", 1e-12)
        inner = linear(gelu(linear(r, p, block + "ff1")), p, block + "ff2")
        x = norm(r + inner, p, block + "norm2", 1e-12)
    return x[:, -1]


KINDS = {"nextitnet": nextitnet, "grec": grec, "sasrec": sasrec, "ssept": sasrec, "esasrec": sasrec, "hstu": hstu}
KINDS["bert4rec"] = bert4rec


def gru4rec(c, p, tokens, users):
    x = p["item_embedding.weight"][tokens[:, :-1]]
    for i in range(c["blocks"]):
        block = f"blocks.{i}."
        h, states = np.zeros_like(x[:, 0]), []
        for t in range(x.shape[1]):
            xr, xz, xn = np.split(linear(x[:, t], p, block + "input"), 3, axis=-1)
            hr, hz, hn = np.split(linear(h, p, block + "state"), 3, axis=-1)
            r, z = sigmoid(xr + hr), sigmoid(xz + hz)
            h = (1 - z) * np.tanh(xn + r * hn) + z * h
            states.append(h)
        x = np.stack(states, axis=1)
    return x[:, -1]


KINDS["gru4rec"] = gru4rec


def groups(c, tokens):
    """Pairs of a position and the indices of the rows whose sequences begin there and are computed without padding."""
    pads = c.get("pads")
    if pads not in (None, "none"):
        raise ValueError(f"unknown value of pads: {pads}")
    exists = tokens[:, :-1] != 0
    # A sequence without items before its target begins at its target.
    starts = np.where(exists.any(1), exists.argmax(1), tokens.shape[1] - 1) if pads else np.zeros(len(tokens), int)
    for start in np.unique(starts):
        rows = np.flatnonzero(starts == start)
        for chunk in range(0, len(rows), CHUNK):
            yield start, rows[chunk : chunk + CHUNK]


def last_hidden_states(kind, configuration, c, p, tokens, users):
    h = np.zeros((len(tokens), c["dim"] + c.get("users", {"dim": 0})["dim"]))
    for start, rows in groups(c, tokens):
        if start < tokens.shape[1] - 1:
            h[rows] = KINDS[kind](configuration, p, tokens[rows, start:], None if users is None else users[rows])
    return h


def unit(x):
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-6)


def outputs(kind, c, p, h):
    if "targets" in c["head"]:
        return h @ p["target_embedding.weight"].T
    if kind == "hstu":
        return unit(h) @ unit(p["item_embedding.weight"]).T / c["temperature"]
    if kind in ("bert4rec", "gru4rec") or c.get("tie"):
        return h @ p["item_embedding.weight"].T
    if "variant" in c:
        return h @ p["item_embedding.weight" if c["variant"]["isTied"] else "output.weight"].T
    return h @ p["output.weight"].T + p["output.bias"]


def scores(metadata, tensors, tokens, users):
    kind, configuration = metadata["kind"], json.loads(metadata["configuration"])
    c = configuration.get("stack", configuration)
    if kind not in KINDS:
        raise ValueError(f"unknown kind of model: {kind}")
    if "users" in c and users is None:
        raise ValueError("this model embeds users: give --users")
    p = Parameters(tensors)
    result = outputs(kind, c, p, last_hidden_states(kind, configuration, c, p, tokens, users))
    if p.unread:
        raise ValueError(f"the file has tensors that no rule reads: {sorted(p.unread)}")
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("tokens", help="int32 (sequences, t)")
    parser.add_argument("scores", help="float32 (sequences, items)")
    parser.add_argument("--users", help="int32 (sequences)")
    arguments = parser.parse_args()
    try:
        metadata, tensors = read_model(arguments.model)
        tokens = np.load(arguments.tokens)
        users = np.load(arguments.users) if arguments.users else None
        given = np.load(arguments.scores)
        rebuilt = scores(metadata, tensors, tokens, users)
        if given.shape != rebuilt.shape:
            raise ValueError(f"the scores are {given.shape}, the model gives {rebuilt.shape}")
    except (OSError, KeyError, IndexError, ValueError) as error:
        print(f"rebuild.py: {error}", file=sys.stderr)
        return 2
    extent = rebuilt.max() - rebuilt.min()
    difference = np.abs(given - rebuilt).max()
    # Comparisons with NaN are false; this form makes NaN fail.
    agree = difference <= TOLERANCE * extent
    print(
        f"{metadata['kind']}: {len(rebuilt)} sequences, {rebuilt.shape[1]} items, range of scores {extent:.4g}, "
        f"largest difference {difference:.2e} ({difference / extent if extent else math.inf:.1e} of the range): "
        + ("agree" if agree else "DIFFER")
    )
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())

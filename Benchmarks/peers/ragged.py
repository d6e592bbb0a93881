"""Training steps on histories of unequal length: srs without padding, srs padded, and PyTorch.

    python ragged.py DATA_FILE --srs ../../.build/release/srs [--length 50] [--batch 256] [--core 5] [--threads 2]

PyTorch is measured padded, as one writes it, and with batches of sequences of similar length, each cut to its longest one
(`bucketed`), both eager: the number of targets differs from batch to batch, so that compiled steps would be compiled again. All train
the same model on the same sequences. Prints a table of milliseconds per step, medians over the steps after a warm-up; for srs
the mean of 40 steps.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

DIM = 64


class SASRec(nn.Module):
    def __init__(self, items, length, blocks=2):
        super().__init__()
        self.items = nn.Embedding(items, DIM)
        self.positions = nn.Parameter(0.01 * torch.randn(length - 1, DIM))
        self.norm = nn.LayerNorm(DIM)
        self.blocks = nn.ModuleList(AttentionBlock() for _ in range(blocks))
        self.output = nn.Linear(DIM, items)

    def forward(self, tokens):
        x = self.norm(self.items(tokens) + self.positions[-tokens.shape[1] :])
        for block in self.blocks:
            x = block(x)
        return x


class AttentionBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(DIM, 3 * DIM)
        self.norm1, self.norm2 = nn.LayerNorm(DIM), nn.LayerNorm(DIM)
        self.ff1, self.ff2 = nn.Linear(DIM, DIM), nn.Linear(DIM, DIM)
        self.alpha1, self.alpha2 = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))

    def forward(self, x):
        q, k, v = self.qkv(x).chunk(3, -1)
        x = self.norm1(x + self.alpha1 * F.scaled_dot_product_attention(q, k, v, is_causal=True))
        return self.norm2(x + self.alpha2 * self.ff2(F.relu(self.ff1(x))))


class NextItNet(nn.Module):
    def __init__(self, items, length, blocks=8):
        super().__init__()
        self.items = nn.Embedding(items, DIM)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(DIM, DIM, (1, 3), dilation=(1, (1, 4)[i // 2 % 2] * (1 + i % 2))) for i in range(2 * blocks)
        ).to(memory_format=torch.channels_last)
        self.norms = nn.ModuleList(nn.LayerNorm(DIM, eps=1e-8) for _ in range(2 * blocks))
        self.alphas = nn.Parameter(torch.zeros(blocks))
        self.output = nn.Linear(DIM, items)

    def forward(self, tokens):
        x = self.items(tokens)
        for block in range(len(self.alphas)):
            y = x
            for i in (2 * block, 2 * block + 1):
                reach = 2 * self.convolutions[i].dilation[1]
                y = F.pad(y, (0, 0, reach, 0)).transpose(1, 2).unsqueeze(2)
                y = F.relu(self.norms[i](self.convolutions[i](y).squeeze(2).transpose(1, 2)))
            x = x + self.alphas[block] * y
        return x


def loss_of(model, tokens, negatives, chunk):
    hidden, targets = model(tokens[:, :-1])[tokens[:, 1:] != 0], tokens[:, 1:][tokens[:, 1:] != 0]
    if negatives is None:
        if not chunk:
            return F.cross_entropy(model.output(hidden), targets)
        options = nn.LinearCrossEntropyOptions(batch_chunk_size=512)
        return F.linear_cross_entropy(hidden, model.output.weight, targets, linear_bias=model.output.bias, options=options)
    weight, bias = model.output.weight, model.output.bias
    own = (hidden * F.embedding(targets, weight)).sum(-1) + bias[targets]
    others = torch.addmm(bias[negatives], hidden, F.embedding(negatives, weight).T)
    others = others.masked_fill(targets[:, None] == negatives, -float("inf"))
    return (torch.logaddexp(others.logsumexp(-1), own) - own).mean()


def batches(tokens, size, bucketed, steps, rng):
    order = rng.permutation(len(tokens))
    if bucketed:
        # Sorted by length within groups of 50 batches, then shuffled: bucketing as it is commonly done.
        lengths = (tokens != 0).sum(1)
        groups = [g[np.argsort(lengths[g], kind="stable")] for g in np.array_split(order, max(1, len(order) // (50 * size)))]
        order = np.concatenate(groups)
    parts = [order[i : i + size] for i in range(0, len(order) - size + 1, size)]
    rng.shuffle(parts)
    for step in range(steps):
        batch = tokens[parts[step % len(parts)]]
        if bucketed:
            batch = batch[:, -max(2, int((batch != 0).sum(1).max())) :]
        yield torch.from_numpy(np.ascontiguousarray(batch))


def measure(kind, tokens, items, size, negatives, bucketed, compiled, chunk, warmup=8, steps=30):
    torch.manual_seed(0)
    model = (SASRec if kind == "sasrec" else NextItNet)(items, tokens.shape[1])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    function = torch.compile(loss_of, dynamic=False) if compiled else loss_of
    times = []
    for step, batch in enumerate(batches(tokens, size, bucketed, warmup + steps, np.random.default_rng(0))):
        start = time.perf_counter()
        drawn = torch.randperm(items - 1)[:negatives] + 1 if negatives else None
        optimizer.zero_grad()
        function(model, batch, drawn, chunk).backward()
        optimizer.step()
        if step >= warmup:
            times.append(1000 * (time.perf_counter() - start))
    # The mean over buckets is what an epoch costs.
    return statistics.mean(times) if bucketed else statistics.median(times)


def srs(arguments, options, pads):
    with tempfile.TemporaryDirectory() as folder:
        script = Path(__file__).with_name("ragged.srs")
        given = {"data_file": arguments.data_file, "core": arguments.core, "length": arguments.length, "pads": pads}
        given.update(batch=arguments.batch, tokens=f"{folder}/tokens.npy", **options)
        command = [arguments.srs, "run", str(script), "--quiet", "--no-record", "--threads", str(arguments.threads), "--out", folder]
        for name, value in given.items():
            command += ["--set", f"{name}={value}"]
        subprocess.run(command, check=True)
        result = json.loads(Path(f"{folder}/step.json").read_text())
        return result, np.load(f"{folder}/tokens.npy").astype(np.int64)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_file")
    parser.add_argument("--srs", default="srs")
    parser.add_argument("--length", type=int, default=50)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--core", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--kinds", default="sasrec,nextitnet")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print("model, loss, real positions, srs none, srs item, none/item, PyTorch padded, bucketed, none/padded, none/bucketed")
    for kind in arguments.kinds.split(","):
        for negatives in (256, 0):
            options = {"kind": kind, "negatives": negatives}
            ours, tokens = srs(arguments, options, "none")
            padded, _ = srs(arguments, options, "item")
            real = ((tokens != 0).sum(1) - 1).clip(0).mean() / (tokens.shape[1] - 1)
            items = ours["items"] + 1
            peer = min(
                measure(kind, tokens, items, arguments.batch, negatives, False, compiled=False, chunk=chunk)
                for chunk in ((False, True) if negatives == 0 else (False,))
            )
            bucketed = measure(kind, tokens, items, arguments.batch, negatives, True, compiled=False, chunk=negatives == 0)
            a, b = ours["ms"], padded["ms"]
            loss = f"{negatives} negatives" if negatives else "full softmax"
            print(
                f"{kind}, {loss}, {real:.3f}, {a:.1f}, {b:.1f}, {a / b:.2f}, {peer:.1f}, {bucketed:.1f}, {a / peer:.2f}, {a / bucketed:.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()

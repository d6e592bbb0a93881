"""The workloads of `srs bench` in PyTorch, for comparison.

    python peer.py WORK [--threads 2] [--steps 20] [--warmup 5] [--mode eager|compile|both] [--style idiomatic|tuned]
    python peer.py --list

Writes one JSON line per mode. Both styles use LayerNorm, scaled_dot_product_attention and fused Adam, and compile the whole
loss at once with fixed shapes. `idiomatic` is common code: Conv1d, cross_entropy. `tuned` is the fastest variant
found in an afternoon, and may differ between eager and compiled.

What was tried (ms on two cores of a shared AVX-512 server, so the error is about +-20 %):
  convolution     8 blocks, forward and backward, eager/compiled: Conv1d over (B, C, T) 79/52, Conv1d over (B, T, C) with
                  channels-last weights 65/53, one matrix product over three concatenated taps 76/51, Conv2d with kernel (1, 3)
                  over channels-last memory 52/45: used
  full softmax    4,864 rows, 3,590 items, eager/compiled: cross_entropy 154/99, linear_cross_entropy with chunks of 512
                  54/53: used (256: 58/55)
  sampled softmax 24,000 items, eager/compiled: in one piece with a comparison mask 254/94, in chunks of 608 with the target
                  logit scattered in 111/108: chunks used for eager, one piece for compiled
  embeddings      24,000 items, eager, whole step: dense with fused Adam 236, sparse with SparseAdam 209, within the
                  noise; torch.compile fails on sparse gradients: dense used
  attention       24 blocks, whole step, eager/compiled: scaled_dot_product_attention over (B, T, d) 329/274, over
                  (B, 1, T, d) 285/328: the second used for eager, the first for compiled; with baddbmm 259/285
  evaluation      compiled, batches of 250 1378, 500 1604; eager, batches of 500, two comparisons 3205, heaviside 2794
  allocator       glibc configured to keep freed memory: 94 instead of 24,360 page faults per step of nextitnet-32-sampled, times the
                  same or a little better: used
"""

import argparse
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import time
from types import SimpleNamespace as Work

BATCH, LENGTH, DIM, KERNEL = 256, 20, 64, 3
DILATIONS = (1, 4)
SHARE = 0.2
SEQUENCES = 10_000
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "4294967296", "MALLOC_TRIM_THRESHOLD_": "4294967296", "MALLOC_TOP_PAD_": "67108864"}
DROPOUT, SWAP_USER, SWAP_ITEM, USERS = 0.2, 0.8, 0.01, 10_000

WORKS = {
    "nextitnet-32-sampled": Work(model="nextitnet", blocks=32, items=3_590, loss="sampled"),
    "nextitnet-8-24k-sampled": Work(model="nextitnet", blocks=8, items=24_000, loss="sampled"),
    "nextitnet-16-full": Work(model="nextitnet", blocks=16, items=3_590, loss="full"),
    "sasrec-24-full": Work(model="sasrec", blocks=24, items=3_590, loss="full"),
    "ssept-8": Work(model="ssept", blocks=8, items=3_590, loss="full"),
    "grec-8": Work(model="grec", blocks=8, items=3_590, loss="full"),
    "evaluate-16-24k": Work(model="nextitnet", blocks=16, items=24_000, loss="evaluate"),
}


def peak_memory_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def worker(name, mode, threads, steps, warmup, tuned):
    try:
        import torch
        import torch.nn.functional as F
        from torch import nn
    except ImportError:
        sys.exit("PyTorch is missing in this Python; Benchmarks/peers/README.md says how to install it")

    baseline = peak_memory_mb()
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    work = WORKS[name]
    rows = work.items + 1

    class Convolution(nn.Module):
        def __init__(self, dilation, causal):
            super().__init__()
            reach = (KERNEL - 1) * dilation
            self.past = reach if causal else 0
            padding = 0 if causal else (0, reach // 2)
            if not tuned:
                self.convolution = nn.Conv1d(DIM, DIM, KERNEL, dilation=dilation, padding=0 if causal else reach // 2)
                nn.init.trunc_normal_(self.convolution.weight, std=0.02)
                nn.init.zeros_(self.convolution.bias)
                self.norm = nn.LayerNorm(DIM, eps=1e-8)
                return
            self.convolution = nn.Conv2d(DIM, DIM, (1, KERNEL), dilation=(1, dilation), padding=padding)
            nn.init.trunc_normal_(self.convolution.weight, std=0.02)
            nn.init.zeros_(self.convolution.bias)
            self.to(memory_format=torch.channels_last)
            self.norm = nn.LayerNorm(DIM, eps=1e-8)

        def forward(self, x):
            if not tuned:
                y = self.convolution(F.pad(x.transpose(1, 2), (self.past, 0)))
                return F.relu(self.norm(y.transpose(1, 2)))
            y = F.pad(x, (0, 0, self.past, 0)) if self.past else x
            y = self.convolution(y.transpose(1, 2).unsqueeze(2)).squeeze(2).transpose(1, 2)
            return F.relu(self.norm(y))

    class Block(nn.Module):
        def __init__(self, position, causal=True):
            super().__init__()
            dilation = DILATIONS[position % len(DILATIONS)]
            self.inner = nn.Sequential(Convolution(dilation, causal), Convolution(2 * dilation, causal))
            self.alpha = nn.Parameter(torch.zeros(1))

        def forward(self, x):
            return x + self.alpha * self.inner(x)

    def blocks(count, **options):
        return nn.Sequential(*(Block(i, **options) for i in range(count)))

    class AttentionBlock(nn.Module):
        def __init__(self, dim, dropout):
            super().__init__()
            self.qkv = nn.Linear(dim, 3 * dim)
            self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
            self.ff1, self.ff2 = nn.Linear(dim, dim), nn.Linear(dim, dim)
            self.alpha1, self.alpha2 = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))
            self.dropout = dropout

        def forward(self, x):
            p = self.dropout if self.training else 0.0
            if tuned and mode == "eager" and not p:
                q, k, v = self.qkv(x).unsqueeze(1).chunk(3, -1)
                y = F.scaled_dot_product_attention(q, k, v, is_causal=True).squeeze(1)
            else:
                q, k, v = self.qkv(x).chunk(3, -1)
                y = F.scaled_dot_product_attention(q, k, v, is_causal=True, dropout_p=p)
            x = self.norm1(x + self.alpha1 * y)
            y = self.ff2(F.dropout(F.relu(self.ff1(x)), p))
            return self.norm2(x + self.alpha2 * F.dropout(y, p))

    def embedding(count, dim=DIM, std=0.01):
        layer = nn.Embedding(count, dim)
        nn.init.trunc_normal_(layer.weight, std=std)
        return layer

    class Head(nn.Module):
        def __init__(self, dim=DIM):
            super().__init__()
            self.weight = nn.Parameter(0.01 * torch.randn(rows, dim))
            self.bias = nn.Parameter(torch.full((rows,), 0.1))

        def full(self, hidden, targets):
            if not tuned:
                return F.cross_entropy(F.linear(hidden, self.weight, self.bias), targets, ignore_index=0)
            options = nn.LinearCrossEntropyOptions(batch_chunk_size=512)
            return F.linear_cross_entropy(hidden, self.weight, targets, linear_bias=self.bias, ignore_index=0, options=options)

        def sampled(self, hidden, targets, negatives, log_expected):
            rows_of = lambda items: F.embedding(items, self.weight)
            own = (hidden * rows_of(targets)).sum(-1) + self.bias[targets] - log_expected[targets]
            if mode == "compile" or not tuned:
                others = torch.addmm(self.bias[negatives] - log_expected[negatives], hidden, rows_of(negatives).T)
                others = others.masked_fill(targets[:, None] == negatives, -math.inf)
                return (torch.logaddexp(others.logsumexp(-1), own) - own).mean()
            # The target's logit replaces that of the same item among the negatives, which removes accidental hits. If the
            # target is not among them, its logit goes to the extra last column.
            count = len(negatives)
            place = torch.full((rows,), count)
            place[negatives] = torch.arange(count)
            places = place[targets]
            candidates = F.pad(negatives, (0, 1))
            weight = rows_of(candidates)
            shift = self.bias[candidates] - F.pad(log_expected[negatives], (0, 1), value=math.inf)
            total = 0
            for h, o, p in zip(hidden.split(608), own.split(608), places.split(608)):
                logits = torch.addmm(shift, h, weight.T).scatter_(1, p[:, None], o[:, None])
                total = total + F.cross_entropy(logits, p, reduction="sum")
            return total / len(targets)

    class NextItNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.items, self.blocks, self.head = embedding(rows, std=0.02), blocks(work.blocks), Head()

        def forward(self, items):
            return self.blocks(self.items(items))

    class GRec(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder_items, self.items = embedding(rows, std=0.02), embedding(rows, std=0.02)
            self.encoder, self.blocks = blocks(work.blocks, causal=False), blocks(work.blocks)
            self.up, self.down = nn.Linear(DIM, 2 * DIM), nn.Linear(2 * DIM, DIM)
            self.head = Head()

        def forward(self, masked, items):
            x = self.encoder(self.encoder_items(masked)) + self.items(items)
            x = x + self.down(F.gelu(self.up(x)))
            return self.blocks(x[:, :-1])

    class SASRec(nn.Module):
        def __init__(self, user_dim=0, dropout=0.0):
            super().__init__()
            dim = DIM + user_dim
            self.users = embedding(USERS, user_dim) if user_dim else None
            self.items, self.positions = embedding(rows), nn.Parameter(0.01 * torch.randn(LENGTH - 1, dim))
            self.norm = nn.LayerNorm(dim)
            self.blocks = nn.Sequential(*(AttentionBlock(dim, dropout) for _ in range(work.blocks)))
            self.head = Head(dim)
            self.dropout = dropout

        def forward(self, items, users=None):
            x = self.items(items)
            if users is not None:
                x = torch.cat([self.users(users)[:, None].expand(-1, items.shape[1], -1), x], -1)
            x = F.dropout(x + self.positions, self.dropout, self.training)
            return self.blocks(self.norm(x))

    tokens = torch.randint(1, rows, (SEQUENCES, LENGTH))
    users = torch.randint(0, USERS, (SEQUENCES,))
    order = torch.randperm(SEQUENCES)

    if work.model == "nextitnet":
        model = NextItNet()
    elif work.model == "grec":
        model = GRec()
    elif work.model == "sasrec":
        model = SASRec()
    else:
        model = SASRec(DIM, DROPOUT)

    if work.loss == "sampled":
        ranks = torch.arange(work.items, dtype=torch.float64)
        p = torch.log((ranks + 2) / (ranks + 1)) / math.log(work.items + 1)
        negatives_count = round(SHARE * work.items)
        low, high = 0.0, 1e9
        for _ in range(100):
            tries = (low + high) / 2
            if -torch.expm1(tries * torch.log1p(-p)).sum() < negatives_count: low = tries
            else: high = tries
        log_expected = F.pad(torch.log(-torch.expm1(tries * torch.log1p(-p))), (1, 0)).float()
        probabilities = p.float()

        def loss(tokens, negatives):
            return model.head.sampled(model(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten(), negatives, log_expected)

        def batch(at):
            return tokens[at], torch.multinomial(probabilities, negatives_count) + 1
    elif work.model == "grec":
        count = round(0.2 * (LENGTH - 1))

        def loss(tokens, places):
            hidden = model(tokens.scatter(1, places, 0), tokens)
            hidden = hidden.gather(1, (places - 1)[..., None].expand(-1, -1, DIM))
            return model.head.full(hidden.flatten(0, 1), tokens.gather(1, places).flatten())

        def batch(at):
            return tokens[at], torch.rand(len(at), LENGTH - 1).topk(count).indices + 1
    elif work.model == "ssept":
        def loss(tokens, items, users):
            return model.head.full(model(items, users).flatten(0, 1), tokens[:, 1:].flatten())

        def batch(at):
            t = tokens[at]
            items, who = t[:, :-1], users[at]
            swap = (torch.rand(items.shape) < SWAP_ITEM) & (items != 0)
            items = torch.where(swap, torch.randint(1, rows, items.shape), items)
            who = torch.where(torch.rand(len(at)) < SWAP_USER, torch.randint(0, USERS, who.shape), who)
            return t, items, who
    else:
        def loss(tokens):
            return model.head.full(model(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten())

        def batch(at):
            return (tokens[at],)

    def rank(tokens):
        hidden = model(tokens[:, :-1])[:, -1]
        scores = F.linear(hidden, model.head.weight[1:], model.head.bias[1:])
        own = scores.gather(1, tokens[:, -1:] - 1)
        if tuned and mode == "eager":
            return torch.heaviside(scores - own, own.new_tensor(0.5)).sum(-1) - 0.5
        return (scores > own).sum(-1) + ((scores == own).sum(-1) - 1) / 2

    step_function = rank if work.loss == "evaluate" else loss
    if mode == "compile":
        step_function = torch.compile(step_function, dynamic=False)

    if work.loss == "evaluate":
        model.eval()
        size = 250 if tuned and mode == "compile" else 500
        def step(i):
            with torch.inference_mode():
                ranks = torch.cat([step_function(part) for part in tokens.split(size)])
                values = []
                for k in (5, 10):
                    hit = ranks < k
                    for g in (1 / (ranks + 1), torch.ones_like(ranks, dtype=torch.float), 1 / torch.log2(ranks + 2)):
                        values.append(torch.where(hit, g, 0).mean().item())
            return values[0]
    else:
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)

        def step(i):
            start = i * BATCH % (SEQUENCES - BATCH)
            value = step_function(*batch(order[start : start + BATCH]))
            value.backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            return value.item()
    for i in range(warmup):
        step(i)
    times = []
    for i in range(steps):
        start = time.perf_counter()
        last = step(warmup + i)
        times.append((time.perf_counter() - start) * 1e3)
    times.sort()
    at = lambda share: times[min(len(times) - 1, int(share * len(times)))]
    per_step = SEQUENCES if work.loss == "evaluate" else BATCH
    line = {
        "program": "pytorch", "mode": mode, "style": "tuned" if tuned else "idiomatic", "work": name, "threads": threads, "steps": steps, "median_ms": at(0.5),
        "low_ms": at(0.25), "high_ms": at(0.75), "sequences_per_second": per_step / at(0.5) * 1e3,
        "peak_memory_mb": peak_memory_mb(), "baseline_memory_mb": baseline, "loss": last, "torch": torch.__version__,
    }  # fmt: skip
    print(json.dumps(line), flush=True)


def main():
    parser = argparse.ArgumentParser(description="The workloads of `srs bench` in PyTorch.")
    parser.add_argument("work", nargs="?", choices=WORKS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, help="timed steps (default: 20, or 3 evaluations)")
    parser.add_argument("--warmup", type=int, default=5)
    parser.add_argument("--mode", choices=["eager", "compile", "both"], default="both")
    parser.add_argument("--style", choices=["idiomatic", "tuned"], default="idiomatic")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    if options.list:
        print("\n".join(WORKS))
        return
    if not options.work:
        parser.error("name a workload; --list names them")
    evaluates = WORKS[options.work].loss == "evaluate"
    steps = options.steps or (3 if evaluates else 20)
    warmup = min(options.warmup, 1) if evaluates else options.warmup
    if options.mode != "both" and all(os.environ.get(k) == v for k, v in ALLOCATOR.items()):
        worker(options.work, options.mode, options.threads, steps, warmup, options.style == "tuned")
        return
    # One process per mode: each has its own peak memory, and glibc reads its settings at the start.
    failed = False
    for mode in ("eager", "compile") if options.mode == "both" else (options.mode,):
        given = ["--threads", options.threads, "--steps", steps, "--warmup", warmup, "--mode", mode, "--style", options.style]
        command = [sys.executable, __file__, options.work, *map(str, given)]
        failed |= subprocess.run(command, env={**os.environ, **ALLOCATOR}).returncode != 0
    if failed:
        sys.exit(1)


if __name__ == "__main__":
    main()

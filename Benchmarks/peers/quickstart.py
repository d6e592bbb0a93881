"""Trains the from-scratch model of scripts/quickstart.srs in PyTorch, on the same sequences, to compare its metrics.

    srs run Benchmarks/peers/quickstart.srs --set data_file=FILE --set out=DIR      writes the split
    python quickstart.py DIR [--blocks 16] [--steps 900] [--rate 1e-3] [--seed 1]

NextItNet as published, with StackRec's residual weight; full softmax, Adam, batch 256; keeps the best of the evaluations
every 50 steps by validation MRR@5. Prints its test metrics and those of a first-order Markov baseline.
"""

import argparse
import collections
import copy
import os

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    def __init__(self, width, dilation):
        super().__init__()
        self.conv1 = nn.Conv1d(width, width, 3, dilation=dilation)
        self.conv2 = nn.Conv1d(width, width, 3, dilation=2 * dilation)
        self.norm1 = nn.LayerNorm(width, eps=1e-8)
        self.norm2 = nn.LayerNorm(width, eps=1e-8)
        self.alpha = nn.Parameter(torch.zeros(1))
        for conv in (self.conv1, self.conv2):
            nn.init.trunc_normal_(conv.weight, std=0.02, a=-0.04, b=0.04)
            nn.init.zeros_(conv.bias)

    def forward(self, x):
        y = x
        for conv, norm in ((self.conv1, self.norm1), (self.conv2, self.norm2)):
            y = conv(F.pad(y, (2 * conv.dilation[0], 0)))
            y = F.relu(norm(y.transpose(1, 2))).transpose(1, 2)
        return x + self.alpha * y


class NextItNet(nn.Module):
    def __init__(self, items, width, blocks):
        super().__init__()
        self.items = nn.Embedding(items, width)
        self.blocks = nn.Sequential(*[Block(width, [1, 4][i % 2]) for i in range(blocks)])
        self.output = nn.Linear(width, items)
        nn.init.trunc_normal_(self.items.weight, std=0.02, a=-0.04, b=0.04)
        nn.init.normal_(self.output.weight, std=0.01)
        nn.init.constant_(self.output.bias, 0.1)

    def forward(self, x):
        return self.blocks(self.items(x).transpose(1, 2)).transpose(1, 2)


def ranks(scores, targets):
    """Ranks from 0 among all items except the padding; a tie counts as half."""
    own = scores.gather(1, targets[:, None])
    scores = scores[:, 1:]
    return (scores > own).sum(1) + ((scores == own).sum(1) - 1) / 2


def metrics(all_ranks):
    r = all_ranks.double()
    return {
        "MRR@5": torch.where(r < 5, 1 / (r + 1), 0).mean().item(),
        "HR@5": (r < 5).double().mean().item(),
        "HR@10": (r < 10).double().mean().item(),
    }


@torch.no_grad()
def evaluate(model, sequences):
    found = []
    for part in sequences.split(500):
        hidden = model(part[:, :-1])[:, -1]
        found.append(ranks(model.output(hidden), part[:, -1]))
    return metrics(torch.cat(found))


def markov(train, test, items):
    """Scores items by how often they followed the last item; popularity breaks ties and scores items that never did."""
    follows = collections.defaultdict(collections.Counter)
    popular = torch.zeros(items)
    for row in train.tolist():
        for item in row:
            popular[item] += item != 0
        for a, b in zip(row, row[1:]):
            if a and b:
                follows[a][b] += 1
    back_off = popular / (popular.sum() + 1)
    scores = torch.stack([back_off.clone() for _ in range(len(test))])
    for i, row in enumerate(test.tolist()):
        for item, count in follows[row[-2]].items():
            scores[i, item] += count
    return metrics(ranks(scores, test[:, -1]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--blocks", type=int, default=16)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_num_threads(2)

    def load(name):
        return torch.from_numpy(np.load(os.path.join(options.folder, name + ".npy")).astype(np.int64))

    train, valid, test = load("train"), load("valid"), load("test")
    items = int(max(part.max() for part in (train, valid, test))) + 1
    print("first-order Markov", markov(train, test, items), flush=True)
    model = NextItNet(items, options.width, options.blocks)
    optimizer = torch.optim.Adam(model.parameters(), lr=options.rate, eps=1e-8)
    best, best_state, order = -1.0, None, torch.empty(0, dtype=torch.int64)
    for step in range(1, options.steps + 1):
        if len(order) < 256:
            order = torch.randperm(len(train))
        rows, order = train[order[:256]], order[256:]
        targets = rows[:, 1:]
        counted = targets != 0
        loss = F.cross_entropy(model.output(model(rows[:, :-1])[counted]), targets[counted])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if step % 50 == 0:
            value = evaluate(model, valid)["MRR@5"]
            if value >= best:
                best, best_state = value, copy.deepcopy(model.state_dict())
            print(f"step {step}: loss {loss.item():.3f}, validation MRR@5 {value:.4f}", flush=True)
    model.load_state_dict(best_state)
    print("NextItNet", evaluate(model, test), flush=True)


if __name__ == "__main__":
    main()

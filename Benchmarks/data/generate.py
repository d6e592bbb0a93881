"""Generates a file of interactions: python generate.py FILE ROWS USERS ITEMS (.csv as MovieLens, .inter as RecBole).

History lengths are log-normal, item popularity follows a power law, times are uniform; the rows of an .inter file are
shuffled. The same bytes at every call.
"""

import os
import sys

import numpy


def generate(path, rows, users, items):
    kind = path.rsplit(".", 1)[1]
    random = numpy.random.default_rng(7)
    weights = random.lognormal(0, 1.2, users)
    counts = numpy.maximum(20, (weights / weights.sum() * rows)).astype(numpy.int64)
    counts[-1] += max(0, rows - counts.sum())
    user = numpy.repeat(numpy.arange(1, users + 1), counts)[:rows]
    popularity = 1 / numpy.arange(1, items + 1) ** 0.9
    item = random.permutation(items)[random.choice(items, size=len(user), p=popularity / popularity.sum())] * 5 + 1
    times = random.integers(789_652_009, 1_427_784_002, size=len(user))
    rating = random.integers(1, 11, size=len(user)) / 2
    if kind == "inter":
        order = random.permutation(len(user))
        user, item, times, rating = user[order], item[order], times[order], rating[order]
    with open(path + ".part", "w") as file:
        header = "userId,movieId,rating,timestamp\n" if kind == "csv" else "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
        file.write(header)
        mark = "," if kind == "csv" else "\t"
        for start in range(0, len(user), 1_000_000):
            part = slice(start, start + 1_000_000)
            file.writelines(
                f"{u}{mark}{i}{mark}{r}{mark}{t}\n"
                for u, i, r, t in zip(user[part].tolist(), item[part].tolist(), rating[part].tolist(), times[part].tolist())
            )
    os.rename(path + ".part", path)


generate(sys.argv[1], *map(int, sys.argv[2:5]))

"""Prepares ratings.csv with Polars: read, 5-core, sort by user and time, windows of 20 from the end of each history, split."""

import os
import sys

os.environ.setdefault("POLARS_MAX_THREADS", "2")

import polars as pl

LENGTH = 20

data = pl.read_csv(
    sys.argv[1],
    columns=["userId", "movieId", "timestamp"],
    schema_overrides={"userId": pl.Int32, "movieId": pl.Int32, "timestamp": pl.Int64},
)
while True:
    before = data.height
    data = data.filter(pl.len().over("movieId") >= 5)
    data = data.filter(pl.len().over("userId") >= 5)
    if data.height == before:
        break
users, items, interactions = data["userId"].n_unique(), data["movieId"].n_unique(), data.height
data = data.sort("userId", "timestamp", maintain_order=True)
# Items are numbered from 1; 0 is the padding.
data = data.with_columns(pl.col("movieId").rank("dense").cast(pl.Int32).alias("item"))
windows = (
    data.with_columns(((pl.len().over("userId") - 1 - pl.int_range(pl.len()).over("userId")) // LENGTH).alias("window"))
    .group_by("userId", "window", maintain_order=True)
    .agg("item")
    .filter(pl.col("item").list.len() >= 2)
)
del data
windows = windows.with_columns(
    pl.concat_list(pl.lit(0, dtype=pl.Int32).repeat_by(LENGTH - pl.col("item").list.len()), "item").list.to_array(LENGTH)
)
windows = windows.sample(fraction=1, shuffle=True, seed=1)
held = round(windows.height * 0.1)
train, valid, test = windows[: -2 * held], windows[-2 * held : -held], windows[-held:]
assert train.height + valid.height + test.height == windows.height
print(users, items, interactions, windows.height)

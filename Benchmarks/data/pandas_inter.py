"""Reads an .inter file with pandas as RecBole's Dataset does: typed columns, tokens mapped to indices, sorted by user
and time."""

import sys

import numpy as np
import pandas as pd

path = sys.argv[1]
with open(path) as file:
    columns = file.readline().strip().split("\t")
names = [column.split(":")[0] for column in columns]
kinds = [column.split(":")[1] for column in columns]
types = {column: np.float64 if kind == "float" else str for column, kind in zip(columns, kinds)}
data = pd.read_csv(path, delimiter="\t", usecols=columns, dtype=types, encoding="utf-8", engine="c")
data.columns = names
for name, kind in zip(names, kinds):
    if kind == "token":
        codes, _ = pd.factorize(data[name])
        data[name] = codes + 1
data = data.sort_values(["user_id", "timestamp"], ignore_index=True)
print(data["user_id"].nunique(), data["item_id"].nunique(), len(data))

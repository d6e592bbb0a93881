"""Compares the interpreter with Python and Lua on the same loops, in alternation, and times checking a long script.

    python compare.py [--srs .build/release/srs] [--rounds 7]

Times are those of whole processes, including start-up; the ratio is that of the medians.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
LINES = 10_000


def seconds(command):
    start = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    taken = time.perf_counter() - start
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed with exit status {done.returncode}")
    return taken, done.stdout


def long_script():
    """A script of experiments of ten lines each, with calls, records, functions and strings."""
    block = """fn run_{i}(model, seed = {i}) {{
  let opt = {{ batch: 256, optimizer: adam(lr: 1e-3), eval_every: 50steps, seed: seed }}
  let deep = stack(model, to: 8, by: adjacent, carry: all)
  return train(deep, data, ..opt, run: {i}steps, name: "run {{seed}} of {i}")
}}
let xs_{i} = [1, 2, 3] |> map(x => x * {i} + mod(x, 2)) |> filter(x => x > 1 and not (x == 7))
for (i, x) in enumerate(xs_{i}) {{ if x > {i} {{ print("{{i}}: {{x}}") }} else {{ continue }} }}
let best_{i} = {{ lr: 1e-{e}, width: 8.4cm, share: 80%, metric: mrr@5 }}
assert best_{i}.lr < 1, "too large"
print(format(best_{i}.lr, digits: 3), sum(xs_{i}) / len(xs_{i}))
"""
    head = "let data = synthetic(users: 100) |> window(length: 10) |> split(seed: 1)\n"
    return head + "".join(block.format(i=i, e=i % 9 + 1) for i in range(1, LINES // 10 + 1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--srs", default=".build/release/srs")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    programs = {"srs": [options.srs, "run"], "python3": [sys.executable], "lua": [shutil.which("lua5.4") or shutil.which("lua") or ""]}
    print("| script | srs s | Python s | Lua s | srs / Python |\n|---|---|---|---|---|")
    for name in ["loop", "calls"]:
        times = {program: [] for program in programs}
        outputs = set()
        for _ in range(options.rounds):
            for program, command in programs.items():
                if not command[0]:
                    continue
                ending = {"srs": "srs", "python3": "py", "lua": "lua"}[program]
                taken, output = seconds([*command, os.path.join(HERE, f"{name}.{ending}")])
                times[program].append(taken)
                outputs.add(output)
        if len(outputs) != 1:
            sys.exit(f"the programs of {name} do not agree: {outputs}")
        median = {program: statistics.median(t) if t else None for program, t in times.items()}
        lua = f"{median['lua']:.3f}" if median["lua"] else "–"
        print(f"| {name} | {median['srs']:.3f} | {median['python3']:.3f} | {lua} | {median['srs'] / median['python3']:.2f} |")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "long.srs")
        text = long_script()
        with open(path, "w") as file:
            file.write(text)
        checks = [seconds([options.srs, "check", path])[0] for _ in range(options.rounds)]
        empty = os.path.join(folder, "empty.srs")
        open(empty, "w").close()
        starts = [seconds([options.srs, "run", empty])[0] for _ in range(options.rounds)]
    print(f"\nchecking {text.count(chr(10)):,} lines: {statistics.median(checks):.3f} s")
    print(f"an empty script: {statistics.median(starts):.3f} s")


main()

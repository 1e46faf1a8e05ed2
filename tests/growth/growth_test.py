#!/usr/bin/env python3
"""Work and memory grow with the input, not faster: growth_test.py PROBE [--table] [NAME_PREFIX...]

Runs growth_probe under callgrind: every worst input (worst_inputs.cc) at n, 2n and 4n bytes. Work is the number of instructions executed,
memory what operator new counts, log the bytes of the records written. From n to 2n and from 2n to 4n each may grow by what twice the bytes
explain; toys of the probe that are quadratic on purpose must be caught, a linear one must not, or the method itself is broken.
"""
import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile

# The second step brings twice as many new bytes as the first: its growth over the first one's is 2 where cost is linear, 4 where it is
# quadratic. Between: n log n, and buffers that double.
RATIO_MAX = 2.9
# Differences below these say nothing: hash tables that grow, arenas.
FLOOR = {"instructions": 300_000, "allocated_bytes": 262_144, "peak_bytes": 131_072, "log_bytes": 8_192}
# And less than that part of the whole: what is made once, a cap that is reached.
NOISE = 0.1
# At the largest size, for each byte of the packets.
PER_BYTE = {"instructions": 25_000, "peak_bytes": 400, "log_bytes": 120}
FREE = {"peak_bytes": 1 << 20, "log_bytes": 64 << 10, "instructions": 20_000_000}
# Packets that are made of hardly anything but headers cost by packet.
# Header compression is there to say much in few bytes: a browser's cookies come by index with every request (http2/limits.h).
PER_BYTE_OF = {"http2.indexed_streams": {"log_bytes": 256}}
# What is not mended yet. A case that has become good fails until it is taken out here.
KNOWN = {
    "tcp.backwards": "the list of a stream's segments, 4,096 at most, takes each of them at its front",
    "flow.one_packet_each": "memory of flows comes in chunks of 1,024: too few flows here for a slope",
}
COUNTERS = ["instructions", "allocated_bytes", "peak_bytes", "log_bytes"]


def instructions(path):
    """{run: executed instructions} of a callgrind file with combined dumps."""
    out, name = {}, None
    with open(path, errors="replace") as f:
        for line in f:
            if line.startswith("desc: Trigger: Client Request: "):
                name = line.strip().split(": ", 3)[3]
            elif line.startswith(("summary:", "totals:")) and name is not None:
                out[name] = int(line.split(":")[1].split()[0])
    return out


def faults(cost, name=""):
    """What is wrong with {1: counters, 2: counters, 4: counters} of the case `name`."""
    found = []
    for counter in COUNTERS:
        first, second, third = (cost[t][counter] for t in (1, 2, 4))
        step, next_step = second - first, third - second
        ratio = next_step / max(step, FLOOR[counter])
        if next_step > max(2 * FLOOR[counter], third * NOISE) and ratio > RATIO_MAX:
            found.append(f"{counter} grow by {step} and then by {next_step}: x{ratio:.2f}")
        limit = PER_BYTE_OF.get(name, {}).get(counter, PER_BYTE.get(counter))
        if limit and third > limit * cost[4]["bytes_in"] + FREE[counter]:
            found.append(f"{counter} {third} for {cost[4]['bytes_in']} bytes")
    return found


def main():
    args = [a for a in sys.argv[1:] if a != "--table"]
    table = "--table" in sys.argv
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        print("skipped: no valgrind")
        return 77
    with tempfile.TemporaryDirectory() as tmp:
        out = os.path.join(tmp, "callgrind.out")
        env = {k: v for k, v in os.environ.items() if k != "GLIBC_TUNABLES"}
        run = subprocess.run([valgrind, "--tool=callgrind", "--combine-dumps=yes", "--instr-atstart=no", f"--callgrind-out-file={out}", *args],
                             capture_output=True, text=True, env=env)
        if run.returncode != 0:
            print(run.stdout[-2000:], run.stderr[-4000:])
            return 1
        work = instructions(out)
    cases = collections.OrderedDict()
    for line in run.stdout.splitlines():
        if not line.startswith("{"):
            continue
        r = json.loads(line)
        r["instructions"] = work[f"{r['case']}/{r['times']}"]
        cases.setdefault(r["case"], {})[r["times"]] = r
    bad = 0
    for name, cost in cases.items():
        found = faults(cost, name)
        wanted_bad = name.startswith("toy.quadratic") or name in KNOWN
        if bool(found) != wanted_bad:
            bad += 1
            print(f"FAILED {name}: " + ("; ".join(found) if found else "is said to be bad and was not caught"))
        elif name in KNOWN:
            print(f"known {name}: {'; '.join(found)} ({KNOWN[name]})")
        if table:
            t = cost[4]
            ratios = [(cost[4][c] - cost[2][c]) / max(1, cost[2][c] - cost[1][c]) for c in COUNTERS]
            print(f"{name:34} {t['bytes_in']:8} B  instructions/B {t['instructions'] / max(1, t['bytes_in']):9.0f} x{ratios[0]:5.2f}"
                  f"  allocated/B {t['allocated_bytes'] / max(1, t['bytes_in']):8.1f} x{ratios[1]:5.2f}"
                  f"  peak/B {t['peak_bytes'] / max(1, t['bytes_in']):7.1f} x{ratios[2]:5.2f}  log/B {t['log_bytes'] / max(1, t['bytes_in']):6.2f}")
    inputs = [c for c in cases if not c.startswith("toy.")]
    print(f"{len(inputs)} worst inputs, {bad} failed")
    return 1 if bad or not inputs else 0


if __name__ == "__main__":
    sys.exit(main())

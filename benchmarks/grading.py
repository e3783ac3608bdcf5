"""What a graded submission costs beside nbgrader as it comes: ``python -m benchmarks.grading``.

Each set is handed in with its solutions. Ours is ``python -m lossprimer.grading autograde``, sandbox and checks outside
it included; the rival is ``nbgrader autograde`` with nbgrader's own steps, which has no sandbox and runs the tests in
the process of the answers. A figure is what a further submission costs: the difference between grading many and
grading one, divided. CPU seconds are those of the whole machine, which must have nothing else to do. Memory is the
largest that all processes of a command had together at one time, pages that they share counted in each of them.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import nbformat
import psutil

from tools.exercises import COURSE, names

PROGRAMS = Path(sys.executable).parent
OURS = [sys.executable, "-m", "lossprimer.grading", "autograde", "--force"]
STOCK = [str(PROGRAMS / "nbgrader"), "autograde", "--force"]
STOCK_CONFIG = "c = get_config()\nc.CourseDirectory.course_id = 'loss-stability-primer'\n"
FEW, MANY, CLASS = 1, 11, 200


def solved(folder, name):
    """The notebook that a course gives out, with the solutions in it."""
    notebook, source = (
        nbformat.read(folder / part / name / f"{name}.ipynb", as_version=4) for part in ("release", "source")
    )
    for cell, original in zip(notebook.cells, source.cells, strict=True):
        if cell.metadata.nbgrader.solution:
            cell.source = re.sub(r"^ *### (BEGIN|END) SOLUTION\n?", "", original.source, flags=re.MULTILINE)
    return nbformat.writes(notebook)


def course(folder, config, submissions):
    """A course in `folder` with as many submissions of each set as `submissions` says."""
    shutil.copytree(COURSE / "source", folder / "source")
    (folder / "nbgrader_config.py").write_text(config, "utf-8")
    for name, count in submissions.items():
        cost([STOCK[0], "generate_assignment", name], folder)
        text = solved(folder, name)
        for number in range(count):
            place = folder / "submitted" / f"student{number:03}" / name
            place.mkdir(parents=True)
            (place / f"{name}.ipynb").write_text(text, "utf-8")


def cost(command, folder):
    """CPU seconds of the machine, wall seconds, and the largest memory in MiB while a command runs."""
    before, start, largest = psutil.cpu_times(), time.perf_counter(), 0
    environment = {
        "PATH": f"{PROGRAMS}:/usr/bin:/bin",
        "HOME": str(folder),
        "PYTHONWARNINGS": "ignore",
    }
    errors = []
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        reader = threading.Thread(target=lambda: errors.append(process.stderr.read()))
        reader.start()
        while process.poll() is None:
            largest = max(largest, _memory(psutil.Process(process.pid)))
            time.sleep(0.5)
        reader.join()
    after = psutil.cpu_times()
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{errors[0][-2000:]}")
    spent = sum(getattr(after, part) - getattr(before, part) for part in ("user", "system", "nice"))
    return spent, time.perf_counter() - start, largest / 2**20


def _memory(process):
    total = 0
    for each in [process, *process.children(recursive=True)]:
        try:
            total += each.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def further(command, name, folder):
    """CPU and wall seconds of one more submission, when some are graded one after the other."""
    one = cost([*command, name, "--student=student000"], folder)
    all_of_them = cost([*command, name], folder)
    return [(many - few) / (MANY - FEW) for many, few in zip(all_of_them[:2], one[:2], strict=True)]


def main():
    """Print the table of the sets, and then what a class costs."""
    sets = names()
    config = (COURSE / "nbgrader_config.py").read_text("utf-8")
    with tempfile.TemporaryDirectory() as place:
        ours, stock = Path(place) / "ours", Path(place) / "stock"
        ours.mkdir()
        stock.mkdir()
        course(ours, config, dict.fromkeys(sets, MANY))
        course(stock, STOCK_CONFIG, dict.fromkeys(sets, MANY))
        heads = f"{'CPU s':>8}{'wall s':>8}{'nbgrader CPU s':>16}{'wall s':>8}{'CPU ratio':>11}"
        print(f"{'one more submission of':24}{heads}")
        for name in sets:
            cpu, wall = further([*OURS, "--jobs=1"], name, ours)
            stock_cpu, stock_wall = further(STOCK, name, stock)
            print(f"{name:24}{cpu:8.2f}{wall:8.2f}{stock_cpu:16.2f}{stock_wall:8.2f}{cpu / stock_cpu:11.2f}")
    with tempfile.TemporaryDirectory() as place:
        course(Path(place), config, {sets[0]: CLASS})
        few = cost([*OURS, sets[0], "--jobs=2", *(f"--student=student{number:03}" for number in range(20))], place)
        cpu, wall, memory = cost([*OURS, sets[0], "--jobs=2"], place)
        print(f"\n{CLASS} submissions of {sets[0]} with --jobs 2: {cpu:.0f} CPU s, {wall:.0f} s, {memory:.0f} MiB")
        print(
            f"({cpu / CLASS:.2f} and {wall / CLASS:.2f} s for each, set-up included; with 20 of them: {few[2]:.0f} MiB)"
        )


if __name__ == "__main__":
    main()

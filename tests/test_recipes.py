"""CONTRIBUTING's step lists, followed to the letter in a copy of the repository; a step left out is missed by name."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from itertools import cycle, zip_longest
from pathlib import Path
from textwrap import dedent

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from tools import notebooks

pytestmark = pytest.mark.kernel

ROOT = Path(__file__).parent.parent
# What one has here, and a fresh clone has not.
LEFT = shutil.ignore_patterns(".git", ".venv", "_build", "release", "__pycache__", ".*_cache", ".hypothesis", "*.db")
STEP = re.compile(r"^\d+\. \*\*(.+?)\.\*\*(.*?)(?=^\d+\. \*\*|\Z)", re.MULTILINE | re.DOTALL)
# A sentence that ends with a colon and says where the next block goes, and that block or those blocks.
BLOCKS = re.compile(r"([^\n]+(?:\n   [^\n]+)*):\n\n((?:   ```\w+\n.*?\n   ```\n\n?)+)", re.DOTALL)


def section_of(name):
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    return re.search(rf"^### To add {name}\n(.*?)(?=^##)", text, re.MULTILINE | re.DOTALL)[1]


def recipe(name):
    """Return the steps of the section "To add `name`": what is done where, by their titles."""
    section = section_of(name)
    steps = {}
    for title, body in STEP.findall(section):
        steps[title] = [(words, blocks_of(blocks)) for words, blocks in BLOCKS.findall(body)]
    assert all(steps.values())
    assert sum(len(blocks) for actions in steps.values() for _, blocks in actions) == section.count("```") / 2
    return steps


def commands_of(name):
    """Return what the section "To add `name`" has one run by pytest: the arguments of each command."""
    return [shlex.split(words) for words in re.findall(r"`\.venv/bin/pytest ([^`]+)`", section_of(name))]


def blocks_of(text):
    return [dedent(block) for block in re.findall(r"```\w+\n(.*?)   ```", text, re.DOTALL)]


def apply(action, folder):
    """Do in `folder` what a step says."""
    words, blocks = action
    words = " ".join(words.split())
    names = re.findall(r"`([^`]+)`", words)
    if words.endswith("Run"):
        for line in blocks[0].splitlines():
            run([sys.executable, *shlex.split(line)[1:]], folder)
    elif re.search(r"At the end of `[^`]+`$", words):
        path = folder / names[-1]
        path.write_text(f"{path.read_text('utf-8')}\n\n{blocks[0]}", "utf-8", newline="\n")
    elif re.search(r"In a new file `[^`]+`$", words):
        (folder / names[-1]).parent.mkdir(exist_ok=True)
        (folder / names[-1]).write_text(blocks[0], "utf-8", newline="\n")
    elif re.search(r"Before `[^`]+` in `[^`]+`$", words):
        insert(folder / names[-1], names[-2], *blocks)
    elif re.search(r"In `[^`]+`$", words):
        patch(folder / names[-1], blocks[0])
    else:
        raise ValueError(f"CONTRIBUTING.md: no action ends with {words[-60:]!r}")


def patch(path, difference):
    """Put a piece of a file in place of the same piece without its new lines."""
    lines = difference.splitlines(keepends=True)
    old = "".join(line[1:] for line in lines if not line.startswith("+"))
    new = "".join(line[1:] for line in lines if not line.startswith("-"))
    text = path.read_text("utf-8")
    assert text.count(old) == 1, f"{path.name} does not have these lines once:\n{old}"
    path.write_text(text.replace(old, new), "utf-8", newline="\n")


def insert(path, heading, *blocks):
    """Put text cells and code cells, by turns, before the cell that begins with `heading`."""
    nb = notebooks.load(path)
    (at,) = [i for i, cell in enumerate(nb.cells) if cell.source.startswith(heading)]
    kinds = cycle((new_markdown_cell, new_code_cell))
    nb.cells[at:at] = [kind(block.rstrip()) for kind, block in zip(kinds, blocks, strict=False)]
    notebooks.store(path, nb)


def run(command, folder):
    """Run a command in the copy, with the copy's own package; return its exit status and all that it printed."""
    environment = os.environ | {"PYTHONPATH": str(folder)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def assert_tidy(folder):
    """Assert what `make lint` asserts of the code in the copy."""
    for command in (["check"], ["format", "--check"]):
        status, said = run([sys.executable, "-m", "ruff", *command], folder)
        assert status == 0, said


def try_tests(folder, *selection):
    """Run tests in the copy."""
    return run([sys.executable, "-m", "pytest", "--quiet", "-p", "no:cacheprovider", *selection], folder)


@pytest.fixture
def copy(tmp_path):
    """Return a copy of the repository, as one has it after a clone."""
    shutil.copytree(ROOT, tmp_path / "copy", ignore=LEFT)
    return tmp_path / "copy"


CHECK, EXPLORER = recipe("a check"), recipe("an explorer")


def test_a_check_is_added(copy):
    for actions in CHECK.values():
        for action in actions:
            apply(action, copy)
    assert_tidy(copy)
    checks, exercises = commands_of("a check")
    status, said = try_tests(copy, *checks, "tests/test_mutants.py", "-k", "entropy and not cross or whole")
    assert status == 0, said
    # What is asked of every check is asked of this one.
    assert int(re.search(r"(\d+) passed", said)[1]) > 15, said
    status, said = try_tests(copy, *exercises)
    assert status == 0, said


def test_an_explorer_is_added(copy):
    for actions in EXPLORER.values():
        for action in actions:
            apply(action, copy)
    assert_tidy(copy)
    (tests,) = commands_of("an explorer")
    status, said = try_tests(copy, *tests, "-k", "whole or coin or 01_softmax")
    assert status == 0, said
    # As `make outputs` does with the whole chapter, which takes longer.
    nb = notebooks.load(copy / "notebooks" / "01_softmax.ipynb")
    nb.cells = [cell for cell in nb.cells if re.search("from lossprimer|coin_entropy|of heads", cell.source)]
    short = copy / "notebooks" / "short.ipynb"
    short.write_text(notebooks.serialize(nb), "utf-8")
    status, said = run([sys.executable, "-m", "tools.notebooks", "write", str(short)], copy)
    assert status == 0, said
    asked, shown = (cell.outputs[0].data["text/plain"] for cell in notebooks.load(short).cells[-2:])
    assert asked == "Which probability of heads has the largest entropy?\n- 0.1\n- 0.5\n- 0.9"
    # It does not start at the answer.
    assert shown == "The entropy of a coin: Heads 0.1: entropy 0.33 of at most 0.69 nats."


LEFT_OUT = list(zip_longest(CHECK, EXPLORER))


@pytest.mark.parametrize("left_out", LEFT_OUT, ids=lambda titles: " and ".join(filter(None, titles)))
def test_a_step_that_is_left_out_is_named(copy, left_out):
    """Of both recipes at once: each has a test of its own that must miss the step."""
    for title, actions in (CHECK | EXPLORER).items():
        for action in actions:
            if title not in left_out:
                apply(action, copy)
    # With all that the recipe has one run: what is missing does not keep the others from being collected.
    checks, _ = commands_of("a check")
    _, said = try_tests(copy, *checks, "tests/test_figures.py", "-k", "whole")
    check, explorer = left_out
    assert ("FAILED tests/test_tasks.py" in said) == (check is not None)
    assert ("FAILED tests/test_figures.py" in said) == (explorer is not None)
    assert all(f'"{title}"' in said for title in left_out if title)


def test_no_step_has_the_title_of_another():
    assert not CHECK.keys() & EXPLORER.keys()

"""Run the steps of a command, and say which one is running and how long it takes."""

import difflib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from tools.commands import COMMANDS, Command, Step
from tools.environment import NEEDS, Environment, EnvironmentFailed, variables

STOPPED = 130  # the status of what was interrupted
# What such a program says of itself is shown only if it fails. Its warnings, which are errors, are not held back.
CHATTY = ("jupyter-book",)


def listing(program: str) -> str:
    """Return a line for each command, as one calls it by `program`."""
    width = max(map(len, COMMANDS))
    lines = [f"  {program} {name:<{width}}  {command.says}" for name, command in sorted(COMMANDS.items())]
    return "\n".join([f"  {program} {'help':<{width}}  list the commands", *lines])


def preparing(environment: Environment, command: Command) -> Iterator[tuple[str, object]]:
    """Yield what has to be done before the steps of a command: what is said, and a function that does it."""
    if command.needs and not environment.has(command.needs):
        *_, size = NEEDS[command.needs]
        yield "making an environment for Python, .venv", environment.make
        yield f"installing {size}: about two minutes", lambda: environment.install(command.needs)


def run_step(environment: Environment, step: Step) -> int:
    """Run the programs of a step; return the first exit status that is not 0, or 0."""

    def run_all(commands: list[list[str]]) -> int:
        return next(filter(None, (_run(environment, command) for command in commands)), 0)

    with ThreadPoolExecutor(len(step.commands)) as together:
        return next(filter(None, list(together.map(run_all, step.commands))), 0)


def _run(environment: Environment, command: list[str]) -> int:
    """Run a program and return its exit status; of a chatty one, show only what it says when it fails."""
    is_chatty = command[0] in CHATTY
    with tempfile.TemporaryFile("w+b") as said:
        process = subprocess.Popen(
            [environment.program(command[0]), *command[1:]],
            cwd=environment.root,
            env=variables(),
            stdout=said if is_chatty else None,
        )
        status = process.wait()
        if status and is_chatty:
            said.seek(0)
            sys.stdout.buffer.write(said.read())
            sys.stdout.flush()
    return status


def run(environment: Environment, command: Command, words: list[str]) -> int:
    """Prepare what a command needs, and run its steps until one fails; return its exit status."""
    before, steps = list(preparing(environment, command)), list(command.steps(words))
    total = len(before) + sum(bool(step.says) for step in steps)
    numbers = iter(range(1, total + 1))

    def say(words: str) -> None:
        if words:
            print(f"{next(numbers)} of {total}: {words}" if total > 1 else words[:1].upper() + words[1:], flush=True)

    for says, do in before:
        say(says)
        do()
    if command.needs:
        environment.quieten()
    for step in steps:
        say(step.says)
        if status := run_step(environment, step):
            if step.mended_by:
                program, *arguments = step.mended_by
                place = os.path.relpath(environment.program(program), environment.root)
                print(f"`{' '.join([place, *arguments])}` mends this.")
            return status
    if command.done:
        print(command.done)
    return 0


def main(words: list[str], program: str = "python -m tools") -> int:
    """Run the command that the first of the words names; return its exit status."""
    name, *rest = words or ["help"]
    if name in ("help", "-h", "--help"):
        print(listing(program))
        return 0
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, 1)
        print(f"{name!r} is no command{f', perhaps {near[0]}' if near else ''}:\n{listing(program)}", file=sys.stderr)
        return 2
    try:
        return run(Environment(), COMMANDS[name], rest)
    except EnvironmentFailed as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return STOPPED

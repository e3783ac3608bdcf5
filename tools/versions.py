"""Does the package work with the versions that readers have? Ask the oldest that it accepts, and those of Colab.

    python -m tools.versions             all of them
    python -m tools.versions lowest      one of them

Each gets an environment in _build/versions, of the Python that runs this, with the package installed. Units are run
there, and the chapters are compared. The weekly workflow has the newest versions run every test.
"""

import argparse
import subprocess
import sys
import tomllib

from tools.environment import ROOT, Environment, variables

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PLACE = ROOT / "_build" / "versions"
# The whole of what was there when this was asked last, in November 2026, as far as the package has to do with it.
COLAB = [
    "numpy==2.0.2",
    "matplotlib==3.10.0",
    "ipywidgets==7.7.1",
    "tqdm==4.67.1",
    "ipykernel==6.17.1",
    "notebook==6.5.7",
]
SETS = {"lowest": [name.replace(">=", "==") for name in PROJECT["project"]["dependencies"]], "colab": COLAB}
# The tests look into the pages that Sphinx makes of an explorer, whatever runs the notebooks.
BESIDE = [*PROJECT["dependency-groups"]["test"], "sphinx>=7", "myst-nb>=1.2", "ipykernel"]
NAMES = ("probability", "losses", "dropout", "normalization", "network", "transformer", "gradcheck", "data", "batch")
NAMES += ("arguments", "picture", "explorer", "own", "predict", "figures")
UNITS = [f"tests/test_{name}.py" for name in NAMES]
# Old versions warn of what newer ones of other packages have deprecated; no reader sees it.
OPTIONS = ["-o", "filterwarnings=default", "--disable-warnings", "-p", "no:cacheprovider", "--quiet"]


def trial(name: str, words: list[str]) -> bool:
    """Try a set of versions, on the chapters whose names contain one of the words; return whether all went well."""
    there = Environment(folder=PLACE / name)
    there.make()
    chapters = sorted((ROOT / "notebooks").glob("*.ipynb"))
    chosen = [path.name for path in chapters if not words or any(word in path.name for word in words)]
    test = [there.program("python"), "-m", "pytest", *OPTIONS]
    # The units import the sources, which are beside them; the chapters what is installed.
    commands = [
        ([*there.installer(), *SETS[name], *BESIDE], ROOT),
        ([*there.installer(), "--no-deps", "."], ROOT),
        ([*test, *UNITS], ROOT),
        ([*test, *chosen], ROOT / "notebooks"),
    ]
    return all(subprocess.run(command, cwd=folder, env=variables()).returncode == 0 for command, folder in commands)


def main(argv: list[str] | None = None) -> None:
    """Try one set or all, and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{' or '.join(SETS)}; all if none is named")
    parser.add_argument(
        "--chapters", nargs="*", default=[], help="words in the names of chapters; all if none is given"
    )
    asked = parser.parse_args(argv)
    if unknown := [name for name in asked.names if name not in SETS]:
        parser.error(f"{unknown[0]!r} is none of {', '.join(SETS)}")
    failed = []
    for name in asked.names or SETS:
        print(f"{name}: {', '.join(SETS[name])}", flush=True)
        if not trial(name, asked.chapters):
            failed.append(name)
    sys.exit(f"not with these versions: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()

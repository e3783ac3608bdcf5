"""Print all speed figures: ``make bench``."""

from benchmarks import explorers, losses, probability

for benchmark in (probability, losses, explorers):
    print(f"\n{benchmark.__doc__.splitlines()[0]}\n")
    benchmark.main()

"""Print all speed figures: ``make bench``."""

from benchmarks import explorers, probability

for benchmark in (probability, explorers):
    print(f"\n{benchmark.__doc__.splitlines()[0]}\n")
    benchmark.main()

"""Print all speed figures: ``make bench``."""

from benchmarks import explorers, losses, probability, site

for benchmark in (probability, losses, explorers, site):
    print(f"\n{benchmark.__doc__.splitlines()[0]}\n")
    benchmark.main()

"""Print all speed figures: ``make bench``."""

from benchmarks import explorers, grading, losses, probability, site

for benchmark in (probability, losses, grading, explorers, site):
    print(f"\n{benchmark.__doc__.splitlines()[0]}\n")
    benchmark.main()

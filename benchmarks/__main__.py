"""Print all speed figures: ``make bench``."""

from benchmarks import explorers, grading, live, losses, probability, site

for benchmark in (probability, losses, grading, explorers, live, site):
    print(f"\n{benchmark.__doc__.splitlines()[0]}\n")
    benchmark.main()

"""Print all speed figures: ``make bench``."""

from benchmarks import probability

print(f"\n{probability.__doc__.splitlines()[0]}\n")
probability.main()

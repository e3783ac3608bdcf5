# The commands of the course, for those who have make: it hands them on. What they do stands in tools/verbs.py, and
# "python -m tools VERB" does the same without make, as on Windows.

PYTHON ?= python3
VERBS := help answers bench book clean compare exercises experiments frameworks gallery lint live notebooks outputs pdf \
	pins quizzes serve setup test unit versions

.PHONY: $(VERBS)
$(VERBS):
	@$(PYTHON) -m tools $@

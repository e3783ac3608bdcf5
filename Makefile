# The commands of the course, for those who have make: it hands them on. What they do stands in tools/commands.py, and
# "python -m tools COMMAND" does the same without make, as on Windows.

PYTHON ?= python3
COMMANDS := help answers bench book clean compare exercises experiments frameworks gallery lint live notebooks outputs \
	pdf pins quizzes serve setup test unit versions

.PHONY: $(COMMANDS)
$(COMMANDS):
	@$(PYTHON) -m tools $@

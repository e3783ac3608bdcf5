"""What do learners hand in? Right answers, each written in another way, and wrong ones with a part of their diagnosis.

By the name of the check: functions in RIGHT, pairs of a fragment and a function in WRONG.
"""

from answers import attention, dropout, losses, normalization, probability

CHAPTERS = (probability, attention, losses, dropout, normalization)
RIGHT = {name: answers for chapter in CHAPTERS for name, answers in chapter.RIGHT.items()}
WRONG = {name: answers for chapter in CHAPTERS for name, answers in chapter.WRONG.items()}

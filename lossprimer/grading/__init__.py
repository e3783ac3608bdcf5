"""How are exercises graded without trusting the process that runs them? The checks run outside, the answers inside.

The parts, from the inside out:

* :mod:`~lossprimer.grading.collecting` finds out who handed in what, :mod:`~lossprimer.grading.reading` and
  :mod:`~lossprimer.grading.timestamps` what is in a file, and :mod:`~lossprimer.grading.cells` where the answers are;
* :mod:`~lossprimer.grading.cleaning` makes the learner's texts harmless before they are kept, and
  :mod:`~lossprimer.grading.rendering` once more when they are shown;
* :mod:`~lossprimer.grading.sandbox` isolates a process from files, network and the rest of the machine, and
  :mod:`~lossprimer.grading.cgroup` bounds what the system holds for it;
* the folder ``inside`` is all that is there of this package: a worker that answers calls of the learner's functions;
* :mod:`~lossprimer.grading.submission` is the outside of it: it hands out stand-ins for the functions, on which
  :mod:`~lossprimer.grading.verdict` runs the tests;
* :mod:`~lossprimer.grading.excerpt` says what a submission has of the course's package, and
  :mod:`~lossprimer.grading.copies` what it may have taken from elsewhere;
* :mod:`~lossprimer.grading.grade` grades one submission, :mod:`~lossprimer.grading.batch` many side by side, and
  :mod:`~lossprimer.grading.records` writes down what they have earned;
* :mod:`~lossprimer.grading.autograde` is the command for a class, :mod:`~lossprimer.grading.preprocessors` and
  :mod:`~lossprimer.grading.exporters` plug into nbgrader's own;
* :mod:`~lossprimer.grading.exchange` releases the feedback of those who handed in over nbgrader's exchange;
* :mod:`~lossprimer.grading.feedback` writes the page that a student gets back, and
  :mod:`~lossprimer.grading.formgrader` serves the pages on which a teacher grades.

This package needs what ``pip install "lossprimer[grading]"`` installs, bubblewrap and libseccomp.
"""

"""How are exercises graded without trusting the process that runs them? The checks run outside, the answers inside.

The parts, from the inside out:

* :mod:`~lossprimer.grading.sandbox` isolates a process from files, network and the rest of the machine;
* :mod:`~lossprimer.grading.wire` writes and reads what crosses the border;
* :mod:`~lossprimer.grading.worker` and :mod:`~lossprimer.grading.runner` are the two programs inside: one answers calls
  of a learner's functions, the other one runs a notebook in a real kernel;
* :mod:`~lossprimer.grading.submission` is the outside of both: it hands out stand-ins for the functions;
* :mod:`~lossprimer.grading.collecting` finds out who handed in what, :mod:`~lossprimer.grading.reading` and
  :mod:`~lossprimer.grading.timestamps` what is in a file, and :mod:`~lossprimer.grading.cells` where the answers are;
* :mod:`~lossprimer.grading.preprocessors` and :mod:`~lossprimer.grading.exporters` plug them into nbgrader.

This package needs what ``pip install "lossprimer[grading]"`` installs, and bubblewrap.
"""

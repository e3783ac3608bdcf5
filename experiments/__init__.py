"""The trials that the chapters rely on and that take too long for a page: one module each.

A module has

- a docstring that says what is compared, and how;
- ``run(...)``, which does it and returns a dict of results; all settings are arguments, among them the seeds;
- ``claims(results)``, the sentences that chapters found on them, each with whether it holds;
- ``SMALL``, settings with which `run` takes a second, for the tests.

``make experiments`` runs them and writes what they return to ``lossprimer/recorded``, where the chapters read it.
Modules whose names begin with an underscore are what they share.
"""

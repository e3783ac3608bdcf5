"""What runs in the sandbox: the process that holds a learner's code. Nothing else of the package is there.

The folder is shown to the sandbox under this name, without the packages around it: imports are relative, and need
nothing but Python, NumPy and IPython.
"""

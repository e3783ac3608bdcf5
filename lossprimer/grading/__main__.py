"""What does ``python -m lossprimer.grading`` run? The one command that nbgrader does not have."""

from lossprimer.grading.parallel import main

if __name__ == "__main__":
    main()

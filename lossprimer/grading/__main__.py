"""What does ``python -m lossprimer.grading`` run? The commands that nbgrader does not have."""

import sys

if __name__ == "__main__":
    if sys.argv[1:2] == ["formgrader"]:
        from lossprimer.grading.formgrader import main

        main(sys.argv[2:])
    else:
        from lossprimer.grading.parallel import main

        main()

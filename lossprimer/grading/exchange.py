"""How does feedback reach a student on a JupyterHub? Over nbgrader's exchange, by a secret that came with the work."""

import glob
from pathlib import Path

from nbgrader.exchange.default import ExchangeReleaseFeedback

from lossprimer.grading import reading, timestamps

SECRET = "submission_secret.txt"
_BYTES = 200


def secret(folder: Path) -> str | None:
    """The secret by which a student's account finds the feedback; None without one.

    Parameters
    ----------
    folder : Path
        ``submitted/STUDENT/SET``, or the one of the same name in ``feedback``.
    """
    try:
        return reading.contents(Path(folder) / SECRET, _BYTES).decode() or None
    except (reading.Unreadable, UnicodeDecodeError):
        return None


class ReleaseFeedback(ExchangeReleaseFeedback):
    """Releases the pages of those who handed in over the exchange, and names the others.

    Nbgrader's own stops with an error at the first page that has no secret or no timestamp beside it, and with it the
    class goes without feedback.
    """

    def copy_files(self):
        """Copy the pages to where students fetch them from."""
        others = []
        for folder in sorted(map(Path, glob.glob(self.src_path))):
            if secret(folder) is None:
                others.append(folder.parent.name)
            else:
                (folder / timestamps.NAME).touch()  # what a submission without a time does not have
        if others:
            self.log.warning("Not handed in over the exchange, so not released: %s", ", ".join(others))
            self.coursedir.student_id_exclude = ",".join([*others, self.coursedir.student_id_exclude]).rstrip(",")
        super().copy_files()

"""What does a late submission cost? A share of its points for each day that has begun, if the teacher says so."""

import math

from nbgrader.plugins import LateSubmissionPlugin
from traitlets import Float, Integer

_DAY = 24 * 60 * 60


class DailyPenalty(LateSubmissionPlugin):
    """A penalty that grows by the day; without settings there is none."""

    share_per_day = Float(0.0, help="Share of the points that each day costs: 0.1 is a tenth.").tag(config=True)
    most = Float(1.0, help="The largest share that lateness can cost.").tag(config=True)
    grace_minutes = Integer(0, help="Minutes after the due date that do not count.").tag(config=True)

    def late_submission_penalty(self, student_id: str, score: float, total_seconds_late: float) -> float | None:
        r"""Return the points that are taken off.

        .. math:: \text{score} \cdot \min(\text{most}, \lceil \text{days late} \rceil \cdot \text{share})

        Parameters
        ----------
        student_id : str
        score : float
        total_seconds_late : float

        Returns
        -------
        float or None
            None where nothing is taken off.
        """
        days = math.ceil(max(0.0, total_seconds_late - 60 * self.grace_minutes) / _DAY)
        return score * min(self.most, days * self.share_per_day) or None

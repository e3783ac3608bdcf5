"""How does nbgrader run this course? Its commands are given from this folder; `book/teaching.md` lists them."""

c = get_config()  # noqa: F821

c.CourseDirectory.course_id = "loss-stability-primer"

# A submission runs in a sandbox, and its tests run outside it: see lossprimer.grading.
grading = "lossprimer.grading.preprocessors."
c.Autograde.exporter_class = grading + "SubmissionExporter"
c.Autograde.sanitize_preprocessors = [
    grading + "Restore",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.Autograde.autograde_preprocessors = [
    grading + "Judge",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]

# What a day late costs: c.DailyPenalty.share_per_day = 0.1 takes a tenth. Without it nothing is taken off.
c.AssignLatePenalties.plugin_class = "lossprimer.grading.lateness.DailyPenalty"

# The page that a student gets back. Its links lead to the published course where c.FeedbackExporter.site_url, or the
# variable SITE_URL, says where that is.
c.GenerateFeedback.exporter_class = "lossprimer.grading.feedback.FeedbackExporter"
c.GenerateFeedback.preprocessors = ["lossprimer.grading.feedback.Grades"]

# For formgrader in JupyterLab, and for other pages that nbconvert makes. The command
# "python -m lossprimer.grading formgrader" has these without being told, and protections that JupyterLab cannot have.
c.HTMLExporter.sanitize_html = True
c.HTMLExporter.filters = {
    "markdown2html": "lossprimer.grading.rendering.markdown_cell",
    "clean_html": "lossprimer.grading.cleaning.clean_report",
}

# On a JupyterHub: feedback for those who handed in over the exchange, though others did not.
c.ExchangeFactory.release_feedback = "lossprimer.grading.exchange.ReleaseFeedback"

# Notebooks are collected, and nbgrader's own two notes. Any other file would come back with the feedback.
c.CourseDirectory.include = ["*.ipynb", "timestamp.txt", "submission_secret.txt"]

# What Moodle and Canvas let a teacher download. The student is the one whom the platform names.
c.ZipCollectApp.extractor_plugin = "lossprimer.grading.collecting.Extractor"
c.ZipCollectApp.collector_plugin = "lossprimer.grading.collecting.Collector"
c.ZipCollectApp.collect_directory_structure = "downloaded/{assignment_id}/{collect_step}"

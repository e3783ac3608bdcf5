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
    grading + "SandboxedExecute",
    grading + "TrustedChecks",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]

# Feedback shows no hidden test, and runs no script that a student has put into a text.
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "nbgrader.preprocessors.ClearHiddenTests",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]
c.HTMLExporter.sanitize_html = True

# Notebooks are collected, and nbgrader's own two notes. Any other file would come back with the feedback.
c.CourseDirectory.include = ["*.ipynb", "timestamp.txt", "submission_secret.txt"]

# What a learning platform downloads: Canvas's name_1234_5678_01_softmax.ipynb, Moodle's folders
# "Name_1234_assignsubmission_file". What stands in front is the student, and the database can give them another name.
c.ZipCollectApp.collect_directory_structure = "downloaded/{assignment_id}/{collect_step}"
c.FileNameCollectorPlugin.named_regexp = (
    r".*/(?P<student_id>[^/_]+)_(?:LATE_)?\d+_(?:\d+_|assignsubmission_file_?/)(?P<file_id>\d\d_[a-z_]+).*"
)

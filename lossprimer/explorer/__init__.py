"""What happens to the picture when I change one number? `explore` lets a reader find out.

An explorer joins a drawing function to its controls. In a running notebook the controls are ipywidgets; on the
built site they are native HTML controls, and the picture for each setting has been drawn beforehand. Nothing here
depends on the course: these modules need matplotlib and ipywidgets, and import nothing else of `lossprimer`.
"""

from lossprimer.explorer.controls import choice, slider
from lossprimer.explorer.explorer import Explorer, explore, steps
from lossprimer.explorer.fields import matrix, numbers
from lossprimer.explorer.picture import Picture, pictured
from lossprimer.explorer.prediction import number, predict

__all__ = [
    "Explorer",
    "Picture",
    "choice",
    "explore",
    "matrix",
    "number",
    "numbers",
    "pictured",
    "predict",
    "slider",
    "steps",
]

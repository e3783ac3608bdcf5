"""How does something show itself? On a page as markup; in a kernel as widgets, with what stays when it is gone."""

from __future__ import annotations

import os
from functools import cached_property
from secrets import token_hex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ipywidgets as widgets

# The Sphinx extension sets this variable; the kernels that execute the notebooks inherit it.
STATIC = "EXPLORER_STATIC"
# In an output's metadata: it is what stays of the widgets in the next output.
STAYS = "stays"

# What stays is not seen while the widgets are there. While they are not, JupyterLab has an error in their place.
_STYLE = (
    "<style>:root:has(.live-{name}) :is(.stays-{name}, .jp-OutputArea-child:has(.stays-{name})),"
    ".jp-OutputArea-child:has(.stays-{name}) + .jp-OutputArea-child:not(:has(.live-{name}))"
    "{{display:none}}</style>"
)


class Shown:
    """What shows itself. A class of this kind says how, and has its words as its `repr`."""

    def _page(self) -> str:
        """Return the markup for a page."""
        raise NotImplementedError

    def _widget(self) -> widgets.DOMWidget:
        """Return the widgets for a kernel."""
        raise NotImplementedError

    def _still(self) -> str:
        """Return markup without a life of its own, for a notebook that was saved and has no kernel."""
        raise NotImplementedError

    @cached_property
    def _key(self) -> str:
        """The name by which an output finds its widgets, different in each kernel."""
        return token_hex(4)

    def _repr_mimebundle_(self, include=None, exclude=None):
        if os.environ.get(STATIC):
            return {"text/html": self._page(), "text/plain": repr(self)}
        from lossprimer.explorer.live import view  # imports ipywidgets, which a page does without

        widget = self._widget()
        widget.add_class(f"live-{self._key}")
        return {**view(widget), "text/plain": repr(self)}

    def _ipython_display_(self):
        """Show what stays, in an output of its own, and leave the rest to the MIME bundle.

        In one bundle with the widgets it would help nobody: JupyterLab and nbconvert take the widgets and find out
        later that they are gone.

        Raises
        ------
        NotImplementedError
            Always: so IPython is told that there is more to show.
        """
        if not os.environ.get(STATIC):
            from IPython.display import display

            markup = f'<div class="stays-{self._key}">{_STYLE.format(name=self._key)}{self._still()}</div>'
            display({"text/html": markup}, metadata={STAYS: True}, raw=True)
        raise NotImplementedError

"""The training panel's widget: what the browser shows, and where it says what was pressed."""

import anywidget
import traitlets

from page.build import joined

from .wire import files, view


class Stage(anywidget.AnyWidget):
    """Shows a frame, and calls `told` with each message of the browser's. `sentence` stands in its
    place where there is no browser."""

    _esm = joined("elements.js") + "\n" + files("keys.js", "training_draw.js", "training.js")
    _css = files("training.css")
    fixed = traitlets.Dict().tag(sync=True)  # the knobs and the ten digits
    shown = traitlets.Dict().tag(sync=True)  # all that changes: a frame

    def __init__(self, sentence, told):
        super().__init__()
        self.still, self.instead = None, {"text/plain": sentence}
        stills = {"still": self._keep}
        self.on_msg(lambda _, message, buffers: stills.get(message["do"], told)(message))

    def display(self):
        from IPython.display import display  # only in notebooks

        display(view(self, ""), raw=True)
        # Its last picture, for a page without a kernel. While the panel lives, its CSS hides it.
        self.still = display(self.instead, raw=True, display_id=True)

    def _keep(self, message):
        if self.still:
            shown = {"image/png": message["png"]} | self.instead
            said = {"image/png": {"alt": message["alt"]}}
            self.still.update(shown, raw=True, metadata=said)

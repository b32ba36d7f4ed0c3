"""For JupyterLab, where CONTRIBUTING.md puts it: a notebook that you merely open stays as it is.
Else each would be changed, as JupyterLab writes your version of Python into it."""


def without_version(model, **_):
    """Called before a file is saved. Of a notebook's language, only the name is kept."""
    if model["type"] == "notebook":
        language = model["content"]["metadata"].get("language_info", {})
        for key in set(language) - {"name"}:
            del language[key]


c = get_config()  # noqa: F821  (JupyterLab gives it to this file)
c.FileContentsManager.pre_save_hook = without_version

"""Follow a log that grows: its lines, then those that are still to be written, without end.

Servers begin a new log every day or so: the file is renamed, and another one takes its name; or it
is emptied. Both are noticed.
"""

import os
import time

from lessons.log_files import LONGEST_LINE, entries

PAUSE = 1.0  # seconds between two looks


def follow(path, tally, pause=PAUSE):
    """Yield the entries of the log at `path` as they come, and None before each pause.

    Lines that cannot be read are noted in `tally`. OSError if there is no such file.
    """
    return entries(_lines(path, pause), tally)


def _lines(path, pause):
    file = open(path, "rb")  # noqa: SIM115, closed below, after others took its place
    too_long = renamed = False
    try:
        while True:
            place = file.tell()
            line = file.readline(LONGEST_LINE)
            whole = line.endswith(b"\n")
            if too_long:  # the rest of such a line
                too_long = not whole
            elif whole:
                yield line.decode("utf-8", errors="backslashreplace")
            elif len(line) == LONGEST_LINE:
                too_long = True
                yield ""
            elif renamed:  # and read to its end
                file.close()
                file, renamed = open(path, "rb"), False  # noqa: SIM115
            else:  # half a line, perhaps, which the server is still writing
                file.seek(place)
                yield None
                time.sleep(pause)
                renamed = _is_another(file, path)
                if os.fstat(file.fileno()).st_size < place:  # emptied
                    file.seek(0)
    finally:
        file.close()


def _is_another(file, path):
    """Whether another file has the name now. For a moment there may be none."""
    try:
        return not os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False

"""Files that appear whole, whatever happens meanwhile."""

import errno
import os
import signal
import subprocess
import sys

import pytest
from conftest import ROOT

import files
from files import sweep, written_whole


def write(path, content=b"new"):
    with written_whole(path) as file:
        file.write(content)


def test_a_file_is_written_and_replaced(tmp_path):
    path = tmp_path / "file"
    write(path, b"old")
    write(str(path))
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["file"]


def test_the_name_is_taken_only_at_the_end(tmp_path):
    path = tmp_path / "file"
    write(path, b"old")
    with written_whole(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
        assert len(os.listdir(tmp_path)) == 2
    assert path.read_bytes() == b"new"


def test_a_relative_path_means_the_folder_one_is_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("file")
    assert (tmp_path / "file").read_bytes() == b"new"


def test_a_folder_that_is_not_there_is_named(tmp_path):
    folder = tmp_path / "nowhere"
    with pytest.raises(FileNotFoundError) as caught:
        write(folder / "digits.npz")
    assert str(folder) in str(caught.value) and "digits.npz" in str(caught.value)
    assert ".part" not in str(caught.value)
    assert os.listdir(tmp_path) == []


def test_a_file_is_no_folder(tmp_path):
    write(tmp_path / "file", b"old")
    with pytest.raises(FileNotFoundError, match="no folder"):
        write(tmp_path / "file" / "digits.npz")
    assert (tmp_path / "file").read_bytes() == b"old"


def test_a_folder_of_that_name_stays(tmp_path):
    (tmp_path / "name").mkdir()
    with pytest.raises(IsADirectoryError, match="name cannot be written: it is a folder"):
        write(tmp_path / "name")
    assert os.listdir(tmp_path) == ["name"]


@pytest.mark.parametrize("old", [b"old", None], ids=["to a file", "to nothing yet"])
@pytest.mark.parametrize("kind", ["absolute", "relative", "of a link"])
def test_through_a_link_what_it_points_to_is_written(tmp_path, old, kind):
    there, link = tmp_path / "there", tmp_path / "link"
    there.mkdir()
    if old:
        write(there / "file", old)
    if kind == "of a link":
        (tmp_path / "middle").symlink_to(there / "file")
        link.symlink_to(tmp_path / "middle")
    else:
        link.symlink_to(there / "file" if kind == "absolute" else os.path.join("there", "file"))
    write(link)
    assert link.is_symlink()
    assert (there / "file").read_bytes() == link.read_bytes() == b"new"
    assert not (there / "file").is_symlink()
    assert os.listdir(there) == ["file"]


@pytest.mark.skipif(not os.path.exists("/dev/null"), reason="there are no devices")
def test_a_device_is_not_replaced_by_a_file(monkeypatch):
    monkeypatch.setattr("files.os.replace", None)  # whatever happens, not this
    with pytest.raises(IsADirectoryError, match="/dev/null cannot be written"):
        write("/dev/null")


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("where", ["inside", "os.fsync", "os.replace"])
@pytest.mark.parametrize("old", [b"old", None])
def test_an_exception_leaves_what_was_there(tmp_path, monkeypatch, error, where, old):
    path = tmp_path / "file"
    if old:
        write(path, old)

    def fail(*args):
        raise error

    if where != "inside":
        monkeypatch.setattr(f"files.{where}", fail)
    with pytest.raises(type(error)), written_whole(path) as file:
        file.write(b"half")
        if where == "inside":
            fail()
    monkeypatch.undo()
    assert os.listdir(tmp_path) == (["file"] if old else [])
    if old:
        assert path.read_bytes() == old


KILLED = """
import os, signal, sys
from files import written_whole

with written_whole(sys.argv[1]) as file:
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL")
def test_a_process_that_is_killed_leaves_what_was_there(tmp_path):
    write(tmp_path / "file", b"old")
    child = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "file"], cwd=ROOT)
    assert child.returncode == -signal.SIGKILL
    assert (tmp_path / "file").read_bytes() == b"old"
    assert len(os.listdir(tmp_path)) == 2
    write(tmp_path / "file")  # what it left beside is swept
    assert (tmp_path / "file").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["file"]


WRITING = """
import sys
from files import written_whole

with written_whole(sys.argv[1]) as file:
    print("writing", flush=True)
    sys.stdin.read()
    file.write(b"slow")
"""


@pytest.mark.skipif(not files.fcntl, reason="files cannot be held")
def test_what_another_process_writes_is_not_swept(tmp_path):
    path = tmp_path / "file"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", WRITING, path], cwd=ROOT, **pipes) as child:
        assert child.stdout.readline() == b"writing\n"
        (part,) = os.listdir(tmp_path)
        sweep(path)
        write(path)
        assert sorted(os.listdir(tmp_path)) == ["file", part]
        assert path.read_bytes() == b"new"
        child.communicate()
    assert path.read_bytes() == b"slow"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.skipif(not files.fcntl, reason="files cannot be held")
def test_only_what_was_left_of_this_file_is_swept(tmp_path):
    left, others = f"file.{'0123456789abcdef' * 2}.part", f"other.{'0' * 32}.part"
    for name in (left, others, "file", "file.part", "file.backup.part", f"{left}.txt"):
        (tmp_path / name).write_bytes(b"something")
    (tmp_path / f"file.{'1' * 32}.part").mkdir()
    before = set(os.listdir(tmp_path))
    sweep(tmp_path / "file")
    assert before - set(os.listdir(tmp_path)) == {left}
    sweep(tmp_path / "nowhere" / "file")
    assert len(os.listdir(tmp_path)) == len(before) - 1


@pytest.mark.skipif(not files.fcntl, reason="files cannot be held")
def test_a_new_file_that_is_swept_before_it_is_held_is_made_again(tmp_path, monkeypatch):
    hold, path, swept = files._hold, tmp_path / "file", []

    def late(file, how=0):
        if not how and not swept:  # another process comes between
            swept.append(sweep(path))
        return hold(file, how)

    monkeypatch.setattr("files._hold", late)
    write(path)
    assert swept
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["file"]


def test_where_files_cannot_be_held_they_are_written_and_nothing_is_swept(tmp_path, monkeypatch):
    left = tmp_path / f"file.{'0' * 32}.part"
    left.write_bytes(b"half")
    monkeypatch.setattr("files.fcntl", None)
    write(tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"new"
    assert sorted(os.listdir(tmp_path)) == ["file", left.name]


def test_the_longest_names_can_be_written(tmp_path):
    for name in ("x" * 255, "é" * 127):
        write(tmp_path / name)
        write(tmp_path / name)
    assert len(os.listdir(tmp_path)) == 2


@pytest.mark.skipif(os.name == "nt", reason="other rights")
def test_rights_stay(tmp_path):
    path = tmp_path / "file"
    for rights in (0o600, 0o644, 0o400):
        write(path, b"old")
        path.chmod(rights)
        with written_whole(path) as file:
            assert os.fstat(file.fileno()).st_mode & 0o777 == rights  # nobody reads it meanwhile
            file.write(b"new")
        assert path.stat().st_mode & 0o777 == rights


FULL = """
import resource, sys
from files import written_whole

resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))  # as on a full disk
try:
    with written_whole(sys.argv[1]) as file:
        file.write(bytes(100_000))
except OSError as error:
    print(error)
"""


@pytest.mark.skipif(os.name == "nt", reason="there are no such limits")
def test_a_disk_without_room_is_said_in_a_sentence(tmp_path):
    path = tmp_path / "file"
    write(path, b"old")
    child = subprocess.run([sys.executable, "-c", FULL, path], cwd=ROOT, capture_output=True)
    assert child.stdout.decode().strip() == f"{path} cannot be written: File too large."
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_errors_of_the_system_keep_their_kind(tmp_path, monkeypatch):
    def fail(*args):
        raise OSError(errno.EACCES, "Permission denied", "something.part")

    monkeypatch.setattr("files.os.fsync", fail)
    with pytest.raises(PermissionError) as caught:
        write(tmp_path / "file")
    assert str(caught.value) == f"{tmp_path / 'file'} cannot be written: Permission denied."


def test_two_at_once_do_not_mix(tmp_path):
    path = tmp_path / "file"
    with written_whole(path) as one:
        one.write(b"one")
        write(path, b"two")
    assert path.read_bytes() == b"one"
    assert os.listdir(tmp_path) == ["file"]

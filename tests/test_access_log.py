"""lessons/access_log.py, the command: verdicts, summaries, and what can go wrong."""

import errno
import os
import subprocess
import sys

import joblib
import pytest
from conftest import ROOT, wait_until

from lessons import access_log
from lessons.simulated_log import simulate
from nn import NeuralNetwork

START = "1.2.3.4 - - [20/Dec/2011:15:00:03 +0400]"
LINE = f'{START} "POST /forum/index.php HTTP/1.1" 503 107 "-" "-"'
COMMAND = [sys.executable, "-m", "lessons.access_log"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("logs")
    for name, log in zip(("good", "bad"), simulate(600, seed=1), strict=True):
        (folder / f"{name}.log").write_text("\n".join(log))
    log = simulate(300, seed=2)
    (folder / "access.log").write_text("\n".join(log[0] + log[1]))
    return folder


def options(folder, *others):
    return [f"--good={folder / 'good.log'}", f"--bad={folder / 'bad.log'}", *map(str, others)]


def test_command_judges_each_request_and_each_address(folder, capsys):
    assert access_log.main(options(folder, folder / "access.log", "--networks=1")) == 0
    out, err = capsys.readouterr()
    verdicts, summary = out.split("\n\n")
    assert len(verdicts.splitlines()) == 600
    assert {line.split()[0] for line in verdicts.splitlines()} == {"good", "grey", "bad"}
    assert summary.startswith("address")
    assert "not a block list" in summary
    assert "validation loss" in err
    assert "grey from 0." in err
    assert "test part: of 120 good requests " in err
    assert "test part: of 120 bad requests " in err
    assert "access.log: 0 of 600 lines could not be read" in err


def test_command_prints_only_the_summary(folder, capsys):
    assert access_log.main(options(folder, folder / "access.log", "--networks=1", "--summary")) == 0
    assert capsys.readouterr().out.startswith("\naddress")


def test_command_reads_standard_input(folder):
    run = subprocess.run(
        [*COMMAND, *options(folder, "-", "--networks=1")],
        cwd=ROOT,
        input=f"{LINE}\nnonsense\n",
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0
    assert "POST /forum/index.php HTTP/1.1" in run.stdout.splitlines()[0]
    assert "-: 1 of 2 lines could not be read\n  1: expected an address" in run.stderr


def test_command_survives_head(folder):
    log = folder / "long.log"
    log.write_text(f"{LINE}\n" * 20_000)
    with subprocess.Popen(
        [*COMMAND, *options(folder, log, "--networks=1")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        assert run.stdout.readline().endswith("POST /forum/index.php HTTP/1.1\n")
        run.stdout.close()
        assert "Traceback" not in run.stderr.read()
    assert run.returncode == 141


def test_an_interrupt_during_learning_ends_the_command(folder, monkeypatch, capsys):
    """Ctrl-C is a KeyboardInterrupt in whatever runs; here after 100 steps, in the second epoch."""
    steps, backprop = [], NeuralNetwork.backprop

    def interrupted(*batch, **scale):
        steps.append(1)
        if len(steps) > 100:
            raise KeyboardInterrupt
        return backprop(*batch, **scale)

    monkeypatch.setattr(NeuralNetwork, "backprop", interrupted)
    with joblib.parallel_config(backend="sequential"):  # Ctrl-C is for the main thread
        assert access_log.main(options(folder, folder / "access.log")) == 130
    out, err = capsys.readouterr()
    assert err.endswith("\nStopped.\n")
    assert "validation loss" not in err
    assert not out


def test_command_says_what_is_wrong(folder, tmp_path, capsys):
    def error(*arguments):
        assert access_log.main(arguments) == 1
        return capsys.readouterr().err

    (tmp_path / "empty").touch()
    (tmp_path / "zip").write_bytes(b"PK\x03\x04")
    (tmp_path / "allow").write_text("everybody")
    (tmp_path / "junk").write_bytes(bytes(range(256)) * 9)
    good, bad = options(folder)
    assert "missing: No such file" in error(*options(folder, tmp_path / "missing"))
    assert "missing: No such file" in error(good, f"--bad={tmp_path / 'missing'}", "-")
    assert "ten good and ten bad" in error(f"--good={tmp_path / 'empty'}", bad, "-")
    assert f"{tmp_path}: is a folder" in error(*options(folder, tmp_path))
    assert "is a zip archive" in error(*options(folder, tmp_path / "zip"))
    assert "allow, line 1" in error(*options(folder, "-", f"--allow={tmp_path / 'allow'}"))
    assert "no line is in the combined" in error(*options(folder, tmp_path / "junk"))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (["--networks=0"], "expected 1 or more"),
        (["--ban-after=1"], "a single verdict is often wrong"),
        (["--within=0"], "more than 0 minutes"),
        (["--captcha=-1"], "costs of 0 or more"),
        (["--missed=nan"], "costs of 0 or more"),
        (["--follow", "-"], "--follow: expected one log"),
        (["--form=iptables"], "invalid choice"),
    ],
)
def test_wrong_options(folder, wrong, words, capsys):
    with pytest.raises(SystemExit, match="2"):
        access_log.main(options(folder, folder / "access.log", *wrong))
    assert words in capsys.readouterr().err


def test_a_log_to_judge_is_not_enough(folder, capsys):
    with pytest.raises(SystemExit, match="2"):
        access_log.main([str(folder / "access.log")])
    assert "expected --good LOG --bad LOG" in capsys.readouterr().err


def test_several_logs_are_one(folder, tmp_path, capsys):
    log = (folder / "access.log").read_text().splitlines(keepends=True)
    for name, lines in (("access.log", log[400:]), ("access.log.1", log[:400])):
        (tmp_path / name).write_text("".join(lines))
    logs = [tmp_path / "access.log", tmp_path / "access.log.1"]
    assert access_log.main(options(folder, *logs, "--networks=1")) == 0
    out, err = capsys.readouterr()
    assert len(out.split("\n\n")[0].splitlines()) == 600
    assert "access.log.1: 0 of 400 lines" in err
    more = [f"--good={tmp_path / 'access.log'}", "--networks=1"]  # 200 more to learn from
    assert access_log.main(options(folder, *logs, *more)) == 0
    assert "test part: of 160 good requests" in capsys.readouterr().err


def test_bans_are_written_for_a_firewall(folder, tmp_path, capsys):
    bans, (_, bots) = tmp_path / "bans", simulate(300, seed=2)
    rules = ["--networks=1", "--ban-after=2", "--lasts=1e6", f"--bans={bans}", "--form=ipset"]
    assert access_log.main(options(folder, folder / "access.log", *rules)) == 0
    lines = bans.read_text().splitlines()
    assert lines[0].startswith("add flood")
    found = {line.split()[2] for line in lines}
    assert found & {line.split()[0] for line in bots}
    assert f"2 bad requests within 5 minutes: {len(found)} bans" in capsys.readouterr().err
    spared, allow = found.pop(), tmp_path / "allow"
    allow.write_text(spared)
    args = options(folder, folder / "access.log", *rules, f"--allow={allow}")
    assert access_log.main(args) == 0
    assert spared not in bans.read_text().split()


def test_a_log_that_grows_is_followed_and_the_list_grows_with_it(folder, tmp_path):
    bans, log = tmp_path / "bans", tmp_path / "log"
    log.write_text(f"{LINE}\n")
    with subprocess.Popen(
        [*COMMAND, *options(folder, log, "--networks=1", "--follow", f"--bans={bans}")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as run:
        try:
            assert "POST /forum/index.php" in run.stdout.readline()
            assert bans.read_text() == "" if bans.exists() else True
            with log.open("a") as file:
                file.write(f"{LINE}\n" * 4)
            for _ in range(4):
                assert run.stdout.readline().startswith("bad")
            wait_until(bans.read_text)
            assert bans.read_text() == "1.2.3.4\n"
        finally:
            run.kill()


def test_a_full_disk_leaves_no_simulation_and_is_named(tmp_path, monkeypatch, capsys):
    fsync, calls = os.fsync, []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) == 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    assert access_log.main(["--simulate", str(tmp_path / "new")]) == 1
    assert capsys.readouterr().err.endswith("cannot be written: No space left on device.\n")
    assert list((tmp_path / "new").iterdir()) == []
    assert access_log.main(["--simulate", str(tmp_path / "new")]) == 0


def test_command_simulates_but_never_over_a_log(tmp_path, capsys):
    assert access_log.main(["--simulate", str(tmp_path / "new")]) == 0
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == [
        "access.log",
        "bad.log",
        "good.log",
    ]
    assert "simulated" in capsys.readouterr().out
    assert access_log.main(["--simulate", str(tmp_path / "new")]) == 1
    assert "is there already: name another folder" in capsys.readouterr().err

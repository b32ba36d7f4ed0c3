"""lessons/access_log.py, the command: verdicts, summaries, and what can go wrong."""

import subprocess
import sys

import pytest
from conftest import ROOT

from lessons import access_log
from lessons.access_log import Summary
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
    assert verdicts.startswith(("good 0.", "bad  "))
    assert summary.startswith("address")
    assert "not a block list" in summary
    assert "validation loss" in err
    assert "test part: " in err
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
        timeout=120,
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
    (tmp_path / "junk").write_bytes(bytes(range(256)) * 9)
    good, bad = options(folder)
    assert "missing: No such file" in error(*options(folder, tmp_path / "missing"))
    assert "missing: No such file" in error(good, f"--bad={tmp_path / 'missing'}", "-")
    assert "ten good and ten bad" in error(f"--good={tmp_path / 'empty'}", bad, "-")
    assert "no line is in the combined" in error(*options(folder, tmp_path / "junk"))
    with pytest.raises(SystemExit, match="2"):
        access_log.main([str(folder / "access.log")])


def test_command_simulates_but_never_over_a_log(tmp_path, capsys):
    assert access_log.main(["--simulate", str(tmp_path / "new")]) == 0
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == [
        "access.log",
        "bad.log",
        "good.log",
    ]
    assert "simulated" in capsys.readouterr().out
    assert access_log.main(["--simulate", str(tmp_path / "new")]) == 1
    assert "File exists" in capsys.readouterr().err


def test_nothing_that_commands_a_terminal_is_printed():
    assert access_log.printable("\x1b[31m\u202e") == r"\x1b[31m\u202e"
    assert access_log.printable("é" * 300) == "é" * 197 + "..."


def test_summary_stays_small(monkeypatch):
    monkeypatch.setattr(access_log, "MOST_ADDRESSES", 100)
    summary = Summary()
    for n in range(1_000):
        summary.add("busy", bad=True)
        summary.add(f"{n}" * 100, bad=n % 2)
    assert len(summary.requests) <= 100
    assert len(summary.bad) <= 100
    assert str(summary).splitlines()[1].split()[:3] == ["busy", "1,000", "1,000"]

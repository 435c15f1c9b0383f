"""The command line: every command as a user would type it, exit codes, clear errors, nothing half-written."""

import json
from pathlib import Path

import obspy
import pytest
from click.testing import CliRunner

from obspy_tng.cli import COMMANDS, group, main

SAMPLES = Path(__file__).parents[1] / "data_samples" / "network"
META = ["--inventory", str(SAMPLES / "stations.xml"), "--events", str(SAMPLES / "events.xml")]


def run(*args):
    """Run a command in this process."""
    return CliRunner().invoke(group, [str(a) for a in args])


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_helps_within_80_columns(name):
    """--help works, is not empty and fits a terminal; the list of commands names it."""
    text = run(name, "--help").output
    assert "Usage" in text
    assert max(map(len, text.splitlines())) <= 80
    assert name in run("--help").output


def test_corpus_pool_generate_chain(tmp_path):
    """From files to a corpus, a pool and records: four commands, each leaving what the next needs."""
    made = run("corpus", "build", SAMPLES, "--out", tmp_path / "corpus", *META)
    assert made.exit_code == 0, made.output
    facts = json.loads(run("corpus", "info", tmp_path / "corpus", "--json").output)
    assert facts["records"] == 32
    assert facts["stations"]["XT.SOFT"] == 8
    out = run(
        "pool", "build", SAMPLES, *META, "--station", "XT.SOFT", "--out", tmp_path / "soft.h5", "--kind", "simulated"
    )
    assert out.exit_code == 0, out.output
    facts = json.loads(run("pool", "info", tmp_path / "soft.h5", "--json").output)
    assert (facts["kind"], facts["n_records"], facts["station"]) == ("simulated", 8, "XT.SOFT")
    out = run("generate", "--pool", tmp_path / "soft.h5", "-n", 2, "--seed", 4, "--out", tmp_path / "g", "--plot")
    assert out.exit_code == 0, out.output
    stream = obspy.read(tmp_path / "g" / "XT.SOFT_4.mseed")
    assert len(stream) == 6
    assert (tmp_path / "g" / "XT.SOFT_4.png").stat().st_size > 10_000
    assert (tmp_path / "g" / "XT.SOFT_4.xml").is_file()


def test_pool_build_of_several_stations_needs_a_folder(tmp_path):
    """Several stations into one file is a usage error; into a folder gives a pool each."""
    assert run("pool", "build", SAMPLES, *META, "--out", tmp_path / "x.h5").exit_code == 2
    assert run("pool", "build", SAMPLES, *META, "--out", tmp_path / "pools").exit_code == 0
    assert sorted(p.stem for p in (tmp_path / "pools").iterdir()) == ["XT.ROCK", "XT.SOFT", "XT.STIFF", "XT.TWO"]
    table = json.loads(run("stations", "--pool", tmp_path / "pools", "--json").output)
    assert {row["station"] for row in table} == {"XT.ROCK", "XT.SOFT", "XT.STIFF", "XT.TWO"}


def test_generate_writes_sac_for_a_station_with_letters(tmp_path):
    """SAC goes to a folder, one file per trace, although the code has a dot in it."""
    out = run("generate", "--station", "CWC", "--seed", 1, "--format", "SAC", "--out", tmp_path)
    assert out.exit_code == 0, out.output
    assert len(list((tmp_path / "CI.CWC_1").glob("*.sac"))) == 3


def test_training_by_command_line(tmp_path):
    """train leaves weights, card, checkpoint; a second run without --resume is a usage error."""
    run("corpus", "build", SAMPLES, "--out", tmp_path / "corpus", *META)
    args = ["train", tmp_path / "corpus", "--out", tmp_path / "run", "--epochs", 1, "--precision", "fp32"]
    assert run(*args).exit_code == 0
    assert {p.name for p in (tmp_path / "run").iterdir()} == {
        "checkpoint.safetensors", "model.safetensors", "model.json", "history.csv", "steps.csv",
    }  # fmt: skip
    again = run(*args)
    assert again.exit_code == 2
    assert "--resume" in again.output
    assert run(*args, "--resume").exit_code == 0


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["generate"], 2, "--station"),
        (["generate", "--station", "0206"], 1, "TK.0205"),
        (["generate", "--station", "0205", "-n", "2000"], 1, "corpus"),
        (["generate", "--station", "0205", "--starttime", "soon"], 2, "no time"),
        (["generate", "--station", "0205", "--sampler", "x"], 2, "vp"),
        (["pool", "build", "nowhere", "--out", "p.h5"], 1, "nowhere"),
        (["corpus", "info", "."], 1, "metadata.csv"),
        (["nonsense"], 2, "nonsense"),
    ],
)
def test_errors_are_one_line_with_the_right_exit_code(args, code, words, tmp_path, monkeypatch, capsys):
    """Usage errors exit with 2, others with 1; the line says what would be accepted; nothing is written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["obspy-tng", *args])
    with pytest.raises(SystemExit) as end:
        main()
    text = capsys.readouterr().err
    assert end.value.code == code
    assert words in text
    assert "Traceback" not in text
    assert len([line for line in text.splitlines() if line.startswith("Error")]) == 1
    assert not list(tmp_path.iterdir())


def test_info_names_model_and_data():
    """info prints versions and the shipped card; --json is JSON."""
    text = run("info").output
    assert "obspy-tng" in text
    assert "doi:10.7914/SN/CI" in text
    assert json.loads(run("info", "--json").output)["tng-ridgecrest-1"]["model"] == "timesnet-gen"

"""One set of commands, with make and without, told in steps; and an environment in any folder, on any system."""

import importlib
import json
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
from itertools import chain
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools import browser, clean, debian, environment, running, server, versions
from tools.commands import COMMANDS, Command, Step
from tools.environment import EVERYTHING, NEEDS, ROOT, Environment, EnvironmentFailed, variables

MAKEFILE = (ROOT / "Makefile").read_text("utf-8")


def run_tools(*words, cwd=ROOT, **more):
    done = subprocess.run([sys.executable, "-m", "tools", *words], cwd=cwd, capture_output=True, env=os.environ | more)
    return done.returncode, done.stdout.decode("ascii"), done.stderr.decode("ascii")


def test_the_makefile_has_the_commands_and_no_others():
    targets = re.search(r"^COMMANDS := ((?:.*\\\n)*.*)", MAKEFILE, re.MULTILINE)[1].replace("\\\n", " ").split()
    assert sorted(targets) == sorted([*COMMANDS, "help"])


def test_without_a_command_all_are_listed_in_letters_that_every_terminal_has():
    status, listed, said = run_tools(PYTHONIOENCODING="ascii", LC_ALL="C", MAKELEVEL="")
    assert (status, said) == (0, "")
    assert [line.split()[3] for line in listed.splitlines()] == ["help", *sorted(COMMANDS)]
    assert f"  python -m tools book         {COMMANDS['book'].says}\n" in listed
    assert run_tools("help", MAKELEVEL="1")[1].splitlines()[0] == "  make help         list the commands"


def test_a_command_that_does_not_exist_names_the_one_that_may_be_meant():
    status, printed, said = run_tools("bok", MAKELEVEL="")
    assert (status, printed) == (2, "")
    assert said.startswith("'bok' is no command, perhaps book:\n  python -m tools help")


def test_what_starts_a_command_needs_nothing_installed():
    """Python's own library, which -I and -S leave, is all that there is before the environment is made."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import tools.running; print(len(tools.running.COMMANDS))"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == len(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_steps_of_a_command_run_modules_and_programs_that_exist(name, monkeypatch, tmp_path):
    monkeypatch.setattr("tools.commands.SITE", tmp_path)  # so that steps which build the site are among them
    for step in COMMANDS[name].steps([]):
        assert step.says.isascii()
        for program, *arguments in chain(*step.commands):
            if arguments[:1] == ["-m"]:
                assert importlib.util.find_spec(arguments[1])
            else:
                assert Path(Environment().program(program)).is_file()


def test_the_oldest_versions_that_are_tried_are_the_bounds():
    bounds = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    assert versions.SETS["lowest"] == [f"{name}=={bound}" for name, bound in (entry.split(">=") for entry in bounds)]
    tried = {entry.split("==")[0].split("<")[0] for entry in versions.SETS["colab"]}
    assert {entry.split(">=")[0] for entry in bounds} <= tried
    assert [path for path in versions.UNITS if not (ROOT / path).is_file()] == []


def test_a_set_of_versions_that_does_not_exist_is_named(capsys):
    with pytest.raises(SystemExit):
        versions.main(["oldest"])
    assert "'oldest' is none of lowest, colab" in capsys.readouterr().err


def test_the_site_has_what_lists_the_notebooks_that_are_opened_live():
    """JupyterLite imports it only if it is there, and then fails later; the other groups bring it along unasked."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
    assert any(name.startswith("jupyter-server>") for name in groups["book"])


def test_only_names_of_pyproject_are_installed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    for extras, groups, _ in NEEDS.values():
        assert set(extras) <= set(project["project"]["optional-dependencies"])
        assert set(groups) <= set(project["dependency-groups"])
    assert {command.needs for command in COMMANDS.values()} <= {None, *NEEDS}


class TestSteps:
    """How a command is told, with steps that only print."""

    def command(self, *steps, needs=None, done=""):
        made = [Step(says, tuple([[sys.executable, "-c", code]] for code in codes)) for says, *codes in steps]
        return Command("", needs, lambda words: iter(made), done)

    def test_they_are_counted_and_the_quick_ones_are_not(self, capfd):
        command = self.command(("one", "print('a')"), ("", "print('b')"), ("two", "print('c')"), done="There.")
        assert running.run(Environment(), command, []) == 0
        assert capfd.readouterr().out.split("\n") == ["1 of 2: one", "a", "b", "2 of 2: two", "c", "There.", ""]

    def test_a_single_one_is_not_counted(self, capfd):
        assert running.run(Environment(), self.command(("starting JupyterLab", "print('a')")), []) == 0
        assert capfd.readouterr().out == "Starting JupyterLab\na\n"

    def test_the_first_that_fails_is_the_last(self, capfd):
        command = self.command(("one", "import sys; sys.exit(3)"), ("two", "print('c')"), done="There.")
        assert running.run(Environment(), command, []) == 3
        assert capfd.readouterr().out == "1 of 2: one\n"

    def test_what_mends_a_step_is_said_if_it_fails(self, capfd):
        def checking(code):
            step = Step("", ([[sys.executable, "-c", code]],), mended_by=("ruff", "format"))
            return Command("", None, lambda words: iter([step]))

        assert running.run(Environment(), checking("1 / 0"), []) == 1
        program = os.path.relpath(Environment().program("ruff"), ROOT)
        assert capfd.readouterr().out == f"`{program} format` mends this.\n"
        assert running.run(Environment(), checking("pass"), []) == 0
        assert capfd.readouterr().out == ""

    def test_no_time_is_promised_for_what_was_named(self):
        for name in ("outputs", "gallery", "live"):
            (*_, all_of_it), (*_, one) = ([s for s in COMMANDS[name].steps(words) if s.says] for words in ([], ["03"]))
            assert " minutes" in all_of_it.says
            assert one.says.endswith(" 03")

    def test_of_those_that_run_at_once_all_end_and_the_failure_counts(self, capfd):
        command = self.command(("both", "import sys; sys.exit(4)", "print('still')"))
        assert running.run(Environment(), command, []) == 4
        assert "still" in capfd.readouterr().out

    def test_of_those_in_a_row_the_first_that_fails_is_the_last(self, capfd, tmp_path):
        beside = f"open({str(tmp_path / 'beside')!r}, 'w')"  # two that print at once may write over each other
        row = [[sys.executable, "-c", code] for code in ("print('a')", "1 / 0", "print('b')")]
        command = Command("", None, lambda words: iter([Step("row", (row, [[sys.executable, "-c", beside]]))]))
        assert running.run(Environment(), command, []) == 1
        assert capfd.readouterr().out.split() == ["Row", "a"]
        assert (tmp_path / "beside").is_file()

    @pytest.mark.parametrize(("code", "shown"), [("print('chat')", ""), ("print('chat'); 1 / 0", "chat\n")])
    def test_what_a_program_says_of_itself_is_shown_if_it_fails(self, capfdbinary, monkeypatch, code, shown):
        monkeypatch.setattr(running, "CHATTY", (sys.executable,))
        running.run(Environment(), self.command(("", code)), [])
        sys.stdout.flush()
        assert capfdbinary.readouterr().out.decode().replace("\r", "") == shown

    def test_an_environment_is_made_first_where_it_is_missing(self, capfd, monkeypatch, tmp_path):
        made = []
        copy = Environment(folder(tmp_path))
        monkeypatch.setattr(copy, "make", lambda: made.append("make"))
        monkeypatch.setattr(copy, "install", made.append)
        command = self.command(("working", "pass"), needs="installed-run")
        assert running.run(copy, command, []) == 0
        assert made == ["make", "installed-run"]
        first, second, third = capfd.readouterr().out.splitlines()
        assert first.startswith("1 of 3: making")
        assert re.fullmatch(r"2 of 3: installing .*MB: about two minutes", second)
        assert third == "3 of 3: working"

    def test_what_could_not_be_installed_is_said_in_a_sentence(self, capsys, monkeypatch):
        def fail(*_):
            raise EnvironmentFailed("Do this.")

        monkeypatch.setattr(running, "run", fail)
        assert running.main(["book"]) == 1
        assert capsys.readouterr().err == "Do this.\n"


def folder(tmp_path, name="copy"):
    """Return a folder with what says what is to be installed: nothing but a package of its own."""
    place = tmp_path / name
    (place / "lossprimer").mkdir(parents=True)
    (place / "lossprimer" / "__init__.py").write_text('"""A package."""\n__version__ = "1"\n')
    (place / "requirements.txt").write_text("-e .\n")
    groups = "[dependency-groups]\nrun = ['one>=1']\nbook = ['two']\n"
    (place / "pyproject.toml").write_text(f"[project]\nname = 'lossprimer'\nversion = '1'\n{groups}")
    return place


class TestEnvironment:
    """Where it is, what is in it, and when it has to be made again."""

    def test_windows_has_its_programs_elsewhere(self, tmp_path):
        assert Environment(tmp_path, windows=True).program("ruff") == str(tmp_path / ".venv" / "Scripts" / "ruff.exe")
        assert Environment(tmp_path, windows=False).program("ruff") == str(tmp_path / ".venv" / "bin" / "ruff")
        assert Environment(tmp_path).program(sys.executable) == sys.executable

    def mark(self, copy, name, text):
        copy.folder.mkdir(exist_ok=True)
        (copy.folder / name).write_text(text)

    def test_what_is_installed_is_known_until_it_changes(self, tmp_path):
        copy = Environment(folder(tmp_path))
        assert not copy.has("installed-run")
        self.mark(copy, "installed-run", str(copy.folder))
        assert [copy.has(need) for need in NEEDS] == [True, False, False]
        later = (copy.folder / "installed-run").stat().st_mtime + 1
        os.utime(copy.root / "pyproject.toml", (later, later))
        assert not copy.has("installed-run")

    def test_an_environment_with_everything_has_each_part(self, tmp_path):
        copy = Environment(folder(tmp_path))
        self.mark(copy, EVERYTHING, "")  # as one marks an environment that was made by hand
        assert all(map(copy.has, NEEDS))

    def test_an_environment_that_was_moved_is_none(self, tmp_path):
        copy = Environment(folder(tmp_path))
        self.mark(copy, EVERYTHING, str(copy.folder))
        assert copy.has(EVERYTHING)
        moved = Environment(copy.root.rename(tmp_path / "moved"))
        assert not moved.has(EVERYTHING)

    def test_a_part_is_installed_in_the_pinned_versions(self, tmp_path):
        copy = Environment(folder(tmp_path))
        copy.folder.mkdir()
        (copy.root / "requirements.txt").write_text("one==1.5\n-e .\n")
        _, constraints, *rest = copy.wanted("installed-run")
        assert rest == ["one>=1", "--editable", "."]
        # Neither pip nor uv takes the course itself among constraints.
        assert Path(constraints).read_text("utf-8").split() == ["one==1.5"]
        assert copy.wanted("installed-site") == ["--constraint", constraints, "two", "--editable", "."]
        assert copy.wanted(EVERYTHING) == ["--requirement", "requirements.txt"]

    def test_an_extra_is_asked_for_with_the_course(self, tmp_path, monkeypatch):
        copy = Environment(folder(tmp_path))
        copy.folder.mkdir()
        monkeypatch.setitem(NEEDS, "part", (("a", "b"), (), ""))
        assert copy.wanted("part")[2:] == ["--editable", ".[a,b]"]

    def test_uv_installs_where_it_is_at_hand(self, tmp_path, monkeypatch):
        copy = Environment(tmp_path)
        monkeypatch.setattr("shutil.which", {"uv": "/there/uv"}.get)
        assert copy.installer()[:3] == ["/there/uv", "pip", "install"]
        monkeypatch.setattr("shutil.which", {}.get)
        assert copy.installer()[:3] == [copy.program("python"), "-m", "pip"]

    def test_a_python_that_cannot_make_one_says_what_to_do(self, tmp_path, monkeypatch):
        monkeypatch.setattr("shutil.which", {}.get)
        monkeypatch.setattr(environment, "can_install", lambda: False)
        monkeypatch.setattr(Environment, "_venv", lambda self: False)
        with pytest.raises(EnvironmentFailed, match=r"apt-get install python3-venv\. Or install uv"):
            Environment(tmp_path).make()

    def test_it_is_made_by_a_python_that_is_in_no_environment(self):
        """Or the one that makes it would be removed with what was there before."""
        ask = [environment.PYTHON, "-c", "import sys; print(sys.prefix == sys.base_prefix)"]
        assert subprocess.run(ask, capture_output=True, check=True).stdout.split() == [b"True"]

    @pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
    def test_it_works_in_a_folder_with_any_name_under_any_locale(self, tmp_path, monkeypatch, locale):
        """The one test that makes a real one: without pip, which takes long, as flit leaves it after installing."""
        copy = Environment(folder(tmp_path, "Müller's Ordner 図"))
        make = [sys.executable, "-m", "venv", "--without-pip", str(copy.folder)]
        subprocess.run(make, check=True)
        (packages,) = copy.folder.rglob("site-packages")
        (packages / "lossprimer.pth").write_text(str(copy.root), "utf-8")
        monkeypatch.setattr(copy, "installer", lambda: [sys.executable, "-c", ""])
        copy.install(EVERYTHING)
        assert copy.has(EVERYTHING)
        ask = [copy.program("python"), "-c", "import lossprimer; print(lossprimer.__version__)"]
        # With another encoding than UTF-8, as a terminal may have.
        settings = {"LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        done = subprocess.run(ask, cwd=tmp_path, env=os.environ | settings, capture_output=True, check=True)
        assert done.stdout.split() == [b"1"]

    def test_jupyters_programs_are_quiet_and_settings_of_ones_own_stay(self, tmp_path):
        copy = Environment(folder(tmp_path))
        own, lab = (
            copy.folder / "etc/jupyter/nbgrader_config.py",
            copy.folder / "share/jupyter/lab/settings/overrides.json",
        )
        own.parent.mkdir(parents=True)
        own.write_text("c = get_config()")
        copy.quieten()
        assert own.read_text() == "c = get_config()"
        (asked,) = json.loads(lab.read_text()).values()
        assert asked == {"fetchNews": "false", "checkForUpdates": False}
        assert all((copy.folder / name).is_file() for name in environment.QUIET)

    @pytest.mark.kernel
    def test_notebooks_are_executed_without_a_word_of_a_library(self, tmp_path, monkeypatch, capfd):
        """As the site is built: each kernel would warn that it talks without encryption."""
        copy = Environment(folder(tmp_path))
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(copy.folder)], check=True)
        (packages,) = copy.folder.rglob("site-packages")
        (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
        (copy.root / "conf.py").write_text("extensions = ['myst_nb']\nroot_doc = 'page'\nexclude_patterns = ['.*']\n")
        nb = new_notebook(cells=[new_markdown_cell("# A page"), new_code_cell("6 * 7")])
        (copy.root / "page.ipynb").write_text(nbformat.writes(nb))
        monkeypatch.setattr(Environment, "has", lambda *_: True)
        command = Command(
            "", EVERYTHING, lambda words: iter([Step("", ([["python", "-m", "sphinx", "-q", ".", "out"]],))])
        )
        assert running.run(copy, command, []) == 0
        assert "42" in (copy.root / "out" / "page.html").read_text("utf-8")
        assert capfd.readouterr() == ("", "")


class TestBrowser:
    """What drives it, on a system that has it and on one that has not."""

    def test_a_driver_that_does_not_run_is_none(self, monkeypatch, capfd):
        monkeypatch.setattr(browser, "_ASK", "import sys; sys.exit('node: error while loading shared libraries')")
        assert browser.driven() is None
        monkeypatch.setattr(browser, "_ASK", "print('/a path/chrome')")
        assert browser.driven() == "/a path/chrome"
        assert capfd.readouterr() == ("", "")

    @pytest.mark.parametrize("root", [True, False])
    def test_what_it_needs_is_installed_or_named(self, monkeypatch, root):
        installed = []
        monkeypatch.setattr(browser, "can_install", lambda: root)
        monkeypatch.setattr(browser, "install", installed.append)
        monkeypatch.setattr(browser, "driven", lambda: None)
        monkeypatch.setattr(browser, "find_browser", lambda: None)
        with pytest.raises(SystemExit, match="sudo apt-get install chromium libatomic1"):
            browser.main()
        assert installed == (["libatomic1", "chromium-headless-shell", "chromium"] if root else [])


@pytest.mark.kernel
def test_jupyterlab_says_its_address_and_nothing_before(tmp_path):
    (step,) = COMMANDS["notebooks"].steps(["--no-browser", "--allow-root", "--port=0", "--ServerApp.port_retries=50"])
    ((command, *arguments),) = step.commands[0]
    kept = {"JUPYTER_CONFIG_DIR": str(tmp_path), "JUPYTER_DATA_DIR": str(tmp_path)}
    started = [Environment(folder=Path(sys.prefix)).program(command), *arguments]
    with subprocess.Popen(started, cwd=ROOT, env=os.environ | kept, stderr=subprocess.PIPE, text=True) as lab:
        said = []
        for line in lab.stderr:
            said.append(line.strip())
            if "/lab/tree/notebooks" in line:
                break
        lab.kill()
    # Nor are a teacher's tools installed where one only reads.
    first, told, *_ = [line for line in said if line and not line.startswith("[NbGrader")]
    assert re.fullmatch(r"\[C .* ServerApp\]", first)
    assert told.startswith("To access the server")


class TestVariables:
    """What a command's programs are told."""

    def test_settings_of_other_projects_are_left_out(self, monkeypatch):
        monkeypatch.setenv("PYTHONPATH", "elsewhere")
        monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
        monkeypatch.setenv("PIP_USER", "1")
        monkeypatch.setenv("HTTPS_PROXY", "http://proxy")
        found = variables()
        assert not {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE"} & found.keys()
        assert found["PIP_USER"] == "0"
        assert found["HTTPS_PROXY"] == "http://proxy"

    @pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such locale")
    @pytest.mark.parametrize(("encoding", "told"), [("ISO-8859-1", "C.UTF-8"), ("UTF-8", "de_DE"), ("utf8", "de_DE")])
    def test_programs_read_files_as_utf_8_whatever_the_locale(self, monkeypatch, encoding, told):
        monkeypatch.setenv("LC_ALL", "de_DE")
        monkeypatch.setattr("locale.getencoding", lambda: encoding)
        assert variables()["LC_ALL"] == told

    def test_a_home_folder_that_cannot_be_written_has_a_stand_in(self, monkeypatch, tmp_path):
        monkeypatch.setenv("HOME", str(tmp_path / "nowhere"))
        monkeypatch.setenv("USERPROFILE", str(tmp_path / "nowhere"))
        assert variables(tmp_path)["HOME"] == str(tmp_path / "_build" / "home")
        assert (tmp_path / "_build" / "home").is_dir()
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("USERPROFILE", str(tmp_path))
        assert variables(tmp_path)["HOME"] == str(tmp_path)


def test_a_package_of_debian_is_installed_without_a_word_or_a_question(monkeypatch, capfd):
    ran = []
    monkeypatch.setattr("tools.debian.subprocess.run", lambda command, **how: ran.append((command[1], how)))
    debian.install("bubblewrap")
    assert [name for name, _ in ran] == ["update", "install"]
    for _, how in ran:
        assert how["env"]["DEBIAN_FRONTEND"] == "noninteractive"
        assert how["stdout"] == how["stderr"] == subprocess.DEVNULL


def test_what_was_built_is_removed_and_the_environment_stays(tmp_path):
    kept = [tmp_path / "a" / "code.py", tmp_path / ".venv" / "__pycache__" / "kept.pyc"]
    gone = [tmp_path / "_build" / "page.html", tmp_path / "a" / "__pycache__" / "code.pyc"]
    for path in kept + gone:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    clean.clean(tmp_path)
    assert [path.exists() for path in kept + gone] == [True, True, False, False]


def test_scripts_are_served_as_scripts_whatever_the_system_was_told(monkeypatch):
    monkeypatch.setattr("mimetypes.guess_type", lambda *_, **__: ("text/plain", None))
    monkeypatch.setattr("mimetypes.types_map", {".js": "text/plain"})
    handler = server.QuietHandler.__new__(server.QuietHandler)
    kinds = [handler.guess_type(f"a{ending}") for ending in (".js", ".css", ".wasm", ".txt")]
    assert kinds == ["text/javascript", "text/css", "application/wasm", "text/plain"]


def test_a_port_that_cannot_be_had_is_named():
    with pytest.raises(SystemExit, match="port eight"):
        server.main("eight")
    with pytest.raises(SystemExit, match="port 70000"):
        server.main("70000")

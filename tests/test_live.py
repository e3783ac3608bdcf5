"""What runs in a reader's page, tried in CPython; and where the files come from that it runs on."""

import ast
import hashlib
import io
import json
import re
import sys
import tarfile
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

import live
import lossprimer
from live import files, laboratories, runtime, wheel
from lossprimer import checks, page

ROOT = Path(__file__).parents[1]
NAIVE = """def softmax(z):
    exponentials = np.exp(z)
    return exponentials / exponentials.sum(axis=-1, keepdims=True)
"""
RIGHT = NAIVE.replace("np.exp(z)", "np.exp(z - z.max(axis=-1, keepdims=True))")


def texts(found):
    return [output["data"] for output in found["outputs"]]


class TestRun:
    def test_a_last_expression_is_shown_and_what_is_printed_stands_apart(self):
        found = page.run("x = 3\nprint(x)\nx + 1")
        assert found == {"printed": "3\n", "outputs": [{"mime": "text/plain", "data": "4"}], "error": None}

    @pytest.mark.parametrize("code", ["", "x = 1", "None", "# nothing"])
    def test_nothing_is_shown_where_there_is_nothing(self, code):
        assert page.run(code) == {"printed": "", "outputs": [], "error": None}

    def test_the_names_of_the_sets_are_there_and_those_of_an_earlier_run_are_not(self):
        assert texts(page.run("secret = lp.softmax(np.zeros(2))\nsecret.tolist()")) == ["[0.5, 0.5]"]
        assert page.run("secret")["error"]["name"] == "NameError"

    def test_code_is_the_program(self):
        before = sys.modules["__main__"]
        assert texts(page.run("import __main__\nclass A: pass\n__name__, __main__.A is A")) == ["('__main__', True)"]
        assert sys.modules["__main__"] is before

    def test_only_imports_that_are_used_are_done(self):
        setup = "import no_such_module\nimport numpy as np\nfrom math import pi, no_such_name"
        assert texts(page.run("np.ones(1) * pi", setup)) == ["array([3.14159265])"]
        assert "no_such_module" in page.run("no_such_module", setup)["error"]["message"]

    @pytest.mark.parametrize(
        ("code", "name", "line", "message"),
        [
            ("x = 1\ny = x +\n", "SyntaxError", 2, "invalid syntax"),
            ("def f(:\n    pass", "SyntaxError", 1, ""),
            ("if True:\npass", "IndentationError", 2, "expected an indented block"),
            ("x = 1\n\nprnt(x)", "NameError", 3, "name 'prnt' is not defined"),
            ("def f(z):\n    return z.maxx()\n\nf(np.zeros(2))", "AttributeError", 2, "maxx"),
            ("np.zeros(2) + np.zeros(3)", "ValueError", 1, "could not be broadcast"),
            ("x = 1\nraise SystemExit(3)", "SystemExit", 2, "3"),
            ("\nraise KeyboardInterrupt", "KeyboardInterrupt", 2, ""),
            ("def f(n):\n    return f(n + 1)\nf(0)", "RecursionError", 2, "maximum recursion depth"),
            ("\x00", "SyntaxError", None, "null"),
        ],
    )
    def test_an_error_is_reported_with_its_line(self, code, name, line, message):
        error = page.run(code)["error"]
        assert (error["name"], error["line"]) in [(name, line), ("ValueError", None)]
        assert message in error["message"]
        assert error["text"].strip().splitlines()[-1].startswith(name if line else error["name"])

    @pytest.mark.skipif(sys.version_info < (3, 12), reason="Python proposes names in its own messages alone")
    def test_an_error_proposes_the_name_that_was_meant(self):
        assert page.run("prnt(1)")["error"]["message"].endswith("Did you mean: 'print'?")

    def test_names_that_would_be_there_if_they_were_used_are_proposed_too(self):
        error = page.run("x = 1\nsoftmx(x)", "from lossprimer import softmax")["error"]
        assert error["message"] == "name 'softmx' is not defined. Did you mean: 'softmax'?"
        assert error["text"].strip().endswith(error["message"])

    def test_a_traceback_shows_what_was_typed_and_nothing_of_what_runs_it(self):
        text = page.run("def f():\n    return 1 / 0\n\nf()")["error"]["text"]
        assert re.findall(r'File "(.*?)", line (\d+)', text) == [(page.FILE, "4"), (page.FILE, "2")]
        assert "return 1 / 0" in text

    def test_what_was_printed_before_an_error_is_kept(self):
        found = page.run("print('here')\n1 / 0")
        assert found["printed"] == "here\n"
        assert found["error"]["name"] == "ZeroDivisionError"

    def test_a_warning_is_printed_with_its_line(self):
        assert "your code:2: RuntimeWarning: overflow" in page.run("x = 1000.0\nnp.exp(x)")["printed"]

    @pytest.mark.parametrize("code", ["np.seterr(all='raise')", "import warnings\nwarnings.simplefilter('error')"])
    def test_what_one_run_sets_the_next_does_not_notice(self, code):
        assert page.run(code)["error"] is None
        assert page.run("np.exp(1000.0)")["error"] is None

    @pytest.mark.parametrize("code", ["print('x' * 10**6)", "for _ in range(10**5): print('xxxxxxxxx')", "'x' * 10**6"])
    def test_much_text_is_cut_and_the_cut_is_reported(self, code):
        found = page.run(code)
        text = found["printed"] or texts(found)[0]
        assert len(text) < page.MOST_PRINTED + 200
        assert re.search(r"cut here: 1,000,00\d characters in all, of which the first 10,000 are shown$", text)

    def test_nobody_is_asked(self):
        asked = page.run("x = input('Your age? ')")["error"]
        assert asked["line"] == 1
        assert "input() cannot ask you anything on a page" in asked["message"]
        assert "page.py" not in asked["text"]

    def test_a_picture_of_the_course_is_drawn_with_ids_of_its_own(self):
        code = "figures.temperature(temperature=0.7, scores=(2, 1, 0.5))"
        (first,), (second,) = page.run(code)["outputs"], page.run(code)["outputs"]
        assert first["mime"] == "text/html"
        assert "<svg" in first["data"]
        assert "T = 0.7: probabilities 0.737, 0.177, 0.086" in first["data"]
        ids = [set(re.findall(r' id="([^"]+)"', output["data"])) for output in (first, second)]
        assert ids[0]
        assert not ids[0] & ids[1]

    def test_an_explorer_shows_its_first_picture(self):
        code = (
            "explore(figures.temperature, scores=choice('Scores', {'a': (2, 1)}, initial='a'),"
            " temperature=slider('T', [1, 2], initial=2))"
        )
        assert "T = 2: probabilities" in texts(page.run(code))[0]

    @pytest.mark.parametrize("end", ["plt.show()", "fig", ""])
    def test_figures_are_drawings_and_are_closed(self, end):
        found = page.run(f"import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.plot([1, 2])\n{end}")
        assert found["printed"] == ""
        assert "".join(texts(found)).count("<svg") == 1
        assert "<style" not in "".join(texts(found))
        assert " style=" not in "".join(texts(found))
        page.run("import matplotlib.pyplot as plt\nplt.plot([1])\n1 / 0")
        assert texts(page.run("import matplotlib.pyplot as plt\nplt.get_fignums()")) == ["[]"]

    def test_display_shows_values_in_between(self):
        assert texts(page.run("display(1, 2)\n3")) == ["1", "2", "3"]

    def test_a_value_that_cannot_show_itself_is_text(self):
        methods = "def _repr_html_(self):\n        raise ValueError\n    def __repr__(self):\n        return 'A'"
        code = f"class A:\n    {methods}\nA()"
        assert page.run(code)["outputs"] == [{"mime": "text/plain", "data": "A"}]


class TestCheck:
    @pytest.mark.parametrize(("code", "passed"), [(RIGHT, True), (NAIVE, False)])
    def test_the_report_is_that_of_a_notebook(self, code, passed):
        names = {}
        exec(f"import numpy as np\n{code}", names)
        report = checks.softmax(names["softmax"])
        found = page.check("softmax", code)
        assert found["passed"] is passed
        assert found["report"] == str(report)
        assert found["html"] == report._repr_mimebundle_()["text/html"]
        assert found["error"] is None

    def test_a_stub_is_not_attempted(self):
        found = page.check("softmax", "def softmax(z):\n    raise NotImplementedError")
        assert (found["passed"], found["report"]) == (False, "softmax(z): not attempted yet")

    def test_an_error_in_the_function_is_reported_with_its_line(self):
        found = page.check("softmax", "def softmax(z):\n    e = np.exp(z)\n    return e / total\n")
        assert "in          line 3: return e / total" in found["report"]
        assert "<li>in: <code>line 3: return e / total</code></li>" in found["html"]

    def test_an_answer_may_use_what_other_tasks_define(self):
        code = "def softmax_with_temperature(z, temperature):\n    return softmax(z / temperature)"
        assert page.check("softmax_with_temperature", code)["passed"] is False
        found = page.check("softmax_with_temperature", code, before=["print(1 / 0)", RIGHT, "def broken("])
        assert (found["passed"], found["printed"], found["error"]) == (True, "", None)

    @pytest.mark.parametrize("way", ["lp.softmax(z)", "lp.probability.softmax(z)"])
    def test_the_packages_own_function_is_no_answer_as_when_it_is_graded(self, way):
        found = page.check("softmax", f"import lossprimer.probability\n\ndef softmax(z):\n    return {way}")
        assert "softmax of the package is what this task asks you" in " ".join(found["report"].split())
        uses = "def softmax_with_temperature(z, temperature):\n    return lp.softmax(z / temperature)"
        assert page.check("softmax_with_temperature", uses)["passed"]
        assert lossprimer.softmax([0.0, 0.0])[0] == 0.5

    def test_code_that_defines_nothing_gets_the_error_of_python(self):
        error = page.check("softmax", "def softmx(z):\n    return z")["error"]
        assert (error["name"], error["line"]) == ("NameError", None)
        assert error["message"].startswith("name 'softmax' is not defined")

    def test_printing_at_the_top_is_shown(self):
        assert page.check("softmax", f"print('hello')\n{RIGHT}")["printed"] == "hello\n"

    @pytest.mark.parametrize("task", sorted(checks.TASKS))
    def test_every_task_finds_the_name_that_it_asks_for(self, task):
        usage = checks.TASKS[task].usage.split("(")[0].split()[-1]
        found = page.check(task, f"def {usage}(*args, **options):\n    raise NotImplementedError")
        assert found["error"] is None
        assert "not attempted yet" in found["report"]

    def test_an_unknown_task_is_refused(self):
        with pytest.raises(ValueError, match="task is 'nix', expected one of "):
            page.check("nix", "")


class TestAnswer:
    def test_what_cannot_be_imported_is_named_even_where_the_error_is_caught(self):
        code = "try:\n    import no_such_module.part\nexcept ImportError:\n    pass"
        found = json.loads(page.answer("run", json.dumps({"code": code})))
        assert found == {"printed": "", "outputs": [], "error": None, "missing": ["no_such_module"]}

    def test_what_will_be_imported_is_known_beforehand(self):
        request = {
            "code": "def f():\n    import scipy.special\nnp.ones(1)",
            "setup": "import numpy as np\nimport sklearn",
        }
        assert json.loads(page.needs(json.dumps(request))) == ["numpy", "scipy"]
        assert json.loads(page.needs('{"code": "1 +"}')) == []

    def test_the_names_of_every_set_are_there(self):
        offered = dict(imported(page.SETUP))
        for path in (ROOT / "exercises" / "source").glob("*/*.ipynb"):
            cells = json.loads(path.read_text("utf-8"))["cells"]
            (cell,) = [cell for cell in cells if cell["id"] == "imports"]
            for name, origin in imported("".join(cell["source"])):
                assert offered[name] == origin


def imported(source):
    """Return the names that import statements bind, each with where it comes from."""
    for statement in ast.parse(source).body:
        module = getattr(statement, "module", "")
        yield from ((alias.asname or alias.name, (module, alias.name)) for alias in statement.names)


@pytest.fixture
def two(tmp_path, monkeypatch):
    """Two files that are listed, and a source for each kind of trouble."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(files.FOLDER, raising=False)
    contents = {"a.whl": b"first", "b.zip": b"second"}
    return [files.File(name, len(content), hashlib.sha256(content).hexdigest()) for name, content in contents.items()]


def source_of(monkeypatch, kind, contents):
    """Add a kind of source that has `contents`; returns its entry and the list of what was asked of it."""
    asked = []

    def get(name, scratch):
        asked.append(name)
        return lambda file: contents.get(file)

    monkeypatch.setitem(files.KINDS, kind, get)
    return {"kind": kind, "name": kind, "folder": "in/"}, asked


class TestFiles:
    def test_sources_are_tried_in_order_until_nothing_is_missing(self, two, monkeypatch):
        part, _ = source_of(monkeypatch, "part", {"in/a.whl": b"first"})
        rest, _ = source_of(monkeypatch, "rest", {"in/a.whl": b"other", "in/b.zip": b"second"})
        never, asked = source_of(monkeypatch, "never", {})
        folder = files.fetch(two, [part, rest, never])
        assert folder == files.cache()
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"a.whl": b"first", "b.zip": b"second"}
        assert asked == []

    def test_a_source_of_some_files_is_not_asked_for_others(self, two, monkeypatch):
        some, asked = source_of(monkeypatch, "some", {"in/a.whl": b"first"})
        rest, _ = source_of(monkeypatch, "rest", {"in/a.whl": b"first", "in/b.zip": b"second"})
        files.fetch(two, [rest | {"has": "^b"}, some | {"has": "^b"}, some | {"has": "^a"}])
        assert asked == ["some"]

    def test_what_is_there_is_not_fetched_again_unless_it_was_changed(self, two, monkeypatch):
        source, asked = source_of(monkeypatch, "all", {"in/a.whl": b"first", "in/b.zip": b"second"})
        folder = files.fetch(two, [source])
        files.fetch(two, [source])
        assert len(asked) == 1
        (folder / "a.whl").write_bytes(b"spoilt")
        files.fetch(two, [source])
        assert len(asked) == 2
        assert (folder / "a.whl").read_bytes() == b"first"

    def test_of_an_archive_the_files_are_read_and_nothing_is_written_elsewhere(self, tmp_path):
        archive = tmp_path / "in" / "release.tar.bz2"
        archive.parent.mkdir()
        with tarfile.open(archive, "w:bz2") as packed:
            for name in ("pyodide/a.whl", "../b.zip", str(tmp_path / "c.zip"), "release.tar.bz2"):
                member = tarfile.TarInfo(name)
                member.size = 5
                packed.addfile(member, io.BytesIO(b"first"))
            link = tarfile.TarInfo("pyodide/link")
            link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path)
            packed.addfile(link)
        read = files._unpacked(archive)
        assert read("pyodide/a.whl") == b"first"
        assert read("pyodide/b.zip") is None
        written = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*"))
        assert written == ["in", "in/pyodide", "in/pyodide/a.whl", "in/release.tar.bz2"]
        assert archive.read_bytes() != b"first"

    def test_bytes_of_another_hash_are_refused_and_the_sentence_says_both_ways(self, two, monkeypatch):
        wrong, _ = source_of(monkeypatch, "wrong", {"in/a.whl": b"FIRST", "in/b.zip": b"second"})
        with pytest.raises(files.FilesMissing) as caught:
            files.fetch(two, [wrong])
        message = str(caught.value)
        assert "1 file" in message
        assert "a.whl" in message
        assert "\n" not in message
        assert "LIVE=0 make book" in message
        assert files.FOLDER in message
        assert not (files.cache() / "a.whl").exists()

    def test_a_source_that_fails_is_reported_and_the_next_one_is_asked(self, two, monkeypatch):
        def gone(name, scratch):
            raise OSError("no network")

        monkeypatch.setitem(files.KINDS, "gone", gone)
        source, _ = source_of(monkeypatch, "all", {"in/a.whl": b"first", "in/b.zip": b"second"})
        broken = {"kind": "gone", "name": "elsewhere", "folder": ""}
        assert files.fetch(two, [broken, source])
        with pytest.raises(files.FilesMissing, match="tried: elsewhere"):
            files.fetch([files.File("c", 1, "0" * 64)], [broken])

    def test_a_folder_of_the_user_comes_first(self, two, monkeypatch, tmp_path):
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "a.whl").write_bytes(b"first")
        (tmp_path / "mine" / "b.zip").write_bytes(b"second")
        monkeypatch.setenv(files.FOLDER, str(tmp_path / "mine"))
        source, asked = source_of(monkeypatch, "all", {})
        files.fetch(two, [source])
        assert asked == []

    def test_every_file_is_known_by_its_hash(self):
        listed, about = files.runtime()
        assert len({file.name for file in listed}) == len(listed)
        assert all(re.fullmatch("[0-9a-f]{64}", file.sha256) and file.size > 0 for file in listed)
        assert {"pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip"} <= {
            file.name for file in listed
        }
        assert about["version"] == "0.27.7"

    def test_the_lock_file_names_what_is_shipped_and_nothing_else(self):
        listed, about = files.runtime()
        lock = json.loads(files.lock([file.package for file in listed if file.package], about))
        assert {entry["file_name"] for entry in lock["packages"].values()} <= {file.name for file in listed}
        for entry in lock["packages"].values():
            assert {name.lower() for name in entry["depends"]} <= lock["packages"].keys()
        assert {"numpy", "matplotlib", "scipy", "scikit-learn"} <= lock["packages"].keys()

    def test_the_course_accepts_the_versions_that_its_pages_run_on(self):
        project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
        shipped = {file.package["name"]: file.package["version"] for file in files.runtime()[0] if file.package}
        for requirement in map(Requirement, project["dependencies"]):
            if requirement.name in shipped:
                assert requirement.specifier.contains(shipped[requirement.name]), requirement


class TestShipped:
    def test_the_wheel_is_that_of_the_checkout_and_the_same_each_time(self, tmp_path):
        first, second = tmp_path / "1", tmp_path / "2"
        for folder in (first, second):
            folder.mkdir()
        entry = wheel.build(first)
        assert entry == wheel.build(second)
        content = (first / entry["file_name"]).read_bytes()
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
        with ZipFile(first / entry["file_name"]) as archive:
            assert archive.read("lossprimer/page.py") == (ROOT / "lossprimer" / "page.py").read_bytes()

    def test_python_is_left_out_on_request(self, monkeypatch):
        class App:
            def __getattr__(self, name):
                raise AssertionError(name)

        monkeypatch.setenv("LIVE", "0")
        assert live.setup(App())["parallel_read_safe"]

    def test_a_build_without_the_files_stops_with_the_sentence(self, monkeypatch):
        def nothing(*_):
            raise files.FilesMissing("Do this, or LIVE=0 make book")

        monkeypatch.setattr(files, "fetch", nothing)
        app = type("App", (), {"builder": type("Builder", (), {"format": "html"})})
        with pytest.raises(live.ExtensionError, match="LIVE=0 make book"):
            live._fetch(app)

    def test_a_page_with_a_place_for_python_may_start_a_worker_and_no_other_page(self):
        plain, used = {"policy": "default-src 'none'"}, {"policy": "default-src 'none'", "uses_python": True}
        for context in (plain, used):
            live._allow(None, "page", "page.html", context, None)
        assert plain["policy"] == "default-src 'none'"
        assert used["policy"] == "default-src 'none'; worker-src 'self'"

    def test_the_size_is_reported_in_megabytes(self):
        assert runtime.megabytes(9_300_000) == "9 MB"


def test_a_laboratory_may_use_what_the_cells_of_its_page_import():
    cells = [
        "import numpy as np\nx = np.ones(1)",
        "%pip install x",
        "from math import (\n    pi,\n)\nimport numpy as np",
    ]
    assert laboratories.imports(cells) == "import numpy as np\nfrom math import pi"

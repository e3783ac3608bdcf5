"""How does a teacher read answers in the browser? In nbgrader's formgrader, on a server that can do nothing else.

    python -m lossprimer.grading formgrader

It is Jupyter's server without kernels, terminals, files and JupyterLab, so that whoever got a script into a page would
find no way from there to the machine. And no script gets in: each page names the scripts of its template, by a number
that is drawn anew for each answer, and the browser runs no others. Nothing is fetched from another host.
"""

import argparse
import base64
import hashlib
import html
import json
import os
import re
import secrets
import sys
from contextvars import ContextVar
from functools import cache, cached_property, wraps
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, FunctionLoader
from jinja2.ext import Extension
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.serverapp import ServerApp
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode
from nbgrader.server_extensions.formgrader import apihandlers, handlers
from nbgrader.server_extensions.formgrader.base import BaseHandler
from nbgrader.server_extensions.formgrader.formgrader import FormgradeExtension
from tornado import web
from traitlets import default
from traitlets.config import Config

from lossprimer.grading import rendering
from lossprimer.grading.cleaning import clean_report, cleaned

TEMPLATES = Path(__file__).parent / "templates"
_NBGRADERS = Path(handlers.template_path)
_ON = re.compile(r'\son[a-z]+="([^"{]*)"', re.IGNORECASE)

_nonce = ContextVar("nonce", default="")


class OwnScripts(Extension):
    """Marks the scripts in the text of a template, before any data are in it, as those that a browser may run."""

    def preprocess(self, source, name, filename=None):
        """Return the template with a nonce in each script, and with data as JavaScript's own literals."""
        source = re.sub(r"<script\b", '<script nonce="{{ nonce() }}"', source)
        # There are no live notebooks here.
        source = re.sub(r'(?:title="Open live notebook"\s*)?data-link="[^"]*"', "", source)
        return re.sub(r'(var \w+ = )"\{\{ ([\w.]+) \}\}"', r"\1{{ \2 | string | tojson }}", source)


def policy(nonce: str = "") -> str:
    """What a page may load and run; without a nonce, no script."""
    scripts = f"'nonce-{nonce}' 'unsafe-hashes' {' '.join(_hashes())}" if nonce else "'none'"
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {scripts}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
    )


@cache
def _hashes() -> tuple[str, ...]:
    """What allows the handlers such as onclick that nbgrader's templates have, and no others."""
    texts = (path.read_text("utf-8") for path in sorted(_NBGRADERS.rglob("*")) if path.suffix in (".tpl", ".j2"))
    found = sorted({handler for text in texts for handler in _ON.findall(text)})
    digests = (hashlib.sha256(handler.encode()).digest() for handler in found)
    return tuple(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)


class AnswerExporter(HTMLExporter):
    """Makes the page of an answer, as formgrader's own does, but of a cleaned notebook and with formulas as MathML."""

    @default("sanitize_html")
    def _default_sanitize_html(self):
        return True

    @default("template_name")
    def _default_template_name(self):
        return "formgrade"

    @default("extra_template_basedirs")
    def _default_template_folders(self):
        return [str(TEMPLATES), str(_NBGRADERS)]

    def from_notebook_node(self, nb, resources=None, **kw):
        """Return the page, and the resources."""
        resources = {
            name: html.escape(value) if isinstance(value, str) else value for name, value in (resources or {}).items()
        }
        return super().from_notebook_node(cleaned(nb), resources, **kw)

    def from_file(self, file_stream, resources=None, **kw):
        """Convert the notebook in an open file; what cannot be read is an empty one."""
        try:
            notebook = cleaned(json.load(file_stream))
        except (ValueError, RecursionError, AttributeError) as error:
            self.log.warning("%s cannot be read: %s", file_stream.name, error)
            notebook = cleaned(NotebookNode())
        return self.from_notebook_node(notebook, resources, **kw)

    def default_filters(self):
        """Yield the filters; ours come last, and win."""
        yield from super().default_filters()
        yield "markdown2html", rendering.markdown_cell
        yield "clean_html", clean_report

    def _create_environment(self):
        environment = super()._create_environment()
        environment.add_extension(OwnScripts)
        environment.globals["nonce"] = _nonce.get
        return environment


class Guarded:
    """What each answer of the server has in common: its policy, and the nonce for the template that makes it."""

    @cached_property
    def nonce(self) -> str:
        """A number that nobody can have written into an answer before."""
        return secrets.token_urlsafe(16)

    @property
    def content_security_policy(self) -> str:
        """The policy of this page."""
        return policy(self.nonce)

    @property
    def api(self):
        """Nbgrader's commands, which a submission's ``timestamp.txt`` does not disturb."""
        api = super().api
        api.get_submitted_timestamp = _forgiving(api.get_submitted_timestamp)
        api.coursedir.get_existing_timestamp = _forgiving(api.coursedir.get_existing_timestamp)
        return api

    def set_default_headers(self):
        """Set the headers of Jupyter's, and those that keep a page to itself."""
        super().set_default_headers()
        self.set_header("Content-Security-Policy", self.content_security_policy)
        self.set_header("Cross-Origin-Opener-Policy", "same-origin")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")
        self.set_header("Referrer-Policy", "no-referrer")  # the address may have the token in it
        self.set_header("X-Content-Type-Options", "nosniff")

    async def prepare(self):
        """Hand the nonce to the templates, which are filled in by this same task."""
        _nonce.set(self.nonce)
        done = super().prepare()
        if done is not None:
            await done


class Start(Guarded, BaseHandler):
    """Leads to the assignments. Nbgrader's own handler also runs the configuration file in any folder that is named."""

    @web.authenticated
    def get(self):
        """Redirect."""
        self.redirect(f"{self.base_url}/formgrader/manage_assignments")


class NotHere(Guarded, JupyterHandler):
    """Answers for everything else."""

    async def prepare(self):
        """Say that there is nothing."""
        await super().prepare()
        raise web.HTTPError(404, "This server has formgrader and nothing else. Open files and terminals in JupyterLab.")


class Formgrader(FormgradeExtension):
    """Nbgrader's extension with our handlers, templates and exporter."""

    def init_tornado_settings(self, webapp):
        """Set what the handlers work with."""
        self.debug = False  # the configuration, with the database's password, belongs on no page
        super().init_tornado_settings(webapp)
        webapp.settings["nbgrader_jinja2_env"] = _environment()
        webapp.settings["nbgrader_exporter"] = AnswerExporter()  # it has no settings

    def init_handlers(self, webapp):
        """Add the handlers, each of them guarded. The files of a submission are not served."""
        left_out = (handlers.FormgraderHandler, handlers.SubmissionFilesHandler, web.StaticFileHandler)
        offered = [(r"/formgrader/?", Start)]
        offered += [
            rule for rule in handlers.default_handlers + apihandlers.default_handlers if rule[1] not in left_out
        ]
        offered += [
            (r"/formgrader/static/(.*)", web.StaticFileHandler, {"path": handlers.static_path}),
            (r"/(?!(?:login|logout|favicon\.ico)$|static/).*", NotHere),  # what is left is Jupyter's own
        ]
        webapp.add_handlers(".*$", [(rule[0], _guarded(rule[1]), *rule[2:]) for rule in offered])


def _guarded(handler):
    return handler if issubclass(handler, Guarded) else type(handler.__name__, (Guarded, handler), {})


def _forgiving(timestamp):
    """Nbgrader's reader of a ``timestamp.txt``, for which a file that holds no time is one that is not there."""

    @wraps(timestamp)
    def read(*place):
        try:
            return timestamp(*place)
        except (ValueError, OverflowError, OSError, SystemExit):  # nbgrader would end the process
            return None

    return timestamp if hasattr(timestamp, "__wrapped__") else read


def _environment():
    macros = (_NBGRADERS / "formgrade" / "formgrade_macros.html.j2").read_text("utf-8")
    aliases = {"formgrade_macros.tpl": macros}  # by which one of nbgrader's templates calls them
    environment = Environment(
        loader=ChoiceLoader([FileSystemLoader(_NBGRADERS), FunctionLoader(aliases.get)]),
        autoescape=True,
        extensions=[OwnScripts],
    )
    environment.globals["nonce"] = _nonce.get
    return environment


class FormgraderServer(ServerApp):
    """Jupyter's server with formgrader, a page to sign in, and nothing else."""

    name = "formgrader"
    default_services = ("auth",)

    def load_config_file(self, *args, **kwargs):
        """Read no configuration: it could switch on again what is off here."""

    def init_server_extensions(self):
        """Load no extension that is installed beside."""
        self.jpserver_extensions = {}
        super().init_server_extensions()

    def init_webapp(self):
        """Make the application, with formgrader in front."""
        super().init_webapp()
        formgrader = Formgrader(parent=self)
        formgrader.root_dir = self.root_dir
        formgrader.log = self.log
        formgrader.initialize([])
        formgrader.init_tornado_settings(self.web_app)
        formgrader.init_handlers(self.web_app)


def server(port: int = 0) -> FormgraderServer:
    """A server for the course in this folder, at a port of this machine that it listens to already.

    Parameters
    ----------
    port : int
        0 for a free one.

    Returns
    -------
    FormgraderServer
        Not started yet; `address` is where its pages will be.
    """
    config = Config()
    config.ServerApp.update(
        ip="127.0.0.1",
        port=port,
        port_retries=0,
        open_browser=False,
        root_dir=str(Path.cwd()),
        default_url="/formgrader/",
        terminals_enabled=False,
        allow_root=True,  # there is nothing to run as anybody
        answer_yes=True,  # Ctrl-C ends it without a question
        log_level="WARN",
        tornado_settings={"headers": {"Content-Security-Policy": policy()}},
    )
    config.IdentityProvider.token = secrets.token_hex(24)
    made = FormgraderServer(config=config)
    made.initialize(argv=[], find_extensions=False)
    return made


def address(running: FormgraderServer) -> str:
    """Where formgrader is, with the token that signs in."""
    return f"http://127.0.0.1:{running.port}/formgrader/?token={running.identity_provider.token}"


def main(argv: list[str] | None = None) -> None:
    """Serve formgrader for the course in this folder until it is interrupted."""
    parser = argparse.ArgumentParser(prog="lossprimer.grading formgrader", description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0, help="port of this machine (default: a free one)")
    options = parser.parse_args(argv)
    if not Path("nbgrader_config.py").exists():
        parser.error(f"no nbgrader_config.py in {Path.cwd()}: start it in the course's folder, exercises")
    # nbgrader starts a program of its own environment, alembic, by its name alone.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    running = server(options.port)
    # The server begins to listen in the loop, by a callback that stands before this one.
    said = f"Formgrader is open at {address(running)}\nStop it with Ctrl-C."
    running.io_loop.add_callback(print, said, flush=True)
    running.start()

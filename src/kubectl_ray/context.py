"""What a command may use of the world: the API, the clock, a person to ask, files. Handed down, never global."""

from __future__ import annotations

import time

from kubectl_ray.errors import WrongUse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import TextIO

    from kubectl_ray.flows.background import Starter
    from kubectl_ray.flows.head import Target as Aim
    from kubectl_ray.flows.tunnel import Port, Tunnel
    from kubectl_ray.kube.client import Client
    from kubectl_ray.kube.kubeconfig import Overrides, Target

_YES = {"y", "yes"}
_NO = {"", "n", "no"}
# Characters. The API server takes no larger object; a file without an end must not fill the memory.
_LONGEST_FILE = 1_500_000


class Context:
    """One run's world. Building it does no I/O: kubeconfig and API server are touched when `api` is first used.

    `connect` makes the client; tests give another. `before_talk` is called before a question or a remark is written,
    so that a live line of progress makes room for it. `argv`: the words of the command line, as they were typed.
    `starter`: the process that started this one in the background; None in all others.
    """

    def __init__(  # noqa: PLR0913 -- one argument a part of the world
        self,
        *,
        overrides: Overrides,
        env: Mapping[str, str],
        stdin: TextIO,
        stderr: TextIO,
        request_timeout: float | None = None,
        verbosity: int = 0,
        compression: bool = True,
        connect: Callable[[Context], Client] | None = None,
        argv: Sequence[str] = (),
        starter: Starter | None = None,
    ) -> None:
        self.env = env
        self.argv = tuple(argv)
        self.starter = starter
        self.overrides = overrides
        self.request_timeout = request_timeout or None
        self.verbosity = verbosity
        self.compression = compression
        self.before_talk: Callable[[], None] = _nothing
        self._stdin = stdin
        self.stderr = stderr
        self._connect = connect or _connect
        self._client: Client | None = None
        self._target: Target | None = None

    @property
    def api(self) -> Client:
        """The API server of the login; the same client each time.

        Raises:
            KubectlRayError: the kubeconfig cannot be used.
        """
        if self._client is None:
            self._client = self._connect(self)
        return self._client

    @property
    def target(self) -> Target:
        """Server, login and namespace as kubeconfig and flags have them; reads files, asks nobody."""
        if self._target is None:
            from kubectl_ray.kube.kubeconfig import load

            self._target = load(self.overrides, self.env)
            self._target.disable_compression |= not self.compression
        return self._target

    @property
    def context(self) -> str:
        """The kubeconfig's context in use, "" where there is none or the kubeconfig has not been read."""
        return (self._target.context or "") if self._target else ""

    @property
    def namespace(self) -> str:
        """The namespace in force: `-n`, else the context's, else default."""
        return self.overrides.namespace or self.api.namespace

    @property
    def interactive(self) -> bool:
        """Is a person there who can read a question and answer it?"""
        return _is_terminal(self._stdin) and _is_terminal(self.stderr)

    def now(self) -> float:
        """Seconds since 1970, UTC."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds on a clock that never jumps."""
        return time.monotonic()

    def confirm(self, question: str) -> bool:
        """Ask a question that is answered by yes or no; no answer is no.

        Raises:
            WrongUse: nobody is there to ask.
        """
        if not self.interactive:
            raise WrongUse(f"{question} There is no terminal to ask on.", hint="Say --yes to go on without a question.")
        self.before_talk()
        while True:
            self.stderr.write(f"{question} [y/N] ")
            self.stderr.flush()
            answer = self._stdin.readline()
            if not answer:
                self.stderr.write("\n")
            word = answer.strip().lower()
            if word in _YES or word in _NO:
                return word in _YES
            self.stderr.write("Please answer yes or no.\n")

    def talk(self, level: int, text: str) -> None:
        """Say on stderr what only `-v=LEVEL` or more asks for: 1 kubectl's words, 2 requests, 3 headers."""
        if level <= self.verbosity:
            self.before_talk()
            self.stderr.write(f"{text}\n")
            self.stderr.flush()

    def read_text(self, path: str) -> str:
        """The text of a file, or of stdin when the path is `-`.

        Raises:
            WrongUse: it cannot be read, is not UTF-8, or longer than anything that could be sent on.
        """
        try:
            if path == "-":
                text = self._stdin.read(_LONGEST_FILE + 1)
            else:
                with open(path, encoding="utf-8-sig") as stream:  # noqa: PTH123 -- pathlib costs 10 ms to import
                    text = stream.read(_LONGEST_FILE + 1)
        except UnicodeDecodeError as error:
            raise WrongUse(f"{path} is not a text file in UTF-8", hint="Name a YAML file.") from error
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise WrongUse(f"{path} cannot be read: {why}", hint="Name a file that exists, or - for stdin.") from error
        if len(text) > _LONGEST_FILE:
            raise WrongUse(f"{path} is far too long for the shape of a cluster", hint="Name a YAML file.")
        return text

    def tunnel(
        self, target: Aim, ports: Iterable[Port] = (), *, addresses: Sequence[str] = (), timeout: float = 0.0
    ) -> Tunnel:
        """A tunnel to the head of `target`, as `flows.tunnel.Tunnel`; not open yet."""
        from kubectl_ray.flows.tunnel import LOCALHOST, Tunnel

        return Tunnel(self.api, target, ports, addresses=addresses or LOCALHOST, timeout=timeout, clock=self.monotonic)

    def open_browser(self, url: str) -> bool:
        """Show a page in the person's browser; False where there is none."""
        from kubectl_ray.flows.desktop import open_browser

        return open_browser(url, self.env)

    def copy(self, text: str) -> bool:
        """Put a text on the person's clipboard; False where there is none."""
        from kubectl_ray.flows.desktop import copy

        return copy(text, self.env)

    @property
    def warnings(self) -> list[str]:
        """What the API server remarked so far, each remark once."""
        return list(self._client.warnings) if self._client is not None else []

    def close(self) -> None:
        """End the connection, if there is one."""
        if self._client is not None:
            self._client.close()
            self._client = None


def _nothing() -> None:
    """No live line has to make room."""


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except (AttributeError, ValueError):
        return False


def _connect(ctx: Context) -> Client:
    from kubectl_ray.kube.client import Client
    from kubectl_ray.kube.credentials import Credentials

    target = ctx.target
    return Client(
        target,
        Credentials(target, ctx.env, interactive=ctx.interactive, stderr=ctx.stderr),
        ctx.env,
        request_timeout=ctx.request_timeout,
        talk=ctx.talk,
    )

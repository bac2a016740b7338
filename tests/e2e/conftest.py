"""A real browser at phone size: Debian's Chromium, which believes this one home's own certificate.

Pages are looked at in its headless shell, the same engine with no windows around it, at less than half the work. Where
the browser itself takes part, as with passkeys, installed pages and tabs that share a stream, a module has the whole
one by a `chromium` fixture of its own.
"""

import base64
import contextlib
import hashlib
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import Browser, BrowserContext, Error, Page, StorageState, sync_playwright

from tests.demo import Client, Demo
from tests.e2e import actions

CHROMIUM = "/usr/bin/chromium"
SHELL = "/usr/bin/chromium-headless-shell"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE = (390, 844)
Open = Callable[..., Page]
Program = Callable[[str], Client]
_HERE = Path(__file__).parent
_OPENED = pytest.StashKey[list[BrowserContext]]()
_LOOK = 5_000
"""Milliseconds that a page has to tell what it shows after its test has failed."""


def trusting(var: Path) -> str:
    """Chromium's flag that pins the web certificate of the home in `var` by its key: TLS is really checked."""
    certificate = x509.load_pem_x509_certificate((var / "pki" / "web.crt").read_bytes())
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"--ignore-certificate-errors-spki-list={base64.b64encode(hashlib.sha256(key).digest()).decode()}"


@contextlib.contextmanager
def own_home(folder: Path, *limits: str, prepared: Callable[[Demo], None] = lambda _made: None) -> Iterator[Demo]:
    """A home of a module's own, with these limits raised out of the way; `prepared` has it before it starts."""
    made = Demo(folder, warm=True)
    assert made.command("init", "--demo").returncode == 0
    prepared(made)
    made.lift_limits(*limits)
    made.start()
    try:
        yield made
    finally:
        made.stop()


class _Shared:
    """The whole demo, for all tests that leave it as they found it: begun for the first, and ended after the last of
    those that follow one another, since nine processes that nobody uses keep the machine from others.
    """

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self._folders = folders
        self._home: Demo | None = None
        self.signed_in: dict[str, StorageState] = {}

    def begin(self) -> Demo:
        if self._home is None:
            made = Demo(self._folders.mktemp("demo"), warm=True)
            made.start()
            self._home = made
        return self._home

    def end(self) -> None:
        self.signed_in.clear()
        home, self._home = self._home, None
        if home is not None:
            home.stop()


_SHARED = pytest.StashKey[_Shared]()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """After the last test in a browser, the home that they share ends."""
    shared = item.config.stash.get(_SHARED, None)
    if shared is not None and (nextitem is None or not nextitem.path.is_relative_to(_HERE)):
        shared.end()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[_Shared]:
    """Of this process that runs tests."""
    made = request.config.stash[_SHARED] = _Shared(tmp_path_factory)
    yield made
    made.end()


@pytest.fixture(scope="module")
def demo_home(shared: _Shared) -> Demo:
    """The home that the tests share."""
    return shared.begin()


@pytest.fixture
def signed_in(shared: _Shared) -> dict[str, StorageState]:
    """Cookies by role, so that each person signs in once for all tests of that home."""
    return shared.signed_in


@pytest.fixture(scope="module")
def chromium() -> str:
    """The program that is started as a browser."""
    return SHELL


@pytest.fixture(scope="module")
def browser(demo_home: Demo, chromium: str) -> Iterator[Browser]:
    """Chromium, which believes the demo's home."""
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS, trusting(demo_home.var)])
        yield made
        made.close()


@pytest.fixture(scope="session")
def programs() -> dict[tuple[Path, str], Client]:
    """Programs by home and role, so that each signs in once for all tests: an address may ask for ten codes."""
    return {}


@pytest.fixture
def program(demo_home: Demo, programs: dict[tuple[Path, str], Client]) -> Program:
    """`program(role)`: a program of that person's, signed in once per role."""

    def of(role: str) -> Client:
        key = (demo_home.var, role)
        if key not in programs:
            programs[key] = demo_home.client(role)
        return programs[key]

    return of


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that fails tells what its pages show: what they say of a press, for one."""
    report = yield
    if report.when == "call" and report.failed:
        pages = (page for context in item.stash.get(_OPENED, []) for page in context.pages)
        report.sections += [(f"what {page.url} shows", _shown(page)) for page in pages]
    return report


def _shown(page: Page) -> str:
    try:
        return page.locator("body").inner_text(timeout=_LOOK)
    except Error as error:
        return f"it does not tell: {error}"


@pytest.fixture
def open_page(
    browser: Browser, demo_home: Demo, signed_in: dict[str, StorageState], request: pytest.FixtureRequest
) -> Iterator[Open]:
    """`open_page(path, role=…, javascript=…, dark=…, size=…, locale=…)`: a page in a browser of its own.

    What a page throws, or may not do by its own policy, fails the test.
    """
    contexts = request.node.stash[_OPENED] = []
    faults: list[str] = []

    def opened(
        path: str | None = "/",
        *,
        role: str | None = None,
        javascript: bool = True,
        dark: bool = False,
        size: tuple[int, int] = PHONE,
        locale: str = "en-GB",
    ) -> Page:
        if role is not None and role not in signed_in:
            page = opened(None)
            actions.sign_in(page, demo_home, role)
            signed_in[role] = page.context.storage_state()
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            java_script_enabled=javascript,
            color_scheme="dark" if dark else "light",
            has_touch=size[0] < 500,
            locale=locale,
            base_url=demo_home.url,
            storage_state=signed_in[role] if role is not None else None,
        )
        context.set_default_timeout(actions.WAIT)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
        if path is not None:
            page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture
def shots(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Page, str], None]:
    """Take a picture for people to look at; kept with the test's other files."""

    def take(page: Page, name: str) -> None:
        page.screenshot(path=tmp_path / f"{name}.png")

    return take

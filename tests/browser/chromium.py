"""A headless Chromium, driven over the W3C WebDriver protocol: JSON over HTTP, so no package is needed for it.

https://www.w3.org/TR/webdriver2/#endpoints
"""

import base64
import json
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGUMENTS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"),
    *("--force-device-scale-factor=1", "--window-size=1360,1000", "--disable-background-networking"),
)
_OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
KEYS = {
    "Enter": "\ue007",
    "Escape": "\ue00c",
    "ArrowDown": "\ue015",
    "ArrowRight": "\ue014",
    "End": "\ue010",
}
_STARTED = re.compile(r"started successfully on port (\d+)")


def find_browser() -> tuple[str, str] | None:
    """The programs of browser and driver, if both are installed."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    driver = shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


class Page:
    """A browser's page, and the tabs beside it."""

    def __init__(self, url: str, session: str) -> None:
        self._url = f"{url}/session/{session}"

    def open(self, file: Path) -> None:
        """Open a local file, and wait until it is there."""
        self.open_address(file.resolve().as_uri())

    def open_address(self, address: str) -> None:
        """Open an address, and wait until it is there."""
        self._post("url", {"url": address})

    def tab(self) -> str:
        """The tab that all else is about."""
        return str(self._get("window"))

    def new_tab(self) -> str:
        """Open an empty one beside it, and go there."""
        made = str(self._post("window/new", {"type": "tab"})["handle"])
        self.to_tab(made)
        return made

    def to_tab(self, tab: str) -> None:
        """Go to another one."""
        self._post("window", {"handle": tab})

    def close_tab(self) -> None:
        """Close this one; go to another one then."""
        call("DELETE", f"{self._url}/window")

    def run(self, script: str, *arguments: Any) -> Any:
        """Run JavaScript (the body of a function); what it returns."""
        return self._post("execute/sync", {"script": script, "args": list(arguments)})

    def run_async(self, script: str) -> Any:
        """Run JavaScript that calls its last argument with the result."""
        return self._post("execute/async", {"script": script, "args": []})

    def click(self, selector: str) -> None:
        """Click where a person would."""
        self._post(f"element/{self._element(selector)}/click", {})

    def type(self, selector: str, text: str) -> None:
        """Type into an element."""
        self._post(f"element/{self._element(selector)}/value", {"text": text})

    def press(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        actions = [{"type": kind, "value": KEYS.get(key, key)} for key in keys for kind in ("keyDown", "keyUp")]
        self._post("actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def devtools(self, command: str, **parameters: Any) -> Any:
        """A command of Chromium's own protocol."""
        return self._post("goog/cdp/execute", {"cmd": command, "params": parameters})

    def screenshot(self, file: Path) -> None:
        """What is in sight, as PNG."""
        file.write_bytes(base64.b64decode(self._get("screenshot")))

    def complaints(self) -> list[str]:
        """What the browser wrote to its console since it was last asked."""
        return [entry["message"] for entry in self._post("se/log", {"type": "browser"})]

    def _element(self, selector: str) -> str:
        (found,) = self._post("element", {"using": "css selector", "value": selector}).values()
        return str(found)

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        return call("POST", f"{self._url}/{path}", body)

    def _get(self, path: str) -> Any:
        return call("GET", f"{self._url}/{path}")


@contextmanager
def chromium(browser: str, driver: str) -> Iterator[Page]:
    """A browser of its own, without network, closed at the end."""
    process = subprocess.Popen([driver, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout
        started = next(
            found for line in process.stdout if (found := re.search(r"started successfully on port (\d+)", line))
        )
        url = f"http://127.0.0.1:{started[1]}"
        options = {"binary": browser, "args": [*_ARGUMENTS, _OFFLINE]}
        selection = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        session = call("POST", f"{url}/session", {"capabilities": {"alwaysMatch": selection}})["sessionId"]
        try:
            yield Page(url, session)
        finally:
            call("DELETE", f"{url}/session/{session}")
    finally:
        process.terminate()
        process.wait()
        if process.stdout:
            process.stdout.close()


def call(method: str, url: str, body: dict[str, Any] | None = None) -> Any:
    """One call of the protocol; its value. Raises what the driver says went wrong."""
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)  # noqa: S310 (our own driver)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=60) as response:
            return json.load(response)["value"]
    except urllib.error.HTTPError as error:
        with error:
            raise RuntimeError(json.load(error)["value"]["message"]) from None

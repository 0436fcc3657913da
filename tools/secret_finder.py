"""Names what the scanner Kingfisher finds: files on standard input, parted by NUL; JSON lines of path, line and kind.

It runs in an environment of its own (build/tokens) and knows nothing of ours. Archives are opened. Nothing is validated
at any service: the SDK scans offline.
"""

import json
import sys

from kingfisher_sdk import DetectionPolicy, Rules, Scanner  # type: ignore[import-not-found]  # not in our environment
from kingfisher_sdk.inputs import ScanInput, expand_archives  # type: ignore[import-not-found]


def main() -> None:
    """Print one line for each finding; the secret itself is not repeated."""
    # Comments that tell a scanner to look away are not obeyed: FIXTURES_IN says what may stand, with its reason.
    scanner = Scanner(Rules(cache=False), policy=DetectionPolicy(inline_ignores=False))
    files = (ScanInput.from_file(name) for name in sys.stdin.read().split("\0") if name)
    for result in scanner.scan_inputs(expand_archives(files)):
        for found in result.findings:
            if found.visible:
                line = found.location["line"]
                print(json.dumps({"path": result.input.path, "line": line, "kind": found.rule_id}))


if __name__ == "__main__":
    main()

"""The corpus of a target: inputs that once reached new code or were findings, one a line, as JSON text of bytes."""

import json
from pathlib import Path


FOLDER = Path(__file__).parent / "corpus"


def load_corpus(target: str) -> list[bytes]:
    """The committed inputs of a target."""
    path = FOLDER / f"{target}.jsonl"
    return [json.loads(line).encode("latin-1") for line in path.read_text("ascii").splitlines()]


def save_corpus(target: str, inputs: list[bytes]) -> None:
    """Write the inputs of a target, shortest first."""
    ordered = sorted(set(inputs), key=lambda data: (len(data), data))
    lines = [json.dumps(data.decode("latin-1")) for data in ordered]
    (FOLDER / f"{target}.jsonl").write_text("\n".join(lines) + "\n", "ascii")

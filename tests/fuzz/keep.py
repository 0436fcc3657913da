"""Puts inputs into the committed corpus, findings above all: python -m tests.fuzz.keep TARGET FILE..."""

import sys
from pathlib import Path

from tests.fuzz.corpus_files import load_corpus, save_corpus


if __name__ == "__main__":
    target, *files = sys.argv[1:]
    save_corpus(target, load_corpus(target) + [Path(file).read_bytes() for file in files])

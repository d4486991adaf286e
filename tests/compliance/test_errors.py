"""The tree of errors is one package: what it hands on is whole."""

from __future__ import annotations

from compliance import errors


def test_every_error_of_the_package_is_imported_from_it() -> None:
    """A class without its line in the package is found by nobody, and crosses no process border by name."""
    ours = {name for name, kind in errors.registry().items() if kind.__module__.startswith("compliance.errors.")}
    assert {name for name in ours if not hasattr(errors, name)} == set()
    assert len(ours) > 150

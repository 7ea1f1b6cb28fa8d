"""Templates of pages: a package's own, which may include what all pages share."""

from __future__ import annotations

import jinja2


def environment(package: str) -> jinja2.Environment:
    """Loads ``package``'s templates, and from here ``base.html``, which they extend, and its look.

    A page gives the blocks ``title`` and ``main``, where it needs them ``scripts``, and has a
    ``style.css`` of its own. A missing name is an error.
    """
    loaders = [jinja2.PackageLoader(name, ".") for name in (package, "pamtri.page")]
    return jinja2.Environment(
        loader=jinja2.ChoiceLoader(loaders),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
